package workload_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// scenarios generates small scenarios that are valid.
func scenarios(t *rapid.T) string {
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	number := func(label string, least, most int) int { return rapid.IntRange(least, most).Draw(t, label) }
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	line("seed = %d", number("seed", 0, 1_000_000))
	line("[quic]\nidle_timeout = %q\nkey_exchange = %q\npath_mtu_discovery = %s\necn = %s",
		pick("idle", "2s", "5s"), pick("exchange", "x25519", "x25519mlkem768"), pick("discovery", "true", "false"), pick("ecn", "true", "false"))
	line("session_flow_control = %s\ninitial_session_window = %q", pick("flow_control", "true", "false"), pick("session_window", "1KiB", "20KB", "512KiB"))
	line("max_streams = %d\nmax_uni_streams = %d", number("max_streams", 1, 20), number("max_uni_streams", 3, 20))
	line("[hosts.a]\ngso = %s\n[hosts.b]", pick("gso", "true", "false"))
	between := pick("between", `"a", "b"`, `"b", "a"`)
	if rapid.Bool().Draw(t, "routed") {
		line("[routers.r]\n[links.m]\nbetween = [\"r\", \"b\"]\ndelay = \"1ms\"")
		between = strings.ReplaceAll(between, `"b"`, `"r"`)
	}
	delay := pick("delay", "0s", "1ms", "30ms", "200ms")
	// On a new path quic-go's probe timeout begins at 200 ms. A round trip that
	// takes longer than the probe timeout can keep both ends busy with probes for
	// ever: a packet that a probe replaced is forgotten, so that its acknowledgement
	// is no sample of the round trip.
	changesPath := delay != "200ms"
	multihomed := rapid.Bool().Draw(t, "multihomed")
	if multihomed {
		line("[links.second]\nbetween = [\"a\", \"b\"]\nrate = \"5Mbit/s\"\ndelay = \"2ms\"")
		line("[hosts.a.routes]\nb = \"l\"\n[hosts.b.routes]\na = %q", map[bool]string{true: "l", false: "m"}[strings.Contains(between, `"b"`)])
	}
	line("[links.l]\nbetween = [%s]", between)
	if changesPath && rapid.Bool().Draw(t, "translated") {
		// Not again and again: what a rebinding sets off keeps a connection from
		// being idle.
		line("nat = { inside = \"a\", filtering = %q }\nrebinds = [{ at = \"300ms\", what = %q }, { at = \"1200ms\", what = %q }]",
			pick("filtering", "endpoint-independent", "address-and-port-dependent"), pick("what", "port", "address"), pick("then", "port", "address"))
	}
	rate := pick("rate", "1Mbit/s", "10Mbit/s", "50Mbit/s", "unlimited")
	line("rate = %q\ndelay = %q\nqueue = %q\nloss = %s\nmtu = %q",
		rate, delay,
		pick("queue", "5packets", "1BDP", "20ms", "1MB"), pick("loss", "0.0", "0.01", "0.1"), pick("mtu", "1308B", "1500B"))
	for _, element := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		`jitter = "3ms"`, `jitter = { deviation = "5ms", distribution = "pareto", correlation = 0.25, reorder = false }`,
		`duplicate = 0.1`, `corrupt = 0.05`, `reorder = { p = 0.1, delay = "2ms", gap = 3 }`, `slot = { min = "1ms", max = "4ms", packets = 3 }`,
		`policer = { rate = "2Mbit/s", burst = "20KB" }`, `ecn = { bleach = 0.1, mangle = 0.1, to = "ce" }`, `burst = "5KB"`,
		`netem = "delay 5ms 2ms loss 1% duplicate 2% reorder 5% gap 4"`,
		`reverse = { slot = "5ms", duplicate = 0.5 }`,
	}), 0, 3, func(element string) string { return element[:4] }).Draw(t, "elements") {
		line("%s", element)
	}
	if rapid.Bool().Draw(t, "ramp") { // by less than the probe timeout

		line("[[links.l.changes]]\nat = %q\nover = %q\nstep = %q\ndelay = %q", pick("begin", "0s", "200ms"), pick("over", "100ms", "1s"), pick("step", "1ms", "70ms"), pick("delay", "0s", "10ms"))
	}
	if rapid.Bool().Draw(t, "outage") {
		line("[[links.l.outages]]\nat = %q\nfor = %q\nevery = %q\npackets = %q", pick("begin", "0s", "200ms"), pick("for", "1ms", "300ms"), pick("every", "0s", "1s"), pick("packets", "drop", "hold"))
	}
	if rapid.Bool().Draw(t, "hole") {
		line("[[links.l.changes]]\nat = %q\ndirection = %q\nloss = 1.0", pick("from", "0s", "100ms", "1s"), pick("holed", "forward", "reverse", "both"))
		line("[[links.l.changes]]\nat = %q\nloss = 0.0", pick("until", "1500ms", "5s"))
	}
	shared := rapid.Bool().Draw(t, "shared")
	for i := range number("sessions", 1, 3) {
		line("[sessions.s%d]\nclient = \"a\"\nserver = \"b\"\nstart = %q\ncount = %d",
			i, pick("start", "0s", "100ms", "1s"), number("count", 1, 3))
		line(pick("arrivals", `stagger = "0s"`, `stagger = "10ms"`, `stagger = "1ms"
arrivals = "poisson"`))
		if shared {
			line(`connection = "shared"`)
		}
		if multihomed && changesPath && rapid.Bool().Draw(t, "moves") && !raceDetector {
			line("migrations = [{ at = \"1300ms\", link = \"second\" }, { at = \"1700ms\", link = \"l\" }]")
		}
		how := pick("how", "session", "session", "connection", "none")
		at := ""
		if how != "none" && rapid.Bool().Draw(t, "timed") {
			at = fmt.Sprintf("at = %q, ", pick("at", "1100ms", "3s"))
		}
		if rapid.IntRange(0, 4).Draw(t, "batons") == 0 {
			line("path = \"/batons\"\nflows.batons = { kind = \"baton\", baton = %d, count = %d, padding = %q, patience = \"5s\" }",
				number("baton", 240, 255), number("at_once", 1, 20), pick("padding", "0B", "5KB"))
			continue
		}
		line("close = { %sby = %q, code = %d, reason = %q, how = %q }",
			at, pick("by", "client", "server"), number("code", 0, 1000), pick("reason", "", "done"), how)
		for j := range number("flows", 0, 4) {
			line("[sessions.s%d.flows.f%d]\nstart = %q", i, j, pick("offset", "0s", "0s", "50ms"))
			kind := pick("kind", "download", "upload", "echo", "media", "request")
			line("kind = %q", kind)
			switch kind {
			case "download", "upload":
				line("streams = %d\ndirection = %q", number("streams", 1, 5), pick("direction", "uni", "bidi"))
				limits := []string{`size = "5B"`, `size = "1KB"`, `size = "100KB"`, `sizes = { kind = "pareto", mean = "5KB", shape = 1.2, most = "100KB" }`}
				if rate != "unlimited" { // which would carry gigabytes
					limits = append(limits, `duration = "300ms"`)
				}
				line(pick("limit", limits...))
			case "echo", "media":
				transports := []string{"stream", "datagram"}
				if kind == "media" {
					transports = append(transports, "one-stream")
					line(pick("deadline", "", `deadline = "50ms"`))
				}
				line("transport = %q\nrate = %q\nsize = %q", pick("transport", transports...), pick("frequency", "5Hz", "100Hz"), pick("message", "16B", "1000B"))
				line(pick("end", "count = 1", "count = 30", `duration = "400ms"`))
			case "request":
				line("size = %q\ncount = %d\ninterval = %q", pick("body", "0B", "1B", "50KB"), number("requests", 1, 3), pick("interval", "0s", "100ms"))
			}
		}
	}
	return b.String()
}

// Every flow is bounded, and a session that gets stuck, because the streams are
// too few or the link lets nothing through, ends by its idle timeout: so every
// run is to end by itself.
func TestScenariosOfAnyKindKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := scenarios(t)
		s, err := scenario.Parse("random.toml", []byte(text))
		if err != nil {
			t.Skip(err) // such as a close before a start
		}
		r := simulate(t, s)
		if r.err != nil {
			t.Fatalf("seed %d: %v\n%s\n%s", s.Seed, r.err, text, r.story())
		}
		r.endsEverything()
		r.accounted()
		r.keepsOrder()
		for _, f := range r.run.Flows {
			r.conserves(f)
		}
		r.conservesStreams()
		if t.Failed() {
			t.Logf("the scenario:\n%s\nits events:\n%s", text, r.story())
		}
	})
}

// endsEverything checks that each flow of a complete run has ended, unless it
// lasts as long as its session, and that each session was established or failed.
func (r *recording) endsEverything() {
	r.t.Helper()
	for _, f := range r.run.Flows {
		n := len(r.all(record.EventFlowFinished, f.Entity)) + len(r.all(record.EventFlowFailed, f.Entity))
		if n != 1 {
			r.t.Errorf("seed %d: %s has ended %d times", r.seed, f.Entity, n)
		}
	}
	for _, s := range r.run.Sessions {
		outcome := make(map[string]int)
		for _, kind := range []string{record.EventEstablished, record.EventSessionFailed} {
			for _, e := range r.all(kind, s.Entity) {
				outcome[e.Side]++
			}
		}
		if outcome["client"] != 1 {
			r.t.Errorf("seed %d: %s was established or failed %d times at the client", r.seed, s.Entity, outcome["client"])
		}
	}
}

// keepsOrder checks that events are in order of time, and the values of each
// series.
func (r *recording) keepsOrder() {
	r.t.Helper()
	var last time.Duration
	for _, e := range r.events {
		if e.Time < last || e.Time > r.result.Elapsed {
			r.t.Errorf("seed %d: %s of %s at %s follows one at %s", r.seed, e.Kind, e.Entity, e.Time, last)
		}
		last = e.Time
	}
	type curve struct{ name, entity string }
	previous := make(map[curve]record.Sample)
	for _, s := range r.samples {
		c := curve{s.Name, s.Entity}
		if p, ok := previous[c]; ok && (s.Time < p.Time || s.Name == record.SeriesDelivered && s.Value <= p.Value) {
			r.t.Errorf("seed %d: %s of %s is %v at %s, after %v at %s", r.seed, s.Name, s.Entity, s.Value, s.Time, p.Value, p.Time)
		}
		previous[c] = s
	}
}

// conserves checks that a flow delivers what it sends, or part of it, once.
func (r *recording) conserves(f record.Flow) {
	r.t.Helper()
	finished := r.all(record.EventFlowFinished, f.Entity)
	sent, got := make(map[int64]bool), make(map[int64]bool)
	for _, e := range r.all(record.EventMessageSent, f.Entity) {
		sent[e.Value] = true
	}
	for _, e := range r.all(record.EventMessageGot, f.Entity) {
		if got[e.Value] || !sent[e.Value] {
			r.t.Errorf("seed %d: message %d of %s arrived twice, or before it was sent", r.seed, e.Value, f.Entity)
		}
		got[e.Value] = true
	}
	if len(finished) == 0 {
		return
	}
	switch c := r.config(f).(type) {
	case *scenario.Bulk:
		if c.Size > 0 && finished[0].Value != int64(c.Size) {
			r.t.Errorf("seed %d: %s delivered %d of %d bytes", r.seed, f.Entity, finished[0].Value, int64(c.Size))
		}
	case *scenario.Request:
		if want := int64(c.Size) * int64(c.Count); finished[0].Value != want || len(got) != c.Count {
			r.t.Errorf("seed %d: %d requests of %s delivered %d of %d bytes", r.seed, len(got), f.Entity, finished[0].Value, want)
		}
	case *scenario.Baton:
		if want := c.Count * (257 - c.Baton); len(got) != want {
			r.t.Errorf("seed %d: %s finished after %d of %d passes", r.seed, f.Entity, len(got), want)
		}
	case *scenario.Echo:
		if c.Transport == "stream" && len(got) != len(sent) {
			r.t.Errorf("seed %d: %d of %d messages of %s came back", r.seed, len(got), len(sent), f.Entity)
		}
	case *scenario.Media:
		if c.Transport != "datagram" && len(got) != len(sent) {
			r.t.Errorf("seed %d: %d of %d frames of %s arrived", r.seed, len(got), len(sent), f.Entity)
		}
	}
}

// conservesStreams checks that no more bytes arrive on streams than were sent, each
// counted once, that no more of them waited, and that none did for a longer time
// than the run lasted.
func (r *recording) conservesStreams() {
	r.t.Helper()
	last := make(map[string]map[string]float64) // by series and entity
	for _, s := range r.samples {
		if last[s.Name] == nil {
			last[s.Name] = make(map[string]float64)
		}
		last[s.Name][s.Entity] = s.Value
		if s.Name == record.SeriesStreamWait && (s.Value <= 0 || s.Value > s.Time.Seconds()) {
			r.t.Errorf("seed %d: a frame of %s waited for %vs until %s", r.seed, s.Entity, s.Value, s.Time)
		}
	}
	total := func(series string) (sum float64) {
		for _, v := range last[series] {
			sum += v
		}
		return sum
	}
	if sent, got := total(record.SeriesStreamSent)-total(record.SeriesStreamResent), total(record.SeriesStreamReceived); got > sent {
		r.t.Errorf("seed %d: %v bytes arrived on streams, %v were sent", r.seed, got, sent)
	}
	for entity, waited := range last[record.SeriesStreamWaited] {
		if got := last[record.SeriesStreamReceived][entity]; waited > got {
			r.t.Errorf("seed %d: of %v bytes of %s %v waited", r.seed, got, entity, waited)
		}
	}
}

// config returns the configuration of a flow.
func (r *recording) config(f record.Flow) scenario.FlowConfig {
	for _, in := range r.scenario.Instances() {
		for i := range in.Session.Flows {
			if r.scenario.FlowEntity(in.Name, in.Session.Flows[i].Name) == f.Entity {
				return in.Session.Flows[i].Config
			}
		}
	}
	r.t.Fatalf("no flow %s", f.Entity)
	return nil
}
