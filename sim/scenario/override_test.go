package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func TestOverridesSetAnyValueByItsPath(t *testing.T) {
	s := load(t, "testdata/architecture.toml",
		"name=42",
		"seed=7",
		"time_limit=20s",
		"quic.ecn=false",
		"hosts.server.quic.idle_timeout=5s",
		"links.access.rate=7Mbit/s",
		"links.access.delay=0",
		"links.access.queue.limit=64KB",
		"links.access.loss={ kind = \"bernoulli\", p = 1e-3 }",
		"links.access.reverse.delay = \"3ms\"",
		"links.access.changes.0.rate=unlimited",
		"sessions.main.close.reason=a = b",
		"sessions.main.flows.bulk.size=1MB",
		"sessions.main.flows.bulk.size=2MB",
		"sessions.main.flows.voice.rate=25Hz",
		"sessions.main.flows.voice.deadline=80ms",
		"expect.1.max=0.5",
	)
	l := s.Links[0]
	bulk, voice := s.Sessions[0].Flows[0].Config.(*Bulk), s.Sessions[0].Flows[1].Config.(*Media)
	for what, ok := range map[string]bool{
		"name":       s.Name == "42",
		"seed":       s.Seed == 7,
		"time limit": s.TimeLimit == 20*time.Second,
		"ecn":        !s.QUIC.ECN,
		"idle":       s.Hosts[1].QUIC.IdleTimeout == 5*time.Second,
		"rate":       l.Forward.Rate == 7*netem.MbitPerSecond && l.Reverse.Rate == 5*netem.MbitPerSecond,
		"delay":      l.Forward.Delay == 0 && l.Reverse.Delay == 3*time.Millisecond,
		"queue":      reflect.DeepEqual(l.Forward.Queue.Config, &FIFO{Limit: netem.Limit{Bytes: 64_000}, Drop: "tail"}) && reflect.DeepEqual(l.Reverse.Queue, l.Forward.Queue),
		"loss":       reflect.DeepEqual(l.Forward.Loss.Config, &Bernoulli{P: 0.001}),
		"change":     l.Changes[0].Forward.Rate == 0,
		"reason":     s.Sessions[0].Close.Reason == "a = b",
		"size":       bulk.Size == 2_000_000,
		"frequency":  voice.Rate.Period() == 40*time.Millisecond,
		"deadline":   voice.Deadline == 80*time.Millisecond,
		"expect":     s.Expect[1].Max == "0.5",
	} {
		if !ok {
			t.Errorf("%s was not overridden: %+v %+v %+v", what, s, bulk, voice)
		}
	}
}

func TestAKeyOfATableIsOverriddenWhereTheFileHasItsShortForm(t *testing.T) {
	for _, c := range []struct {
		written, override string
		want              LinkDirection
	}{
		{`loss = 0.01`, "loss.p=0.02", LinkDirection{Loss: Loss{Kind: "bernoulli", Config: &Bernoulli{P: 0.02}}}},
		{`loss = 0.01`, "loss.above=100B", LinkDirection{Loss: Loss{Kind: "bernoulli", Above: 100, Config: &Bernoulli{P: 0.01}}}},
		{`loss = 0.01`, "loss.kind=none", LinkDirection{Loss: Loss{Kind: "none", Config: &NoLoss{}}}},
		{`jitter = "5ms"`, "jitter.correlation=0.5", LinkDirection{Jitter: Jitter{Deviation: 5 * time.Millisecond, Correlation: 0.5, Reorder: true}}},
		{`queue = "64KB"`, "queue.drop=head", LinkDirection{Queue: Queue{Kind: "fifo", Config: &FIFO{Limit: netem.Limit{Bytes: 64_000}, Drop: "head"}}}},
		{`queue = "64KB"`, "queue.kind=codel", LinkDirection{Queue: Queue{Kind: "codel", Config: &CoDel{Limit: netem.Limit{Packets: 1000}, Target: 5 * time.Millisecond, Interval: 100 * time.Millisecond}}}},
	} {
		s, err := Parse("x.toml", []byte(strings.Replace(base, "[sessions.main]", c.written+"\n[sessions.main]", 1)), "links.access."+c.override)
		if err != nil {
			t.Errorf("%s: %v", c.override, err)
			continue
		}
		key, _, _ := strings.Cut(c.override, ".")
		name := strings.ToUpper(key[:1]) + key[1:]
		got, want := reflect.ValueOf(s.Links[0].Forward).FieldByName(name), reflect.ValueOf(c.want).FieldByName(name)
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%s with %s is %+v, want %+v", c.written, c.override, got, want)
		}
	}
}

func TestMistakesInOverridesAreNamed(t *testing.T) {
	for override, want := range map[string]string{
		"links.access.rtae=5Mbit/s":        `--set: links.access.rtae: unknown key; did you mean "rate"?`,
		"links.acess.rate=5Mbit/s":         `--set: links.acess: there is no such table; did you mean "access"?`,
		"sessions.main.flows.bluk.size=1":  `--set: sessions.main.flows.bluk: there is no such table; did you mean "bulk"?`,
		"hosts.proxy.gso=false":            `--set: hosts.proxy: there is no such table; expected one of client, server`,
		"links.access.changes.1.rate=1bit": `--set: links.access.changes: has no element "1"; expected 0 to 0`,
		"links.access.changes.x=1":         `--set: links.access.changes: has no element "x"; expected 0 to 0`,
		"links.access.rate.limit=5":        `--set: links.access.rate: "20Mbit/s" is a string, which has no keys; expected a rate such as "20Mbit/s"`,
		"links.access.rate=5Mbps":          `--set: links.access.rate: "5Mbps" is not a rate such as "20Mbit/s": unknown unit "Mbps"; known units: Tbit/s, Gbit/s, Mbit/s, kbit/s, bit/s, tbit, gbit, mbit, kbit, bit`,
		"links.access.delay=20":            `--set: links.access.delay: "20" is not a time such as "20ms"; known units: ns, us, ms, s, m, h`,
		"links.access=5":                   `--set: links.access: 5 is an integer; expected a table`,
		"seed=x":                           `--set: seed: "x" is a string; expected a whole number`,
		"seed=1 2":                         `--set: seed: "1 2" is a string; expected a whole number`,
		"seed=1\nname = 'x'":               `--set: seed: "1\nname = 'x'" is a string; expected a whole number`,
		"seed":                             `--set: "seed" is not an override; expected path=value, such as links.access.rate=5Mbit/s`,
		"=5":                               `--set: "=5" is not an override; expected path=value, such as links.access.rate=5Mbit/s`,
		"links..rate=5":                    `--set: links: the path has an empty part; expected names with single dots between them`,
		"name=\xff":                        `--set: "name=\xff" is not text in UTF-8`,
		"time_limit=5s":                    `testdata/architecture.toml:18: links.access.changes.0.at: 6s is not before the end of the run; expected less than time_limit, 5s`,
		"sessions.main.client=clinet":      `--set: sessions.main.client: unknown host "clinet"; did you mean "client"?`,
		"quic={ecn=true,ecn=false}":        `--set: quic.ecn: defined twice; expected it once`,
	} {
		_, err := Load("testdata/architecture.toml", override)
		checkError(t, override, err, want)
	}
}
