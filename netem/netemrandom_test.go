package netem

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumbersOf32BitsCorrelateAsInTheKernel(t *testing.T) {
	for _, c := range []struct{ rho, last, uniform, want uint32 }{
		{0, 77, 5, 5},                                               // and 77 remains
		{1 << 30, 1 << 31, 0, 536870912},                            // (2^31·(2^30+1)) >> 32
		{1 << 30, 0, 1 << 31, 1610612735},                           // (2^31·(2^32−2^30−1)) >> 32
		{1 << 30, math.MaxUint32, math.MaxUint32, math.MaxUint32},   // both as great as can be
		{math.MaxUint32, 123456789, 987654321, 123456789},           // the one before
		{math.MaxUint32 / 2, math.MaxUint32, 0, math.MaxUint32 / 2}, // (2^32−1)·2^31 >> 32
	} {
		s := crandom{c.last, c.rho}
		if got := s.next(c.uniform); got != c.want {
			t.Errorf("ρ = %d after %d: %d becomes %d, want %d", c.rho, c.last, c.uniform, got, c.want)
		}
		if c.rho == 0 && s.last != c.last || c.rho > 0 && s.last != c.want {
			t.Errorf("ρ = %d after %d: the number to correlate with is %d", c.rho, c.last, s.last)
		}
	}
}

func TestAChanceOfNothingNeverHappensAndACertainOneAlways(t *testing.T) {
	var never, always, rare chance32
	always.configure(1, 0)
	rare.configure(1.0/math.MaxUint32, 0)
	for _, x := range []uint32{0, 1, 2, math.MaxUint32} {
		if never.happens(x) || !always.happens(x) || rare.happens(x) != (x <= 1) {
			t.Errorf("%d: never %t, always %t, rare %t", x, never.happens(x), always.happens(x), rare.happens(x))
		}
	}
}

func TestScatterIsTabledist(t *testing.T) {
	table := newDistribution([]int16{1, -8192, 8192, 12288, -1})
	for _, c := range []struct {
		mean, jitter time.Duration
		random       uint32
		d            *Distribution
		want         time.Duration
	}{
		{100, 0, 7, nil, 100},
		{100, 0, 7, table, 100},
		{100, 10, 0, nil, 90},
		{100, 10, 19, nil, 109},
		{100, 10, 20, nil, 90},
		{0, 10, math.MaxUint32, nil, 5}, // 4294967295 mod 20 is 15
		{0, math.MaxInt32, math.MaxUint32, nil, -math.MaxInt32 + 1},
		{0, time.Minute, math.MaxUint32, nil, -math.MaxInt32 + 1}, // as much as the kernel takes
		{100, 24581, 1, table, 100 - 24581},                       // 24581 = 3·8192 + 5
		{100, 24581, 2, table, 100 + 24581},
		{100, 24581, 5, table, 103},    // the remainder picks the first: 3 + 5/8192
		{100, 24581, 4, table, 97},     // −3 − 5/8192
		{0, 4095, 0, table, 0},         // less than half of 8192
		{0, 4096, 0, table, 1},         // half is away from 0
		{0, 4096, 4, table, -1},        //
		{0, 8191, 3, table, 12287},     // 12286.5
		{0, 8192 + 3, 3, table, 12293}, // 12292.5
		{0, time.Minute, 2, table, math.MaxInt32},
	} {
		if got := scatter(c.mean, c.jitter, c.random, c.d); got != c.want {
			t.Errorf("mean %d, jitter %d: %d is %d, want %d", c.mean, c.jitter, c.random, got, c.want)
		}
	}
}

func TestTheLeastTimeIsTheLeastOfAll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		mean := time.Duration(rapid.Int64Range(0, int64(maxDelay)).Draw(r, "mean"))
		jitter := time.Duration(rapid.Int64Range(0, 1<<33).Draw(r, "jitter"))
		d := newDistribution(rapid.SliceOfN(rapid.Int16(), 1, 5).Draw(r, "table"))
		least := time.Duration(math.MaxInt64)
		for k := range d.table {
			least = min(least, scatter(mean, jitter, uint32(k), d))
		}
		if got := leastScatter(mean, jitter, d); got != least {
			r.Fatalf("%d of %d ± %d, want %d", got, mean, jitter, least)
		}
		if got, some := leastScatter(mean, jitter, nil), scatter(mean, jitter, rapid.Uint32().Draw(r, "random"), nil); some < got {
			r.Fatalf("uniform: %d is below %d", some, got)
		}
	})
}

func TestTimesBetweenTwoReachTheLeastAndNotTheGreatest(t *testing.T) {
	for _, c := range []struct {
		random uint32
		want   time.Duration
	}{{0, time.Hour}, {1 << 31, 12*time.Hour + 30*time.Minute}, {math.MaxUint32, 24*time.Hour - 19279}} { // 23h/2^32, rounded up
		if got := between(time.Hour, 24*time.Hour, c.random); got != c.want {
			t.Errorf("%d is %v, want %v", c.random, got, c.want)
		}
	}
}

// With numbers of 32 bits, the models lose what those of 63 bits lose.
func TestTheLossModelsAreThoseOfTheirOwnElements(t *testing.T) {
	const seed, n = 1, 20_000
	for _, c := range []Loss{
		Bernoulli{P: 0.1}, Bernoulli{0.3, 0.25},
		GilbertElliott{0.1, 0.3, 0.9, 0.05}, GilbertElliott{P: 0.5, R: 0.5, Bad: 1}, GilbertElliott{Good: 0.2},
		Markov{0.1, 0.3, 0.2, 0.5, 0.05}, Markov{P13: 0.4, P31: 0.6, P23: 1}, Markov{P14: 1},
	} {
		var l netemLoss
		l.configure(c)
		other := c.model()
		if err := other.Configure(c); err != nil {
			t.Fatal(err)
		}
		random, numbers := rand.New(rand.NewPCG(seed, 0)), &replay{}
		for i := range n {
			draws := netemDraws{state: random.Uint32(), lose: random.Uint32()}
			switch other := other.(type) {
			case *bernoulli:
				numbers.next = []uint32{draws.lose}
				if i == 0 {
					l.random.random.last, other.chance.last, other.chance.drawn = 1<<31, certain/2, true
				}
			case *gilbertElliott:
				numbers.next = []uint32{draws.state, draws.lose}
				if other.bad { // where the kernel takes great numbers for losses
					numbers.next[1] = ^draws.lose
				}
			default:
				numbers.next = []uint32{draws.state}
			}
			if got, want := l.happens(&draws), other.lose(rand.New(numbers)); got != want {
				t.Fatalf("seed %d: %+v: of packet %d: %t, want %t", seed, c, i, got, want)
			}
		}
	}
}

// replay is a source of given numbers of 32 bits, in the middle of what 63 bits
// can tell apart.
type replay struct{ next []uint32 }

func (r *replay) Uint64() uint64 {
	x := uint64(r.next[0])<<32 | 1<<31
	r.next = r.next[1:]
	return x
}

func TestProbabilitiesThatAddUpToOneLeaveNothing(t *testing.T) {
	var l netemLoss
	l.configure(Markov{P13: 0.5, P14: 0.5}) // each rounds up to 2^31
	if got := l.markov.step(math.MaxUint32); got != burstLost {
		t.Errorf("from a gap the chain came to state %d, want to a burst", got)
	}
}

// A packet draws the same whatever the configuration.
func TestAChangeOfNetemDoesNotShiftTheStream(t *testing.T) {
	const n = 300
	jitter := Netem{Delay: time.Second, Jitter: time.Second / 2}
	after := func(first Netem) []time.Duration {
		b := newBench(t, 1, first)
		b.configureAt(99, jitter)
		times := make([]time.Duration, n)
		for i := range n {
			b.sendAt(time.Duration(i), 1)
		}
		for _, s := range b.run() {
			times[s.id-1] = s.at
		}
		return times[100:]
	}
	want := after(jitter)
	for _, first := range []Netem{
		{}, {Loss: GilbertElliott{P: 0.1, R: 0.1, Bad: 1}}, {Loss: Bernoulli{0.3, 0.3}}, {Corrupt: NetemChance{P: 1}},
		{Duplicate: NetemChance{P: 0.5}, Loss: Bernoulli{P: 0.5}}, {Slot: NetemSlot{Min: 1, Max: 3}}, {Limit: 1, Delay: 5},
	} {
		got := after(first)
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("seed 1: after %+v packet %d left at %d, want %d", first, 100+i, got[i], want[i])
				break
			}
		}
	}
}

// The frequency of each decision is its probability, with a confidence of
// 99.9 %.
func TestTheFrequenciesOfNetemAreItsProbabilities(t *testing.T) {
	const n, seed, p = 100_000, 1, 0.1
	b := newBench(t, seed, Netem{
		Limit: 3 * n, Delay: time.Second, Loss: Bernoulli{P: p},
		Corrupt: NetemChance{P: p}, Duplicate: NetemChance{P: p}, Reorder: NetemChance{P: p},
	})
	for range n {
		b.send(1)
	}
	at0 := 0.0
	for _, s := range b.run() {
		if s.fate == Delivered && s.at == 0 {
			at0++
		}
	}
	c := b.path.Counters()[0]
	near := func(name string, got, of, p float64) {
		if most := 3.29 * math.Sqrt(of*p*(1-p)); math.Abs(got-of*p) > most {
			t.Errorf("seed %d: %v %s, want %.0f ± %.0f", seed, got, name, of*p, most)
		}
	}
	near("duplicates", float64(c.Duplicated.Packets), n, p*(1-p))
	// One in ten is lost but for those to be duplicated, and of the copies too.
	near("losses", float64(c.Dropped.Packets), n+float64(c.Duplicated.Packets), p*(1-p))
	near("corruptions", float64(c.Corrupted.Packets), float64(c.Out.Packets), p)
	near("packets that skip the delay", at0, float64(c.Out.Packets), p)
}

// The middle of the numbers that correlate is as likely as [Bernoulli] says:
// at P = 30 % and ρ = 25 %, 23.3 %.
func TestCorrelationOfNetemIsThatOfBernoulli(t *testing.T) {
	const n, seed = 100_000, 1
	b := newBench(t, seed, Netem{Loss: Bernoulli{0.3, 0.25}})
	for range n {
		b.send(1)
	}
	b.run()
	_, _, dropped := b.path.Totals()
	want := (0.3 - 0.125) / 0.75 * n
	// Neighbours correlate, which makes the variance less than twice the binomial's.
	if most := 3.29 * math.Sqrt(2*n*0.2333*0.7667); math.Abs(float64(dropped.Packets)-want) > most {
		t.Errorf("seed %d: %d lost, want %.0f ± %.0f", seed, dropped.Packets, want, most)
	}
}

func TestThePlacesOfNumbersDoNotOverlap(t *testing.T) {
	draws := drawNetem(rand.New(&counting{}))
	if draws != (netemDraws{1, 2, 3, 4, 5, 6, 7<<32 | 8}) {
		t.Errorf("draws %+v", draws)
	}
}

// counting is a source whose halves count from 1.
type counting struct{ n uint64 }

func (c *counting) Uint64() uint64 {
	c.n += 2
	return (c.n-1)<<32 | c.n
}
