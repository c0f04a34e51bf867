package netem

import (
	"math"
	"testing"
)

// ecnFates sends packets of each codepoint in turn and returns what became of
// them: their codepoints as letters (n, 1, 0 and c), and x for a drop.
func ecnFates(tb testing.TB, n int, e ECNFault) (fates string, b *bench) {
	b = newBench(tb, 1, e)
	for i := range n {
		b.sent++
		p := newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:100], ECN(i%4))
		p.ID = b.sent
		b.path.Send(p)
	}
	b.run()
	letters := make([]byte, n)
	for _, s := range b.seen {
		if letters[s.id-1] = "n10c"[s.ecn]; s.fate == Dropped {
			letters[s.id-1] = 'x'
		}
	}
	return string(letters), b
}

func TestECNFaultsThatAreCertain(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  ECNFault
		want   string
		marked int64
	}{
		{"none", ECNFault{From: ECT0, To: CE}, "n10c", 0},
		{"bleach", ECNFault{Bleach: 1}, "nnnn", 0},
		{"drop", ECNFault{Drop: 1, Bleach: 1}, "nxxx", 0},
		{"ECT(0) becomes ECT(1)", ECNFault{Mangle: 1, From: ECT0, To: ECT1}, "n11c", 0},
		{"ECT(0) becomes CE", ECNFault{Mangle: 1, From: ECT0, To: CE}, "n1cc", 1},
		{"CE is cleared alone", ECNFault{Mangle: 1, From: CE, To: NotECT}, "n10n", 0},
		{"CE stays CE", ECNFault{Mangle: 1, From: CE, To: CE}, "n10c", 0},
		{"Not-ECT becomes ECT(0)", ECNFault{Mangle: 1, From: NotECT, To: ECT0}, "010c", 0},
		{"what is bleached is mangled", ECNFault{Bleach: 1, Mangle: 1, From: NotECT, To: CE}, "cccc", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, b := ecnFates(t, 4, c.fault)
			if got != c.want {
				t.Errorf("packets %s, want %s", got, c.want)
			}
			if marked := b.path.Counters()[0].Marked.Packets; marked != c.marked {
				t.Errorf("%d packets marked, want %d", marked, c.marked)
			}
		})
	}
}

// The shares are binomial; 3.29 standard deviations bound them with a
// confidence of 99.9 %. The seed is fixed.
func TestTheFrequencyOfECNFaultsIsTheirProbability(t *testing.T) {
	const n, drop, bleach, mangle = 100_000, 0.1, 0.2, 0.3
	fates, _ := ecnFates(t, 4*n, ECNFault{Drop: drop, Bleach: bleach, Mangle: mangle, From: ECT0, To: ECT1})
	counts := map[[2]byte]float64{}
	for i := range fates {
		counts[[2]byte{"n10c"[i%4], fates[i]}]++
	}
	const stays = (1 - drop) * (1 - bleach)
	for what, p := range map[[2]byte]float64{
		{'n', 'n'}: 1,
		{'1', 'x'}: drop, {'1', 'n'}: (1 - drop) * bleach, {'1', '1'}: stays,
		{'0', 'x'}: drop, {'0', 'n'}: (1 - drop) * bleach, {'0', '1'}: stays * mangle, {'0', '0'}: stays * (1 - mangle),
		{'c', 'x'}: drop, {'c', 'n'}: (1 - drop) * bleach, {'c', 'c'}: stays,
	} {
		if most := 3.29 * math.Sqrt(n*p*(1-p)); math.Abs(counts[what]-n*p) > most {
			t.Errorf("seed 1: %s: %v packets, want %v ± %.0f", what, counts[what], n*p, most)
		}
	}
}

// The streams of the three faults do not depend on each other.
func TestAnECNFaultDoesNotShiftTheStreamOfAnother(t *testing.T) {
	const n = 4000
	bleached, _ := ecnFates(t, n, ECNFault{Bleach: 0.5})
	both, _ := ecnFates(t, n, ECNFault{Drop: 0.5, Bleach: 0.5})
	for i := range n {
		if both[i] != 'x' && both[i] != bleached[i] {
			t.Fatalf("packet %d became %c, and %c where others are dropped", i+1, bleached[i], both[i])
		}
	}
}

func TestECNFaultRefuses(t *testing.T) {
	for want, e := range map[string]ECNFault{
		"netem: path p: ecn: drop: the probability is not between 0 and 1":   {Drop: -0.1},
		"netem: path p: ecn: bleach: the probability is not between 0 and 1": {Bleach: 1.1},
		"netem: path p: ecn: mangle: the probability is not between 0 and 1": {Mangle: math.NaN()},
		"netem: path p: ecn: an ECN codepoint is above 3":                    {From: 4},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", e, err, want)
		}
	}
}
