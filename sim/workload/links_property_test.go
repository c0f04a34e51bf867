package workload_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/scenario"
)

// parameters are values of a link's keys, with those at the ends of what is
// valid, beyond which elements refuse them.
var parameters = map[string][]string{
	"rate":      {`"unlimited"`, `"10Mbit/s"`, `"1bit/s"`, `"1Tbit/s"`},
	"burst":     {`"0B"`, `"1B"`, `"5KB"`, `"1GB"`},
	"overhead":  {`"0B"`, `"28B"`, `"1KB"`},
	"delay":     {`"0s"`, `"3ns"`, `"20ms"`, `"1h"`},
	"jitter":    {`"0s"`, `"5ms"`, `{ deviation = "1h", reorder = false }`, `{ distribution = "normal", correlation = 1.0 }`},
	"mtu":       {`"1500B"`, `"1228B"`, `{ size = "65535B", error = true }`},
	"loss":      {`0.1`, `{ p = 0.3, correlation = 1.0 }`, `{ kind = "none" }`, `{ above = "100B", from = "10ms", until = "20ms" }`, `{ from = "15ms" }`, `{ until = "1ns" }`, `{ kind = "markov", p13 = 0.1, p31 = 0.9, p32 = 0.1, p14 = 0.9 }`, `{ kind = "markov", p13 = 0.7, p31 = 0.1, p14 = 0.3 }`, `{ p13 = 0.0, p31 = 1.0 }`, `{ p14 = 0.0 }`, `{ kind = "gilbert_elliott", p = 0.1, r = 1.0 }`, `{ kind = "periodic", every = 3 }`, `{ kind = "listed", packets = [7, 3, 3] }`, `{ kind = "listed", packets = [] }`, `{ kind = "mask", mask = 0x8001 }`},
	"duplicate": {`0.0`, `0.5`, `{ p = 1.0, correlation = 1.0 }`},
	"corrupt":   {`0.0`, `0.5`, `{ p = 1.0, correlation = 0.5 }`},
	"reorder":   {`{ p = 0.0 }`, `{ p = 0.3, gap = 5, delay = "1ms" }`, `{ delay = "3ns" }`},
	"policer":   {`"unlimited"`, `"1Mbit/s"`, `{ rate = "1bit/s", burst = "1B" }`, `{ burst = "1GB" }`},
	"slot":      {`"0s"`, `"5ms"`, `{ max = "10ms" }`, `{ max = "0s" }`, `{ min = "1ms", max = "1ms" }`, `{ min = "4ns", max = "7ns", packets = 1 }`, `{ bytes = "1B" }`},
	"netem":     {`""`, `"delay 5ms 1ms loss 1%"`, `"delay 1ms reorder 25% gap 3 rate 1mbit"`, `"loss gemodel 1% 10%"`, `"slot 1ms 2ms packets 3"`, `"limit 1"`},
	"ecn":       {`{ drop = 0.0 }`, `{ drop = 1.0, bleach = 1.0, mangle = 1.0 }`, `{ from = "ce", to = "ect1" }`},
}

// queues are values of the key queue, by kind.
var queues = [][]string{
	{`"1BDP"`, `"0.001BDP"`, `"20ms"`, `"1B"`, `"64KB"`, `"5packets"`, `"unlimited"`, `{ mark = "1ms" }`, `{ mark = "1packet" }`, `{ mark = "1BDP", drop = "head" }`, `{ mark = "unlimited", drop = "tail" }`},
	{`{ kind = "red" }`, `"100KB"`, `"1BDP"`, `{ min = "20KB" }`, `{ max = "200KB" }`, `{ min = "100KB", max = "0B" }`, `{ max = "0B" }`, `{ min = "0B" }`, `{ burst = 20 }`, `{ burst = 100000 }`, `{ avpkt = "1B" }`, `{ p = 1.0, ecn = true }`},
	{`{ kind = "codel" }`, `"5packets"`, `{ target = "1h", interval = "1us" }`, `{ ce_threshold = "1ms" }`},
	{`{ kind = "fq_codel" }`, `"5packets"`, `{ flows = 1, quantum = "1B" }`, `{ flows = 65536, memory = "1B" }`, `{ memory = "64GiB" }`},
	{`{ kind = "pie" }`, `"5packets"`, `{ target = "30s", update = "100us" }`, `{ alpha = 32, beta = 1 }`},
	{`{ kind = "fq_pie" }`, `"5packets"`, `{ flows = 1 }`, `{ ecn_prob = 100 }`},
	{`{ kind = "dualpi2" }`, `"5packets"`, `{ memory = "0B" }`, `{ memory = "1B" }`, `{ step = "5packets" }`, `{ step = "1us" }`, `{ alpha = 0.004, beta = 100000.0 }`, `{ coupling = 255, classic_protection = 100 }`},
}

// anyLink generates a scenario with one link that has any values of its keys at
// the start, by a trace, and by changes and ramps that overlap.
func anyLink(t *rapid.T) string {
	queue := rapid.SampledFrom(queues).Draw(t, "queue")
	values := maps.Clone(parameters)
	values["queue"] = queue[1:]
	keys := slices.Sorted(maps.Keys(values))
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	some := func(label string, least, most int) {
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), least, most, rapid.ID).Draw(t, label) {
			line("%s = %s", key, pick(key, values[key]...))
		}
	}
	line("time_limit = \"400ms\"\n[hosts.a]\n[hosts.b]\n[links.l]\nbetween = [\"a\", \"b\"]")
	if rapid.Bool().Draw(t, "traced") {
		line("trace = { file = %q, loop = %s }", pick("trace", "testdata/steps.csv", "testdata/burst.mahimahi", "testdata/loss.csv"), pick("loop", "true", "false"))
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "queue" })
	line("queue = %s", queue[0])
	some("own", 0, 5)
	keys = append(keys, "queue")
	if rapid.Bool().Draw(t, "asymmetric") {
		line("[links.l.reverse]")
		some("reverse", 1, 4)
	}
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		line("[[links.l.changes]]\nat = %q\nover = %q\nstep = %q\ndirection = %q", pick("at", "0s", "50ms", "100ms", "200ms"),
			pick("over", "0s", "1ns", "100ms", "300ms"), pick("step", "1ms", "33ms", "1h"), pick("direction", "both", "forward", "reverse"))
		some("changed", 1, 3)
	}
	for range rapid.IntRange(0, 2).Draw(t, "outages") {
		line("[[links.l.outages]]\nat = %q\nfor = %q\nevery = %q\npackets = %q\ndirection = %q", pick("at", "0s", "50ms", "120ms"),
			pick("for", "1us", "30ms", "24h"), pick("every", "0s", "50ms"), pick("packets", "drop", "hold"), pick("direction", "both", "forward", "reverse"))
	}
	for _, ends := range []string{"from = \"a\"\nto = \"b\"", "from = \"b\"\nto = \"a\""} {
		line("[traffic.t%d]\nkind = \"poisson\"\nrate = \"1Mbit/s\"\nsize = \"500B\"\necn = %q\nstop = \"300ms\"\n%s", b.Len(), pick("ecn", "ect0", "ect1"), ends)
	}
	return b.String()
}

// Elements refuse some values, some ways from one value to another, and some
// values beside others: validation is to know them all, as a run cannot go on
// without a change.
func TestALinkCanDoWhateverItsScenarioIsAcceptedWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyLink(t)
		s, err := scenario.Parse("random.toml", []byte(text))
		if err != nil {
			t.Skip(err)
		}
		readBack(t, s)
		var late *sim.TimeLimitError // an hour of delay
		if r := simulate(t, s); r.err != nil && !errors.As(r.err, &late) {
			t.Fatalf("seed %d: %v\n%s", s.Seed, r.err, text)
		}
	})
}

// readBack checks that a scenario is the same when it is read as it is explained.
func readBack(t *rapid.T, s *scenario.Scenario) {
	t.Helper()
	text := scenario.Explain(s)
	again, err := scenario.Parse("random.toml", text)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Fatalf("seed %d: explained it is another scenario (%v):\n%s", s.Seed, err, text)
	}
}
