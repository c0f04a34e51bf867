package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/traffic"
)

// crossed is base with a table of traffic, whose text follows.
const crossed = base + `[traffic.cross]
from = "server"
to = "client"
`

// bursty has every key of traffic.
const bursty = crossed + `kind = "onoff"
rate = "4Mbit/s"
on = "20ms"
off = "60ms"
distribution = "pareto"
shape = 1.5
mix = [{ size = "100B" }, { size = "1KB", weight = 3 }]
overhead = "42B"
ecn = "ect0"
start = "1s"
stop = "9s"
count = 3
changes = [{ at = "2s", over = "3s", step = "50ms", rate = "0bit/s" }]
`

func TestTrafficIsASource(t *testing.T) {
	for text, want := range map[string]traffic.Config{
		`kind = "cbr"
rate = "1Mbit/s"`: {Rate: netem.MbitPerSecond, Sizes: traffic.Mix{{Size: 1500, Weight: 1}}, Overhead: 28},
		`kind = "poisson"
rate = "1Mbit/s"
mix = "imix"
start = "1s"
stop = "2s"
ecn = "ect1"`: {Rate: netem.MbitPerSecond, Poisson: true, Sizes: traffic.IMIX(), Overhead: 28, ECN: netem.ECT1, Start: time.Second, Stop: 2 * time.Second},
		`kind = "onoff"
rate = "0bit/s"
overhead = "0B"
mix = [{ size = "100B" }, { size = "1KB", weight = 3 }]
on = "20ms"
off = "60ms"
distribution = "pareto"
shape = 1.5`: {
			Sizes: traffic.Mix{{Size: 100, Weight: 1}, {Size: 1000, Weight: 3}},
			On:    traffic.Times{Mean: 20 * time.Millisecond, Shape: 1.5}, Off: traffic.Times{Mean: 60 * time.Millisecond, Shape: 1.5},
		},
		`kind = "onoff"
rate = "1Mbit/s"
size = "40B"
on = "20ms"
off = "60ms"`: {
			Rate: netem.MbitPerSecond, Sizes: traffic.Mix{{Size: 40, Weight: 1}}, Overhead: 28,
			On: traffic.Times{Mean: 20 * time.Millisecond}, Off: traffic.Times{Mean: 60 * time.Millisecond},
		},
	} {
		s, err := Parse("x.toml", []byte(crossed+text))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Traffic[0].Source(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nis %+v, want %+v", text, got, want)
		}
	}
}

func TestMistakesInTrafficAreNamedWithTheirPlace(t *testing.T) {
	const cbr = "kind = \"cbr\"\nrate = \"1Mbit/s\"\n"
	const onoff = "kind = \"onoff\"\nrate = \"1Mbit/s\"\non = \"1s\"\noff = \"1s\"\n"
	for _, c := range []struct{ text, want string }{
		{cbr, ``},
		{onoff, ``},
		{`rate = "1Mbit/s"`, `x.toml:18: traffic.cross.kind: missing; expected one of cbr, poisson, onoff`},
		{`kind = "vbr"`, `x.toml:21: traffic.cross.kind: unknown value "vbr"; did you mean "cbr"?`},
		{`kind = "cbr"`, `x.toml:18: traffic.cross.rate: missing; expected a rate such as "20Mbit/s"`},
		{"kind = \"cbr\"\nrate = \"unlimited\"", `x.toml:22: traffic.cross.rate: "unlimited" is not a rate such as "20Mbit/s": it starts with no number`},
		{"kind = \"cbr\"\nrate = \"2Tbit/s\"", `x.toml:22: traffic.cross.rate: 2Tbit/s is out of range; expected 0bit/s to 1Tbit/s`},
		{cbr + `on = "1s"`, `x.toml:23: traffic.cross.on: kind "cbr" has no such key; expected kind = "onoff"`},
		{"kind = \"onoff\"\nrate = \"1Mbit/s\"\non = \"1s\"", `x.toml:18: traffic.cross.off: missing; expected a time such as "20ms"`},
		{onoff + `distribution = "pareto"`, `x.toml:18: traffic.cross.shape: missing; expected the shape of the Pareto distribution, such as 1.5`},
		{onoff + `shape = 1.5`, `x.toml:25: traffic.cross.shape: set, but the distribution is exponential; expected distribution = "pareto"`},
		{onoff + `shape = 1.0`, `x.toml:25: traffic.cross.shape: 1.0 is out of range; expected 1.01 to 1000`},
		{cbr + "size = \"100B\"\nmix = \"imix\"", `x.toml:23: traffic.cross.size: set, and mix is too; expected one of them`},
		{cbr + `mix = "imax"`, `x.toml:23: traffic.cross.mix: unknown value "imax"; expected "imix" or a list such as [{ size = "64B", weight = 1 }]`},
		{cbr + `mix = 5`, `x.toml:23: traffic.cross.mix: 5 is an integer; expected a mix of sizes such as "imix" or [{ size = "64B", weight = 1 }]`},
		{cbr + `mix = []`, `x.toml:23: traffic.cross.mix: this list is empty; expected sizes such as { size = "64B", weight = 1 }`},
		{cbr + `mix = [{ weight = 1 }]`, `x.toml:23: traffic.cross.mix.0.size: missing; expected a size such as "64KB"`},
		{cbr + `mix = [{ size = "64B", weight = 0 }]`, `x.toml:23: traffic.cross.mix.0.weight: 0 is out of range; expected 1 to 1000000`},
		{cbr + `mix = [{ size = "64B" }, { size = "39B" }]`, `x.toml:23: traffic.cross.mix.1.size: packets of 39B have no room for 28B of overhead and 12B of payload; expected at least 40B`},
		{cbr + "mix = \"imix\"\noverhead = \"42B\"", `x.toml:23: traffic.cross.mix: packets of 40B have no room for 42B of overhead and 12B of payload; expected at least 54B`},
		{cbr + `size = "1501B"`, `x.toml:23: traffic.cross.size: packets of 1501B do not fit into the MTU of the links, 1500B; expected at most 1500B`},
		{cbr + `start = "30s"`, `x.toml:23: traffic.cross.start: 30s is not before the end of the run; expected less than time_limit, 30s`},
		{cbr + "start = \"2s\"\nstop = \"1s\"", `x.toml:24: traffic.cross.stop: 1s is not after the start; expected more than 2s`},
		{cbr + `changes = [{ at = "1s" }]`, `x.toml:23: traffic.cross.changes.0.rate: missing; expected a rate such as "20Mbit/s"`},
		{cbr + "start = \"2s\"\nchanges = [{ at = \"1s\", rate = \"1bit/s\" }]", `x.toml:24: traffic.cross.changes.0.at: 1s is before the start; expected at least 2s`},
		{cbr + "stop = \"2s\"\nchanges = [{ at = \"2s\", rate = \"1bit/s\" }]", `x.toml:24: traffic.cross.changes.0.at: 2s is not before the stop; expected less than 2s`},
		{cbr + `changes = [{ at = "1s", over = "2s", rate = "1bit/s" }, { at = "2s", rate = "0bit/s" }]`, `x.toml:23: traffic.cross.changes.1.at: 2s is before changes.0 is done, at 3s; expected changes in the order of their times, one at a time`},
		{cbr + `changes = [{ at = "1s", rate = "1bit/s" }, { at = "1s", rate = "0bit/s" }]`, `x.toml:23: traffic.cross.changes.1.at: 1s is before changes.0 is done, at 1s; expected changes in the order of their times, one at a time`},
		{cbr + `changes = [{ at = "1s", over = "2h", step = "1ms", rate = "1bit/s" }]`, `x.toml:23: traffic.cross.changes.0.step: makes more than 1000000 steps; expected at least 7.2ms`},
		{cbr + `count = 10001`, `x.toml:23: traffic.cross.count: 10001 is out of range; expected 1 to 10000`},
		{cbr + "count = 2\n[traffic.cross-2]\nfrom = \"client\"\nto = \"server\"\n" + cbr, `x.toml:24: traffic.cross-2: traffic "cross-2" is also made by traffic.cross, which is a group; expected different names`},
		{cbr + "count = 9999\n[traffic.more]\nfrom = \"client\"\nto = \"server\"\ncount = 2\n" + cbr, `x.toml:27: traffic.more.count: makes 10001 sources in all; expected at most 10000`},
	} {
		_, err := Parse("x.toml", []byte(crossed+c.text))
		checkError(t, c.text, err, c.want)
	}
	for _, c := range []struct{ old, new, want string }{
		{`from = "server"`, `from = "sever"`, `x.toml:19: traffic.cross.from: unknown host "sever"; did you mean "server"?`},
		{`to = "client"`, `to = "server"`, `x.toml:20: traffic.cross.to: "server" is the sender too; expected another host`},
		{`to = "client"`, "to = \"third\"\n[hosts.third]", `x.toml:18: traffic.cross: no links lead from server to third; expected a table [links.NAME] with between = ["server", "third"], or several with routers between them`},
	} {
		text := strings.Replace(crossed, c.old, c.new, 1)
		text = strings.Replace(text, "[traffic.cross]", "[traffic.cross]\nkind = \"cbr\"\nrate = \"1Mbit/s\"", 1)
		c.want = strings.NewReplacer("x.toml:19", "x.toml:21", "x.toml:20", "x.toml:22").Replace(c.want)
		_, err := Parse("x.toml", []byte(text))
		checkError(t, c.new, err, c.want)
	}
}

func TestTrafficAloneIsAScenarioIfItStops(t *testing.T) {
	alone := base[:strings.Index(base, "[sessions.main]")] + crossed[len(base):] + "kind = \"cbr\"\nrate = \"1Mbit/s\"\n"
	_, err := Parse("x.toml", []byte(alone))
	checkError(t, "without a stop", err, `x.toml:9: traffic.cross.stop: missing; expected a time at which the run can end, because the scenario has no sessions`)
	_, err = Parse("x.toml", []byte(alone+`stop = "5s"`))
	checkError(t, "with a stop", err, "")
}

func TestAnOverrideChangesTraffic(t *testing.T) {
	const cbr = "kind = \"cbr\"\nrate = \"1Mbit/s\"\n"
	s, err := Parse("x.toml", []byte(crossed+cbr), "traffic.cross.rate=0bit/s", "traffic.cross.mix=imix")
	if err != nil || s.Traffic[0].Rate != 0 || s.Traffic[0].Mix.Name != "imix" {
		t.Errorf("traffic %+v, error %v", s, err)
	}
	_, err = Parse("x.toml", []byte(crossed+cbr), "traffic.cros.rate=0bit/s")
	checkError(t, "traffic.cros", err, `--set: traffic.cros: there is no such table; did you mean "cross"?`)
}

func TestExplainWritesTrafficThatLoadsAsAnEqualScenario(t *testing.T) {
	s, err := Parse("x.toml", []byte(bursty))
	if err != nil {
		t.Fatal(err)
	}
	checkExplained(t, s, ".")
}

func TestARampHasStepsInBetween(t *testing.T) {
	ch := TrafficChange{Over: 3 * time.Second, Rate: 0}
	for elapsed, want := range map[time.Duration]SendRate{0: 75_000_000, time.Second: 50_000_000, 100 * time.Millisecond: 72_500_000, 3 * time.Second: 0, 4 * time.Second: 0} {
		if got := ch.RateAfter(elapsed, 75_000_000); got != want {
			t.Errorf("after %s: %s, want %s", elapsed, got, want)
		}
	}
	if got := (&TrafficChange{Rate: 5}).RateAfter(0, 7); got != 5 {
		t.Errorf("a change at once has %s, want 5bit/s", got)
	}
}

func TestTrafficOfAGroupHasASourceAtEachHost(t *testing.T) {
	s := &Scenario{Hosts: []Host{{Name: "a"}, {Name: "b"}, {Name: "pair", Count: 2}}}
	for _, c := range []struct {
		from, to string
		count    int
		want     string
	}{
		{"a", "b", 1, "x:a→b"},
		{"a", "b", 2, "x-1:a→b x-2:a→b"},
		{"pair", "b", 2, "x-1:pair-1→b x-2:pair-2→b x-3:pair-1→b x-4:pair-2→b"},
		{"a", "pair", 3, "x-1:a→pair-1 x-2:a→pair-2 x-3:a→pair-1"},
		{"pair", "pair-2", 1, "x-1:pair-1→pair-2 x-2:pair-2→pair-2"},
	} {
		var got []string
		for _, in := range s.TrafficOf(&Traffic{Name: "x", From: c.from, To: c.to, Count: c.count}) {
			got = append(got, in.Name+":"+in.From+"→"+in.To)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%d from %s to %s: %s, want %s", c.count, c.from, c.to, text, c.want)
		}
	}
}

func drawTraffic(t *rapid.T, name string, ends [2]string) Traffic {
	k := rapid.SampledFrom(trafficKinds).Draw(t, "kind")
	x := Traffic{
		Name: name, From: ends[0], To: ends[1], Kind: k.name, Config: k.config().(TrafficConfig),
		Rate:  SendRate(rapid.Int64Range(0, 1e12).Draw(t, "rate")),
		ECN:   rapid.SampledFrom([]string{"not-ect", "ect0", "ect1"}).Draw(t, "ecn"),
		Start: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "start")),
		Count: rapid.IntRange(1, 100).Draw(t, "count"),
	}
	x.Overhead = netem.Bytes(rapid.Int64Range(0, 28).Draw(t, "overhead"))
	if o, ok := x.Config.(*OnOff); ok {
		*o = OnOff{On: time.Duration(rapid.Int64Range(1e3, 1e12).Draw(t, "on")), Off: time.Duration(rapid.Int64Range(1e3, 1e12).Draw(t, "off")), Distribution: "exponential"}
		if rapid.Bool().Draw(t, "pareto") {
			o.Distribution, o.Shape = "pareto", rapid.Float64Range(1.01, 1000).Draw(t, "shape")
		}
	}
	size := func() netem.Bytes { return netem.Bytes(rapid.Int64Range(40, 1200).Draw(t, "size")) }
	switch rapid.IntRange(0, 3).Draw(t, "sizes") {
	case 0:
		x.Size = size()
	case 1:
		x.Size = 1200 + x.Overhead
	case 2:
		for range rapid.IntRange(1, 5).Draw(t, "shares") {
			x.Mix.Shares = append(x.Mix.Shares, Share{size(), rapid.IntRange(1, 1e6).Draw(t, "weight")})
		}
	default:
		x.Mix.Shares = []Share{{40, 1}}
	}
	if rapid.Bool().Draw(t, "stops") {
		x.Stop = time.Hour
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "changes") {
		x.Changes = append(x.Changes, TrafficChange{
			At: time.Duration(i+1) * time.Minute, Over: time.Duration(rapid.Int64Range(0, 59e9).Draw(t, "over")), Step: time.Second,
			Rate: SendRate(rapid.Int64Range(0, 1e12).Draw(t, "rate")),
		})
	}
	return x
}
