package sweep

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/stat"
)

func summaryOf(t testing.TB, s *Store) *Summary {
	t.Helper()
	sum, err := s.Summarize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestACellsMeanHasStudentsInterval(t *testing.T) {
	s := opened(t, gridOf(3, rates))
	s.Study.Metrics = []string{"links.access.forward.queue_delay.p95"}
	fill(t, s, all(s.Study)...)
	mean := summaryOf(t, s).Cells[1].Means[0]
	// Of 10, 20 and 30 ms the deviation is 10 ms, and t with 2 degrees of freedom 4.30265.
	half := 4.302652729911275 * 0.010 / math.Sqrt(3)
	if mean.N != 3 || math.Abs(mean.Value-0.020) > 1e-15 || math.Abs(mean.Interval.Low-(0.020-half)) > 1e-12 || math.Abs(mean.Interval.High-(0.020+half)) > 1e-12 {
		t.Errorf("got %+v; want 20 ms ± %v", mean, half)
	}
}

func TestOneSeedHasNoInterval(t *testing.T) {
	s := opened(t, gridOf(3, rates))
	fill(t, s, 2)
	sum := summaryOf(t, s)
	if mean := sum.Cells[2].Means[0]; mean.N != 1 || mean.Interval.Exists() {
		t.Errorf("got %+v", mean)
	}
	if mean := sum.Cells[1].Means[0]; mean != (stat.Estimate{}) {
		t.Errorf("of a cell without runs: %+v", mean)
	}
	if sum.Done != 1 || sum.Missing != 11 || sum.Cells[2].Done != 1 {
		t.Errorf("%d done, %d missing, %d of the cell", sum.Done, sum.Missing, sum.Cells[2].Done)
	}
}

func names(s *Summary) (out []string) {
	for _, m := range s.Metrics {
		out = append(out, m.Name)
	}
	return out
}

func TestWhatVariesIsShownFirstAndFlowsBeforeLinks(t *testing.T) {
	s := opened(t, gridOf(2, rates))
	fill(t, s, all(s.Study)...)
	want := []string{"flows.bulk.goodput", "flows.ping.messages.rtt.p95", "links.access.forward.queue_delay.p95", "fairness.jain", "links.access.forward.loss_ratio"}
	if got := names(summaryOf(t, s)); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheStudyNamesWhatIsShown(t *testing.T) {
	s := opened(t, gridOf(2, rates))
	fill(t, s, all(s.Study)...)
	s.Study.Metrics = []string{"links.*.loss_ratio", "flows.nobody.goodput", "flows.*", "links.access.forward.loss_ratio"}
	sum := summaryOf(t, s)
	want := []string{"links.access.forward.loss_ratio", "flows.bulk.goodput", "flows.ping.messages.rtt.p95"}
	if got := names(sum); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if !slices.Equal(sum.Unmatched, []string{"flows.nobody.goodput"}) {
		t.Errorf("unmatched: %q", sum.Unmatched)
	}
}

func TestMoreMetricsThanHaveRoomAreNamed(t *testing.T) {
	c := newCandidates(gridOf(1, rates))
	c.globs = []string{"*"}
	var many analysis.Metrics
	for i := range mostCandidates + 3 {
		many = append(many, analysis.Metric{Name: strings.Repeat("x", i+1), Unit: "1"})
	}
	for run := range 2 {
		if err := c.add(run, many); err != nil {
			t.Fatal(err)
		}
	}
	chosen, leftOut, _ := c.choose()
	if len(chosen) != mostNamed || len(leftOut) != mostCandidates+3-mostNamed {
		t.Errorf("%d are shown and %d left out", len(chosen), len(leftOut))
	}
}

func TestMetricsOfOtherUnitsAreRefused(t *testing.T) {
	c := newCandidates(gridOf(1, rates))
	c.globs = []string{"*"}
	err := c.add(0, analysis.Metrics{{Name: "x", Unit: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.add(1, analysis.Metrics{{Name: "x", Unit: "B"}}); err == nil || !strings.Contains(err.Error(), `the unit of x is "s" in some runs and "B" in others`) {
		t.Errorf("got %v", err)
	}
}

func TestAFailureNamesTheCommandThatRepeatsIt(t *testing.T) {
	sum := summaryOf(t, holed(t))
	if len(sum.Failures) != 1 || sum.Failed != 1 || sum.Missing != 1 || sum.Done != 34 {
		t.Fatalf("%d failures; %d failed, %d missing, %d done", len(sum.Failures), sum.Failed, sum.Missing, sum.Done)
	}
	want := `wtsim run 'scenarios/it'\''s made.toml' --set time_limit=5s --set links.access.rate=10Mbit/s --set links.access.queue.kind=codel --seed 1`
	if got := sum.Failures[0].Command; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestRanksOfAnAxisOfManyValuesAreCorrelated(t *testing.T) {
	many := Axis{Path: "links.access.delay", Values: []string{"8ms", "1ms", "7ms", "2ms", "6ms", "3ms", "5ms", "4ms"}}
	s := opened(t, gridOf(1, many))
	s.Study.Metrics = []string{"flows.bulk.goodput", "links.*.loss_ratio"}
	fill(t, s, all(s.Study)...)
	// Goodput grows from cell to cell, and has the ranks 1 to 8; the delays differ from
	// these by 7, −1, 4, −2, 1, −3, −2, −4: ρ = 1 − 6·100/(8·63). Loss is 0 everywhere.
	want := []Correlation{{Metric: "flows.bulk.goodput", Axis: "links.access.delay", Value: 1 - 6.*100/(8*63), Cells: 8}}
	got := summaryOf(t, s).Correlations
	if len(got) == 1 {
		got[0].Value = math.Round(got[0].Value*1e12) / 1e12
		want[0].Value = math.Round(want[0].Value*1e12) / 1e12
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v; want %+v", got, want)
	}
}
