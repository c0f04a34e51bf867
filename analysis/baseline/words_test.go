package baseline

import (
	"testing"

	"github.com/wtsim/wtsim/analysis/stat"
)

func TestComparisonsAreToldInAFewWords(t *testing.T) {
	changes := func(all ...Verdict) (out []Change) {
		for _, v := range all {
			out = append(out, Change{Verdict: v})
		}
		return out
	}
	for _, x := range []struct {
		c    Comparison
		want string
	}{
		{Comparison{Identical: true, Common: 3}, "identical"},
		{Comparison{Common: 3}, "other packets, same metrics"},
		{Comparison{Scenario: true, Common: 3}, "another scenario"},
		{Comparison{}, "no common seed"},
		{Comparison{Common: 3, Changes: changes(Better, Worse, Negligible, Worse, Unsure)}, "2 worse, 1 better, 1 unsure, 1 negligible"},
		{Comparison{Common: 3, Missing: []string{"a"}, New: []string{"b", "c"}}, "1 missing, 2 new"},
	} {
		if got := x.c.String(); got != x.want {
			t.Errorf("%+v is told as %q, want %q", x.c, got, x.want)
		}
	}
}

func TestChangesAreReadAloud(t *testing.T) {
	c := Change{Metric: "flows.bulk.goodput", Unit: "bit/s"}
	c.Base.Mean.Value, c.Now.Mean.Value, c.Difference.Value = 20e6, 18e6, -2e6
	if got, want := c.Words(), (Words{"20.0 Mbit/s", "18.0 Mbit/s", "-2.00 Mbit/s", "", "-10.0 %"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	c.Difference.Interval = stat.Interval{Low: -2.5e6, High: -1.5e6, Confidence: 0.99}
	c.Base.Mean.Value = 0
	if got, want := c.Words(), (Words{"0 bit/s", "18.0 Mbit/s", "-2.00 Mbit/s", "-2.50 to -1.50 Mbit/s", ""}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
