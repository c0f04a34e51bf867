package seeds_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/sim/record"
)

// describe says what sets there are, and the seeds of each.
func describe(sets []seeds.Set) string {
	var all []string
	for _, s := range sets {
		var of []string
		for _, run := range s.Runs {
			of = append(of, fmt.Sprint(run.Seed))
		}
		all = append(all, s.Describe()+": "+strings.Join(of, " "))
	}
	return strings.Join(all, "; ")
}

func TestRunsThatDifferInTheirSeedsAreOneSetWhereverTheyAre(t *testing.T) {
	dir := t.TempDir()
	for _, seed := range []uint64{1, 2} {
		write(t, filepath.Join(dir, "a=1", fmt.Sprint(seed)), "made", seed, "a=1")
		write(t, filepath.Join(dir, "default", fmt.Sprint(seed)), "made", seed)
	}
	write(t, filepath.Join(dir, "default", "10"), "made", 10)
	const both = "made with a=1: 1 2; made: 1 2 10"
	for want, folders := range map[string][]string{
		both:                               {"."},
		"made: 1 2 10; made with a=1: 1 2": {"default", "a=1"},
		"made: 1 2; made with a=1: 2":      {"default/2", "a=1/2", "default/1"},
		"made: 10":                         {"default/10"},
	} {
		var paths []string
		for _, f := range folders {
			paths = append(paths, filepath.Join(dir, f))
		}
		sets, err := seeds.Collect(paths...)
		if got := describe(sets); err != nil || got != want {
			t.Errorf("%v holds %s, want %s (%v)", folders, got, want, err)
		}
		for _, s := range sets {
			for _, run := range s.Runs {
				if filepath.Base(run.Dir) != fmt.Sprint(run.Seed) {
					t.Errorf("seed %d is said to be in %s", run.Seed, run.Dir)
				}
			}
		}
	}
	twice, err := seeds.Collect(filepath.Join(dir, "default"), filepath.Join(dir, "default", "10"))
	if err == nil || !strings.Contains(err.Error(), "have the same seed 10") {
		t.Errorf("a recording given twice: %s, %v", describe(twice), err)
	}
	if _, err := seeds.Collect(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "no recordings at") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestSetsVaryInWhatTheirOverridesMakeDiffer(t *testing.T) {
	read := func(text string, overrides ...string) seeds.Set {
		t.Helper()
		dir := t.TempDir()
		writeRun(t, dir, record.Run{Name: "made", Seed: 1, Overrides: overrides, Scenario: scenario(text)})
		set, err := seeds.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	const rest = "\n[hosts.b]\nn = 1\n"
	base := read("[links.a]\nrate = \"20Mbit/s\"\ndelay = \"5ms\"" + rest)
	// The override of the delay changes nothing, and the queue is a table.
	slow := read("[links.a]\nrate = \"5Mbit/s\"\ndelay = \"5ms\"\nqueue = {kind = \"codel\", limit = 9}"+rest,
		"links.a.queue={kind=\"codel\"}", "links.a.delay=0.005s", "links.a.rate=5 Mbit/s")
	if got := seeds.Varied([]seeds.Set{base, slow}); !slices.Equal(got, []string{"links.a.queue", "links.a.rate"}) {
		t.Errorf("they vary in %v", got)
	}
	for path, want := range map[string]string{"links.a.rate": "5Mbit/s", "links.a.queue": `{kind="codel"}`, "links.a.mtu": ""} {
		if got := slow.Value(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	edited := read("[links.a]\nrate = \"20Mbit/s\"\ndelay = \"6ms\"\n[hosts.b]\nn = 2\n")
	if got := seeds.Varied([]seeds.Set{base, edited}); !slices.Equal(got, []string{"hosts.b.n", "links.a.delay"}) {
		t.Errorf("an edited scenario varies in %v", got)
	}
	for _, same := range [][]seeds.Set{nil, {base}, {base, base}} {
		if got := seeds.Varied(same); len(got) != 0 {
			t.Errorf("%d equal sets vary in %v", len(same), got)
		}
	}
}
