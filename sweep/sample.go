package sweep

import (
	"hash/fnv"
	"math/rand/v2"
)

// draw returns n values of an axis. Each axis draws from a stream of its own, so that
// one more changes nothing in the others. With Latin hypercube sampling each of n
// equal parts of the axis has one value (McKay, Beckman and Conover, Technometrics
// 1979); of whole numbers and lists, as evenly as they go.
func (a *axis) draw(n int, seed uint64, latin bool) []string {
	path := fnv.New64a()
	path.Write([]byte(a.path))
	random := rand.New(rand.NewPCG(seed, path.Sum64()))
	var parts []int
	if latin {
		parts = random.Perm(n)
	}
	values := make([]string, n)
	for i := range values {
		share, part := random.Float64(), -1
		if latin {
			part = parts[i]
			share = (float64(part) + share) / float64(n)
		}
		if a.span == nil {
			values[i] = a.values[min(int(share*float64(len(a.values))), len(a.values)-1)]
			continue
		}
		values[i] = a.span.near(share, part, n)
	}
	return values
}

// near returns the value at a share of the way between the ends, rounded within them
// and within a part of n, if that is not -1.
func (s *span) near(share float64, part, n int) string {
	var text string
	for digits := 4; digits <= 15; digits++ {
		var v float64
		text, v = s.text(s.at(share), digits)
		at := s.share(v)*float64(n) - float64(part) // within the part, but for errors of rounding
		if v >= s.low.value && v <= s.high.value && (part < 0 || at > 1e-6 && at < 1-1e-6) {
			break
		}
	}
	return text
}
