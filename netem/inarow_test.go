package netem

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// fatesOfBits returns which of n packets had a bit flipped.
func fatesOfBits(tb testing.TB, seed uint64, n int, c Corrupt) string {
	var s strings.Builder
	for _, payload := range corrupted(tb, seed, n, []byte{0}, c) {
		if payload[0] == 0 {
			s.WriteByte('D')
		} else {
			s.WriteByte('x')
		}
	}
	return s.String()
}

func TestNoMoreInARowThanTheBurst(t *testing.T) {
	for _, c := range []struct {
		burst uint64
		want  string
	}{
		{0, "xxxxxxxxxx"},
		{1, "xDxDxDxDxD"},
		{2, "xxDxxDxxDx"},
		{3, "xxxDxxxDxx"},
		{10, "xxxxxxxxxx"},
	} {
		if got := losses(t, 1, 10, Filter{Loss: Bernoulli{P: 1}, Burst: c.burst}); got != c.want {
			t.Errorf("at most %d: lost %s, want %s", c.burst, got, c.want)
		}
		if got := fatesOfBits(t, 1, 10, Corrupt{P: 1, Burst: c.burst}); got != c.want {
			t.Errorf("at most %d: corrupted %s, want %s", c.burst, got, c.want)
		}
	}
	mask := LossMask{0b11_1101_1111_0110}
	if got, want := losses(t, 1, 14, Filter{Loss: mask, Burst: 2}), "DxxDxxDxxDxxDx"; got != want {
		t.Errorf("a mask: lost %s, want %s", got, want)
	}
}

// A limit takes nothing from the random stream: what is lost with one is what
// is lost without, less the fourth, the eighth… of each row.
func TestALimitOfBurstsChangesNothingElse(t *testing.T) {
	const n, seed = 10_000, 1
	limited := func(fates string) string {
		b := []byte(fates)
		for i := 3; i < len(b); i++ {
			if string(b[i-3:i+1]) == "xxxx" {
				b[i] = 'D'
			}
		}
		return string(b)
	}
	if free := losses(t, seed, n, Bernoulli{P: 0.5}); losses(t, seed, n, Filter{Loss: Bernoulli{P: 0.5}, Burst: 3}) != limited(free) {
		t.Errorf("seed %d: other packets are lost", seed)
	}
	if free := fatesOfBits(t, seed, n, Corrupt{P: 0.5}); strings.Count(fatesOfBits(t, seed, n, Corrupt{P: 0.5, Burst: 3}), "x") > strings.Count(free, "x") {
		t.Errorf("seed %d: more packets are corrupted", seed)
	}
}

func TestTheRateOfLimitedBursts(t *testing.T) {
	const n, seed = 200_000, 1
	for _, c := range []struct {
		p     float64
		burst uint64
		want  float64
	}{
		{0.3, 1, 0.3 / 1.3},
		{0.3, 3, 0.417 / 1.417}, // 0.3 + 0.09 + 0.027
		{0.5, 2, 0.75 / 1.75},
		{0.02, 3, 0.020408 / 1.020408},
		{0.9, 3, 2.439 / 3.439},
	} {
		fates := losses(t, seed, n, Filter{Loss: Bernoulli{P: c.p}, Burst: c.burst})
		values := make([]float64, n)
		for i := range values {
			if fates[i] == 'x' {
				values[i] = 1
			}
		}
		if mean, half := lawtest.BatchMeans(values); math.Abs(mean-c.want) > half || half > 0.1*c.want {
			t.Errorf("seed %d: probability %v, at most %d in a row: lost %.5f ± %.5f, want %.5f", seed, c.p, c.burst, mean, half, c.want)
		}
	}
}

// A row goes on over a change, and over packets that are not shown.
func TestARowOutlastsAChange(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Bernoulli{P: 1}, Burst: 5, Above: 50})
	for i := range 10 {
		b.sendAt(time.Duration(i), 100-i%2*90)
	}
	b.configureAt(4, Filter{Loss: Bernoulli{P: 1}, Burst: 3})
	b.run()
	if got, want := b.fates(), "xDxDxDxxxD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
