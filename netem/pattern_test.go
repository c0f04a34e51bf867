package netem

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPatternsLoseExactlyTheirPackets(t *testing.T) {
	for _, c := range []struct {
		element Element
		want    string
	}{
		{Periodic{}, "DDDDDDDDDD"},
		{Periodic{1}, "xxxxxxxxxx"},
		{Periodic{3}, "DDxDDxDDxD"},
		{Periodic{10}, "DDDDDDDDDx"},
		{Periodic{11}, "DDDDDDDDDD"},
		{ListedLoss{}, "DDDDDDDDDD"},
		{ListedLoss{[]uint64{9, 1, 4, 4, 100}}, "xDDxDDDDxD"},
		{LossMask{}, "DDDDDDDDDD"},
		{LossMask{0b1000_0101}, "xDxDDDDxDD"},
		{LossMask{1<<63 | 1}, "xDDDDDDDDD"},
		{Filter{}, "DDDDDDDDDD"},
		{Filter{Loss: Periodic{3}}, "DDxDDxDDxD"},
	} {
		if got := losses(t, 1, 10, c.element); got != c.want {
			t.Errorf("%+v: %s, want %s", c.element, got, c.want)
		}
	}
}

func TestAMaskRepeatsAfter64Packets(t *testing.T) {
	got := losses(t, 1, 130, LossMask{1<<63 | 1})
	want := "x" + strings.Repeat("D", 62) + "x"
	if want += want + "xD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPacketsCountWhateverTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		first, second Element
		want          string
	}{
		{Periodic{}, Periodic{4}, "DDDxDDDxDD"},
		{Periodic{2}, Periodic{5}, "DxDDxDDDDx"},
		{ListedLoss{[]uint64{2, 5}}, ListedLoss{[]uint64{1, 3, 7}}, "DxDDDDxDDD"},
		{LossMask{0b10}, LossMask{0b1_0000_0001}, "DxDDDDDDxD"},
	} {
		b := newBench(t, 1, c.first)
		for i := range 10 {
			b.sendAt(time.Duration(i), 100)
		}
		b.configureAt(2, c.second) // asked for later than the third packet
		b.run()
		if got := b.fates(); got != c.want {
			t.Errorf("%+v, then %+v: %s, want %s", c.first, c.second, got, c.want)
		}
	}
}

func TestAListIsTheCallersToKeep(t *testing.T) {
	list := []uint64{3, 1}
	b := newBench(t, 1, ListedLoss{list})
	if !slices.Equal(list, []uint64{3, 1}) {
		t.Errorf("the list became %d", list)
	}
	list[0] = 2
	for range 4 {
		b.send(1)
	}
	b.run()
	if got := b.fates(); got != "xDxD" {
		t.Errorf("%s, want xDxD", got)
	}
}

// A mask with every k-th bit, for k that divides 64, a list of the multiples of
// k, and a period of k are the same.
func TestPatternsAgree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := uint64(1) << rapid.IntRange(0, 6).Draw(r, "log k")
		const n = 200
		mask, list := uint64(0), []uint64(nil)
		for i := k; i <= n; i += k {
			list = append(list, i)
			mask |= 1 << ((i - 1) % 64)
		}
		want := losses(t, 1, n, Periodic{k})
		if got := losses(t, 1, n, ListedLoss{list}); got != want {
			r.Fatalf("k = %d: list %s, period %s", k, got, want)
		}
		if got := losses(t, 1, n, LossMask{mask}); got != want {
			r.Fatalf("k = %d: mask %s, period %s", k, got, want)
		}
	})
}

func TestAFilterShowsSomePacketsOnly(t *testing.T) {
	for _, c := range []struct {
		name   string
		filter Filter
		want   string // of packets at times 0, 1, 2… with sizes 0, 100, 200, 0, 100, 200…
	}{
		{"any", Filter{}, "xxxxxxxxx"},
		{"above a size", Filter{Above: 100}, "DDxDDxDDx"},
		{"above almost nothing", Filter{Above: 1}, "DxxDxxDxx"},
		{"from a time", Filter{From: 4}, "DDDDxxxxx"},
		{"until a time", Filter{Until: 4}, "xxxxDDDDD"},
		{"in a window", Filter{From: 3, Until: 7}, "DDDxxxxDD"},
		{"above a size in a window", Filter{Above: 99, From: 3, Until: 8}, "DDDDxxDxD"},
	} {
		c.filter.Loss = Bernoulli{P: 1}
		b := newBench(t, 1, c.filter)
		for i := range 9 {
			b.sendAt(time.Duration(i), i%3*100)
		}
		b.run()
		if got := b.fates(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPacketsThatPassAFilterDoNotCount(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Periodic{2}, Above: 1000})
	for _, size := range []int{1200, 100, 100, 1200, 100, 1200, 100, 1200} {
		b.send(size)
	}
	b.run()
	if got, want := b.fates(), "DDDxDDDx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What a filter shows to a model is lost as it would be without the others.
func TestPacketsThatPassAFilterDoNotShiftTheStream(t *testing.T) {
	for _, model := range []Loss{Bernoulli{0.3, 0.2}, GilbertElliott{P: 0.1, R: 0.3, Bad: 1}, Markov{P13: 0.1, P31: 0.3}} {
		b := newBench(t, 1, Filter{Loss: model, Above: 10})
		for range 300 {
			b.send(5)
			b.send(20)
		}
		b.run()
		seen, want := "", losses(t, 1, 300, Filter{Loss: model})
		for i, fate := range b.fates() {
			if i%2 == 1 {
				seen += string(fate)
			} else if fate != 'D' {
				t.Errorf("%T: a small packet was lost", model)
			}
		}
		if seen != want {
			t.Errorf("%T: %s, want %s", model, seen, want)
		}
	}
}

func TestAFilterChangesWithItsLoss(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Periodic{1}, Above: 10})
	b.configureAt(2, Filter{Loss: Periodic{2}})
	for i := range 6 {
		b.sendAt(time.Duration(i), 10*i) // the packet of time 2 comes after the change
	}
	b.run()
	// Packet 1 (0 bytes) and 2 (10) pass; then 3 is the model's first.
	if got, want := b.fates(), "DDDxDx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if reason := b.seen[3].cause; reason != "loss" {
		t.Errorf("the reason is %s", reason)
	}
}

// A scenario's runs stay the same when a loss that never changes its type is
// built as one that can.
func TestAFilterDrawsWhatItsLossAloneDoes(t *testing.T) {
	for _, l := range []Bernoulli{{P: 0.3}, {P: 0.3, Correlation: 0.2}} {
		if got, want := losses(t, 5, 1000, Filter{Loss: l}), losses(t, 5, 1000, l); got != want {
			t.Errorf("seed 5: %+v: with a filter\n%s, without\n%s", l, got, want)
		}
	}
}

func TestALossBecomesOneOfAnotherType(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Periodic{3}})
	b.configureAt(4, Filter{Loss: LossMask{0b101}})
	b.configureAt(8, Filter{})
	b.configureAt(10, Filter{Loss: Periodic{2}})
	b.configureAt(13, Filter{Loss: Periodic{4}})
	for i := range 16 {
		b.sendAt(time.Duration(i), 10)
	}
	b.run()
	// The model of time 10 counts from there, and that of 13 is the same one.
	if got, want := b.fates(), "DDxD"+"xDxD"+"DD"+"DxD"+"xDD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheRandomStreamGoesOnInALossOfAnotherType(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Bernoulli{P: 0.5}})
	b.configureAt(100, Filter{Loss: GilbertElliott{P: 0.5, R: 1, Good: 0.5, Bad: 0.5}})
	b.configureAt(200, Filter{Loss: Bernoulli{P: 0.5}})
	for i := range 300 {
		b.sendAt(time.Duration(i), 10)
	}
	b.run()
	// The chain draws two numbers a packet, of which the second decides.
	alone := losses(t, 1, 400, Bernoulli{P: 0.5})
	want := alone[:100]
	for i := 101; i < 300; i += 2 {
		want += alone[i : i+1]
	}
	want += alone[300:]
	if got := b.fates(); got != want {
		t.Errorf("seed 1: %s, want %s", got, want)
	}
}

func TestARefusedLossLeavesTheOldOne(t *testing.T) {
	b := newBench(t, 1, Filter{Loss: Periodic{2}})
	b.send(1)
	for want, e := range map[string]Element{
		"netem: path path: loss: packets count from 1":                                   Filter{Loss: ListedLoss{[]uint64{0}}},
		"netem: path path: loss: the size is negative":                                   Filter{Above: -1},
		"netem: path path: loss: a running netem.Filter cannot become a netem.Bernoulli": Bernoulli{},
	} {
		if err := b.path.Configure(e); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	b.send(1)
	b.send(1)
	b.run()
	if got, want := b.fates(), "DxD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPatternsAndFiltersRefuse(t *testing.T) {
	for want, e := range map[string]Element{
		"listed_loss: packets count from 1":            ListedLoss{[]uint64{1, 0}},
		"loss: the size is negative":                   Filter{Above: -1},
		"loss: the time window has a negative bound":   Filter{From: -1, Loss: LossMask{}},
		"loss: the time window ends before it begins":  Filter{From: 2, Until: 2},
		"loss: the probability is not between 0 and 1": Filter{Loss: Bernoulli{P: 2}},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != "netem: path p: "+want {
			t.Errorf("%+v: error %v, want %s", e, err, want)
		}
	}
}
