package seeds_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
)

// goodputs makes a set of runs from seed first on, whose flow had these
// goodputs; NaN is none.
func goodputs(first uint64, values ...float64) seeds.Set {
	return metrics(first, map[string][]float64{"flows.bulk.goodput": values})
}

// metrics makes a set of runs from seed first on with these metrics.
func metrics(first uint64, values map[string][]float64) seeds.Set {
	set := seeds.Set{Name: "made"}
	names := []string{}
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := range values[names[0]] {
		run := seeds.Run{Seed: first + uint64(i), Fingerprint: fmt.Sprint(values, i)}
		for _, name := range names {
			if v := values[name][i]; !math.IsNaN(v) {
				run.Metrics = append(run.Metrics, analysis.Metric{Name: name, Value: v, Unit: "bit/s"})
			}
		}
		set.Runs = append(set.Runs, run)
	}
	return set
}

func compare(t *testing.T, a, b seeds.Set, o seeds.Options) seeds.Comparison {
	t.Helper()
	c, err := seeds.Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-4*math.Abs(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestASummaryCountsTheSeedsThatHaveAValue(t *testing.T) {
	m, err := goodputs(1, 10, math.NaN(), 12, 14).Summarize(seeds.Options{})
	if err != nil || len(m) != 1 {
		t.Fatalf("the metrics are %v, %v", m, err)
	}
	// The mean is 12, the standard deviation 2, t for 2 degrees of freedom 4.3027.
	if m[0].Mean.N != 3 || m[0].Mean.Value != 12 || m[0].SD != 2 || m[0].Median != 12 {
		t.Errorf("the summary is %+v", m[0])
	}
	near(t, "the upper bound", m[0].Mean.Interval.High, 12+4.3027*2/math.Sqrt(3))
}

func TestValuesOfTheSameSeedBelongTogether(t *testing.T) {
	// The differences are 2, 3, 4: the mean 3, the standard deviation 1, t =
	// 3·√3 = 5.196, for which P = 0.0351 with 2 degrees of freedom: P = 1 − t/√(t² + 2).
	c := compare(t, goodputs(1, 10, 100, 1000, 7), goodputs(0, 5, 12, 103, 1004), seeds.Options{})
	if !slices.Equal(c.Common, []uint64{1, 2, 3}) || len(c.Rows) != 1 {
		t.Fatalf("the comparison is %+v", c)
	}
	r := c.Rows[0]
	if !r.Paired || r.Difference.N != 3 || r.Difference.Value != 3 || r.A.Mean.Value != 370 || r.B.Mean.Value != 373 || r.Verdict != seeds.Real {
		t.Errorf("the row is %+v", r)
	}
	near(t, "the lower bound", r.Difference.Interval.Low, 3-4.3027/math.Sqrt(3))
	near(t, "P", r.Difference.P, 1-math.Sqrt(27.0/29))
	if change, ok := r.Change(); !ok || math.Abs(change-3.0/370) > 1e-15 {
		t.Errorf("the change is %v, %v", change, ok)
	}
}

func TestWithoutCommonSeedsTheComparisonIsWelchs(t *testing.T) {
	// Both variances are 1, so that ν = 4 and t(0.975) = 2.7764.
	r := compare(t, goodputs(1, 1, 2, 3), goodputs(11, 6, 7, 8), seeds.Options{}).Rows[0]
	if r.Paired || r.Difference.N != 6 || r.Difference.Value != 5 || r.Difference.Interval.Method != stat.WelchT || r.Verdict != seeds.Real {
		t.Errorf("the row is %+v", r)
	}
	near(t, "the lower bound", r.Difference.Interval.Low, 5-2.7764*math.Sqrt(2.0/3))
}

func TestOneSeedSaysNothingOfChance(t *testing.T) {
	for name, b := range map[string]seeds.Set{"the same seed": goodputs(1, 12), "another seed": goodputs(2, 12), "one of two": goodputs(1, 12, 14)} {
		r := compare(t, goodputs(1, 10), b, seeds.Options{}).Rows[0]
		if r.Verdict != seeds.Unknown || r.Difference.Interval.Exists() || r.Holm != 1 {
			t.Errorf("%s: the row is %+v", name, r)
		}
	}
	if r := compare(t, goodputs(1, 10), goodputs(1, 10), seeds.Options{}).Rows[0]; r.Verdict != seeds.Same {
		t.Errorf("the row of equal values is %+v", r)
	}
}

func TestADifferenceIsRealIfItIsSoAmongAllThatAreCompared(t *testing.T) {
	a, b := map[string][]float64{}, map[string][]float64{}
	for i := range 9 { // chance: the differences are −1, 1, −1
		name := fmt.Sprintf("noise-%d", i)
		a[name], b[name] = []float64{11, 10, 11}, []float64{10, 11, 10}
	}
	a["x"], b["x"] = []float64{10, 100, 1000}, []float64{12, 103, 1004} // P = 0.0351, of ten 0.351
	a["y"], b["y"] = []float64{10, 20, 30}, []float64{20, 30.001, 39.999}
	c := compare(t, metrics(1, a), metrics(1, b), seeds.Options{})
	if y, x := c.Rows[0], c.Rows[1]; y.Name != "y" || y.Verdict != seeds.Real || x.Name != "x" || x.Verdict != seeds.Perhaps {
		t.Errorf("the first rows are %+v and %+v", y, x)
	} else {
		near(t, "the adjusted P", x.Holm, 10*(1-math.Sqrt(27.0/29)))
	}
	for _, r := range c.Rows[2:] {
		if r.Verdict != seeds.Chance || r.Holm != 1 {
			t.Errorf("the row is %+v", r)
		}
	}
	only := seeds.Options{Select: func(m analysis.Metric) bool { return m.Name == "x" }}
	if r := compare(t, metrics(1, a), metrics(1, b), only).Rows[0]; r.Verdict != seeds.Real {
		t.Errorf("alone, the row is %+v", r)
	}
}

func TestWhatDiffersMostComesFirst(t *testing.T) {
	a := metrics(1, map[string][]float64{"from zero": {0}, "a tenth": {10}, "doubled": {10}, "nothing": {0}, "the same": {10}})
	b := metrics(1, map[string][]float64{"from zero": {1}, "a tenth": {9}, "doubled": {20}, "nothing": {0}, "the same": {10}})
	var names []string
	for _, r := range compare(t, a, b, seeds.Options{}).Rows {
		names = append(names, r.Name)
	}
	if want := []string{"from zero", "doubled", "a tenth", "nothing", "the same"}; !slices.Equal(names[:3], want[:3]) || len(names) != 5 {
		t.Errorf("the order is %q, want %q", names, want)
	}
}

func TestSignedRanksCanReplaceStudentsT(t *testing.T) {
	a, b := goodputs(1, 0, 0, 0, 0, 0, 0), goodputs(1, 1, 2, 3, 4, 5, 600)
	r := compare(t, a, b, seeds.Options{Method: stat.Wilcoxon}).Rows[0]
	// One of 2⁶ signs either way; the 11th of the 21 means of two, 1, 1.5, 2, 2,
	// 2.5, 2.5, 3, 3, 3, 3.5, 3.5, 4, 4, 4.5, 5 and six above 300.
	if r.Difference.P != 2.0/64 || r.Difference.Value != 3.5 || r.Verdict != seeds.Real {
		t.Errorf("the row is %+v", r)
	}
	if r := compare(t, a, b, seeds.Options{}).Rows[0]; r.Verdict != seeds.Chance {
		t.Errorf("by Student's t the row is %+v", r)
	}
	if _, err := seeds.Compare(a, b, seeds.Options{Method: "tarot"}); err == nil {
		t.Error("there is a method tarot")
	}
}

func TestMetricsOfOneSetAloneAreNamed(t *testing.T) {
	a := metrics(1, map[string][]float64{"x": {1}, "y": {1}})
	b := metrics(1, map[string][]float64{"x": {1}, "z": {1}})
	if c := compare(t, a, b, seeds.Options{}); !slices.Equal(c.OnlyA, []string{"y"}) || !slices.Equal(c.OnlyB, []string{"z"}) || len(c.Rows) != 1 {
		t.Errorf("the comparison is %+v", c)
	}
	b.Runs[0].Metrics[0].Unit = "B"
	if _, err := seeds.Compare(a, b, seeds.Options{}); err == nil || !strings.Contains(err.Error(), `x: its unit is "bit/s" in A and "B" in B`) {
		t.Errorf("the error is %v", err)
	}
}

func TestRunsWithTheSamePacketsAreCounted(t *testing.T) {
	a := goodputs(1, 1, 2, 3)
	if c := compare(t, a, a, seeds.Options{}); c.Identical != 3 || c.Rows[0].Verdict != seeds.Same {
		t.Errorf("a set against itself is %+v", c)
	}
}

// write makes the recording of a run in a folder.
func write(t *testing.T, dir, name string, seed uint64, overrides ...string) {
	t.Helper()
	writeRun(t, dir, record.Run{Name: name, Seed: seed, Overrides: overrides})
}

func writeRun(t *testing.T, dir string, info record.Run) {
	t.Helper()
	info.Schema = record.SchemaVersion
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{
		"run.json": text, "metrics.json": fmt.Appendf(nil, `{"run.duration": {"value": %d, "unit": "s"}}`, info.Seed),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFolderOfSeedsIsRead(t *testing.T) {
	dir := t.TempDir()
	for _, seed := range []uint64{10, 9, 1} {
		write(t, filepath.Join(dir, fmt.Sprint(seed)), "made", seed, "a=1")
	}
	if err := os.Mkdir(filepath.Join(dir, ".2.123.tmp"), 0o777); err != nil { // a run under way
		t.Fatal(err)
	}
	set, err := seeds.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var order []uint64
	for _, run := range set.Runs {
		order = append(order, run.Seed)
		if m, ok := run.Metrics.Get("run.duration"); !ok || m.Value != float64(run.Seed) {
			t.Errorf("seed %d has the metrics %v", run.Seed, run.Metrics)
		}
	}
	if !slices.Equal(order, []uint64{1, 9, 10}) || set.Describe() != "made with a=1" {
		t.Errorf("%s has the seeds %v", set.Describe(), order)
	}
	one, err := seeds.Read(filepath.Join(dir, "9"))
	if err != nil || len(one.Runs) != 1 || one.Runs[0].Seed != 9 {
		t.Errorf("the folder of a run reads as %+v, %v", one, err)
	}
}

func TestWhatIsNoSetOfRunsIsRefused(t *testing.T) {
	for says, prepare := range map[string]func(dir string){
		"no recordings at":                       func(dir string) { os.Remove(dir) },
		"is neither a recording nor a folder of": func(dir string) {},
		"differ in more than their seeds":        func(dir string) { write(t, dir+"/1", "made", 1); write(t, dir+"/2", "other", 2) },
		"made → made with a=1":                   func(dir string) { write(t, dir+"/1", "made", 1); write(t, dir+"/2", "made", 2, "a=1") },
		"have the same seed 1":                   func(dir string) { write(t, dir+"/1", "made", 1); write(t, dir+"/2", "made", 1) },
		"/1 is not a recording: it has no run.json": func(dir string) {
			write(t, dir+"/1", "made", 1)
			os.Remove(dir + "/1/run.json")
			write(t, dir+"/2", "made", 2)
		},
		"has no metrics.json":    func(dir string) { write(t, dir, "made", 1); os.Remove(dir + "/metrics.json") },
		"metrics.json is broken": func(dir string) { write(t, dir, "made", 1); os.Truncate(dir+"/metrics.json", 9) },
		"run.json is broken":     func(dir string) { write(t, dir, "made", 1); os.Truncate(dir+"/run.json", 9) },
		"expected one of":        func(dir string) { write(t, dir+"/default/1", "made", 1) },
		"was written in format version 0; this wtsim reads version": func(dir string) {
			write(t, dir, "made", 1)
			os.WriteFile(dir+"/run.json", []byte(`{"schema": 0}`), 0o666)
		},
	} {
		dir := filepath.Join(t.TempDir(), "runs")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		prepare(dir)
		if _, err := seeds.Read(dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want that it %s", err, says)
		}
	}
}

// scenario is a resolved scenario as run.json holds it.
func scenario(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return quoted
}

func TestRecordingsOfAnEarlierScenarioAreNotMixedWithThoseOfALaterOne(t *testing.T) {
	early := record.Run{Name: "made", Seed: 1, Scenario: scenario("seed = 1 # of all\n[links.access]\nrate = \"1Mbit/s\"\n[[expect]]\nmax = 3\n")}
	for says, later := range map[string]record.Run{
		"links.access.rate: 1Mbit/s → 2Mbit/s": {Scenario: scenario("seed = 2\n[links.access]\nrate = \"2Mbit/s\"\n[[expect]]\nmax = 3\n")},
		"expect[1].max: 3 → none":              {Scenario: scenario("seed = 2\n[links.access]\nrate = \"1Mbit/s\"\n")},
		"the files that the scenario names":    {Scenario: early.Scenario, Inputs: []record.Input{{Name: "trace.csv", SHA256: "00"}}},
		"versions: {":                          {Scenario: early.Scenario, Versions: record.Versions{QUICGo: "v9"}},
		"":                                     {Scenario: scenario("seed   = 2\n[links.access]\nrate = \"1Mbit/s\" # per second\n[[expect]]\nmax = 3\n")},
	} {
		dir := t.TempDir()
		writeRun(t, filepath.Join(dir, "1"), early)
		later.Name, later.Seed = "made", 2
		writeRun(t, filepath.Join(dir, "2"), later)
		_, err := seeds.Read(dir)
		if says == "" && err != nil {
			t.Errorf("the same scenario but its seed: %v", err)
		}
		if says != "" && (err == nil || !strings.Contains(err.Error(), "differ in more than their seeds: "+says)) {
			t.Errorf("the error is %v, want that they differ in %s", err, says)
		}
	}
}

func TestTheScenariosOfTwoSetsAreCompared(t *testing.T) {
	read := func(text string) seeds.Set {
		dir := t.TempDir()
		writeRun(t, dir, record.Run{Name: "made", Seed: 1, Scenario: scenario(text)})
		set, err := seeds.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	a := read("seed = 1\n[links.access]\nrate = \"1Mbit/s\"\nmtu = 1500\n[[links.access.changes]]\nat = \"1s\"\n")
	b := read("seed = 2\n[links.access]\nrate = \"1Mbit/s\"\nmtu = 1400\n[hosts.x]\nn = true\n")
	want := []seeds.Change{{"hosts.x.n", "", "true"}, {"links.access.changes[1].at", "1s", ""}, {"links.access.mtu", "1500", "1400"}}
	if got := seeds.Changes(a, b); !slices.Equal(got, want) {
		t.Errorf("the changes are %v, want %v", got, want)
	}
	if got := seeds.Changes(a, a); len(got) != 0 {
		t.Errorf("a scenario differs from itself in %v", got)
	}
	whole := read("time_limit = \"9s\"\n[links.access]\nmtu = 1500\n[sessions.s]\nclient = \"c\"\n[[expect]]\nmin = 1\n")
	network := read("time_limit = \"24h\"\n[links.access]\nmtu = 1400\n")
	if got := seeds.Changes(whole, network); len(got) != 4 {
		t.Errorf("the changes are %v", got)
	}
	network.Manner = record.MannerEmulated
	if got, want := seeds.Changes(whole, network), []seeds.Change{{"links.access.mtu", "1500", "1400"}}; !slices.Equal(got, want) {
		t.Errorf("the changes of an emulation are %v, want %v", got, want)
	}
	for text, says := range map[string]string{`3`: "is not a text", `"a = "`: "is broken"} {
		dir := t.TempDir()
		writeRun(t, dir, record.Run{Name: "made", Scenario: json.RawMessage(text)})
		if _, err := seeds.Read(dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error of the scenario %s is %v", text, err)
		}
	}
}
