package variate

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkVariate(b *testing.B) {
	for _, c := range []struct {
		name string
		Variate
	}{{"exponential", Exponential(1e9)}, {"pareto", Pareto(1e9, 1.5)}} {
		b.Run(c.name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				c.Of(random.Uint64())
			}
		})
	}
}
