package figure

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quarter is a distribution of 40 values from 10 ms to 40 ms.
var quarter = Distribution{Name: "q", Count: 40, Points: []XY{{0.01, 0.25}, {0.02, 0.5}, {0.03, 0.75}, {0.04, 1}}}

// charted returns the chart of a graph that stands alone.
func charted(g *graph) Chart {
	var f Figure
	f.stackApart([]*graph{g})
	return f.Charts()[0]
}

func TestADistributionRisesAtEachValue(t *testing.T) {
	want := []XY{{0.01, 0}, {0.01, 0.25}, {0.02, 0.5}, {0.03, 0.75}, {0.04, 1}}
	if diff := cmp.Diff(want, quarter.steps(false)); diff != "" {
		t.Error(diff)
	}
}

func TestATailEndsAtItsLargestValueAboveZero(t *testing.T) {
	want := []XY{{0.01, 1}, {0.01, 0.75}, {0.02, 0.5}, {0.03, 0.25}, {0.04, 0.25}}
	if diff := cmp.Diff(want, quarter.steps(true)); diff != "" {
		t.Error(diff)
	}
	g := distributionGraph("delay", "flows", []Distribution{quarter}, true)
	if y := charted(g).Y; !y.Log || y.Low != 0.1 || y.High != 1 {
		t.Errorf("the axis of shares from 0.25 to 1 is %+v", y)
	}
}

func TestFewLargeValuesAreBeyondTheAxis(t *testing.T) {
	for _, c := range []struct {
		share, largest float64 // of the values up to 40 ms, and the one beyond
		high           float64 // end of the axis
		name           string
	}{
		{0.995, 1, 0.042, "up to 42\u00a0ms; the largest is 1\u00a0s"},
		{0.990, 1, 1, ""},
		{0.995, 0.08, 0.08, ""},
	} {
		x := Distribution{Count: 1000, Points: []XY{{0.01, 0.5}, {0.04, c.share}, {c.largest, 1}}}
		g := distributionGraph("delay", "flows", []Distribution{x}, false)
		if got := charted(g); got.X.High != c.high || got.Name != c.name {
			t.Errorf("%v: the axis of %q ends at %v", c, got.Name, got.X.High)
		}
	}
}

func TestDistributionsOfFewValuesAreNotDrawn(t *testing.T) {
	few := quarter
	few.Count = fewestValues - 1
	if f := delayCDF(Data{Latencies: []Distribution{few}}); len(f.panels) != 0 {
		t.Error("19 values are drawn")
	}
	if f := delayCDF(Data{Latencies: []Distribution{few, quarter}}); len(f.panels) != 1 || len(f.Charts()[0].Curves) != 1 {
		t.Error("the distribution of 40 values does not stand alone")
	}
	if f := teardownCDF(Data{Teardowns: []Distribution{{Count: fewestSessions - 1, Points: quarter.Points}}}); len(f.panels) != 0 {
		t.Error("four teardowns are drawn")
	}
}

func TestManyDistributionsAreShownByTheirRange(t *testing.T) {
	var many []Distribution
	for i := range maxLines + 1 {
		v := 0.01 * float64(i+1)
		many = append(many, Distribution{Name: fmt.Sprint(i), Count: 100, Points: []XY{{v, 0.5}, {2 * v, 1}}})
	}
	c := charted(distributionGraph("delay", "flows", many, false))
	if len(c.Areas) != 1 || c.Areas[0].Label != "range of 9 flows" || len(c.Curves) != 1 {
		t.Fatalf("got %+v", c)
	}
	// At 100 ms those that end at 20 to 100 ms have all of their values, and the
	// others, which begin at 60 to 90 ms, half of them.
	at := func(points []XY) float64 {
		for _, p := range points {
			if p.X >= 0.1 {
				return p.Y
			}
		}
		return -1
	}
	if low, median, high := at(c.Areas[0].Low), at(c.Curves[0].Points), at(c.Areas[0].High); low != 0.5 || median != 1 || high != 1 {
		t.Errorf("at 100 ms: %v, %v, %v", low, median, high)
	}
	if large := leaveOutSmall(many); len(large) != 9 {
		t.Errorf("%d are large", len(large))
	}
	many[8].Points[1].X = 0.25
	if large := leaveOutSmall(many); len(large) != 8 {
		t.Errorf("%d are large, and 20 ms is less than a tenth of 250 ms", len(large))
	}
}
