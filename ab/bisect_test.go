package ab

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis/baseline"
)

// history says what versions are like: 'a' as the base, 'b' changed, 'x' does not compile.
func history(versions string) func(context.Context, string) (Step, error) {
	return func(_ context.Context, version string) (Step, error) {
		s := Step{Version: version}
		switch versions[version[0]-'0'] {
		case 'a':
			s.Changes = map[string]baseline.Change{"goodput": {Verdict: baseline.Unsure}}
		case 'b':
			s.Changes = map[string]baseline.Change{"goodput": {Verdict: baseline.Worse}}
		case 'x':
			s.Err = errors.New("does not compile")
		}
		return s, nil
	}
}

func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('0' + i))
	}
	return out
}

func TestABisectionFindsTheNeighboursBetweenWhichAMetricChanged(t *testing.T) {
	for _, c := range []struct{ versions, last, first, skipped, tried string }{
		{"ab", "0", "1", "", "1"},
		{"aaaab", "3", "4", "", "423"},
		{"abbbbbbb", "0", "1", "", "731"},
		{"aaaaabbbb", "4", "5", "", "8465"},
		{"aaaxbb", "2", "4", "3", "5234"},
		{"axxxb", "0", "4", "123", "4231"},
		{"abab", "0", "1", "", "31"}, // came and went: one of the places
	} {
		var said string
		b, err := Bisect(t.Context(), numbers(len(c.versions)), history(c.versions), func(s Step) { said += s.Version })
		if err != nil {
			t.Errorf("%s: %v", c.versions, err)
			continue
		}
		if b.Last != c.last || b.First != c.first || strings.Join(b.Skipped, "") != c.skipped || said != c.tried {
			t.Errorf("%s: after %s in %s, skipped %v, tried %s; want %s, %s, %s, %s", c.versions, b.Last, b.First, b.Skipped, said, c.last, c.first, c.skipped, c.tried)
		}
	}
}

func TestABisectionNeedsADifference(t *testing.T) {
	for versions, want := range map[string]string{
		"aaa": "2 makes no real difference to 0",
		"aax": "does not compile",
		"a":   "there are 1 versions; expected two at least",
	} {
		if b, err := Bisect(t.Context(), numbers(len(versions)), history(versions), nil); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v; want %s", versions, b, err, want)
		}
	}
	stop := errors.New("no more")
	_, err := Bisect(t.Context(), numbers(3), func(context.Context, string) (Step, error) { return Step{}, stop }, nil)
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestAVersionNextToTheMiddleStandsInForOneThatCannotBeTried(t *testing.T) {
	broken := map[int]bool{}
	var order []int
	for {
		i, ok := between(0, 6, broken)
		if !ok {
			break
		}
		order = append(order, i)
		broken[i] = true
	}
	if want := []int{3, 4, 2, 5, 1}; !slices.Equal(order, want) {
		t.Errorf("tried %v, want %v", order, want)
	}
}
