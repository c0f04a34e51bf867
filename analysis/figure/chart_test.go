package figure

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAChartHoldsWhatTheGraphDraws(t *testing.T) {
	d := Data{
		End: time.Second, Bin: 500 * ms,
		Changes: []time.Duration{250 * ms},
		Directions: []Direction{{
			Name:  "a → b",
			Rates: []Series{{"l", []Point{{0, 2e6}}}}, Capacity: []Point{{0, 2e6}},
			Goodput: []Series{{"f", []Point{{250 * ms, 1e6}, {750 * ms, 2e6}}}},
		}},
	}
	want := []Chart{{
		Name:    "a → b",
		X:       Axis{Quantity: "time", Unit: "s", Size: 1, High: 1},
		Y:       Axis{Quantity: "goodput", Unit: "Mbit/s", Size: 1e6, High: 1.04 * 2e6},
		Areas:   []Area{{Color: "#f1f1ec", Step: true, Low: []XY{{0, 0}, {1, 0}}, High: []XY{{0, 2e6}, {1, 2e6}}}},
		Moments: []Moments{{Label: "link changed", Color: "#6e6e6e", Dash: []float64{1, 2}, At: []float64{0.25}}},
		Curves: []Curve{
			{Label: "rate of l", Color: "#6e6e6e", Width: 1.4, Step: true, Points: []XY{{0, 2e6}, {1, 2e6}}},
			{Label: "f", Color: "#0072b2", Width: 1.1, Points: []XY{{0.25, 1e6}, {0.75, 2e6}}},
		},
	}}
	if diff := cmp.Diff(want, throughput(d).Charts()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyGraphsHaveCharts(t *testing.T) {
	if got := timeline(sample()).Charts(); len(got) != 0 {
		t.Errorf("the timeline has %d charts", len(got))
	}
	for name, d := range oddities() {
		for _, f := range All(d) {
			for _, c := range f.Charts() {
				if !(c.X.High > c.X.Low) || !(c.Y.High > c.Y.Low) || c.X.Size <= 0 || c.Y.Size <= 0 {
					t.Errorf("%s: %s: axes %+v and %+v", name, f.Name, c.X, c.Y)
				}
				if text, err := json.Marshal(c); err != nil || strings.ContainsRune(string(text), '\x00') {
					t.Errorf("%s: %s cannot be put on a page: %v", name, f.Name, err)
				}
			}
		}
	}
}

func TestALogarithmicAxisCountsInDecades(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		n         int
		words     string
	}{
		{0.00012, 1, 10, "0.0001 0.001 0.01 0.1 1"},
		{0.001, 1, 10, "0.001 0.01 0.1 1"},
		{1e-6, 1, 3, "0.000001 0.0001 0.01 1"},
		{0.5, 0.5, 5, "0.1 1"},
		{0, 0, 5, "0.1 1"},
	} {
		a := newLogAxis(shares, c.low, c.high, c.n)
		var words []string
		for _, tick := range a.ticks() {
			words = append(words, a.label(tick))
		}
		if got := strings.Join(words, " "); got != c.words {
			t.Errorf("from %g to %g: %s, want %s", c.low, c.high, got, c.words)
		}
	}
	a := newLogAxis(shares, 0.01, 1, 5)
	for value, want := range map[float64]float64{0.01: 0, 0.1: 50, 1: 100, 0: -50} {
		if got := float64(a.place(value, 0, 100)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g is at %g, want %g", value, got, want)
		}
	}
}
