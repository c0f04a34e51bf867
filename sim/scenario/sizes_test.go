package scenario

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/internal/lawtest"
	"github.com/wtsim/wtsim/netem"
)

// noSizes is what a bulk flow without a distribution of sizes has.
var noSizes = Sizes{Kind: "none", Config: &NoSizes{}}

// grouped is a scenario with a group of count sessions that each have a flow,
// whose own keys follow.
func grouped(count int, session, flow string) string {
	text := strings.Replace(base[:strings.Index(base, "[sessions.main.flows.bulk]")], "[sessions.main]\n", fmt.Sprintf("[sessions.main]\ncount = %d\n%s", count, session), 1)
	text = strings.Replace(text, `time_limit = "30s"`, `time_limit = "24h"`, 1)
	return strings.Replace(text, "close = { at = \"10s\" }\n", "", 1) + "[sessions.main.flows.page]\nkind = \"download\"\n" + flow
}

// sizesOf returns the sizes of the group's flows.
func sizesOf(s *Scenario) []float64 {
	var sizes []float64
	for _, in := range s.Instances() {
		sizes = append(sizes, float64(s.SizeOf(in, &s.Sessions[0].Flows[0])))
	}
	return sizes
}

func TestSizesHaveTheirDistribution(t *testing.T) {
	const n = 20_000
	pareto := func(least, shape float64) func(float64) float64 {
		return func(x float64) float64 { return 1 - math.Pow(min(least/x, 1), shape) }
	}
	exponential := func(mean float64) func(float64) float64 {
		return func(x float64) float64 { return 1 - math.Exp(-x/mean) }
	}
	// cut is the distribution on the condition that values are at most most.
	cut := func(cdf func(float64) float64, most float64) func(float64) float64 {
		return func(x float64) float64 { return min(cdf(x)/cdf(most), 1) }
	}
	for _, c := range []struct {
		sizes           string
		mean, deviation float64 // 0 where it is infinite
		cdf             func(float64) float64
	}{
		{`{ kind = "exponential", mean = "3MB" }`, 3e6, 3e6, exponential(3e6)},
		{`{ kind = "exponential", mean = "3MB", most = "3MB" }`,
			// On the condition that x ≤ 1, E[x] is (e−2)/(e−1) and E[x²] (2e−5)/(e−1) for the mean 1.
			3e6 * (math.E - 2) / (math.E - 1), 3e6 * math.Sqrt((2*math.E-5)/(math.E-1)-math.Pow((math.E-2)/(math.E-1), 2)), cut(exponential(3e6), 3e6)},
		{`{ kind = "pareto", mean = "3MB", shape = 3 }`, 3e6, 3e6 / math.Sqrt(3), pareto(2e6, 3)},
		{`{ kind = "pareto", mean = "3MB", shape = 1.2 }`, 0, 0, pareto(0.5e6, 1.2)},
		{`{ kind = "pareto", mean = "3MB", shape = 1.2, most = "50MB" }`, boundedPareto(0.5e6, 50e6, 1.2, 1),
			math.Sqrt(boundedPareto(0.5e6, 50e6, 1.2, 2) - math.Pow(boundedPareto(0.5e6, 50e6, 1.2, 1), 2)), cut(pareto(0.5e6, 1.2), 50e6)},
		{`{ kind = "cdf", points = [{ size = "1MB", p = 0 }, { size = "3MB", p = 1 }] }`, 2e6, 1e6 / math.Sqrt(3), func(x float64) float64 { return (x - 1e6) / 2e6 }},
		{`{ kind = "cdf", points = [{ size = "1MB", p = 0 }, { size = "3MB", p = 1 }], most = "2MB" }`, 1.5e6, 0.5e6 / math.Sqrt(3), func(x float64) float64 { return (x - 1e6) / 1e6 }},
	} {
		s := parse(t, grouped(n, "", "sizes = "+c.sizes))
		values := sizesOf(s)
		lawtest.Distribution(t, s.Seed, c.sizes, values, c.cdf)
		if c.deviation > 0 {
			lawtest.Mean(t, s.Seed, c.sizes, values, c.mean, c.deviation)
		}
	}
}

// boundedPareto returns the k-th moment of a bounded Pareto distribution.
func boundedPareto(least, most, shape, k float64) float64 {
	return math.Pow(least, shape) / (1 - math.Pow(least/most, shape)) * shape / (shape - k) *
		(math.Pow(least, k-shape) - math.Pow(most, k-shape))
}

// The share of the values up to each point is the point's, and the mean is that of
// uniform sizes between the points.
func TestMeasuredSizesPassThroughTheirPoints(t *testing.T) {
	const n = 50_000
	for kind, c := range map[string]struct {
		points  Points
		packets float64 // the mean as the literature knows it
	}{"web_search": {webSearch, 1138}, "data_mining": {dataMining, 5117}} {
		mean, square, before := 0.0, 0.0, Point{Size: c.points[0].Size}
		for _, p := range c.points {
			a, b, share := float64(before.Size), float64(p.Size), p.P-before.P
			mean += share * (a + b) / 2
			square += share * (a*a + a*b + b*b) / 3
			before = p
		}
		if math.Abs(mean/1460/c.packets-1) > 0.003 {
			t.Errorf("%s: the points have a mean of %.1f packets, want %v", kind, mean/1460, c.packets)
		}
		s := parse(t, grouped(n, "", fmt.Sprintf("sizes = { kind = %q }", kind)))
		values := sizesOf(s)
		lawtest.Mean(t, s.Seed, kind, values, mean, math.Sqrt(square-mean*mean))
		for _, p := range c.points {
			below := make([]float64, n)
			for i, v := range values {
				if v <= float64(p.Size) {
					below[i] = 1
				}
			}
			lawtest.Mean(t, s.Seed, fmt.Sprintf("%s: share of %s", kind, p.Size), below, p.P, math.Sqrt(p.P*(1-p.P)))
		}
	}
}

func TestSizesGrowAsTheNumbersFall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := drawSizes(t)
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		small, large := sizes.draw(max(a, b)), sizes.draw(min(a, b))
		// Powers are off by a share of 2^-39 either way, and sizes are rounded.
		if float64(small) > float64(large)*(1+1.0/(1<<37))+1 {
			t.Errorf("%+v with %+v: %#x has %s and %#x %s", sizes, sizes.Config, max(a, b), small, min(a, b), large)
		}
		if sizes.Most > 0 && large > sizes.Most {
			t.Errorf("%+v with %+v: %#x has %s", sizes, sizes.Config, min(a, b), large)
		}
	})
}

// The largest and the least number of a distribution that is cut off have the
// ends of what is left.
func TestACutOffIsReached(t *testing.T) {
	uniform := &MeasuredSizes{Points: Points{{Size: 1000}, {Size: 2000, P: 1}}}
	s := Sizes{Kind: "cdf", Most: 1500, Config: uniform}
	for r, want := range map[uint64]netem.Bytes{0: 1500, 1 << 63: 1250, math.MaxUint64: 1000} {
		if got := s.draw(r); got != want {
			t.Errorf("%#x has %s, want %s", r, got, want)
		}
	}
}

func TestSizesBelongToTheSeedAndTheNames(t *testing.T) {
	const sizes = `sizes = { kind = "pareto", mean = "30KB", shape = 1.2 }`
	text := grouped(50, "", sizes)
	s := parse(t, text)
	first := sizesOf(s)
	if again := sizesOf(parse(t, text)); !reflect.DeepEqual(first, again) {
		t.Errorf("the same scenario has the sizes %v and %v", first, again)
	}
	if other := sizesOf(parse(t, "seed = 2\n"+text)); reflect.DeepEqual(first, other) {
		t.Error("seeds 1 and 2 have the same sizes")
	}
	if more := sizesOf(parse(t, grouped(60, "", sizes)+"\n[sessions.main.flows.also]\nkind = \"upload\"\n"+sizes)); !reflect.DeepEqual(first, more[:50]) {
		t.Errorf("with more sessions and flows the sizes are %v, want %v", more[:50], first)
	}
	in := s.Instances()[0]
	if s.SizeOf(in, &Flow{Name: "page", Config: s.Sessions[0].Flows[0].Config}) == s.SizeOf(in, &Flow{Name: "other", Config: s.Sessions[0].Flows[0].Config}) {
		t.Error("two flows have the same size")
	}
}

func TestTheSizeOfAFlow(t *testing.T) {
	in := Instance{Name: "main"}
	for name, c := range map[string]struct {
		config FlowConfig
		want   netem.Bytes
	}{
		"with a size":             {&Bulk{Size: 7, Sizes: noSizes}, 7},
		"made by a program":       {&Bulk{Size: 7}, 7},
		"with a duration":         {&Bulk{Duration: time.Second, Sizes: noSizes}, 0},
		"of another kind":         {&Echo{Size: 7}, 0},
		"drawn, of many streams":  {&Bulk{Streams: 1000, Sizes: Sizes{Kind: "exponential", Config: &ExponentialSizes{Mean: 1}}}, 1000},
		"drawn, of a single size": {&Bulk{Streams: 1, Sizes: Sizes{Kind: "cdf", Config: &MeasuredSizes{Points{{9, 1}}}}}, 9},
	} {
		if got := (&Scenario{Seed: 1}).SizeOf(in, &Flow{Name: "x", Config: c.config}); got != c.want {
			t.Errorf("a flow %s has %s, want %s", name, got, c.want)
		}
	}
}

func TestMistakesInSizesAreNamedWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ sizes, want string }{
		{`sizes = { kind = "exponential", mean = "30KB" }`, ``},
		{`sizes = { kind = "pareto", mean = "30KB", shape = 1.2, most = "5KB" }`, ``},
		{`sizes = "web_search"`, `x.toml:15: sessions.main.flows.bulk.sizes: "web_search" is a string; expected a table`},
		{`sizes = { mean = "30KB" }`, `x.toml:15: sessions.main.flows.bulk.sizes.mean: kind "none" has no such key; expected one of the kinds exponential, pareto`},
		{`sizes = { most = "30KB" }`, `x.toml:15: sessions.main.flows.bulk.sizes.most: set, but there is no distribution; expected a kind, such as sizes = { kind = "exponential", mean = "30KB" }`},
		{`sizes = { kind = "zipf" }`, `x.toml:15: sessions.main.flows.bulk.sizes.kind: unknown value "zipf"; expected one of none, exponential, pareto, cdf, web_search, data_mining`},
		{`sizes = { kind = "websearch" }`, `x.toml:15: sessions.main.flows.bulk.sizes.kind: unknown value "websearch"; did you mean "web_search"?`},
		{`sizes = { kind = "exponential" }`, `x.toml:15: sessions.main.flows.bulk.sizes.mean: missing; expected a size such as "64KB"`},
		{`sizes = { kind = "pareto", mean = "30KB" }`, `x.toml:15: sessions.main.flows.bulk.sizes.shape: missing; expected a number`},
		{`sizes = { kind = "pareto", mean = "30KB", shape = 1 }`, `x.toml:15: sessions.main.flows.bulk.sizes.shape: 1 is out of range; expected 1.01 to 1000`},
		{`sizes = { kind = "pareto", mean = "30KB", shape = 1.2, most = "4999B" }`, `x.toml:15: sessions.main.flows.bulk.sizes.most: 4999B is below all sizes; expected at least 5KB`},
		{`sizes = { kind = "web_search", most = "8759B" }`, `x.toml:15: sessions.main.flows.bulk.sizes.most: 8759B is below all sizes; expected at least 8760B`},
		{"streams = 20\nsizes = { kind = \"exponential\", mean = \"1KB\", most = \"19B\" }", `x.toml:16: sessions.main.flows.bulk.sizes.most: 19B is below all sizes; expected at least 20B`},
		{`sizes = { kind = "cdf" }`, `x.toml:15: sessions.main.flows.bulk.sizes.points: missing; expected a list of points such as [{ size = "10KB", p = 0.5 }, { size = "1MB", p = 1 }]`},
		{`sizes = { kind = "cdf", points = [] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points: this list is empty; expected points such as { size = "10KB", p = 0.5 }`},
		{`sizes = { kind = "cdf", points = [{ size = "1KB" }] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points.0.p: missing; expected a number`},
		{`sizes = { kind = "cdf", points = [{ size = "1KB", p = 0.5 }] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points.0.p: 0.5 is the share of the largest size; expected 1`},
		{`sizes = { kind = "cdf", points = [{ size = "1KB", p = 0.5 }, { size = "2KB", p = 0.5 }] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points.1.p: 0.5 is not above the share before, 0.5; expected ascending shares`},
		{`sizes = { kind = "cdf", points = [{ size = "1KB", p = 0.5 }, { size = "999B", p = 1 }] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points.1.size: 999B is less than the size before, 1KB; expected ascending sizes`},
		{`sizes = { kind = "cdf", points = [{ size = "1KB", p = 2 }] }`, `x.toml:15: sessions.main.flows.bulk.sizes.points.0.p: 2 is out of range; expected 0 to 1`},
		{"sizes = { kind = \"web_search\" }\nsize = \"1KB\"", `x.toml:16: sessions.main.flows.bulk.size: set, and sizes is too; expected one of them`},
		{"sizes = { kind = \"web_search\" }\nduration = \"1s\"", `x.toml:16: sessions.main.flows.bulk.duration: set, and sizes is too; expected one of them`},
	} {
		_, err := Parse("x.toml", []byte(strings.Replace(base, `size = "10MB"`, c.sizes, 1)))
		checkError(t, c.sizes, err, c.want)
	}
}

func drawSizes(t *rapid.T) Sizes {
	kind := rapid.SampledFrom(sizeKinds[1:]).Draw(t, "sizes")
	s := Sizes{Kind: kind.name, Config: kind.config().(SizesConfig)}
	mean := netem.Bytes(rapid.Int64Range(1, 1e12).Draw(t, "mean"))
	switch c := s.Config.(type) {
	case *ExponentialSizes:
		c.Mean = mean
	case *ParetoSizes:
		c.Mean, c.Shape = mean, rapid.Float64Range(1.01, 1000).Draw(t, "shape")
	case *MeasuredSizes:
		n := rapid.IntRange(1, 5).Draw(t, "points")
		for i := range n {
			c.Points = append(c.Points, Point{Size: mean/100 + 1 + netem.Bytes(i*1000), P: float64(i+1) / float64(n)})
		}
	}
	if rapid.Bool().Draw(t, "cut") {
		s.Most = max(netem.Bytes(s.Config.of(rapid.Uint64().Draw(t, "most"))), 16)
		s.Most = min(s.Most, 1e12)
		if least := netem.Bytes(s.Config.of(math.MaxUint64)); s.Most < least {
			s.Most = least
		}
	}
	return s
}

// measured is the sizes of a bulk flow as points, cut off.
const measured = `sizes = { kind = "cdf", points = [{ size = "1KB", p = 0.5 }, { size = "1MB", p = 1 }], most = "9KB" }`
