package gate

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The unmodified program against a baseline of itself with other seeds, as if they were
// the same: what differs is chance alone, and more than where runs are paired with those
// of their own seed. The seeds are fixed, so this passes always or never.
//
// GATE_PATHS and GATE_ROUNDS are for studies: other scenarios, and how many baselines.
func TestOtherSeedsAreHardlyEverAnAlarm(t *testing.T) {
	paths, rounds := []string{"scenarios/deviations/loss-response.toml", "scenarios/deviations/first-burst.toml", "scenarios/webtransport/close-under-loss.toml"}, 3
	if other := os.Getenv("GATE_PATHS"); other != "" {
		paths = strings.Fields(other)
	}
	if n, err := strconv.Atoi(os.Getenv("GATE_ROUNDS")); err == nil {
		rounds = n
	}
	unmodified := build(t, folder(t), patch{name: "unmodified"})
	own := t.TempDir()
	update(t, unmodified, own, paths...)
	alarms, comparisons := 0, 0
	for round := range rounds {
		for _, s := range check(t, unmodified, otherSeeds(t, unmodified, own, 1000*(round+1), paths), paths...).Scenarios {
			if s.Baseline == nil {
				t.Logf("%s: its baseline was refused: with other seeds it does not do as it expects", s.File)
				continue
			}
			if s.Baseline.Identical || s.Baseline.Common == 0 {
				t.Errorf("%s: identical to other seeds, or none are common: %s", s.File, s)
			}
			comparisons++
			if len(s.Baseline.Missing) > 0 || slices.ContainsFunc(s.Baseline.Changes, func(c change) bool { return c.Verdict == "worse" }) {
				alarms++
				t.Logf("round %d: alarm: %s", round+1, s)
			}
		}
	}
	t.Logf("%d false alarms in %d comparisons of scenarios with %s seeds", alarms, comparisons, seeds)
	// The confidence of check is 99 % for a scenario: more than this many have a
	// probability below 0.1 % if the rate is that.
	if most := 2 + comparisons/30; alarms > most {
		t.Errorf("%d false alarms in %d comparisons; expected at most %d", alarms, comparisons, most)
	}
}

var seedLine = regexp.MustCompile(`(?m)^seed = .*\n`)

// otherSeeds makes baselines of scenarios with the seeds from one on, which say that
// they are of the scenarios' own seeds, as the baselines in own are.
func otherSeeds(t *testing.T, program, own string, from int, paths []string) string {
	t.Helper()
	root, copies, others := source(t), t.TempDir(), t.TempDir()
	if err := os.CopyFS(filepath.Join(copies, "scenarios"), os.DirFS(filepath.Join(root, "scenarios"))); err != nil {
		t.Fatal(err)
	}
	there := make([]string, len(paths))
	for i, p := range paths {
		there[i] = filepath.Join(copies, p)
	}
	rewrite(t, copies, ".toml", func(_ string, text []byte) []byte {
		return append(fmt.Appendf(nil, "seed = %d\n", from), seedLine.ReplaceAll(text, nil)...)
	})
	c := exec.Command(program, append([]string{"check", "--json", "--update", "--seeds", seeds, "--baselines", others}, there...)...)
	if out, err := c.CombinedOutput(); err != nil && c.ProcessState.ExitCode() != 1 { // 1: some are refused
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
	rewrite(t, others, ".json", func(name string, text []byte) []byte {
		as := read(t, filepath.Join(own, name))
		is := decode(t, text)
		is["scenario_sha256"] = as["scenario_sha256"]
		for i, run := range is["runs"].([]any) {
			run.(map[string]any)["seed"] = as["runs"].([]any)[i].(map[string]any)["seed"]
		}
		out, err := json.Marshal(is)
		if err != nil {
			t.Fatal(err)
		}
		return out
	})
	return others
}

// rewrite changes the files of a kind below a folder; change hears their names in it.
func rewrite(t *testing.T, folder, kind string, change func(name string, text []byte) []byte) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != kind {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, change(name, text), 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

func decode(t *testing.T, text []byte) (object map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		t.Fatal(err)
	}
	return object
}
