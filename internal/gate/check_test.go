package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// folder returns where programs are built, or skips the test.
func folder(t *testing.T) string {
	t.Helper()
	if os.Getenv("GATE") == "" {
		t.Skip("builds wtsim several times and simulates for a minute; GATE=1 runs it")
	}
	if dir := os.Getenv("GATE_BUILDS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// report is what is used of what wtsim check --json prints.
type report struct {
	OK        bool
	Scenarios []scenario
}

type scenario struct {
	File, Scenario string
	OK             bool
	Error          string
	Expectations   []struct {
		Metric, Bounds, Status string
		Measured               float64
	}
	Baseline *struct {
		Identical bool
		Common    int `json:"common_seeds"`
		Missing   []string
		Changes   []change
	}
}

type change struct {
	Metric, Verdict string
	Relative        *float64
}

// String says what is not as it should be.
func (s scenario) String() string {
	lines := []string{s.File}
	if s.Error != "" {
		lines = append(lines, s.Error)
	}
	for _, e := range s.Expectations {
		if e.Status != "passed" && e.Status != "known" {
			lines = append(lines, fmt.Sprintf("%s: %s: expected %s, measured %g", e.Status, e.Metric, e.Bounds, e.Measured))
		}
	}
	if s.Baseline == nil {
		return strings.Join(append(lines, "no baseline"), "\n\t")
	}
	for _, name := range s.Baseline.Missing {
		lines = append(lines, "missing: "+name)
	}
	for _, c := range s.Baseline.Changes {
		if c.Verdict == "worse" && c.Relative != nil {
			lines = append(lines, fmt.Sprintf("worse: %s by %+.1f %%", c.Metric, 100**c.Relative))
		}
	}
	return strings.Join(lines, "\n\t")
}

// seeds are with how many a scenario is checked.
const seeds = "5"

// check runs wtsim check, whose exit status must say what its report says.
func check(t *testing.T, program, baselines string, paths ...string) (r report) {
	t.Helper()
	c := exec.Command(program, append([]string{"check", "--json", "--seeds", seeds, "--baselines", baselines}, paths...)...)
	c.Dir = source(t)
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s: %v\n%s", c, err, exit.Stderr)
	}
	if r.OK != (exit == nil) {
		t.Fatalf("%s: ended with %v; its report has OK %v", c, exit, r.OK)
	}
	return r
}

// update writes the baselines of scenarios, which must all do as they expect.
func update(t *testing.T, program, baselines string, paths ...string) {
	t.Helper()
	command(t, source(t), program,
		append([]string{"check", "--quiet", "--update", "--seeds", seeds, "--baselines", baselines}, paths...)...)
}
