package simtest

import (
	"os"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/sim/run"
)

// sealed says that this program can be started as a worker.
var sealed bool

// Main is for TestMain: it runs the tests and ends the program with their exit
// status. In a process that Check has started it simulates instead.
func Main(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument {
		os.Exit(run.Worker())
	}
	sealed = !raceDetector
	os.Exit(m.Run())
}

// Check runs the scenario of a file with as many seeds as its expectations ask for,
// counted from its own, and fails the test for every expectation that is not met,
// for one that is although the scenario says that it is known not to be, and for a
// run that does not end well. Overrides, "path=value" such as
// "links.access.rate=5Mbit/s", are applied to the scenario in order. Failures say what was
// expected, what was measured, by which margin it failed, and the seed.
func Check(t testing.TB, path string, overrides ...string) {
	t.Helper()
	c, err := check.Load(path, overrides...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	report, err := check.Run(t.Context(), []check.Case{c}, check.Options{Seeds: c.Asked, Here: !sealed})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, s := range report.Scenarios {
		if seed, err := s.Err(); err != nil {
			t.Errorf("%s, seed %d: %v\n  %s", path, seed, err, s.Command(seed))
		}
		for _, v := range s.Verdicts {
			if !v.OK() {
				t.Errorf("%s: %s", path, strings.TrimSpace(s.Explain(v)))
			}
		}
	}
}
