package scenario

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wtsim/wtsim/netem"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestExplainWritesEveryDefaultWithItsMeaning(t *testing.T) {
	got := Explain(load(t, "testdata/architecture.toml"))
	const golden = "testdata/architecture.explained"
	if *update {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("differs from %s (rewritten by -update):\n%s", golden, diff)
	}
}

func TestWhatExplainWritesLoadsAsAnEqualScenario(t *testing.T) {
	files, err := filepath.Glob("../../scenarios/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "testdata/architecture.toml") {
		checkExplained(t, load(t, file), filepath.Dir(file))
	}
}

func TestWhatExplainWritesOfAnyScenarioLoadsAsAnEqualOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScenario(t)
		text := Explain(s)
		for _, l := range s.Links {
			text = append(text, drawChanges(t, l.Name)...)
		}
		with, err := Parse("x.toml", text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		checkExplained(t, with, ".")
	})
}

func checkExplained(t rapid.TB, s *Scenario, folder string) {
	t.Helper()
	text := Explain(s)
	again, err := Parse(filepath.Join(folder, "other-name.toml"), text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if !reflect.DeepEqual(s, again) {
		t.Fatalf("is read back as another (-want +got):\n%s\nfrom\n%s", cmp.Diff(s, again, exported, cmp.AllowUnexported(QUIC{})), text)
	}
	if second := Explain(again); string(second) != string(text) {
		t.Fatalf("written again it is\n%s\nnot\n%s", second, text)
	}
}

// The draw functions make valid scenarios of every shape.

func drawScenario(t *rapid.T) *Scenario {
	s := &Scenario{
		Name:        rapid.StringMatching(`[A-Za-z0-9_-]{1,20}`).Draw(t, "name"),
		Description: drawText(t, "description"),
		Seed:        rapid.Uint64().Draw(t, "seed"),
		TimeLimit:   time.Hour + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "time_limit")),
		QUIC:        defaultQUIC,
	}
	overrides := drawQUIC(t)
	s.QUIC.override(&overrides)
	hosts := rapid.IntRange(2, 4).Draw(t, "hosts")
	for i := range hosts {
		s.Hosts = append(s.Hosts, Host{Name: fmt.Sprintf("host%d", i), Count: 1, GSO: rapid.Bool().Draw(t, "gso"), QUIC: drawQUIC(t)})
	}
	for i := range hosts - 1 {
		s.Links = append(s.Links, drawLink(t, fmt.Sprintf("link%d", i), [2]string{s.Hosts[i].Name, s.Hosts[i+1].Name}))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "sessions") {
		ends := s.Links[rapid.IntRange(0, len(s.Links)-1).Draw(t, "link")].Between
		s.Sessions = append(s.Sessions, drawSession(t, fmt.Sprintf("session%d", i), ends))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "traffic") {
		ends := s.Links[rapid.IntRange(0, len(s.Links)-1).Draw(t, "link")].Between
		s.Traffic = append(s.Traffic, drawTraffic(t, fmt.Sprintf("traffic%d", i), ends))
	}
	for range rapid.IntRange(0, 2).Draw(t, "expectations") {
		s.Expect = append(s.Expect, drawExpect(t))
	}
	return s
}

func drawExpect(t *rapid.T) Expect {
	formula := func(label string) Formula {
		return rapid.SampledFrom([]Formula{"0.9 * links.access.rate", "1.5", "20ms", "max(1, n) / -2Mbit/s"}).Draw(t, label)
	}
	e := Expect{
		Metric: drawText(t, "metric"),
		Over:   rapid.SampledFrom([]Claim{"each", "median", "p99.9", "confidence99"}).Draw(t, "over"),
		Seeds:  rapid.IntRange(1, 10000).Draw(t, "seeds"),
		Known:  drawText(t, "known"),
	}
	if rapid.Bool().Draw(t, "equals") {
		e.Equals, e.Within = formula("equals"), formula("within")
	} else {
		e.Min, e.Max, e.From, e.To = formula("min"), formula("max"), formula("from"), formula("to")
	}
	return e
}

// drawText draws text that a TOML file can hold: any but U+0000.
func drawText(t *rapid.T, label string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(rapid.String().Draw(t, label), "\x00", ""), "")
}

// drawQUIC draws overrides, some of them to a zero value.
func drawQUIC(t *rapid.T) QUIC {
	var q QUIC
	drawn := QUIC{
		IdleTimeout:       time.Duration(rapid.Int64Range(1e6, 1e12).Draw(t, "idle_timeout")),
		KeepAlive:         time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "keep_alive")),
		InitialPacketSize: netem.Bytes(rapid.Int64Range(1200, 1280).Draw(t, "initial_packet_size")),
		MaxStreamWindow:   netem.Bytes(rapid.Int64Range(512<<10, 4<<30).Draw(t, "max_stream_window")),
		MaxStreams:        rapid.Int64Range(1, 1e6).Draw(t, "max_streams"),
		ECN:               rapid.Bool().Draw(t, "ecn"),
	}
	from := fieldsOf(reflect.ValueOf(&drawn).Elem())
	for i, f := range fieldsOf(reflect.ValueOf(&q).Elem()) {
		switch f.key {
		case "idle_timeout", "keep_alive", "initial_packet_size", "max_stream_window", "max_streams", "ecn":
			if rapid.Bool().Draw(t, "set") {
				f.value.Set(from[i].value)
				q.set |= 1 << f.index
			}
		}
	}
	return q
}

func drawLink(t *rapid.T, name string, between [2]string) Link {
	l := Link{Name: name, Between: between}
	setDefaults(reflect.ValueOf(&l).Elem())
	l.Forward = drawDirection(t)
	l.Reverse = l.Forward.Clone()
	if rapid.Bool().Draw(t, "asymmetric") {
		l.Reverse = drawDirection(t)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "outages") {
		l.Outages = append(l.Outages, Outage{
			At: time.Duration(i) * time.Second, For: time.Millisecond, Every: rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "every"),
			Direction: rapid.SampledFrom([]string{"forward", "reverse", "both"}).Draw(t, "direction"), Packets: rapid.SampledFrom([]string{"drop", "hold"}).Draw(t, "packets"),
		})
	}
	return l
}

func drawDirection(t *rapid.T) LinkDirection {
	d := standard()
	d.Rate = netem.BitRate(rapid.Int64Range(0, 1e12).Draw(t, "rate"))
	d.Burst = netem.Bytes(rapid.Int64Range(0, 1e9).Draw(t, "burst"))
	d.Overhead = netem.Bytes(rapid.Int64Range(0, 1000).Draw(t, "overhead"))
	d.Delay = drawDelay(t)
	d.MTU = MTU{Size: netem.Bytes(rapid.Int64Range(1480, 65535).Draw(t, "mtu")), Error: rapid.Bool().Draw(t, "error")}
	if rapid.Bool().Draw(t, "jitter") {
		d.Jitter = Jitter{Deviation: drawDelay(t), Correlation: drawP(t), Reorder: rapid.Bool().Draw(t, "reorder")}
		if err := d.Jitter.Distribution.UnmarshalText([]byte(rapid.SampledFrom(distributions).Draw(t, "distribution"))); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(t, "faults") {
		d.Duplicate, d.Corrupt = Chance{drawP(t), drawP(t)}, Corrupt{drawP(t), drawP(t), rapid.Uint64Range(0, 1e6).Draw(t, "corrupt.burst")}
		d.ECN = ECNFault{Drop: drawP(t), Bleach: drawP(t), Mangle: drawP(t), From: "ce", To: "ect1"}
		d.Reorder = Reorder{P: drawP(t), Correlation: drawP(t), Gap: rapid.IntRange(1, 10).Draw(t, "gap"), Delay: drawDelay(t)}
		d.Policer = Policer{Rate: netem.BitRate(rapid.Int64Range(0, 1e12).Draw(t, "policed")), Burst: netem.Bytes(rapid.Int64Range(1, 1e9).Draw(t, "burst"))}
		d.Slot = Slot{Min: time.Millisecond, Max: time.Millisecond + drawDelay(t), Packets: rapid.IntRange(0, 10).Draw(t, "packets")}
	}
	drawQueue(t, &d.Queue)
	drawLoss(t, &d.Loss)
	return d
}

// standard returns a direction with the defaults.
func standard() LinkDirection {
	var d LinkDirection
	setDefaults(reflect.ValueOf(&d).Elem())
	return d
}

func drawP(t *rapid.T) float64 { return rapid.Float64Range(0, 1).Draw(t, "p") }

func drawDelay(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(time.Hour/2)).Draw(t, "delay"))
}

func drawQueue(t *rapid.T, q *Queue) {
	chooseKind(reflect.ValueOf(q).Elem(), rapid.SampledFrom(queueKinds).Draw(t, "queue").name)
	n := rapid.Int64Range(1, 1e6).Draw(t, "limit")
	switch c := q.Config.(type) {
	case *FIFO:
		limits := []netem.Limit{{}, {Bytes: netem.Bytes(n)}, {Packets: int(n)}, {Time: time.Duration(n)}}
		*c = FIFO{Limit: rapid.SampledFrom(limits).Draw(t, "limit"), Mark: rapid.SampledFrom(limits).Draw(t, "mark"), Drop: rapid.SampledFrom([]string{"tail", "head"}).Draw(t, "drop")}
	case *CoDel:
		c.Limit, c.Target, c.ECN = netem.Limit{Packets: int(n)}, time.Duration(n)*time.Microsecond, rapid.Bool().Draw(t, "ecn")
	case *FQCoDel:
		c.Limit, c.ECN = netem.Limit{Packets: int(n)}, rapid.Bool().Draw(t, "ecn")
	case *PIE:
		c.Limit, c.ByteMode = netem.Limit{Packets: int(n)}, rapid.Bool().Draw(t, "byte_mode")
	}
}

func drawLoss(t *rapid.T, l *Loss) {
	chooseKind(reflect.ValueOf(l).Elem(), rapid.SampledFrom(lossKinds).Draw(t, "loss").name)
	if rapid.Bool().Draw(t, "some") {
		l.Above, l.From, l.Until, l.Burst = 100, time.Second, 2*time.Second, 3
	}
	n := rapid.Uint64Range(1, 1e12)
	switch c := l.Config.(type) {
	case *Bernoulli:
		*c = Bernoulli{P: drawP(t), Correlation: drawP(t)}
	case *GilbertElliott:
		*c = GilbertElliott{drawP(t), drawP(t), drawP(t), drawP(t)}
	case *Markov:
		*c = Markov{drawP(t) / 2, drawP(t) / 2, drawP(t) / 2, drawP(t), drawP(t) / 2}
	case *Periodic:
		c.Every = n.Draw(t, "k")
	case *ListedLoss:
		c.Packets = rapid.SliceOfN(n, 1, 5).Draw(t, "packets")
	case *LossMask:
		c.Mask = rapid.Uint64().Draw(t, "mask")
	}
}

// drawChanges returns the text of changes, one after the other, of any keys and
// with ramps of numbers.
func drawChanges(t *rapid.T, link string) string {
	keys := []string{
		`rate = "7Mbit/s"`, `delay = "13ms"`, `loss = 0.5`, `loss = { kind = "periodic", every = 9 }`, `jitter = "3ms"`,
		`jitter = { deviation = "1ms", distribution = "pareto", reorder = false }`, `overhead = 50`, `mtu.size = 2000`, `duplicate = 0.25`,
		`corrupt.p = 0.1`, `slot = { min = "2ms", max = "3ms" }`, `policer = "1Mbit/s"`, `ecn.bleach = 0.5`, `reorder = { p = 0.1, delay = "1ms" }`, `burst = "1MB"`,
		`netem = "delay 20ms 5ms 25% distribution normal loss gemodel 1% 17% rate 10mbit"`,
	}
	var text strings.Builder
	for i := range rapid.IntRange(0, 3).Draw(t, "changes") {
		fmt.Fprintf(&text, "[[links.%s.changes]]\nat = \"%ds\"\ndirection = %q\n", link, i, rapid.SampledFrom([]string{"forward", "reverse", "both"}).Draw(t, "direction"))
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, 3, func(k string) string { return k[:2] }).Draw(t, "keys") {
			text.WriteString(key + "\n")
		}
	}
	return text.String()
}

func drawSession(t *rapid.T, name string, ends [2]string) Session {
	if rapid.Bool().Draw(t, "backwards") {
		ends[0], ends[1] = ends[1], ends[0]
	}
	s := Session{
		Name: name, Client: ends[0], Server: ends[1],
		Path:     rapid.StringMatching(`/[!-~]{0,20}`).Draw(t, "path"),
		Start:    time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "start")),
		Count:    rapid.IntRange(1, 5).Draw(t, "count"),
		Stagger:  time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "stagger")),
		Arrivals: "regular",
		QUIC:     drawQUIC(t),
		Drain:    Drain{By: rapid.SampledFrom([]string{"client", "server"}).Draw(t, "drains")},
		Close: Close{
			At:   time.Minute + time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "at")),
			By:   rapid.SampledFrom([]string{"client", "server"}).Draw(t, "by"),
			Code: rapid.Uint32().Draw(t, "code"),
			How:  rapid.SampledFrom([]string{"session", "connection", "none"}).Draw(t, "how"),
		},
	}
	if s.Stagger > 0 && rapid.Bool().Draw(t, "poisson") {
		s.Arrivals = "poisson"
	}
	if s.Close.How == "none" && rapid.Bool().Draw(t, "forever") {
		s.Close.At = 0
	}
	if rapid.Bool().Draw(t, "drain") {
		s.Drain.At = time.Duration(rapid.Int64Range(int64(10*time.Second), int64(59*time.Second)).Draw(t, "drain at"))
	}
	if reason := drawText(t, "reason"); len(reason) <= maxReason {
		s.Close.Reason = reason
	}
	if rapid.Bool().Draw(t, "shared") {
		s.Connection = "connection-of-" + name
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "flows") {
		s.Flows = append(s.Flows, drawFlow(t, fmt.Sprintf("flow%d", i)))
	}
	if i := slices.IndexFunc(s.Flows, func(f Flow) bool { return f.Kind == "baton" }); i >= 0 {
		s.Flows = s.Flows[i : i+1] // which has the session, and its path, for itself
		s.Flows[0].Start = 0
		s.Path = "/batons-of-" + name
		s.Close.At = max(s.Close.At, time.Minute)
	}
	return s
}

func drawFlow(t *rapid.T, name string) Flow {
	kind := rapid.SampledFrom(flowKinds).Draw(t, "kind")
	f := Flow{Name: name, Kind: kind.name, Start: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "start")), Config: kind.config().(FlowConfig)}
	size := netem.Bytes(rapid.Int64Range(16, 1100).Draw(t, "size"))
	rate := Frequency(rapid.Int64Range(1e3, 1e12).Draw(t, "period"))
	transport := rapid.SampledFrom([]string{"stream", "datagram"}).Draw(t, "transport")
	duration := time.Duration(rapid.Int64Range(1e3, 1e13).Draw(t, "duration"))
	count := rapid.IntRange(1, 1e6).Draw(t, "count")
	// Messages are bounded by one of the two or by neither, bulk data by one.
	switch rapid.IntRange(0, 2).Draw(t, "bound") {
	case 0:
		duration = 0
	case 1:
		count = 0
	case 2:
		duration, count = 0, 0
	}
	switch c := f.Config.(type) {
	case *Bulk:
		*c = Bulk{Upload: c.Upload, Size: size, Sizes: noSizes, Streams: rapid.IntRange(1, 16).Draw(t, "streams"), Direction: rapid.SampledFrom([]string{"uni", "bidi"}).Draw(t, "direction")}
		switch {
		case duration > 0:
			c.Size, c.Duration = 0, duration
		case rapid.Bool().Draw(t, "drawn"):
			c.Size, c.Sizes = 0, drawSizes(t)
		}
	case *Echo:
		*c = Echo{Transport: transport, Rate: rate, Size: size, Duration: duration, Count: count}
	case *Media:
		*c = Media{Transport: transport, From: rapid.SampledFrom([]string{"client", "server"}).Draw(t, "from"), Rate: rate, Size: size, Duration: duration, Count: count, Deadline: time.Duration(rapid.Int64Range(0, 3.6e12).Draw(t, "deadline")) / 1000 * 1000}
		if rapid.Bool().Draw(t, "on one stream") {
			c.Transport = "one-stream"
		}
	case *Baton:
		*c = Baton{Baton: rapid.IntRange(0, 255).Draw(t, "baton"), Count: rapid.IntRange(1, 255).Draw(t, "batons"), Padding: size, Patience: max(duration, time.Millisecond)}
	case *Request:
		*c = Request{Size: size, Count: max(count, 1), Interval: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "interval"))}
	}
	return f
}
