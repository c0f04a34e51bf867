package sweep

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/scenario"
)

const center = `[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
rate = "20Mbit/s"
delay = "20ms"
queue = "64KB"
[sessions.main]
client = "client"
server = "server"
[sessions.main.flows.bulk]
kind = "download"
size = "1MB"
`

// planned plans the study of a scenario with a table [sweep] after center, which ends
// on line 14.
func planned(t rapid.TB, table string, o Options, overrides ...string) (*Study, error) {
	t.Helper()
	file, err := os.CreateTemp("", "*.toml")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString("name = \"x\"\n" + center + table); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	study, err := Plan(file.Name(), overrides, o)
	var mistake *scenario.Error
	if errors.As(err, &mistake) && mistake.File == file.Name() {
		mistake.File = "x.toml"
	}
	return study, err
}

// valuesOf returns the values of each cell, with spaces between them.
func valuesOf(s *Study) []string {
	var all []string
	for _, c := range s.Cells {
		all = append(all, strings.Join(c.Values, " "))
	}
	return all
}

func TestCellsAreEveryCombinationWithTheFirstAxisSlowest(t *testing.T) {
	for _, c := range []struct {
		what, table string
		o           Options
		want        []string
	}{
		{"a grid", "[sweep.grid]\nlinks.access.rate = [\"5Mbit/s\", \"10Mbit/s\"]\nlinks.access.delay = [\"1ms\", \"2ms\"]", Options{},
			[]string{"5Mbit/s 1ms", "5Mbit/s 2ms", "10Mbit/s 1ms", "10Mbit/s 2ms"}},
		{"a zip within a grid", "[sweep.grid]\nlinks.access.loss.p = [0.1, 0]\n[[sweep.zip]]\nlinks.access.rate = [\"5Mbit/s\", \"10Mbit/s\"]\nlinks.access.delay = [\"1ms\", \"2ms\"]", Options{},
			[]string{"0.1 5Mbit/s 1ms", "0.1 10Mbit/s 2ms", "0 5Mbit/s 1ms", "0 10Mbit/s 2ms"}},
		{"flags alone", "", Options{Grid: []string{"links.access.rate=5..20Mbit/s:log3"}, Zip: []string{"links.access.delay=1ms,2ms", "links.access.loss=0,0.1"}},
			[]string{"5Mbit/s 1ms 0", "5Mbit/s 2ms 0.1", "10Mbit/s 1ms 0", "10Mbit/s 2ms 0.1", "20Mbit/s 1ms 0", "20Mbit/s 2ms 0.1"}},
		{"a flag in the place of a key of the file", "[sweep.grid]\nlinks.access.rate = [\"5Mbit/s\"]\nlinks.access.delay = [\"1ms\"]", Options{Grid: []string{"links.access.rate=7Mbit/s"}},
			[]string{"7Mbit/s 1ms"}},
		{"whole tables", "[sweep.grid]\nlinks.access.queue = [\"1BDP\", { kind = \"codel\" }, {kind=\"fq_codel\",limit=\"100packets\"}]", Options{},
			[]string{"1BDP", `{ kind = "codel" }`, `{ kind = "fq_codel", limit = "100packets" }`}},
		{"tables in a flag", "", Options{Grid: []string{`links.access.queue=1BDP,{ kind = "codel", target = "5ms" },"64KB"`}},
			[]string{"1BDP", `{ kind = "codel", target = "5ms" }`, `"64KB"`}},
		{"a range in a list", "", Options{Grid: []string{"sessions.main.flows.bulk.streams=1..3:lin3,10"}}, []string{"1", "2", "3", "10"}},
		{"numbers, words and truth", "[sweep.grid]\nquic.ecn = [true, false]\nquic.key_exchange = \"x25519\"", Options{}, []string{"true x25519", "false x25519"}},
	} {
		s, err := planned(t, c.table, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := valuesOf(s); !slices.Equal(got, c.want) {
			t.Errorf("%s: the cells are %q, want %q", c.what, got, c.want)
		}
	}
}

func TestAStudyHasWhatTheFileAndThenTheFlagsSay(t *testing.T) {
	table := `
[sweep]
seeds = 2
metrics = ["flows.bulk.goodput", "links.access.forward.queue_delay.p95"]
wall = "60s"
memory = "2GB"
[sweep.grid]
links.access.rate = "1Mbit/s..100Mbit/s:log3"`
	s, err := planned(t, table, Options{}, "seed=7")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Axis{{"links.access.rate", []string{"1Mbit/s", "10Mbit/s", "100Mbit/s"}, true}}; !reflect.DeepEqual(s.Axes, want) {
		t.Errorf("the axes are %+v, want %+v", s.Axes, want)
	}
	if !slices.Equal(s.Seeds, []uint64{7, 8}) || len(s.Metrics) != 2 || s.Limits.Wall.Seconds() != 60 || s.Limits.Memory != 2e9 || s.Name != "x" {
		t.Errorf("the study is %+v", s)
	}
	if want := []string{"seed=7", "links.access.rate=10Mbit/s"}; !slices.Equal(s.Of(1), want) {
		t.Errorf("the second cell is %q, want %q", s.Of(1), want)
	}
	if s, err = planned(t, table, Options{Seeds: 3, Metrics: []string{"links.access.forward.utilisation"}}); err != nil || len(s.Seeds) != 3 || len(s.Metrics) != 1 {
		t.Errorf("with flags it is %+v, %v", s, err)
	}
}

func TestTheDigestOfACellIsOfWhatMattersToItsRuns(t *testing.T) {
	digests := func(table string, o Options, overrides ...string) (all []string) {
		s, err := planned(t, table, o, overrides...)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Cells {
			all = append(all, c.Digest)
		}
		return all
	}
	rates := Options{Grid: []string{"links.access.rate=5Mbit/s,10Mbit/s"}}
	want := digests("", rates)
	for what, got := range map[string][]string{
		"another spelling":     digests("", Options{Grid: []string{"links.access.rate=5000kbit/s,10mbit"}}),
		"another seed":         digests("", rates, "seed=5"),
		"another name":         digests("", rates, "name=other", "description=other"),
		"expectations":         digests("[[expect]]\nmetric = \"flows.bulk.goodput\"\nmin = 5", rates),
		"a table of a study":   digests("[sweep]\nseeds = 5\nwall = \"1s\"", rates),
		"the value as default": digests("", rates, "quic.ecn=true"),
	} {
		if !slices.Equal(got, want) {
			t.Errorf("%s makes other digests: %q, want %q", what, got, want)
		}
	}
	if got := digests("", rates, "quic.ecn=false"); got[0] == want[0] || got[1] == want[1] || got[0] == got[1] {
		t.Errorf("without ECN the digests are %q, with it %q", got, want)
	}
}

func TestTheDigestOfACellCoversFiles(t *testing.T) {
	folder := t.TempDir()
	path, points := filepath.Join(folder, "x.toml"), filepath.Join(folder, "trace.csv")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(path, strings.Replace(center, `rate = "20Mbit/s"`, `trace = { file = "trace.csv" }`, 1))
	plan := func() string {
		s, err := Plan(path, nil, Options{Grid: []string{"links.access.delay=5ms"}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Cells[0].Digest
	}
	write(points, "time_s,rate_mbps\n0,5\n10,6\n")
	first := plan()
	write(points, "time_s,rate_mbps\n0,5\n10,7\n")
	if plan() == first {
		t.Error("another trace has the same digest")
	}
}

func TestBadStudiesAreRefusedBeforeAnythingRuns(t *testing.T) {
	grid := func(axes ...string) Options { return Options{Grid: axes} }
	for _, c := range []struct {
		table string
		o     Options
		want  string
	}{
		{"", Options{}, `x.toml: there is nothing to sweep; expected keys in [sweep.grid], [[sweep.zip]] or [sweep.sample], or --sweep path=a,b,c`},
		{"[sweep.grid]\nlinks.access.rate = []", Options{}, `x.toml:16: sweep.grid.links.access.rate: has no values; expected at least one`},
		{"", grid("links.access.rate="), `--sweep: links.access.rate: has no values; expected at least one`},
		{"", grid("links.access.rate=5Mbit/s,,6Mbit/s"), `--sweep: links.access.rate: value 2 of the list is empty; expected one, or "" for an empty string`},
		{"", grid("5Mbit/s"), `--sweep: "5Mbit/s" names no values; expected path=a,b,c or path=1..100:log10, such as links.access.rate=5Mbit/s,10Mbit/s`},
		{"", grid("links.access.queue={kind=\"codel\""), `--sweep: links.access.queue: "}" is missing; expected brackets and braces in pairs`},
		{"", grid("links.access.queue=[5}"), `--sweep: links.access.queue: "}" closes what is not open; expected brackets and braces in pairs`},
		{"", grid("links.access.rate=\"5Mbit/s"), `--sweep: links.access.rate: a quotation mark " has no end`},
		{"[sweep.grid]\nlinks.access.rtae = [\"5Mbit/s\"]", Options{}, `x.toml:16: links.access.rtae: unknown key; did you mean "rate"? (cell links.access.rtae=5Mbit/s)`},
		{"", grid("links.acess.rate=5Mbit/s"), `--sweep: links.acess: there is no such table; did you mean "access"? (cell links.acess.rate=5Mbit/s)`},
		{"[sweep.grid]\nlinks.access.rate = [\"5Mbit/s\", \"7parsec\"]", Options{}, `x.toml:16: links.access.rate: "7parsec" is not a rate such as "20Mbit/s": unknown unit "parsec"; known units: Tbit/s, Gbit/s, Mbit/s, kbit/s, bit/s, tbit, gbit, mbit, kbit, bit (cell links.access.rate=7parsec)`},
		{"", grid("links.access.rate=5ms..100Mbit/s:lin3"), `--sweep: links.access.rate: 5ms is a time and 100Mbit/s a rate; expected ends of one kind`},
		{"", grid("links.access.rate=5ms..100ms:lin3"), `--sweep: links.access.rate: "5ms" is not a rate such as "20Mbit/s": unknown unit "ms"; known units: Tbit/s, Gbit/s, Mbit/s, kbit/s, bit/s, tbit, gbit, mbit, kbit, bit`},
		{"", grid("links.access.rate=5..100Mbit/s"), `--sweep: links.access.rate: "5..100Mbit/s" does not say how many values; expected LOW..HIGH:linN, :logN or :stepSIZE, such as 1..100Mbit/s:log10`},
		{"", grid("links.access.rate=5..100Mbit/s:log1"), `--sweep: links.access.rate: a range of 1 values has not both its ends; expected at least 2`},
		{"", grid("links.access.rate=5..100Mbit/s:exp5"), `--sweep: links.access.rate: ":exp5" does not say how many values; expected LOW..HIGH:linN, :logN or :stepSIZE, such as 1..100Mbit/s:log10`},
		{"", grid("links.access.rate=5..100Mbit/s:log99999999999999999999"), `--sweep: links.access.rate: 99999999999999999999 values are too many; expected at most 1000000`},
		{"", grid("links.access.delay=0..100ms:log5"), `--sweep: links.access.delay: equal factors do not lead from 0ms to 100ms; expected a lower end above 0, or :lin`},
		{"", grid("links.access.delay=100ms..5ms:lin5"), `--sweep: links.access.delay: the range begins with 100ms and ends with 5ms; expected the lower end first`},
		{"", grid("links.access.delay=5ms..5ms:lin5"), `--sweep: links.access.delay: the range begins with 5ms and ends with 5ms; expected the lower end first`},
		{"", grid("links.access.loss.p=0..inf:lin5"), `--sweep: links.access.loss.p: "inf" is not a number with or without a unit; expected LOW..HIGH:linN, :logN or :stepSIZE, such as 1..100Mbit/s:log10`},
		{"", grid("links.access.delay=1ms..10ms:step4"), `--sweep: links.access.delay: steps of 4ms from 1ms do not end at 10ms; expected a step that does`},
		{"", grid("links.access.delay=1ms..10ms:step0"), `--sweep: links.access.delay: steps of 0ms lead nowhere; expected more than 0`},
		{"", grid("links.access.delay=1ms..1s:step1ms"), `--sweep: links.access.delay: the ends 1ms and 1s and the step 1ms have different units; expected the same`},
		{"", grid("sessions.main.flows.bulk.streams=1..3.5:lin3"), `--sweep: sessions.main.flows.bulk.streams: "1..3.5:lin3" is not of whole numbers; expected ends and steps that are`},
		{"", grid("sessions.main.path=1..3:lin3"), `--sweep: sessions.main.path: is a string, of which there are no ranges; expected a list of values`},
		{"", grid("links.access.rate=5Mbit/s,6Mbit/s,5Mbit/s"), `--sweep: links.access.rate: has the value 5Mbit/s twice; expected each once`},
		{"", grid("links.access.rate=5Mbit/s,5000kbit/s"), `x.toml: two cells are the same scenario: links.access.rate=5Mbit/s, and links.access.rate=5000kbit/s; expected values that make a difference`},
		{"", grid("links.access.rate=5Mbit/s", "links.access.rate=6Mbit/s"), `--sweep: links.access.rate: is swept twice, also by --sweep links.access.rate; expected it in one place`},
		{"[[sweep.zip]]\nlinks.access.rate = [\"1Mbit/s\"]\n[sweep.grid]\nlinks.access.rate = [\"1Mbit/s\"]", Options{}, `x.toml:16: sweep.zip.0.links.access.rate: is swept twice, also by sweep.grid.links.access.rate; expected it in one place`},
		{"", grid("links.access.queue=1BDP", "links.access.queue.kind=codel"), `--sweep: links.access.queue.kind: is swept together with links.access.queue (--sweep links.access.queue), of which one is a part of the other; expected one of them`},
		{"[[sweep.zip]]\nlinks.access.rate = [\"1Mbit/s\", \"2Mbit/s\"]\nlinks.access.delay = [\"1ms\"]", Options{}, `x.toml:17: sweep.zip.0.links.access.delay: has 1 values, and links.access.rate, which goes with it, has 2; expected as many`},
		{"[[sweep.zip]]\n", Options{}, `x.toml:15: sweep.zip.0: has no keys; expected at least one with a list of values`},
		{"", grid("seed=1,2"), `--sweep: seed: cannot be swept: seeds are swept by [sweep] seeds, or --seeds`},
		{"", grid("name=a,b"), `--sweep: name: cannot be swept: a name changes nothing in a run`},
		{"", grid("sweep.seeds=1,2"), `--sweep: sweep.seeds: cannot be swept: a study is not a part of what it studies`},
		{"", Options{Sample: []string{"links.access.delay=1ms..5ms"}}, `--sample: links.access.delay: is drawn, and it is not said how often; expected [sweep] samples, or --samples`},
		{"", Options{Sample: []string{"links.access.delay=1ms..5ms:lin5"}, Samples: 5}, `--sample: links.access.delay: "1ms..5ms:lin5" has steps, and is drawn from; expected LOW..HIGH, or LOW..HIGH:log`},
		{"", Options{Sample: []string{"links.access.delay=1ms..5ms"}, Samples: 5, Method: "sobol"}, `--method: unknown method "sobol"; expected latin-hypercube or random`},
		{"", Options{Grid: []string{"links.access.delay=1ms"}, Samples: 5}, `--samples: nothing is drawn; expected --sample path=1..100, or keys in [sweep.sample]`},
		{"", Options{Grid: []string{"links.access.delay=1..101ms:lin101", "links.access.rate=1..100Mbit/s:lin100"}}, `x.toml: the study has 10100 cells with 1 seeds each, 10100 runs; expected at most 10000, or --yes`},
		{"", Options{Grid: []string{"links.access.delay=1..1001ms:lin1001", "links.access.rate=1..1000Mbit/s:lin1000"}, Yes: true}, `x.toml: the study has 1001000 cells with 1 seeds each, 1001000 runs; expected at most 1000000`},
		{"[sweep]\nmetrics = [\"flows.bulk.godput\"]\n[sweep.grid]\nlinks.access.delay = [\"1ms\"]", Options{}, `x.toml:16: sweep.metrics: the scenario has no metric flows.bulk.godput; did you mean "flows.bulk.goodput"?`},
		{"", Options{Grid: []string{"links.access.delay=1ms"}, Metrics: []string{"flows.blk.goodput"}}, `--metric: the scenario has no metric flows.blk.goodput; did you mean "flows.bulk.goodput"?`},
		{"", Options{Grid: []string{"links.access.delay=1ms"}, Metrics: []string{"flows.bulk.goodput", "flows.bulk.goodput"}}, `--metric: flows.bulk.goodput is named twice; expected it once`},
	} {
		_, err := planned(t, c.table, c.o)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %+v:\n     %v\nwant %s", c.table, c.o, err, c.want)
		}
	}
}

func TestAKeyIsSweptOrSetAndSeedsMustExist(t *testing.T) {
	for override, want := range map[string]string{
		"links.access.delay=5ms":    `--sweep: links.access.delay: is swept, and is set by --set links.access.delay=5ms; expected one or the other`,
		"seed=18446744073709551615": `x.toml: seed: 2 seeds from 18446744073709551615 on go beyond the largest, 18446744073709551615; expected a lower first one`,
	} {
		_, err := planned(t, "", Options{Grid: []string{"links.access.delay=1ms"}, Seeds: 2}, override)
		if err == nil || strings.Replace(err.Error(), "x.toml:1:", "x.toml:", 1) != want {
			t.Errorf("--set %s:\n     %v\nwant %s", override, err, want)
		}
	}
}

func TestMoreRunsThanUsualAreMadeWithYes(t *testing.T) {
	s, err := planned(t, "", Options{Grid: []string{"links.access.delay=1..3ms:lin3"}, Seeds: 4000, Yes: true})
	if err != nil || s.Runs() != 12_000 {
		t.Fatalf("%v, %v", s, err)
	}
}

func TestTheNumberOfCellsIsTheProductOfTheAxes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := func(name string) int { return rapid.IntRange(2, 3).Draw(t, name) }
		rates, delays, losses, samples := count("rates"), count("delays"), count("losses"), count("samples")
		s, err := planned(t, "", Options{
			Grid:    []string{fmt.Sprintf("links.access.rate=1..100Mbit/s:log%d", rates), fmt.Sprintf("links.access.loss.p=0..0.1:lin%d", losses)},
			Zip:     []string{fmt.Sprintf("links.access.delay=1ms..1s:log%d", delays), fmt.Sprintf("links.access.mtu=1400B..1500B:lin%d", delays)},
			Sample:  []string{"sessions.main.flows.bulk.size=1KB..1MB:log"},
			Samples: samples,
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := rates * losses * delays * samples; len(s.Cells) != want {
			t.Fatalf("there are %d cells, want %d", len(s.Cells), want)
		}
		for i := range s.Cells {
			if _, err := scenario.Parse("x.toml", s.Source, s.Of(i)...); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func baseOf(t rapid.TB, text string) *big.Rat {
	e, err := parseEnd(text, unit{})
	if err != nil {
		t.Fatal(err)
	}
	return e.base()
}

func TestTheStudiesInTheRepositoryCanBeMade(t *testing.T) {
	files, err := filepath.Glob("../scenarios/studies/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are none", err)
	}
	for _, file := range files {
		if s, err := Plan(file, nil, Options{}); err != nil || len(s.Cells) < 10 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
