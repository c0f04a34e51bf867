package netem

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// aNetem draws a netem with times of some ten nanoseconds, so that its queue
// fills and its events coincide.
var aNetem = rapid.Custom(func(r *rapid.T) Netem {
	n := anOrderlyNetem.Draw(r, "orderly")
	n.Duplicate = NetemChance{aProbability(r), aProbability(r)}
	n.Corrupt = NetemChance{aProbability(r), aProbability(r)}
	n.Jitter = time.Duration(rapid.SampledFrom([]int{0, 5, 30}).Draw(r, "jitter"))
	if n.Delay > 0 && n.Jitter > 0 {
		n.Distribution = rapid.SampledFrom([]*Distribution{nil, Normal(), ParetoNormal()}).Draw(r, "distribution")
	}
	if n.Delay > 0 {
		n.Reorder = NetemChance{aProbability(r), aProbability(r)}
	}
	if n.Reorder.P > 0 {
		n.Gap = rapid.IntRange(0, 4).Draw(r, "gap")
	}
	return n
})

// anOrderlyNetem draws a netem that does not reorder packets as long as it does
// not change.
var anOrderlyNetem = rapid.Custom(func(r *rapid.T) Netem {
	n := Netem{
		Limit:  rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(r, "limit"),
		Header: Bytes(rapid.SampledFrom([]int{0, 1, 100}).Draw(r, "header")),
		Delay:  time.Duration(rapid.SampledFrom([]int{0, 1, 7, 50}).Draw(r, "delay")),
		Rate: NetemRate{
			Rate:           rapid.SampledFrom([]BitRate{0, 30 * GbitPerSecond, 100 * GbitPerSecond, TbitPerSecond}).Draw(r, "rate"),
			PacketOverhead: Bytes(rapid.IntRange(-300, 40).Draw(r, "overhead")),
			CellSize:       Bytes(rapid.SampledFrom([]int{0, 53}).Draw(r, "cell")),
		},
		Slot: rapid.SampledFrom([]NetemSlot{
			{}, {}, {Min: 10}, {Min: 5, Max: 15, Packets: 2}, {Max: 20, Bytes: 300}, {Delay: 10, Jitter: 5, Packets: 1}, {Jitter: 7, Distribution: Pareto()},
		}).Draw(r, "slot"),
	}
	n.Loss = rapid.SampledFrom([]Loss{
		nil, nil, Bernoulli{0.3, 0.25}, GilbertElliott{0.1, 0.3, 0.9, 0.05}, Markov{0.1, 0.3, 0.2, 0.5, 0.05},
	}).Draw(r, "loss")
	n.ECN = n.Loss != nil && rapid.Bool().Draw(r, "ecn")
	return n
})

// sendSome sends packets at random times.
func (b *bench) sendSome(r *rapid.T) {
	for range rapid.IntRange(1, 60).Draw(r, "packets") {
		size, ecn := rapid.IntRange(0, 200).Draw(r, "size"), ECN(rapid.IntRange(0, 3).Draw(r, "ecn"))
		b.clock.At(time.Duration(rapid.IntRange(0, 200).Draw(r, "at")), func() { b.sendFrom(1, size, ecn) })
	}
}

// Whatever changes, no packet is lost or made but by decision, and each has a
// fate.
func TestNetemConservesPackets(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), aNetem.Draw(r, "first"))
		b.sendSome(r)
		for range rapid.IntRange(0, 10).Draw(r, "changes") {
			b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), aNetem.Draw(r, "change"))
		}
		for at := range time.Duration(300) {
			b.clock.runUntil(at)
			if err := b.path.check(); err != nil {
				r.Fatal(err)
			}
		}
		b.run()
		made := b.path.Counters()[0].Duplicated.Packets
		if b.path.holds() != 0 || int64(len(b.seen)) != int64(b.sent)+made || strings.Contains(b.fates(), ".") {
			r.Fatalf("%d packets and %d copies have %d fates: %s", b.sent, made, len(b.seen), b.fates())
		}
	})
}

func TestTheLimitOfNetemIsNotExceededButByAnOriginal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := aNetem.Draw(r, "netem")
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), n)
		b.sendSome(r)
		most := n.limit()
		if n.Duplicate.P > 0 {
			most++
		}
		q := b.path.stages[0].runner.(*netemQdisc)
		for len(b.clock.calls) > 0 {
			b.clock.now = b.clock.calls[0].at
			b.clock.step()
			if held := len(q.waiting) + len(q.skipped); held > most {
				r.Fatalf("it holds %d packets, want at most %d", held, most)
			}
		}
	})
}

func TestNetemKeepsTheOrderUnlessAskedNotTo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), anOrderlyNetem.Draw(r, "netem"))
		b.sendSome(r)
		b.run()
		if !slices.IsSorted(b.delivered) {
			r.Fatalf("packets left in the order %d", b.delivered)
		}
	})
}

// A rate sends packets one after the other, whatever their delays.
func TestARateOfNetemKeepsTheOrderOfJitter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := anOrderlyNetem.Draw(r, "netem")
		n.Jitter, n.Rate.Rate, n.Slot = 30, 30*GbitPerSecond, NetemSlot{}
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), n)
		b.sendSome(r)
		b.run()
		if !slices.IsSorted(b.delivered) {
			r.Fatalf("packets left in the order %d", b.delivered)
		}
	})
}

// A packet leaves a delay after it came, but not before the one in front, and a
// transmission later.
func TestDelayAndRateOfNetemAreARecursion(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := Netem{
			Delay: time.Duration(rapid.IntRange(0, 100).Draw(r, "delay")),
			Rate:  NetemRate{Rate: 8 * BitRate(rapid.IntRange(1e8, 1e10).Draw(r, "rate"))},
		}
		b := newBench(t, 1, n)
		var before time.Duration
		var want, waits []time.Duration
		at := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			at += time.Duration(rapid.IntRange(0, 30).Draw(r, "gap"))
			size := rapid.IntRange(0, 200).Draw(r, "size")
			b.sendAt(at, size)
			start := max(before, at+n.Delay)
			before = start + time.Duration(int64(size+42)*1e9/int64(n.Rate.Rate/8))
			want, waits = append(want, before), append(waits, start-at-n.Delay)
		}
		for i, s := range b.run() {
			if s.at != want[i] || s.wait != waits[i] {
				r.Fatalf("packet %d left at %d after a wait of %d, want %d and %d", i+1, s.at, s.wait, want[i], waits[i])
			}
		}
	})
}

func TestLookaheadOfNetem(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		netem Netem
		want  time.Duration // if that of what follows is 7
	}{
		{Netem{}, 7},
		{Netem{Loss: Bernoulli{P: 0.1}, Corrupt: NetemChance{P: 1}, Duplicate: NetemChance{P: 0.1}}, 7},
		{Netem{Delay: 10}, 17},
		{Netem{Delay: 10, Duplicate: NetemChance{P: 0.1}, Slot: NetemSlot{Max: 10}}, 17},
		{Netem{Delay: 10, Jitter: 4}, 13},
		{Netem{Delay: 10, Jitter: 14}, 7},
		{Netem{Delay: 100, Jitter: 10, Distribution: Normal()}, 67},
		{Netem{Delay: 10, Reorder: NetemChance{P: 0.1}}, 7},
		{Netem{Rate: tenMbit}, 33_607},
		{Netem{Delay: ms, Rate: tenMbit}, ms + 33_607},
		{Netem{Delay: 10, Jitter: 20, Rate: tenMbit}, 33_597},
		{Netem{Rate: NetemRate{Rate: MbitPerSecond, PacketOverhead: -42}}, 7},
		{Netem{Slot: NetemSlot{Min: 10}}, 7},
	} {
		b := newBench(t, 1, c.netem)
		if got := b.path.stages[0].runner.(prompt).lookahead(7); got != c.want {
			t.Errorf("%s: lookahead %d, want %d", c.netem, got, c.want)
		}
	}
}

// A clock that puts quiet calls off sees the same of netem behind links and in
// front of them, however it changes.
func TestALazyClockSeesTheSameNetem(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		link := Rate{Rate: 30 * GbitPerSecond}
		paths := [][]Element{
			{link, aNetem.Draw(r, "behind")},
			{aNetem.Draw(r, "in front"), link, aNetem.Draw(r, "behind the other"), Delay{3}},
		}
		sends := drawActions(r, "sends", 1, 60, nil)
		changes := drawActions(r, "changes", 0, 5, func() Element { return aNetem.Draw(r, "change") })
		sameHistory(r, t, paths, sends, changes)
	})
}
