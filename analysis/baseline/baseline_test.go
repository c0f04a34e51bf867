package baseline

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// file is a baseline with one metric for each seed from 1 on.
func file(name string, better analysis.Better, values ...float64) File {
	f := File{Suite: "s", Scenario: "x", SHA256: "ab", Metrics: []Metric{{Name: name, Unit: "bit/s", Better: better, Values: values}}}
	for i := range values {
		f.Runs = append(f.Runs, Run{Seed: uint64(i + 1), Fingerprint: "f"})
	}
	return f
}

// other returns a file whose runs have other packets.
func other(f File) File {
	f.Runs = slices.Clone(f.Runs)
	for i := range f.Runs {
		f.Runs[i].Fingerprint = "g"
	}
	return f
}

func TestAMetricIsWorseOnlyIfItIsSurelyAndByMoreThanTheTolerance(t *testing.T) {
	const goodput = "flows.bulk.goodput"
	base := []float64{100, 101, 99, 100, 100}
	for _, c := range []struct {
		what   string
		better analysis.Better
		now    []float64
		want   Verdict
	}{
		{"five per cent less of what is to be more", analysis.MoreIsBetter, []float64{95, 96, 94, 95.1, 95}, Worse},
		{"five per cent less of what is to be less", analysis.LessIsBetter, []float64{95, 96, 94, 95.1, 95}, Better},
		{"five per cent more of what is to be less", analysis.LessIsBetter, []float64{105, 106, 104, 105.1, 105}, Worse},
		{"one per cent less", analysis.MoreIsBetter, []float64{99, 100, 98, 99.01, 99}, Negligible},
		{"less on average, by one seed of five", analysis.MoreIsBetter, []float64{100, 101, 99, 100, 50}, Unsure},
		{"the same difference for every seed", analysis.MoreIsBetter, []float64{90, 91, 89, 90, 90}, Worse},
		{"one seed", analysis.MoreIsBetter, []float64{50}, Unsure},
		{"nothing else", analysis.MoreIsBetter, base, Same},
	} {
		got, err := Compare(file(goodput, c.better, base...), other(file(goodput, c.better, c.now...)), DefaultTolerance)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		verdict := Same
		if len(got.Changes) > 0 {
			verdict = got.Changes[0].Verdict
		}
		if verdict != c.want || got.OK() != (c.want != Worse) || got.Identical {
			t.Errorf("%s is %s, OK %t; want %s", c.what, verdict, got.OK(), c.want)
		}
	}
}

func TestTriflesAreNegligibleHoweverLargeTheirShare(t *testing.T) {
	for unit, c := range map[string]struct {
		trifle, more float64
	}{"s": {9e-6, 11e-6}, "1": {0.9e-3, 1.1e-3}} {
		base := file("links.access.forward.loss_ratio", analysis.LessIsBetter, 0, 0, 0)
		base.Metrics[0].Unit = unit
		for add, want := range map[float64]Verdict{c.trifle: Negligible, c.more: Worse} {
			now := other(base)
			now.Metrics = []Metric{base.Metrics[0]}
			now.Metrics[0].Values = []float64{add, add, add}
			got, err := Compare(base, now, DefaultTolerance)
			if err != nil || len(got.Changes) != 1 || got.Changes[0].Verdict != want {
				t.Errorf("%v %s more than 0 is %+v, %v; want %s", add, unit, got, err, want)
			}
		}
	}
}

func TestWhatTheTwoDoNotShareIsSaid(t *testing.T) {
	base, now := file("a", analysis.MoreIsBetter, 1, 2), file("b", analysis.MoreIsBetter, 1, 2, 3)
	c, err := Compare(base, now, DefaultTolerance)
	if err != nil || !slices.Equal(c.Missing, []string{"a"}) || !slices.Equal(c.New, []string{"b"}) || c.OK() || c.Common != 2 || c.Identical {
		t.Errorf("%+v, %v", c, err)
	}
	now.SHA256 = "cd"
	if c, err = Compare(base, now, DefaultTolerance); err != nil || !c.Scenario || c.OK() {
		t.Errorf("another scenario: %+v, %v", c, err)
	}
	now = base
	now.Runs = []Run{{Seed: 8}, {Seed: 9}}
	if c, err = Compare(base, now, DefaultTolerance); err != nil || c.Common != 0 || c.OK() {
		t.Errorf("no common seed: %+v, %v", c, err)
	}
	if c, err = Compare(base, base, DefaultTolerance); err != nil || !c.Identical || !c.OK() || len(c.Changes) != 0 {
		t.Errorf("itself: %+v, %v", c, err)
	}
}

func TestAMetricInAnotherUnitIsAnotherMetric(t *testing.T) {
	base, now := file("a", analysis.MoreIsBetter, 1, 2), file("a", analysis.MoreIsBetter, 8, 16)
	base.Metrics[0].Unit = "B/s"
	c, err := Compare(base, now, DefaultTolerance)
	if err != nil || !slices.Equal(c.Missing, []string{"a"}) || !slices.Equal(c.New, []string{"a"}) || c.OK() || c.Identical {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAShareThatIsNoNumberIsNotWritten(t *testing.T) {
	tiny := math.SmallestNonzeroFloat64
	for _, base := range [][]float64{{0, 0}, {tiny, tiny}} {
		c, err := Compare(file("a", analysis.LessIsBetter, base...), other(file("a", analysis.LessIsBetter, 1, 1)), DefaultTolerance)
		if err != nil || len(c.Changes) != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		text, err := json.Marshal(c)
		if err != nil || strings.Contains(string(text), "relative") || c.Changes[0].Words().Relative != "" {
			t.Errorf("from %v: %s, %v", base, text, err)
		}
	}
}

func TestABaselineIsReadAsItWasWritten(t *testing.T) {
	path := Path(t.TempDir(), "suite", "case")
	f := file("flows.bulk.goodput", analysis.MoreIsBetter, 1.0/3, math.NaN(), 1e9)
	f.Versions = record.Versions{Wtsim: "v1", QUICGo: "v0.65.0"}
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Versions != f.Versions || !slices.Equal(got.Runs, f.Runs) || got.SHA256 != "ab" || len(got.Metrics) != 1 {
		t.Errorf("read %+v", got)
	}
	if v := got.Metrics[0].Values; len(v) != 3 || v[0] != 1.0/3 || !math.IsNaN(v[1]) || v[2] != 1e9 {
		t.Errorf("read the values %v", v)
	}
	if err := got.Write(path); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); string(second) != string(first) {
		t.Errorf("written again it is\n%s\nwas\n%s", second, first)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("the folder has %v", entries)
	}
}

func TestBaselinesThatCannotBeReadSayWhy(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing baseline: %v", err)
	}
	const head = `{"format":1,"runs":[{"seed":1,"fingerprint":"f"}],"metrics":`
	for text, want := range map[string]string{
		"":                "is broken: unexpected end of JSON input",
		"{}":              "is no baseline: it has no format",
		`{"format":2}`:    "has format 2, of a later version of wtsim; this one reads format 1",
		`{"format":-1}`:   "has format -1, of an earlier version of wtsim; this one reads format 1",
		`{"format":1}`:    "is broken: it has no runs",
		head + `[]}`:      "is broken: it has no object of metrics",
		head + `{"a":1}}`: "is broken: a: json: cannot unmarshal number",
		head + `{"a":{"better":"more","values":[1,2]}}}`:                                  "is broken: a has 2 values for 1 runs",
		head + `{"a":{"better":"no","values":[1]}}}`:                                      `is broken: a: better is "no"; expected "more" or "less"`,
		head + `{"a":{"better":"more","values":[1]},"a":{"better":"more","values":[1]}}}`: "is broken: a is there twice",
		`{"format":1,"runs":[{"seed":2},{"seed":2}],"metrics":{}}`:                        "is broken: seed 2 follows seed 2",
	} {
		path := filepath.Join(dir, "x.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "x.json: "+want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

func TestTheHashIsOfWhatDecidesThePackets(t *testing.T) {
	text := func(s string) string {
		t.Helper()
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		h, err := hash(&record.Run{Scenario: raw, Inputs: []record.Input{{Name: "t", SHA256: "1"}}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := text("name = 'x'\nseed = 1\n[links.a]\nrate = '1Mbit/s'\n")
	for _, same := range []string{
		"seed = 2\nlong = true\ndescription = 'd'\nname = 'x'\n[links.a]\nrate = '1Mbit/s'\n",
		"name = 'x'\nseed = 1\n[links.a]\nrate = '1Mbit/s'\nloss.burst = 0\nreverse.corrupt.burst = 0\n",
		"name = 'x'\nseed = 1\n[links.a]\nrate = '1Mbit/s'\n[[expect]]\nmetric = 'm'\nmin = '1'\n",
	} {
		if text(same) != base {
			t.Errorf("%s\nis another scenario", same)
		}
	}
	for _, other := range []string{"rate = '2Mbit/s'\n", "rate = '1Mbit/s'\nloss.burst = 3\n", "rate = '1Mbit/s'\nloss.p = 0\n"} {
		if text("name = 'x'\nseed = 1\n[links.a]\n"+other) == base {
			t.Errorf("%s\nis the same scenario", other)
		}
	}
}

func FuzzRead(f *testing.F) {
	valid := file("flows.bulk.goodput", analysis.MoreIsBetter, 1, math.NaN())
	text, err := valid.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":1,"runs":[{"seed":1}],"metrics":{"a":{"better":"more","values":[null]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := parse(text)
		if err != nil {
			return
		}
		again, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(again); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		if _, err := Compare(b, b, DefaultTolerance); err != nil {
			t.Logf("%v", err) // such as values that overflow
		}
	})
}
