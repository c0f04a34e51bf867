package netem

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// bursts returns the lengths of runs of lost packets.
func bursts(fates string) []float64 {
	var lengths []float64
	for _, run := range strings.FieldsFunc(fates, func(r rune) bool { return r == 'D' }) {
		lengths = append(lengths, float64(len(run)))
	}
	return lengths
}

// meanBurst checks the mean length of bursts, which are independent.
func meanBurst(t *testing.T, fates string, want float64) {
	t.Helper()
	if mean, half := lawtest.BatchMeans(bursts(fates)); math.Abs(mean-want) > half || half > 0.1*want {
		t.Errorf("mean burst %.3f ± %.3f (99.9 %%), want %.3f", mean, half, want)
	}
}

const burstPackets, burstSeed = 300_000, 1

func TestTheRateOfGilbertElliottLoss(t *testing.T) {
	for _, g := range []GilbertElliott{
		{P: 0.01, R: 0.17, Bad: 1},
		{P: 0.02, R: 0.3, Bad: 0.7, Good: 0.01},
		{P: 0.1, R: 0.1, Bad: 0.2, Good: 0.9},
	} {
		want := (g.Bad*g.P + g.Good*g.R) / (g.P + g.R)
		mean, half := lossShare(t, burstSeed, burstPackets, g)
		if math.Abs(mean-want) > half || half > 0.1*want {
			t.Errorf("seed %d: %+v: lost %.4f ± %.4f (99.9 %%), want %.4f", burstSeed, g, mean, half, want)
		}
	}
}

// A burst of Gilbert's model is a stay in the bad state: its length is
// geometric with mean 1/r, and so the share of length 1 is r.
func TestBurstsOfGilbertsModelAreGeometric(t *testing.T) {
	for _, r := range []float64{0.17, 0.5} {
		fates := losses(t, burstSeed, burstPackets, GilbertElliott{P: 0.05, R: r, Bad: 1})
		meanBurst(t, fates, 1/r)
		lengths, single := bursts(fates), 0.0
		for _, l := range lengths {
			if l == 1 {
				single++
			}
		}
		n := float64(len(lengths))
		if most := 3.29 * math.Sqrt(n*r*(1-r)); math.Abs(single-n*r) > most {
			t.Errorf("seed %d: r = %v: %v bursts of %v have length 1, want %.0f ± %.0f", burstSeed, r, single, n, n*r, most)
		}
	}
}

func TestCertainTransitionsOfGilbertElliott(t *testing.T) {
	for _, c := range []struct {
		config GilbertElliott
		want   string
	}{
		{GilbertElliott{}, "DDDDDDDD"},
		{GilbertElliott{Bad: 1}, "DDDDDDDD"},
		{GilbertElliott{Good: 1}, "xxxxxxxx"},
		{GilbertElliott{P: 1, Bad: 1}, "Dxxxxxxx"}, // the packet that meets the good state passes
		{GilbertElliott{P: 1, R: 1, Bad: 1}, "DxDxDxDx"},
		{GilbertElliott{P: 1, R: 1, Good: 1}, "xDxDxDxD"},
	} {
		if got := losses(t, 1, 8, c.config); got != c.want {
			t.Errorf("%+v: %s, want %s", c.config, got, c.want)
		}
	}
}

func TestTheRateAndBurstsOfMarkovLoss(t *testing.T) {
	for _, m := range []Markov{
		{P13: 0.02, P31: 0.3, P23: 1},
		{P13: 0.02, P31: 0.2, P32: 0.3, P23: 0.4, P14: 0.01},
		{P13: 0.3, P31: 0.1, P32: 0.8, P23: 0.2, P14: 0.7},
	} {
		d := m.P23*m.P31 + m.P13*m.P32 + m.P13*m.P23 + m.P14*m.P23*m.P31
		want := (m.P13*m.P23 + m.P14*m.P23*m.P31) / d
		mean, half := lossShare(t, burstSeed, burstPackets, m)
		if math.Abs(mean-want) > half || half > 0.1*want {
			t.Errorf("seed %d: %+v: lost %.4f ± %.4f (99.9 %%), want %.4f", burstSeed, m, mean, half, want)
		}
		// Losses over their beginnings: steps from 1 to 3 or 4, and from 2 to 3.
		begin := ((m.P13+m.P14)*m.P31*m.P23 + m.P23*m.P13*m.P32) / d
		meanBurst(t, losses(t, burstSeed, burstPackets, m), want/begin)
	}
}

func TestCertainTransitionsOfMarkov(t *testing.T) {
	for _, c := range []struct {
		config Markov
		want   string
	}{
		{Markov{}, "DDDDDDDD"},
		{Markov{P14: 1}, "xDxDxDxD"},
		{Markov{P13: 1}, "xxxxxxxx"},
		{Markov{P13: 1, P31: 1}, "xDxDxDxD"},
		{Markov{P13: 1, P32: 1, P23: 1}, "xDxDxDxD"},
		{Markov{P13: 1, P32: 1}, "xDDDDDDD"},
	} {
		if got := losses(t, 1, 8, c.config); got != c.want {
			t.Errorf("%+v: %s, want %s", c.config, got, c.want)
		}
	}
}

// Two states of Markov are Gilbert's model, but that the step comes before the
// packet instead of after it.
func TestMarkovWithoutItsOtherStatesIsGilbertsModel(t *testing.T) {
	m, g := new(markov), new(gilbertElliott)
	if err := m.Configure(Markov{P13: 0.1, P31: 0.4}); err != nil {
		t.Fatal(err)
	}
	if err := g.Configure(GilbertElliott{P: 0.1, R: 0.4, Bad: 1}); err != nil {
		t.Fatal(err)
	}
	x := NewRand(1, "x")
	for i := range 1000 {
		// Both compare the same number: where Gilbert's model leaves a state,
		// the chain does too, for its only other step is to stay.
		n := draw(x)
		m.state = m.step(n)
		if g.bad {
			g.bad = n >= g.r
		} else {
			g.bad = n < g.p
		}
		if g.bad != (m.state == burstLost) {
			t.Fatalf("packet %d: bad %t, state %d", i, g.bad, m.state)
		}
	}
}

func TestAChangeKeepsTheStateOfTheChain(t *testing.T) {
	for name, c := range map[string]struct {
		first, second Element
		want          string
	}{
		"gilbert-elliott": {GilbertElliott{P: 1, Bad: 1}, GilbertElliott{Bad: 1}, "Dxxxxx"},
		"markov":          {Markov{P13: 1}, Markov{P14: 1}, "xxxxxx"},
	} {
		b := newBench(t, 1, c.first)
		b.configureAt(3, c.second)
		for i := range 6 {
			b.sendAt(time.Duration(i), 100)
		}
		b.run()
		if got := b.fates(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A model with a given configuration loses the same packets again after
// another configuration that kept the chain in its first state.
func TestAChangeDoesNotShiftTheStreamOfBursts(t *testing.T) {
	for name, c := range map[string][2]Element{
		"gilbert-elliott": {GilbertElliott{}, GilbertElliott{P: 0.2, R: 0.3, Bad: 0.9, Good: 0.1}},
		"markov":          {Markov{}, Markov{P13: 0.2, P31: 0.3, P32: 0.3, P23: 0.5, P14: 0.1}},
	} {
		after := func(quiet Element) string {
			b := newBench(t, 1, quiet)
			b.configureAt(100, c[1])
			for i := range 400 {
				b.sendAt(time.Duration(i), 100)
			}
			b.run()
			return b.fates()[100:]
		}
		other := Element(GilbertElliott{R: 0.7, Bad: 0.4})
		if name == "markov" {
			other = Markov{P31: 0.7, P23: 0.4}
		}
		if one, two := after(c[0]), after(other); one != two || !strings.Contains(one, "x") {
			t.Errorf("%s: losses\n%s\nbecame\n%s", name, one, two)
		}
	}
}

func TestModelsOfBurstsRefuse(t *testing.T) {
	const path = "netem: path p: "
	for want, e := range map[string]Element{
		"loss: the correlation is not between 0 and 1":                                    Bernoulli{0.1, 1.5},
		"gilbert_elliott: p: the probability is not between 0 and 1":                      GilbertElliott{P: 2},
		"gilbert_elliott: r: the probability is not between 0 and 1":                      GilbertElliott{R: -1},
		"gilbert_elliott: loss in the bad state: the probability is not between 0 and 1":  GilbertElliott{Bad: math.NaN()},
		"gilbert_elliott: loss in the good state: the probability is not between 0 and 1": GilbertElliott{Good: 2},
		"markov_loss: p32: the probability is not between 0 and 1":                        Markov{P32: 2},
		"markov_loss: p13 and p14 are together above 1":                                   Markov{P13: 0.6, P14: 0.5},
		"markov_loss: p31 and p32 are together above 1":                                   Markov{P31: 0.6, P32: 0.5},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != path+want {
			t.Errorf("%+v: error %v, want %s", e, err, path+want)
		}
	}
}

// A configuration that is refused leaves the one before in force.
func TestARefusedChangeOfProbabilitiesChangesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		good := Markov{P14: 1}
		b := newBench(t, 1, good)
		bad := good
		bad.P13 = rapid.Float64Range(1e-9, 2).Draw(r, "p13")
		if err := b.path.Configure(bad); err == nil {
			r.Fatal("no error")
		}
		for range 4 {
			b.send(1)
		}
		b.run()
		if got := b.fates(); got != "xDxD" {
			r.Fatal(got)
		}
	})
}
