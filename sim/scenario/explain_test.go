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
		checkExplained(t, load(t, file))
	}
}

func TestWhatExplainWritesOfAnyScenarioLoadsAsAnEqualOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkExplained(t, drawScenario(t)) })
}

func checkExplained(t rapid.TB, s *Scenario) {
	t.Helper()
	text := Explain(s)
	again, err := Parse("other-name.toml", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if !reflect.DeepEqual(s, again) {
		t.Fatalf("%+v\nis read back as\n%+v\nfrom\n%s", s, again, text)
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
	s.QUIC.override(ptr(drawQUIC(t)))
	hosts := rapid.IntRange(2, 4).Draw(t, "hosts")
	for i := range hosts {
		s.Hosts = append(s.Hosts, Host{Name: fmt.Sprintf("host%d", i), GSO: rapid.Bool().Draw(t, "gso"), QUIC: drawQUIC(t)})
	}
	for i := range hosts - 1 {
		s.Links = append(s.Links, drawLink(t, fmt.Sprintf("link%d", i), [2]string{s.Hosts[i].Name, s.Hosts[i+1].Name}))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "sessions") {
		ends := s.Links[rapid.IntRange(0, len(s.Links)-1).Draw(t, "link")].Between
		s.Sessions = append(s.Sessions, drawSession(t, fmt.Sprintf("session%d", i), ends))
	}
	for range rapid.IntRange(0, 2).Draw(t, "expectations") {
		formula := func(label string) Formula { return Formula(drawText(t, label)) }
		s.Expect = append(s.Expect, Expect{
			Metric: drawText(t, "metric"), From: formula("from"), To: formula("to"),
			Min: formula("min"), Max: formula("max"), Equals: formula("equals"), Within: formula("within"),
		})
	}
	return s
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
		InitialPacketSize: netem.Bytes(rapid.Int64Range(1200, 1452).Draw(t, "initial_packet_size")),
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
	l := Link{Name: name, Between: between, Forward: drawDirection(t)}
	l.Reverse = l.Forward
	if rapid.Bool().Draw(t, "asymmetric") {
		l.Reverse = drawDirection(t)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "changes") {
		l.Changes = append(l.Changes, drawChange(t, time.Duration(i)*time.Second))
	}
	return l
}

func drawDirection(t *rapid.T) LinkDirection {
	return LinkDirection{
		Rate:     drawRate(t),
		Overhead: netem.Bytes(rapid.Int64Range(0, 1000).Draw(t, "overhead")),
		Delay:    drawDelay(t),
		MTU:      drawMTU(t), Queue: drawQueue(t), Loss: drawLoss(t),
	}
}

func drawRate(t *rapid.T) netem.BitRate {
	return netem.BitRate(rapid.Int64Range(0, 1e12).Draw(t, "rate"))
}

func drawDelay(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "delay"))
}

func drawMTU(t *rapid.T) MTU {
	return MTU{Size: netem.Bytes(rapid.Int64Range(1480, 65535).Draw(t, "mtu")), Error: rapid.Bool().Draw(t, "error")}
}

func drawQueue(t *rapid.T) Queue {
	n := rapid.Int64Range(1, 1e9).Draw(t, "limit")
	limits := []netem.Limit{{}, {Bytes: netem.Bytes(n)}, {Packets: int(n)}, {Time: time.Duration(n)}}
	return Queue{Kind: "fifo", Limit: rapid.SampledFrom(limits).Draw(t, "queue")}
}

func drawLoss(t *rapid.T) Loss {
	if rapid.Bool().Draw(t, "lossless") {
		return Loss{Kind: "none"}
	}
	return Loss{Kind: "bernoulli", P: rapid.Float64Range(0, 1).Draw(t, "p")}
}

func drawChange(t *rapid.T, at time.Duration) Change {
	c := Change{At: at, Direction: rapid.SampledFrom([]string{"forward", "reverse", "both"}).Draw(t, "direction")}
	set := rapid.IntRange(1, 63).Draw(t, "parameters")
	for i, draw := range []func(){
		func() { c.Rate = ptr(drawRate(t)) },
		func() { c.Overhead = ptr(netem.Bytes(rapid.Int64Range(0, 1000).Draw(t, "overhead"))) },
		func() { c.Delay = ptr(drawDelay(t)) },
		func() { c.MTU = ptr(drawMTU(t)) },
		func() { c.Queue = ptr(drawQueue(t)) },
		func() { c.Loss = ptr(drawLoss(t)) },
	} {
		if set&(1<<i) != 0 {
			draw()
		}
	}
	return c
}

func drawSession(t *rapid.T, name string, ends [2]string) Session {
	if rapid.Bool().Draw(t, "backwards") {
		ends[0], ends[1] = ends[1], ends[0]
	}
	s := Session{
		Name: name, Client: ends[0], Server: ends[1],
		Path:    rapid.StringMatching(`/[!-~]{0,20}`).Draw(t, "path"),
		Start:   time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "start")),
		Count:   rapid.IntRange(1, 5).Draw(t, "count"),
		Stagger: time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "stagger")),
		QUIC:    drawQUIC(t),
		Close: Close{
			At:   time.Minute + time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "at")),
			By:   rapid.SampledFrom([]string{"client", "server"}).Draw(t, "by"),
			Code: rapid.Uint32().Draw(t, "code"),
			How:  rapid.SampledFrom([]string{"session", "connection", "none"}).Draw(t, "how"),
		},
	}
	if s.Close.How == "none" && rapid.Bool().Draw(t, "forever") {
		s.Close.At = 0
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
	f := Flow{Name: name, Kind: kind.name, Start: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "start")), Config: kind.config()}
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
		*c = Bulk{Upload: c.Upload, Size: size, Streams: rapid.IntRange(1, 16).Draw(t, "streams"), Direction: rapid.SampledFrom([]string{"uni", "bidi"}).Draw(t, "direction")}
		if duration > 0 {
			c.Size, c.Duration = 0, duration
		}
	case *Echo:
		*c = Echo{Transport: transport, Rate: rate, Size: size, Duration: duration, Count: count}
	case *Media:
		*c = Media{Transport: transport, From: rapid.SampledFrom([]string{"client", "server"}).Draw(t, "from"), Rate: rate, Size: size, Duration: duration, Count: count}
	case *Baton:
		*c = Baton{Baton: rapid.IntRange(0, 255).Draw(t, "baton"), Count: rapid.IntRange(1, 255).Draw(t, "batons"), Padding: size, Patience: max(duration, time.Millisecond)}
	case *Request:
		*c = Request{Size: size, Count: max(count, 1), Interval: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "interval"))}
	}
	return f
}
