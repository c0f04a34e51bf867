package check

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/internal/claim"
	"github.com/wtsim/wtsim/internal/program"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

const twoHosts = `
[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
[sessions.main]
client = "client"
server = "server"
`

// write writes scenarios into a folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestScenariosAreFoundOnceInOrder(t *testing.T) {
	dir := write(t, map[string]string{
		"b/two.toml": twoHosts, "a/one.toml": twoHosts, "b/one.toml": twoHosts, "b/notes.md": "no scenario",
	})
	cases, err := Find(filepath.Join(dir, "b", "two.toml"), dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.id())
	}
	if want := []string{"b/two", "a/one", "b/one"}; !slices.Equal(ids, want) {
		t.Errorf("found %v, want %v", ids, want)
	}
}

func TestTheSeedsAreAsManyAsSomethingAsksFor(t *testing.T) {
	c := Case{Scenario: &scenario.Scenario{Seed: 7}, Asked: 2}
	many := Case{Scenario: &scenario.Scenario{Seed: 7}, Asked: 20}
	for _, x := range []struct {
		what string
		c    Case
		o    Options
		want int
	}{
		{"few asked for", c, Options{}, leastSeeds},
		{"many asked for", many, Options{}, 20},
		{"a short check", c, Options{Short: true}, 2},
		{"a number given", many, Options{Seeds: 3, Short: true}, 3},
	} {
		seeds, err := x.o.seeds(x.c)
		if err != nil || len(seeds) != x.want || seeds[0] != 7 || seeds[len(seeds)-1] != 7+uint64(x.want)-1 {
			t.Errorf("%s: seeds %v; want %d from 7 on", x.what, seeds, x.want)
		}
	}
}

func TestSeedsBeyondTheLastAreAMistake(t *testing.T) {
	c := Case{Path: "x.toml", Scenario: &scenario.Scenario{Seed: math.MaxUint64 - 4}, Asked: 1}
	if seeds, err := (Options{}).seeds(c); err != nil || seeds[4] != math.MaxUint64 {
		t.Errorf("the last five seeds: %v, %v", seeds, err)
	}
	want := "x.toml: there are no 6 seeds from 18446744073709551611 on"
	if seeds, err := (Options{Seeds: 6}).seeds(c); err == nil || err.Error() != want {
		t.Errorf("six seeds: %v, %v; want %s", seeds, err, want)
	}
}

func TestAFolderIsFoundThroughASymbolicLink(t *testing.T) {
	dir := write(t, map[string]string{"a/one.toml": twoHosts})
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a"), link); err != nil {
		t.Fatal(err)
	}
	cases, err := Find(link)
	if err != nil || len(cases) != 1 || cases[0].Path != filepath.Join(link, "one.toml") {
		t.Errorf("found %v, %v", cases, err)
	}
}

func TestOtherPacketsThanTheBaselineAskForItsSeeds(t *testing.T) {
	s := func(fingerprint string) *Scenario {
		return &Scenario{
			Seeds: []uint64{1}, Runs: []Outcome{{Info: record.Run{Fingerprint: fingerprint}}},
			before: &baseline.File{Runs: []baseline.Run{{Seed: 1, Fingerprint: "a"}, {Seed: 2, Fingerprint: "b"}}},
		}
	}
	same, changed := s("a"), s("x")
	if same.wantMore() || len(same.Seeds) != 1 {
		t.Errorf("the same packets ask for the seeds %v", same.Seeds)
	}
	if !changed.wantMore() || !slices.Equal(changed.Seeds, []uint64{1, 2}) {
		t.Errorf("other packets ask for the seeds %v", changed.Seeds)
	}
}

func TestTheCacheKnowsARunByAllThatItDependsOn(t *testing.T) {
	dir := write(t, map[string]string{"x.toml": twoHosts, "y.toml": twoHosts + "[links.more]\nbetween = [\"client\", \"server\"]\n"})
	cases, err := Find(filepath.Join(dir, "x.toml"), filepath.Join(dir, "y.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCache(filepath.Join(dir, "cache"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.get(cases[0], 1); ok {
		t.Error("an empty cache knows a run")
	}
	done := Outcome{Info: record.Run{Name: "x", Fingerprint: "f", Scenario: resolved(t, cases[0], 1)}, judged: expect.Run{Seed: 1}}
	c.put(done)
	if o, ok := c.get(cases[0], 1); !ok || o.Info.Fingerprint != "f" || !o.Cached {
		t.Errorf("got %+v, %t", o, ok)
	}
	another, err := program.Of(filepath.Join(dir, "x.toml"))
	if err != nil {
		t.Fatal(err)
	}
	other := cache{c.folder, another}
	for what, known := range map[string]bool{
		"another seed":     second(c.get(cases[0], 2)),
		"another scenario": second(c.get(cases[1], 1)),
		"another program":  second(other.get(cases[0], 1)),
	} {
		if known {
			t.Errorf("the cache knows %s", what)
		}
	}
	if err := os.WriteFile(c.wanted(cases[0], 1), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.get(cases[0], 1); ok {
		t.Error("a broken entry is a result")
	}
}

func TestTheCacheKeepsNothingOfAProgramThatWasReplaced(t *testing.T) {
	dir := write(t, map[string]string{"x.toml": twoHosts, "program": "new"})
	x, err := Load(filepath.Join(dir, "x.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCache(filepath.Join(dir, "cache"), "")
	if err != nil {
		t.Fatal(err)
	}
	if c.program, err = program.Of(filepath.Join(dir, "program")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "program"), []byte("newer"), 0o666); err != nil {
		t.Fatal(err)
	}
	c.put(Outcome{Info: record.Run{Scenario: resolved(t, x, 1)}, judged: expect.Run{Seed: 1}})
	if _, ok := c.get(x, 1); ok {
		t.Error("what a new program's worker did is kept as the old program's")
	}
}

func TestTheCacheKeepsARunAsThatOfTheScenarioThatWasRun(t *testing.T) {
	dir := write(t, map[string]string{"x.toml": twoHosts, "y.toml": "name = \"x\"\n" + twoHosts + "[links.more]\nbetween = [\"client\", \"server\"]\n"})
	loaded, err := Load(filepath.Join(dir, "x.toml"))
	if err != nil {
		t.Fatal(err)
	}
	edited, err := Load(filepath.Join(dir, "y.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCache(filepath.Join(dir, "cache"), "")
	if err != nil {
		t.Fatal(err)
	}
	c.put(Outcome{Info: record.Run{Scenario: resolved(t, edited, 1)}, judged: expect.Run{Seed: 1}})
	if second(c.get(loaded, 1)) || !second(c.get(edited, 1)) {
		t.Errorf("the scenario that was loaded is known: %t, that which was run: %t; want the other way round", second(c.get(loaded, 1)), second(c.get(edited, 1)))
	}
}

// resolved returns the scenario of a case as the recording of a run has it.
func resolved(t *testing.T, of Case, seed uint64) json.RawMessage {
	t.Helper()
	s := *of.Scenario
	s.Seed = seed
	text, err := json.Marshal(string(scenario.Explain(&s)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func second(_ Outcome, ok bool) bool { return ok }

func TestCommandsRepeatWhatAVerdictIsAbout(t *testing.T) {
	s := Scenario{Case: Case{Path: "my suite/x.toml"}, Seeds: []uint64{3, 4}}
	if got, want := s.CommandFor(expect.Verdict{Seed: 4}), `wtsim run 'my suite/x.toml' --seed 4`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	mean, err := claim.Parse("mean")
	if err != nil {
		t.Fatal(err)
	}
	of := expect.Verdict{Expectation: expect.Expectation{Over: mean}, Seed: 4}
	if got, want := s.CommandFor(of), `wtsim run 'my suite/x.toml' --seed 3 --seeds 2`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if got, want := s.Command(4), `wtsim run 'my suite/x.toml' --seed 4`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
