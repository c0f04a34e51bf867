package scenario

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// startsOf returns when the sessions begin.
func startsOf(s *Scenario) []time.Duration {
	var starts []time.Duration
	for _, in := range s.Instances() {
		starts = append(starts, in.Start)
	}
	return starts
}

const poisson = "arrivals = \"poisson\"\nstagger = \"100ms\"\nstart = \"2s\"\n"

func TestPoissonArrivalsHaveExponentialGaps(t *testing.T) {
	const n, mean = 20_000, 0.1
	s := parse(t, grouped(n, poisson, `size = "1KB"`))
	before := 2 * time.Second
	gaps := make([]float64, n)
	for i, start := range startsOf(s) {
		gaps[i] = (start - before).Seconds()
		before = start
	}
	lawtest.Distribution(t, s.Seed, "gaps", gaps, func(x float64) float64 { return 1 - math.Exp(-x/mean) })
	lawtest.Mean(t, s.Seed, "gaps", gaps, mean, mean)
	var products []float64
	for i := 1; i < n; i++ {
		products = append(products, (gaps[i]/mean-1)*(gaps[i-1]/mean-1))
	}
	lawtest.Mean(t, s.Seed, "correlation of gaps", products, 0, 1)
}

func TestPoissonArrivalsBelongToTheSeedAndTheName(t *testing.T) {
	text := grouped(20, poisson, `size = "1KB"`)
	first := startsOf(parse(t, text))
	for _, c := range []struct {
		what, text string
		same       bool
	}{
		{"again", text, true},
		{"with more sessions", grouped(30, poisson, `size = "1KB"`), true},
		{"with another size", grouped(20, poisson, `size = "2KB"`), true},
		{"with another seed", "seed = 2\n" + text, false},
		{"with another name", strings.ReplaceAll(text, "sessions.main", "sessions.other"), false},
	} {
		if got := startsOf(parse(t, c.text))[:20]; slices.Equal(got, first) != c.same {
			t.Errorf("seed 1: the sessions start at %v, and %s at %v", first, c.what, got)
		}
	}
	if !slices.IsSorted(first) || first[0] <= 2*time.Second {
		t.Errorf("seed 1: the sessions start at %v, want ascending times after 2s", first)
	}
}

func TestMistakesInArrivalsAreNamedWithTheirPlace(t *testing.T) {
	starts := startsOf(parse(t, grouped(500, poisson, `size = "1KB"`)))
	late := slices.IndexFunc(starts, func(at time.Duration) bool { return at >= 30*time.Second })
	for _, c := range []struct{ session, want string }{
		{"count = 20\narrivals = \"poisson\"\nstagger = \"100ms\"\n", ``},
		{"arrivals = \"bursty\"\n", `x.toml:10: sessions.main.arrivals: unknown value "bursty"; expected one of regular, poisson`},
		{"arrivals = \"poisson\"\n", `x.toml:9: sessions.main.stagger: 0s is no mean time between Poisson arrivals; expected one such as "100ms"`},
		{"arrivals = \"poisson\"\nstagger = \"0s\"\n", `x.toml:11: sessions.main.stagger: 0s is no mean time between Poisson arrivals; expected one such as "100ms"`},
		{"count = 500\n" + poisson, fmt.Sprintf(`x.toml:12: sessions.main.stagger: number %d of the 500 sessions starts at %s; expected less than time_limit, 30s`, late+1, starts[late])},
	} {
		_, err := Parse("x.toml", []byte(strings.Replace(base, "[sessions.main]\n", "[sessions.main]\n"+c.session, 1)))
		checkError(t, c.session, err, c.want)
	}
}
