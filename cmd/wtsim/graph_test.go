package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// draw returns the text of graphs, without the empty lines around them.
func draw(graphs []graph, s style) string {
	var out strings.Builder
	for _, g := range graphs {
		g.print(&out, s)
	}
	return strings.TrimSpace(out.String())
}

// series makes a series with a point at each multiple of step from start on.
func series(name, entity string, start, step time.Duration, values ...float64) analysis.Series {
	s := analysis.Series{Entity: entity, Name: name}
	for i, v := range values {
		s.Points = append(s.Points, analysis.Point{T: start + time.Duration(i)*step, V: v})
	}
	return s
}

// constant returns n equal values.
func constant(n int, value float64) []float64 { return slices.Repeat([]float64{value}, n) }

// download is a run of 10 s with bins of 100 ms: a download from the server to
// the client with the goodput 15 Mbit/s until 5 s and then 5 Mbit/s, on a link that
// falls from 20 to 8 Mbit/s then.
func download() *analysis.Data {
	const bin = 100 * time.Millisecond
	return &analysis.Data{
		Run: record.Run{
			Virtual:  10 * time.Second,
			Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
			Flows:    []record.Flow{{Entity: "flows.bulk", From: "server", To: "client", Way: []string{"links.access.forward"}}},
		},
		Bin: bin,
		Series: []analysis.Series{
			series(record.SeriesDelivered, "flows.bulk", 0, 10*time.Second, 0, 12.5e6),
			series(analysis.SeriesFlowThroughput, "flows.bulk", bin/2, bin, append(constant(50, 15e6), constant(50, 5e6)...)...),
			series(record.SeriesLinkRate, "links.access.forward", 0, 5*time.Second, 20e6, 8e6),
			series(record.SeriesSmoothedRTT, "connections.main.client", 0, time.Second, constant(11, 0.2)...),
			series(record.SeriesSmoothedRTT, "connections.main.server", 0, 5*time.Second, 0.04, 0.1, 0.05),
			series(record.SeriesBytesInFlight, "connections.main.client", 0, time.Second, 1000),
			series(record.SeriesBytesInFlight, "connections.main.server", 0, time.Second, 20000),
		},
	}
}

func TestARunIsShownByItsGoodputAndTheRTTOfTheEndThatSends(t *testing.T) {
	const want = `Goodput server → client, in Mbit/s
   20 ┼┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
   15 ┼────────────────────────╮
   10 ┤                        │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
    5 ┤                        ╰────────────────────────
    0 ┤
      └┬────┬────┬────┬────┬────┬───┬────┬────┬────┬────┬
       0    1    2    3    4    5   6    7    8    9  10 s
       ┄ rate of access.forward   ─ bulk

Smoothed RTT, highest of each column, in ms
  100 ┤                        ╭────────────────────────
   80 ┤                        │
   60 ┤                        │
   40 ┼────────────────────────╯
   20 ┤
    0 ┤
      └┬────┬────┬────┬────┬────┬───┬────┬────┬────┬────┬
       0    1    2    3    4    5   6    7    8    9  10 s
       ─ main.server`
	if got := draw(overview(download()), style{width: 61}); got != want {
		t.Errorf("the graphs are\n%s\nwant\n%s", got, want)
	}
}

func TestOnATerminalLinesDifferInColourToo(t *testing.T) {
	plain, coloured := draw(overview(download()), style{width: 80}), draw(overview(download()), style{width: 80, colour: true})
	if strings.Contains(plain, "\x1b") {
		t.Errorf("without colours there is %q", plain)
	}
	for _, code := range []string{limitColor.String(), lineColors[0].String(), "\x1b[0m"} {
		if !strings.Contains(coloured, code) {
			t.Errorf("with colours there is no %q in %q", code, coloured)
		}
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	if coloured != plain {
		t.Errorf("without their colours the graphs are\n%q\nwant\n%q", coloured, plain)
	}
}

func TestAnOutputThatIsNoTerminalHasNoColours(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := styleOf(file); got != (style{width: 80}) {
		t.Errorf("a file has the style %+v", got)
	}
	if got := styleOf(&strings.Builder{}); got != (style{width: 80}) {
		t.Errorf("a buffer has the style %+v", got)
	}
}

func TestGraphsFitIntoTheWidthThatThereIs(t *testing.T) {
	d := download()
	for _, name := range []string{"a-flow-with-a-long-name", "another-flow-with-a-longer-name"} {
		addFlow(d, "flows."+name, 8e3, "links.access.forward")
	}
	for _, width := range []int{50, 51, 59, 80, 99, 120, 500} {
		for line := range strings.Lines(draw(overview(d), style{width: width})) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > min(width, widest) {
				t.Errorf("in %d characters a line has %d: %s", width, n, line)
			}
		}
	}
	if got := draw(overview(download()), style{width: 49}); got != "" {
		t.Errorf("in 49 characters there is\n%s", got)
	}
}

func TestARunThatWouldMakeNoLinesHasNoGraph(t *testing.T) {
	for name, change := range map[string]func(*analysis.Data){
		"no flows":           func(d *analysis.Data) { d.Run.Flows = nil },
		"no series":          func(d *analysis.Data) { d.Series = nil },
		"nothing":            func(d *analysis.Data) { *d = analysis.Data{} },
		"nine bins":          func(d *analysis.Data) { d.Run.Virtual = 9 * d.Bin },
		"nothing delivered":  func(d *analysis.Data) { d.Series[0].Points[1].V = 0 },
		"samples of no flow": func(d *analysis.Data) { d.Run.Flows[0].Entity = "flows.other" },
	} {
		d := download()
		change(d)
		if got := draw(overview(d), style{width: 80}); got != "" {
			t.Errorf("%s: there is\n%s", name, got)
		}
	}
}

func TestARunWithoutRTTsHasTheGraphOfGoodput(t *testing.T) {
	d := download()
	d.Series = d.Series[:3]
	if got := draw(overview(d), style{width: 80}); strings.Count(got, " in ") != 1 || !strings.HasPrefix(got, "Goodput server → client") {
		t.Errorf("the graphs are\n%s", got)
	}
}

// addFlow adds a flow over links with a constant goodput all the time.
func addFlow(d *analysis.Data, entity string, goodput float64, way ...string) {
	d.Run.Flows = append(d.Run.Flows, record.Flow{Entity: entity, From: "server", To: entity, Way: way})
	d.Series = append(d.Series,
		series(record.SeriesDelivered, entity, 0, 10*time.Second, 0, goodput*10/8),
		series(analysis.SeriesFlowThroughput, entity, d.Bin/2, d.Bin, constant(100, goodput)...))
}

func titlesAndLegends(d *analysis.Data) []string {
	var lines []string
	for line := range strings.Lines(draw(overview(d), style{width: 80})) {
		if trimmed := strings.TrimSpace(line); strings.ContainsAny(trimmed, "acelot") && trimmed != "" {
			lines = append(lines, trimmed)
		}
	}
	return lines
}

func TestFlowsTooLowForALineAreNamed(t *testing.T) {
	d := download()
	addFlow(d, "flows.ping", 8e3, "links.access.forward")
	addFlow(d, "flows.voice", 64e3, "links.access.forward")
	got := titlesAndLegends(d)
	if want := []string{"Goodput over access.forward, in Mbit/s", "┄ rate of access.forward   ─ bulk   at most 64.0 kbit/s: ping, voice"}; !slices.Equal(got[:2], want) {
		t.Errorf("the graph is described by %q, want %q", got, want)
	}
}

func TestManyFlowsAreShownByTheirSum(t *testing.T) {
	d := download()
	d.Series[2].Points = nil
	for _, name := range []string{"b", "c", "d"} {
		addFlow(d, "flows."+name, 5e6, "links.access.forward")
	}
	got := overview(d)[0]
	if len(got.lines) != 1 || got.lines[0].name != "sum of 4 flows" {
		t.Fatalf("the graph is %+v", got)
	}
	spans := []span{{time.Second, 2 * time.Second}, {6 * time.Second, 6*time.Second + 30*time.Millisecond}}
	if values := got.lines[0].values(spans); math.Abs(values[0]-30e6) > 1 || math.Abs(values[1]-20e6) > 1 {
		t.Errorf("the sums are %v, want 15 + 3·5 and 5 + 3·5 Mbit/s", values)
	}
}

func TestTheGraphIsOfTheLinkThatMostGoesOver(t *testing.T) {
	d := download() // 12.5 MB over access.forward
	addFlow(d, "flows.up", 1e6, "links.access.reverse")
	addFlow(d, "flows.other", 9e6, "links.core.forward", "links.thin.forward")
	addFlow(d, "flows.more", 5e6, "links.core.forward", "links.thin.forward")
	d.Series = append(d.Series,
		series(record.SeriesLinkRate, "links.core.forward", 0, time.Second, 100e6),
		series(record.SeriesLinkRate, "links.thin.forward", 0, time.Second, 20e6))
	// 17.5 MB go over core and thin; thin has the lower rate.
	want := []string{
		"Goodput over thin.forward, in Mbit/s", "┄ rate of thin.forward   ─ other   • more",
		"Goodput server → client, in Mbit/s", "┄ rate of access.forward   ─ bulk   elsewhere: up",
	}
	if got := titlesAndLegends(d); !slices.Equal(got[:4], want) {
		t.Errorf("the graphs are described by %q, want %q", got, want)
	}
}

func TestARateFarAboveTheGoodputIsSaid(t *testing.T) {
	d := download()
	d.Series[2] = series(record.SeriesLinkRate, "links.access.forward", 0, time.Second, 1e9)
	if got := titlesAndLegends(d)[1]; got != "─ bulk   rate of access.forward: 1.00 Gbit/s or more" {
		t.Errorf("the legend is %q", got)
	}
	d.Series[2] = series(record.SeriesLinkRate, "links.access.forward", 0, time.Second, 0)
	if got := titlesAndLegends(d)[1]; got != "─ bulk" {
		t.Errorf("without a limit the legend is %q", got)
	}
}

func TestManyConnectionsAreShownByTheMedianAndTheHighest(t *testing.T) {
	d := download()
	for i, name := range []string{"b", "c", "d"} {
		d.Run.Sessions = append(d.Run.Sessions, record.Session{Entity: "sessions." + name, Connection: "connections." + name})
		d.Series = append(d.Series, series(record.SeriesSmoothedRTT, "connections."+name+".client", 0, time.Second, constant(11, 0.01*float64(i+1))...))
	}
	graphs := overview(d)
	got := graphs[len(graphs)-1]
	if len(got.lines) != 2 || got.lines[0].name != "highest of 4 connections" || got.lines[1].name != "median" {
		t.Fatalf("the graph is %+v", got)
	}
	spans := []span{{time.Second, 2 * time.Second}, {10 * time.Second, 10 * time.Second}}
	if high, median := got.lines[0].values(spans), got.lines[1].values(spans); high[0] != 0.04 || median[0] != 0.02 || !math.IsNaN(high[1]) {
		t.Errorf("of 40, 10, 20 and 30 ms the highest is %v and the median %v", high, median)
	}
}

func TestAnyValuesFitIntoAGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 9000), rapid.SampledFrom([]float64{0, math.NaN(), 1, 999.5, 1000}))
		end := time.Duration(rapid.Int64Range(1, int64(20*time.Hour)).Draw(t, "end"))
		width := rapid.IntRange(narrowest, widest).Draw(t, "width")
		g := graph{title: "Values", unit: rapid.SampledFrom([]string{"bit/s", "s"}).Draw(t, "unit"), end: end}
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			g.lines = append(g.lines, graphLine{name: "line", values: func(spans []span) []float64 {
				return rapid.SliceOfN(value, len(spans), len(spans)).Draw(t, "values")
			}})
		}
		const others = 5 // title, axis, ticks and legend
		lines := strings.Split(draw([]graph{g}, style{width: width}), "\n")
		if len(lines) > mostSteps+1+others {
			t.Fatalf("there are %d lines", len(lines))
		}
		for _, line := range lines {
			if n := len([]rune(line)); n > width {
				t.Fatalf("in %d characters a line has %d: %s", width, n, line)
			}
		}
	})
}
