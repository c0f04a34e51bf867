package netem

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// losses returns the fates of n packets on a path.
func losses(tb testing.TB, seed uint64, n int, elements ...Element) string {
	b := newBench(tb, seed, elements...)
	for range n {
		b.send(100)
	}
	b.run()
	return b.fates()
}

func TestCertainLossAndNone(t *testing.T) {
	if got := losses(t, 1, 1000, Bernoulli{P: 0}); got != strings.Repeat("D", 1000) {
		t.Errorf("probability 0 lost %d packets", strings.Count(got, "x"))
	}
	if got := losses(t, 1, 1000, Bernoulli{P: 1}); got != strings.Repeat("x", 1000) {
		t.Errorf("probability 1 delivered %d packets", strings.Count(got, "D"))
	}
}

// The number of losses is binomial; 3.29 standard deviations bound it with a
// confidence of 99.9 %. The seed is fixed, so that the test does not depend on
// luck.
func TestTheFrequencyOfLossIsTheProbability(t *testing.T) {
	const n, seed = 100_000, 1
	for _, p := range []float64{0.001, 0.01, 0.1, 0.5, 0.9} {
		lost := float64(strings.Count(losses(t, seed, n, Bernoulli{P: p}), "x"))
		if most := 3.29 * math.Sqrt(n*p*(1-p)); math.Abs(lost-n*p) > most {
			t.Errorf("seed %d: probability %v: lost %v of %d, want %v ± %.0f", seed, p, lost, n, n*p, most)
		}
	}
}

// Of independent losses with probability p, the share of packets that are lost
// together with the one before is p².
func TestLossesAreIndependent(t *testing.T) {
	const n, seed, p = 200_000, 1, 0.1
	fates := losses(t, seed, n, Bernoulli{P: p})
	pairs := 0
	for i := range n - 1 {
		if fates[i:i+2] == "xx" {
			pairs++
		}
	}
	// Var ≈ n·(p²(1−p²) + 2p³(1−p)), for neighbouring pairs overlap.
	most := 3.29 * math.Sqrt(n*(p*p*(1-p*p)+2*p*p*p*(1-p)))
	if math.Abs(float64(pairs)-n*p*p) > most {
		t.Errorf("seed %d: %d pairs of losses, want %v ± %.0f", seed, pairs, n*p*p, most)
	}
}

func TestLossesDependOnTheSeedAlone(t *testing.T) {
	const n = 1000
	loss := Bernoulli{P: 0.3}
	want := losses(t, 1, n, loss)
	if got := losses(t, 1, n, loss); got != want {
		t.Error("seed 1: two runs differ")
	}
	if got := losses(t, 2, n, loss); got == want {
		t.Error("the seeds 1 and 2 lose the same packets")
	}
	for name, elements := range map[string][]Element{
		"before":    {MTU{Size: 1500}, Rate{Rate: MbitPerSecond}, loss},
		"behind":    {loss, Delay{time.Millisecond}, MTU{Size: 1500}},
		"a no-loss": {loss, Bernoulli{P: 0}},
	} {
		if got := losses(t, 1, n, elements...); got != want {
			t.Errorf("seed 1: losses change with elements %s", name)
		}
	}
	if got := losses(t, 1, n, Bernoulli{P: 0}, loss); got == want {
		t.Error("seed 1: two elements of one kind draw from the same stream")
	}
}

func TestAChangeOfTheProbabilityDoesNotShiftTheStream(t *testing.T) {
	const n = 1000
	want := losses(t, 1, n, Bernoulli{P: 0.3})
	b := newBench(t, 1, Bernoulli{P: 0.3})
	for i := range n {
		b.sendAt(time.Duration(i), 100)
	}
	b.configureAt(299, Bernoulli{P: 1}) // asked for later than the packet of that time
	b.configureAt(399, Bernoulli{P: 0})
	b.configureAt(499, Bernoulli{P: 0.3})
	b.run()
	want = want[:300] + strings.Repeat("x", 100) + strings.Repeat("D", 100) + want[500:]
	if got := b.fates(); got != want {
		t.Errorf("seed 1: packets\n%s\nwant\n%s", got, want)
	}
}

func TestAnotherLinkDoesNotChangeLosses(t *testing.T) {
	run := func(links int) string {
		n := newTestNet(t, 1, nil)
		for i := range links {
			n.connect(string(rune('a'+i)), []Element{Bernoulli{P: 0.3}}, nil)
		}
		conn := n.listen(0, 0)
		for range 200 {
			for i := range links {
				n.write(conn, addrOf(byte(i+2), 9), 10)
			}
		}
		n.clock.runUntil(time.Second)
		letters := ""
		for _, o := range n.seen["a.forward"] {
			letters += string("Dx"[o.fate])
		}
		return letters
	}
	if one, three := run(1), run(3); one != three || !slices.Contains([]byte(one), 'x') {
		t.Errorf("seed 1: losses\n%s\nbecame\n%s", one, three)
	}
}

func TestBernoulliRefuses(t *testing.T) {
	const want = "netem: path p: loss: the probability is not between 0 and 1"
	for _, p := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{Bernoulli{P: p}}, nil, nil); err == nil || err.Error() != want {
			t.Errorf("probability %v: error %v, want %s", p, err, want)
		}
	}
}

// lossShare is the share of n packets that is lost, with its confidence
// interval of 99.9 %.
func lossShare(t *testing.T, seed uint64, n int, e Element) (mean, half float64) {
	t.Helper()
	values := make([]float64, n)
	for i, fate := range losses(t, seed, n, e) {
		if fate == 'x' {
			values[i] = 1
		}
	}
	return lawtest.BatchMeans(values)
}

// Where P lies between ρ and 1−ρ, the share of (1−ρ)·u + ρ·x below P follows
// from the mean of x. The other rates solve the sequence's integral equation.
func TestTheRateOfCorrelatedLoss(t *testing.T) {
	const n, seed = 200_000, 1
	for _, c := range []struct{ p, rho, want float64 }{
		{0.1, 0, 0.1},
		{0.1, 0.1, 0.05 / 0.9},
		{0.3, 0.25, 0.175 / 0.75},
		{0.5, 0.5, 0.5},
		{0.5, 0.9, 0.5},
		{0.9, 0.1, 0.85 / 0.9},
		{0.1, 0.25, 0.0175},
		{0.3, 0.5, 0.129428},
		{0.8, 0.5, 1 - 0.029428},
	} {
		mean, half := lossShare(t, seed, n, Bernoulli{c.p, c.rho})
		if math.Abs(mean-c.want) > half || half > 0.1*c.want {
			t.Errorf("seed %d: probability %v, correlation %v: lost %.5f ± %.5f, want %.5f", seed, c.p, c.rho, mean, half, c.want)
		}
	}
}

func TestCorrelatedNumbersAreThoseOfTheKernel(t *testing.T) {
	for _, c := range []struct {
		rho     float64
		uniform []chance // in 16ths
		want    []chance
	}{
		{0, []chance{8, 2, 15}, []chance{8, 2, 15}},
		{0.5, []chance{8, 4, 14, 0}, []chance{8, 6, 10, 5}},
		{0.25, []chance{8, 12, 3}, []chance{8, 11, 5}},
		{1, []chance{3, 9, 15}, []chance{3, 3, 3}},
	} {
		var s correlated
		if err := s.configure(0.5, c.rho); err != nil {
			t.Fatal(err)
		}
		for i, u := range c.uniform {
			if lost, want := s.decide(u*(certain/16)), c.want[i] < 8; s.last != c.want[i]*(certain/16) || lost != want {
				t.Errorf("correlation %v: number %d is %v/16, want %v/16", c.rho, i, s.last/(certain/16), c.want[i])
			}
		}
	}
}

func TestFullCorrelationRepeatsTheFirstFate(t *testing.T) {
	for seed := range uint64(8) {
		got := losses(t, seed, 100, Bernoulli{0.5, 1})
		if got != strings.Repeat(got[:1], 100) {
			t.Errorf("seed %d: %s", seed, got)
		}
	}
}
