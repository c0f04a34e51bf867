package figure

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestFiguresLookAsTheyDid(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range All(small()) {
		seen[f.Name] = true
		golden(t, f.Name+".svg", render(t, f, SVG, TwoColumns))
		golden(t, f.Name+"-column.svg", render(t, f, SVG, OneColumn))
		golden(t, f.Name+".csv", render(t, f, CSV, TwoColumns))
	}
	for _, d := range Definitions() {
		if !seen[d.Name] {
			t.Errorf("small has nothing to show in the figure %s", d.Name)
		}
	}
	for _, f := range All(crowd(12)) {
		golden(t, "crowd-"+f.Name+".svg", render(t, f, SVG, TwoColumns))
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got = withoutFonts(got)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the figure, and run go test -update if it is right", path)
	}
}

// small is a run of few points that has something to show in every figure.
func small() Data {
	const n = 20
	d := Data{
		Name: "small, seed\u00a01", End: 4 * time.Second, Bin: 200 * ms,
		Changes: []time.Duration{2 * time.Second}, Moves: []time.Duration{3 * time.Second},
		Directions: []Direction{
			{
				Name:     "server → client",
				Rates:    []Series{{"access", []Point{{0, 20e6}, {2 * time.Second, 12e6}}}, {"cell", []Point{{0, 8e6}}}},
				Capacity: []Point{{0, 20e6}, {2 * time.Second, 12e6}, {3 * time.Second, 8e6}},
				Goodput:  []Series{wave("bulk", n, 12e6, 4e6, 0), wave("voice", n, 64e3, 0, 0)},
				Traffic:  []Series{wave("web, 3 sources", n, 3e6, 3e6, 1)},
			},
			{Name: "client → server", Rates: []Series{{"access", []Point{{0, 100e6}}}}, Goodput: []Series{wave("upload", n, 1e6, 5e5, 2)}},
		},
		Queues:        []Series{wave("access, server → client", n, 0.02, 0.02, 0), wave("access, client → server", n, 0.001, 0.001, 1)},
		RTTs:          []RTT{{Name: "main, server", Smoothed: wave("", n, 0.06, 0.01, 0).Points, Latest: wave("", n, 0.06, 0.02, 0).Points}},
		Delays:        []Series{wave("voice: one-way delay", n, 0.04, 0.02, 0), wave("ping: round trip", n, 0.06, 0.02, 1)},
		TrafficDelays: []Series{wave("web", n, 0.05, 0.02, 2)},
		Senders: []Sender{{
			Name: "main, server", Window: wave("", n, 60e3, 20e3, 0).Points, InFlight: wave("", n, 50e3, 20e3, 0).Points,
			Losses: []time.Duration{1300 * ms, 2500 * ms},
		}},
		Sessions: []Session{session("main", 40*ms)},
		Incidents: []Incident{
			{Of: "access", Kind: LinkChange, From: 2 * time.Second, Until: 2 * time.Second, Text: "rate = 12Mbit/s"},
			{Of: "access", Kind: Outage, From: 5 * time.Second, Until: 5500 * ms},
			{Of: "cell", Kind: Hold, From: 5 * time.Second, Until: 7 * time.Second},
		},
		Exchanges: exchanges(),
		Sequences: sequences(),
		OtherEnds: 1,
		Latencies: []Distribution{exponential("voice: one-way delay", 500, 0.02, 0.01), exponential("main, server: RTT", 2000, 0.04, 0.015)},
		Queueing:  []Distribution{exponential("access, server → client", 5000, 0, 0.01), exponential("access, client → server", 3000, 0, 0.001)},
		Teardowns: []Distribution{exponential("peer notified", 9, 0.02, 0.01), exponential("no state left at either end", 8, 0.04, 0.05)},
		Fairness:  []Point{{1500 * ms, 0.8}, {2500 * ms, 0.9}, {3500 * ms, 1}},
		Shares:    []Series{{"bulk", []Point{{1500 * ms, 0.75}, {2500 * ms, 2. / 3}, {3500 * ms, 0.5}}}, {"other", []Point{{1500 * ms, 0.25}, {2500 * ms, 1. / 3}, {3500 * ms, 0.5}}}},
	}
	d.Sessions[0].Moves = []Incident{
		{Kind: Migration, From: 2900 * ms, Until: 3 * time.Second, Text: "cell"},
		{Kind: NoMigration, From: 6 * time.Second, Until: 8 * time.Second, Text: "access: no answer"},
	}
	return d
}

// wave is a series of n points over four seconds.
func wave(name string, n int, mean, swing, phase float64) Series {
	s := Series{Name: name}
	for i := range n {
		t := (4*time.Second*time.Duration(i) + 2*time.Second) / time.Duration(n)
		s.Points = append(s.Points, Point{t, math.Round(1e6*(mean+swing*math.Sin(2*t.Seconds()+phase))) / 1e6})
	}
	return s
}

// exponential is a distribution of n values with a smallest one and, above it, a
// mean: 24 of its points.
func exponential(name string, n int64, least, mean float64) Distribution {
	const points = 24
	x := Distribution{Name: name, Count: n}
	for i := range points {
		above := math.Pow(float64(n), -float64(i)/(points-1))
		x.Points = append(x.Points, XY{math.Round(1e6*(least-mean*math.Log(above))) / 1e6, 1 - above})
	}
	x.Points[points-1].Y = 1
	return x
}
