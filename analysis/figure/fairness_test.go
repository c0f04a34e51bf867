package figure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inSeconds returns points of a value in the middle of seconds.
func inSeconds(value float64, seconds ...time.Duration) []Point {
	var out []Point
	for _, s := range seconds {
		out = append(out, Point{s*time.Second + time.Second/2, value})
	}
	return out
}

func TestFlowsThatMeetNowAndThenHaveNoFairness(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []time.Duration
		drawn   bool
	}{
		{"never", nil, false},
		{"two seconds", []time.Duration{1, 2}, false},
		{"three seconds", []time.Duration{1, 2, 3}, true},
		{"every second second", []time.Duration{1, 3, 5, 7}, true},
		{"every third second", []time.Duration{1, 4, 7, 10, 13}, false},
	} {
		d := Data{End: 20 * time.Second, Fairness: inSeconds(1, c.seconds...)}
		if drawn := len(fairness(d).panels) > 0; drawn != c.drawn {
			t.Errorf("%s: drawn is %t", c.name, drawn)
		}
	}
}

func TestEqualSharesFollowTheNumberOfFlows(t *testing.T) {
	index := inSeconds(1, 0, 1, 2)
	shares := []Series{{"a", inSeconds(0.5, 0, 1, 2)}, {"b", inSeconds(0.5, 0, 1, 2)}, {"c", inSeconds(0, 1)}}
	want := []Point{{0, 1. / 2}, {time.Second, 1. / 3}, {2 * time.Second, 1. / 2}, {3 * time.Second, 1. / 2}}
	if diff := cmp.Diff(want, evenShares(index, shares)); diff != "" {
		t.Error(diff)
	}
}
