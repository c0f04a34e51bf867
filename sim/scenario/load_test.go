package scenario

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wtsim/wtsim/netem"
)

func load(t *testing.T, path string, overrides ...string) *Scenario {
	t.Helper()
	s, err := Load(path, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, text string, overrides ...string) *Scenario {
	t.Helper()
	s, err := Parse("test.toml", []byte(text), overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// defaultQUIC is what QUIC's default tags say.
var defaultQUIC = QUIC{
	IdleTimeout: 30 * time.Second, HandshakeTimeout: 5 * time.Second,
	InitialPacketSize: 1280, PathMTUDiscovery: true, ECN: true,
	InitialStreamWindow: 512 << 10, MaxStreamWindow: 6 << 20,
	InitialConnectionWindow: 512 << 10, MaxConnectionWindow: 15 << 20,
	MaxStreams: 100, MaxUniStreams: 100,
	SessionFlowControl: true, InitialSessionWindow: 512 << 10, MaxSessionWindow: 15 << 20,
	KeyExchange: "x25519mlkem768",
	Resumption:  "none",
}

func TestTheExampleOfTheArchitectureLoads(t *testing.T) {
	forward := LinkDirection{
		Rate: 20 * netem.MbitPerSecond, Overhead: 28, Delay: 20 * time.Millisecond,
		Jitter:  Jitter{Reorder: true},
		MTU:     MTU{Size: 1500},
		Queue:   Queue{Kind: "fifo", Config: &FIFO{Limit: netem.Limit{BDP: 1000}, Drop: "tail"}},
		Loss:    Loss{Kind: "bernoulli", Config: &Bernoulli{P: 0.005}},
		Reorder: Reorder{Gap: 1},
		Policer: Policer{Burst: 15_000},
		Trace:   Trace{Loop: true},
		ECN:     ECNFault{From: "ect0", To: "not-ect"},
	}
	reverse := forward
	reverse.Rate = 5 * netem.MbitPerSecond
	changed := forward
	changed.Rate = 8 * netem.MbitPerSecond
	want := &Scenario{
		Name:        "quickstart",
		Description: "One session over a lossy access link: a download, an echo and a media flow, then a close with a code.",
		Seed:        1,
		TimeLimit:   30 * time.Second,
		QUIC:        defaultQUIC,
		Hosts:       []Host{{Name: "client", Count: 1, GSO: true}, {Name: "server", Count: 1, GSO: true}},
		Links: []Link{{
			Name: "access", Between: [2]string{"client", "server"}, Forward: forward, Reverse: reverse,
			NAT: NAT{Timeout: 5 * time.Minute, Mapping: "endpoint-independent", Filtering: "address-and-port-dependent"},
			Changes: []Change{{
				At: 6 * time.Second, Step: 100 * time.Millisecond, Direction: "both",
				Keys: []string{"rate"}, Forward: changed, Reverse: changed,
			}},
		}},
		Sessions: []Session{{
			Name: "main", Client: "client", Server: "server", Path: "/demo", Count: 1, Arrivals: "regular",
			Drain: Drain{By: "server"},
			Close: Close{At: 10 * time.Second, By: "client", Code: 42, Reason: "done", How: "session"},
			Flows: []Flow{
				{Name: "bulk", Kind: "download", Config: &Bulk{Size: 10_000_000, Sizes: noSizes, Streams: 1, Direction: "uni"}},
				{Name: "voice", Kind: "media", Config: &Media{Transport: "datagram", From: "server", Rate: Frequency(20 * time.Millisecond), Size: 160}},
			},
		}},
		Expect: []Expect{
			{Metric: "flows.bulk.goodput", From: "1s", To: "5s", Min: "0.9 * links.access.rate", Over: "each", Seeds: 1},
			{Metric: "sessions.main.teardown.duration", Max: "2 * links.access.rtt", Over: "each", Seeds: 1},
		},
	}
	if got := load(t, "testdata/architecture.toml"); !reflect.DeepEqual(got, want) {
		t.Errorf("loaded as\n%+v\nwant\n%+v", got, want)
	}
}

func TestTheShippedScenariosLoadAndSayWhatTheyShow(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../scenarios/*.toml", "../../scenarios/*/*.toml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 5 {
		t.Fatalf("found %d scenarios", len(files))
	}
	first := make(map[string]string)
	for _, file := range files {
		s := load(t, file)
		if other, ok := first[s.Name]; ok {
			t.Errorf("%s and %s have one name", other, file)
		}
		first[s.Name] = file
		if want := strings.TrimSuffix(filepath.Base(file), ".toml"); s.Name != want {
			t.Errorf("%s has the name %q", file, s.Name)
		}
		if len(s.Description) < 50 {
			t.Errorf("%s does not say what it shows: %q", file, s.Description)
		}
	}
}

func TestFilesThatCannotBeReadAreNamedWithTheNearest(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(path("suite"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"quickstart.toml": base, "suite/one.toml": base, "large.toml": strings.Repeat("#", maxFile+1)} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"quikstart.toml":   path("quikstart.toml") + `: no such file; did you mean "` + path("quickstart.toml") + `"?`,
		"sutie/one.toml":   path("sutie/one.toml") + `: no such file; did you mean "` + path("suite/one.toml") + `"?`,
		"sutie/oen.toml":   path("sutie/oen.toml") + `: no such file; did you mean "` + path("suite/one.toml") + `"?`,
		"no/where/x.toml":  path("no/where/x.toml") + `: no such file`,
		"":                 dir + `: is a folder; expected a scenario file; did you mean "` + path("quickstart.toml") + `"?`,
		"large.toml":       path("large.toml") + `: is larger than 16 MiB; expected a scenario file`,
		"quickstart.toml/": path("quickstart.toml") + `/: cannot be read: not a directory`,
	} {
		file := path(name)
		if strings.HasSuffix(name, "/") {
			file += "/"
		}
		_, err := Load(file)
		checkError(t, name, err, want)
	}
	if os.Getuid() != 0 { // root may read anything
		if err := os.Chmod(path("quickstart.toml"), 0); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path("quickstart.toml"))
		checkError(t, "unreadable", err, path("quickstart.toml")+": cannot be read: permission denied")
	}
}

func TestTablesKeepTheOrderOfTheFile(t *testing.T) {
	text := "hosts = { z = {}, a = {}, m = {} }\n"
	for _, other := range []string{"a", "m"} {
		text += "[links." + other + "-link]\nbetween = [\"z\", \"" + other + "\"]\n"
	}
	for _, name := range []string{"second", "first"} {
		text += "[sessions." + name + "]\nclient = \"z\"\nserver = \"a\"\n"
		for _, flow := range []string{"y", "x"} {
			text += "[sessions." + name + ".flows." + flow + "]\nkind = \"request\"\n"
		}
	}
	s := parse(t, text)
	var got []string
	for _, h := range s.Hosts {
		got = append(got, h.Name)
	}
	for _, l := range s.Links {
		got = append(got, l.Name)
	}
	for _, session := range s.Sessions {
		got = append(got, session.Name)
		for _, f := range session.Flows {
			got = append(got, f.Name)
		}
	}
	want := []string{"z", "a", "m", "a-link", "m-link", "second", "y", "x", "first", "y", "x"}
	if !slices.Equal(got, want) {
		t.Errorf("the order is %q, want %q", got, want)
	}
	if s.Name != "test" {
		t.Errorf("the name is %q, not the file's", s.Name)
	}
}

func TestTheReverseDirectionOverridesWhatDiffers(t *testing.T) {
	s := parse(t, strings.Replace(base, `delay = "20ms"`, `delay = "20ms"
loss = 0.01
queue.limit = "64KB"
mtu.error = true
reverse = { rate = "1Mbit/s", loss.kind = "none", mtu = "1400B" }`, 1))
	l := s.Links[0]
	want := l.Forward
	want.Rate, want.Loss, want.MTU.Size = netem.MbitPerSecond, Loss{Kind: "none", Config: &NoLoss{}}, 1400
	if diff := cmp.Diff(want, l.Reverse, exported); diff != "" {
		t.Errorf("reverse (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Loss{Kind: "bernoulli", Config: &Bernoulli{P: 0.01}}, l.Forward.Loss); diff != "" {
		t.Errorf("the loss of forward (-want +got):\n%s", diff)
	}
	if !l.Reverse.MTU.Error {
		t.Error("reverse has not kept mtu.error")
	}
}

func TestShortFormsStandForTables(t *testing.T) {
	long := parse(t, strings.Replace(base, `delay = "20ms"`, `delay = "20ms"
mtu = { size = "1400B" }
queue = { limit = "25packets" }
loss = { kind = "bernoulli", p = 0.25 }
changes = [{ at = "1s", mtu = { size = 1300 }, queue = { limit = "1s" }, loss = { p = 1 } }]`, 1))
	short := parse(t, strings.Replace(base, `delay = "20ms"`, `delay = "20ms"
mtu = "1400B"
queue = "25packets"
loss = 0.25
changes = [{ at = "1s", mtu = 1300, queue = "1s", loss = 1 }]`, 1))
	if !reflect.DeepEqual(long, short) {
		t.Errorf("long form %+v\nshort form %+v", long.Links, short.Links)
	}
}

// exported compares distributions, which have no exported fields.
var exported = cmp.AllowUnexported(Distribution{}, netem.Distribution{}, Trace{}, Netem{})

func TestAChangeKeepsWhatItDoesNotName(t *testing.T) {
	s := parse(t, strings.Replace(base, `delay = "20ms"`, `delay = "20ms"
queue = { kind = "codel", target = "7ms" }
loss = { kind = "gilbert_elliott", p = 0.01, r = 0.5 }
reverse = { loss = { kind = "periodic", every = 100 } }
changes = [
  { at = "3s", direction = "reverse", loss = { p = 0.25 } },
  { at = "1s", queue = { ecn = true }, jitter = "2ms" },
  { at = "2s", rate = "5Mbit/s", loss = 0.125 },
]`, 1))
	start := s.Links[0].Forward
	first := start.Clone()
	first.Queue.Config.(*CoDel).ECN, first.Jitter.Deviation = true, 2*time.Millisecond
	second := first.Clone()
	second.Rate, second.Loss = 5*netem.MbitPerSecond, Loss{Kind: "bernoulli", Config: &Bernoulli{P: 0.125}}
	changes := s.Links[0].Changes
	for _, c := range []struct {
		change int
		keys   string
		want   LinkDirection
	}{
		{1, "jitter.deviation queue.ecn", first},
		{2, "rate loss.kind loss.p", second},
	} {
		if got := strings.Join(changes[c.change].Keys, " "); got != c.keys {
			t.Errorf("change %d sets %s, want %s", c.change, got, c.keys)
		}
		if diff := cmp.Diff(c.want, changes[c.change].Forward, exported); diff != "" {
			t.Errorf("after change %d (-want +got):\n%s", c.change, diff)
		}
	}
}

func TestATraceIsReadFromTheFolderOfTheScenario(t *testing.T) {
	text := strings.NewReplacer(`rate = "20Mbit/s"`, `trace = { file = "steps.csv", loop = false }`, `delay = "20ms"`, ``).Replace(base)
	s, err := Parse("testdata/x.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l := s.Links[0]
	for _, c := range []struct {
		at    time.Duration
		rate  netem.BitRate
		delay time.Duration
	}{{0, 20 * netem.MbitPerSecond, 25 * time.Millisecond}, {1500 * time.Millisecond, 10 * netem.MbitPerSecond, 50 * time.Millisecond}, {time.Minute, 10 * netem.MbitPerSecond, 50 * time.Millisecond}} {
		if d := l.Reverse.At(c.at); d.Rate != c.rate || d.Delay != c.delay {
			t.Errorf("at %s the rate is %s and the delay %s, want %s and %s", c.at, d.Rate, d.Delay, c.rate, c.delay)
		}
	}
	// The BDP is that of the means: 15 Mbit/s · 75 ms / 8.
	rate := l.Elements("forward", &l.Forward, Outages{})[2].(netem.Rate)
	if limit := rate.Queue.(netem.FIFO).Limit; limit != (netem.Limit{Bytes: 140_625}) {
		t.Errorf("the limit of 1BDP is %s, want 140625B", limit)
	}
	data, err := os.ReadFile("testdata/steps.csv")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Input{{"steps.csv", sha256.Sum256(data)}}; !slices.Equal(s.Inputs, want) {
		t.Errorf("the inputs are %x, want %x", s.Inputs, want)
	}
}

func TestALinkHoldsItsDatagramsWhileItsTraceHasNoRate(t *testing.T) {
	s := parse(t, strings.Replace(base, `rate = "20Mbit/s"`, `trace = "testdata/stops.csv"`, 1))
	l := s.Links[0]
	for _, c := range []struct {
		at     time.Duration
		rate   netem.BitRate
		paused bool
	}{
		{0, 10 * netem.MbitPerSecond, false},
		{1500 * time.Millisecond, 5 * netem.MbitPerSecond, true}, // the mean, for limits in time
		{2 * time.Second, 10 * netem.MbitPerSecond, false},
	} {
		d := l.Forward.At(c.at)
		rate := l.Elements("forward", &d, Outages{})[2].(netem.Rate)
		if rate.Rate != c.rate || rate.Paused != c.paused {
			t.Errorf("at %s the rate is %s and paused %t, want %s and %t", c.at, rate.Rate, rate.Paused, c.rate, c.paused)
		}
	}
}

func TestUnlimitedIsARate(t *testing.T) {
	s := parse(t, strings.Replace(base, `rate = "20Mbit/s"`, `rate = "unlimited"`, 1))
	if rate := s.Links[0].Forward.Rate; rate != 0 {
		t.Errorf("the rate is %s", rate)
	}
}

func TestEachKindOfFlowHasItsDefaults(t *testing.T) {
	for kind, want := range map[string]FlowConfig{
		"download\nsize = 5":      &Bulk{Size: 5, Sizes: noSizes, Streams: 1, Direction: "uni"},
		"upload\nduration = '1s'": &Bulk{Upload: true, Sizes: noSizes, Duration: time.Second, Streams: 1, Direction: "uni"},
		"echo\ncount = 3":         &Echo{Transport: "stream", Rate: Frequency(100 * time.Millisecond), Size: 100, Count: 3},
		"media\nfrom = 'client'":  &Media{Transport: "datagram", From: "client", Rate: Frequency(20 * time.Millisecond), Size: 160},
		"request":                 &Request{Size: 10_000, Count: 1},
	} {
		name, rest, _ := strings.Cut(kind, "\n")
		s := parse(t, strings.Replace(base, `kind = "media"`, "kind = '"+name+"'\n"+rest, 1))
		if got := s.Sessions[0].Flows[1]; got.Kind != name || !reflect.DeepEqual(got.Config, want) {
			t.Errorf("%s is %+v with %+v, want %+v", kind, got, got.Config, want)
		}
	}
}

func TestIntegersTakeTheFormsOfTOML(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "+7": 7, "1_000": 1000, "0xff": 255, "0o17": 15, "0b101": 5, "18446744073709551615": 1<<64 - 1,
	} {
		if s := parse(t, "seed = "+text+"\n"+base[strings.Index(base, "\n")+1:]); s.Seed != want {
			t.Errorf("seed = %s is read as %d", text, s.Seed)
		}
	}
}

func TestBatonsHaveTheirDefaults(t *testing.T) {
	s := parse(t, base+"[sessions.b]\nclient = \"client\"\nserver = \"server\"\npath = \"/b?x\"\nflows.batons = { kind = \"baton\" }\n")
	b := s.Sessions[1]
	if want := (&Baton{Count: 1, Patience: 30 * time.Second}); !reflect.DeepEqual(b.Flows[0].Config, want) || !b.HasBatons() || s.Sessions[0].HasBatons() {
		t.Errorf("the batons are %+v, want %+v", b.Flows[0].Config, want)
	}
	if b.RequestPath() != "/b" {
		t.Errorf("the path of the request is %q", b.RequestPath())
	}
}
