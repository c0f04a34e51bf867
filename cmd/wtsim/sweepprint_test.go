package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sweep"
)

func swept() *sweep.Summary {
	s := &sweep.Summary{
		Name: "quickstart", Seeds: 5, Done: 3, Failed: 1, Missing: 6,
		Axes:      []sweep.Axis{{Path: "links.access.rate"}},
		Metrics:   []sweep.Quantity{{Name: "flows.bulk.goodput", Unit: "bit/s"}},
		Unmatched: []string{"flows.*.godput"},
		Failures:  []sweep.FailedRun{{Cell: 1, Seed: 4, Values: []string{"10Mbit/s"}, Why: "it stalled\nat 3s\nx\ny\nz", Command: "wtsim run q.toml --set links.access.rate=10Mbit/s --seed 4"}},
	}
	mean := stat.Estimate{Value: 4.6e6, N: 3, Interval: stat.Interval{Low: 4.5e6, High: 4.7e6, Confidence: 0.95, Method: stat.Student}}
	s.Cells = []sweep.CellSummary{{Cell: 0, Values: []string{"5Mbit/s"}, Done: 3, Means: []stat.Estimate{mean}}, {Cell: 1, Values: []string{"10Mbit/s"}, Means: []stat.Estimate{{}}}}
	return s
}

func TestAStudyIsPrintedCellByCell(t *testing.T) {
	var out bytes.Buffer
	if err := printSweep(&out, swept()); err != nil {
		t.Fatal(err)
	}
	want := `quickstart: 2 cells, 5 seeds each: 3 of 10 runs done, 1 failed, 6 missing

links.access.rate  flows.bulk.goodput  n
──────────────────────────────────────────
5Mbit/s            4.60 ± 0.10 Mbit/s  3
10Mbit/s                               0
n: the seeds that are done; ±: the 95 % confidence interval of the mean (Student's t)
no run has a metric 'flows.*.godput'; see 'wtsim list metrics'

FAILED links.access.rate=10Mbit/s, seed 4
  it stalled
    at 3s
    x
    y
    …
    wtsim run q.toml --set links.access.rate=10Mbit/s --seed 4
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestOfAStudyWithManyCellsTheFirstArePrinted(t *testing.T) {
	s := swept()
	for range 100 {
		s.Cells = append(s.Cells, s.Cells[0])
	}
	var out bytes.Buffer
	if err := printSweep(&out, s); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "4.60 ± 0.10"); n != mostCells-1 {
		t.Errorf("%d cells", n)
	}
	if !strings.Contains(out.String(), "… and 72 more\n") {
		t.Errorf("got %s", out.String())
	}
}

func TestAStudyIsEncodedWithItsFiles(t *testing.T) {
	var out bytes.Buffer
	if err := encodeSweep(&out, swept(), []string{"results.csv"}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name  string
		Done  int
		Cells []struct{ Means []struct{ Value float64 } }
		Files []string
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "quickstart" || got.Done != 3 || len(got.Cells) != 2 || got.Cells[0].Means[0].Value != 4.6e6 || len(got.Files) != 1 {
		t.Errorf("got %+v", got)
	}
}
