package netem

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"
)

// tenMbit sends a payload of 1208 bytes, 1250 with headers, in a millisecond.
var tenMbit = NetemRate{Rate: 10 * MbitPerSecond}

// exactly is a distribution of one value, in thousandths of the jitter.
func exactly(thousandths int) *Distribution {
	return newDistribution([]int16{int16(thousandths * distScale / 1000)})
}

func TestNetemDepartures(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		netem Netem
		sends []time.Duration // of payloads of 1208 bytes
		order []uint64        // nil if they keep it
		times []time.Duration
	}{
		{"nothing", Netem{}, []time.Duration{0, 0, 5 * ms}, nil, []time.Duration{0, 0, 5 * ms}},
		{"delay", Netem{Delay: 10 * ms}, []time.Duration{0, 0, 5 * ms}, nil, []time.Duration{10 * ms, 10 * ms, 15 * ms}},
		{"jitter above the delay", Netem{Delay: 10 * ms, Jitter: 4 * ms, Distribution: exactly(1000)}, []time.Duration{0, ms}, nil, []time.Duration{14 * ms, 15 * ms}},
		{"jitter below the delay", Netem{Delay: 10 * ms, Jitter: 4 * ms, Distribution: exactly(-500)}, []time.Duration{0, ms}, nil, []time.Duration{8 * ms, 9 * ms}},
		{"a delay below 0", Netem{Delay: ms, Jitter: 2 * ms, Distribution: exactly(-1000)}, []time.Duration{5 * ms, 6 * ms}, nil, []time.Duration{5 * ms, 6 * ms}},
		{"jitter of more than the kernel takes", Netem{Delay: 10 * ms, Jitter: time.Minute, Distribution: exactly(1000)}, []time.Duration{0}, nil, []time.Duration{10*ms + math.MaxInt32}},

		{"rate", Netem{Rate: tenMbit}, []time.Duration{0, 0, 0, 10 * ms}, nil, []time.Duration{ms, 2 * ms, 3 * ms, 11 * ms}},
		// The fourth waits for no one, the third less than its delay: 10 + 20 + 1.
		{"rate after delay", Netem{Delay: 20 * ms, Rate: tenMbit}, []time.Duration{0, 0, 10 * ms, 50 * ms}, nil, []time.Duration{21 * ms, 22 * ms, 31 * ms, 71 * ms}},
		{"a delay below 0 before a rate", Netem{Delay: ms, Jitter: 3 * ms, Distribution: exactly(-1000), Rate: NetemRate{Rate: 2500 * KbitPerSecond}},
			[]time.Duration{5 * ms, 5 * ms}, nil, []time.Duration{7 * ms, 11 * ms}}, // 5 − 2 + 4; 7 + 4
		{"rate rounded down", Netem{Rate: NetemRate{Rate: 3 * MbitPerSecond}}, []time.Duration{0, 0, 0}, nil, []time.Duration{3_333_333, 6_666_666, 9_999_999}},
		{"rate in whole bytes", Netem{Rate: NetemRate{Rate: 15 * BitPerSecond}}, []time.Duration{0}, nil, []time.Duration{1250 * time.Second}},
		{"packet overhead", Netem{Rate: NetemRate{10 * MbitPerSecond, 250, 0, 0}}, []time.Duration{0, 0}, nil, []time.Duration{1200 * time.Microsecond, 2400 * time.Microsecond}},
		{"without the Ethernet header", Netem{Rate: NetemRate{10 * MbitPerSecond, -14, 0, 0}}, []time.Duration{0}, nil, []time.Duration{988_800}},
		{"headers of IPv6", Netem{Header: 62, Rate: tenMbit}, []time.Duration{0}, nil, []time.Duration{1016 * time.Microsecond}},
		{"less than nothing", Netem{Rate: NetemRate{10 * MbitPerSecond, -2000, 0, 0}}, []time.Duration{0, ms}, nil, []time.Duration{0, ms}},
		{"whole cells", Netem{Rate: NetemRate{10 * MbitPerSecond, 0, 125, 0}}, []time.Duration{0}, nil, []time.Duration{ms}},
		{"a cell for the remainder", Netem{Rate: NetemRate{10 * MbitPerSecond, 1, 125, 0}}, []time.Duration{0}, nil, []time.Duration{1100 * time.Microsecond}},
		// 1270 bytes are 13 cells of 100 and 5 bytes, at 625 bytes per second.
		{"the example of tc-netem(8)", Netem{Rate: NetemRate{5 * KbitPerSecond, 20, 100, 5}}, []time.Duration{0}, nil, []time.Duration{2184 * ms}},

		{"reordering", Netem{Delay: 10 * ms, Reorder: NetemChance{P: 1}}, []time.Duration{0, ms}, nil, []time.Duration{0, ms}},
		{"a gap of 3", Netem{Delay: 10 * ms, Reorder: NetemChance{P: 1}, Gap: 3}, []time.Duration{0, ms, 2 * ms, 3 * ms, 4 * ms, 5 * ms},
			[]uint64{3, 6, 1, 2, 4, 5}, []time.Duration{2 * ms, 5 * ms, 10 * ms, 11 * ms, 13 * ms, 14 * ms}},
		// The third skips the rate too, and leaves it to the others.
		{"a gap and a rate", Netem{Delay: 10 * ms, Reorder: NetemChance{P: 1}, Gap: 3, Rate: tenMbit}, []time.Duration{0, 0, 0, 0},
			[]uint64{3, 1, 2, 4}, []time.Duration{0, 11 * ms, 12 * ms, 13 * ms}},

		// The first at 5 ms finds the slot of the start in the past.
		{"a slot", Netem{Slot: NetemSlot{Min: 10 * ms}}, []time.Duration{5 * ms, 7 * ms, 15 * ms, 16 * ms}, nil, []time.Duration{15 * ms, 15 * ms, 15 * ms, 26 * ms}},
		{"a slot of two packets", Netem{Slot: NetemSlot{Min: 10 * ms, Max: 10 * ms, Packets: 2}}, []time.Duration{5 * ms, 5 * ms, 6 * ms, 7 * ms, 8 * ms}, nil,
			[]time.Duration{15 * ms, 15 * ms, 25 * ms, 25 * ms, 35 * ms}},
		{"a slot of 2501 bytes", Netem{Slot: NetemSlot{Min: 10 * ms, Bytes: 2501}}, []time.Duration{5 * ms, 5 * ms, 6 * ms, 7 * ms}, nil,
			[]time.Duration{15 * ms, 15 * ms, 15 * ms, 25 * ms}},
		{"slots of a distribution", Netem{Slot: NetemSlot{Delay: 4 * ms, Jitter: 2 * ms, Distribution: exactly(500), Packets: 1}}, []time.Duration{ms, ms, 20 * ms}, nil,
			[]time.Duration{6 * ms, 11 * ms, 25 * ms}},
		// Slots are set at 0 to 10 and at 20 to 30.
		{"a slot after a delay", Netem{Delay: 20 * ms, Slot: NetemSlot{Min: 10 * ms}}, []time.Duration{0}, nil, []time.Duration{30 * ms}},
		// The arrival at 15 sets the slot at 25, the first departure that at 35.
		{"a slot that an arrival sets", Netem{Delay: 20 * ms, Slot: NetemSlot{Min: 10 * ms}}, []time.Duration{0, 15 * ms}, nil, []time.Duration{25 * ms, 35 * ms}},
		{"a slot after a rate", Netem{Rate: tenMbit, Slot: NetemSlot{Min: 2500 * time.Microsecond}}, []time.Duration{0, 0, 0}, nil,
			[]time.Duration{2500 * time.Microsecond, 2500 * time.Microsecond, 5 * ms}},
		{"reordering despite a slot", Netem{Delay: ms, Reorder: NetemChance{P: 1}, Gap: 2, Slot: NetemSlot{Min: 10 * ms}}, []time.Duration{0, 2 * ms},
			[]uint64{2, 1}, []time.Duration{2 * ms, 10 * ms}},
	} {
		b := newBench(t, 1, c.netem)
		for _, at := range c.sends {
			b.sendAt(at, 1208)
		}
		b.run()
		if got := b.departures(); !slices.Equal(got, c.times) {
			t.Errorf("%s: departures at %v, want %v", c.name, got, c.times)
		}
		if !slices.Equal(b.delivered, c.order) && (c.order != nil || !slices.IsSorted(b.delivered)) {
			t.Errorf("%s: packets left in the order %d, want %d", c.name, b.delivered, c.order)
		}
	}
}

func TestPacketsWithTheSameTimeKeepTheirOrder(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	for at := range time.Duration(4) {
		b.configureAt(at, Netem{Delay: 10 - at})
		b.sendAt(at, 1)
	}
	b.configureAt(4, Netem{Delay: 1})
	b.sendAt(4, 1)
	b.run()
	if want := []uint64{5, 1, 2, 3, 4}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets left in the order %d, want %d", b.delivered, want)
	}
	if got, want := b.departures(), []time.Duration{5, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("departures at %d, want %d", got, want)
	}
}

func TestARateBeginsBehindThePacketThatLeavesLast(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	b.sendAt(0, 1)
	b.configureAt(1, Netem{Delay: 2})
	b.sendAt(1, 1)
	b.configureAt(2, Netem{Rate: NetemRate{Rate: 8 * GbitPerSecond}})
	b.sendAt(2, 58)
	b.run()
	if want := []uint64{2, 1, 3}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets left in the order %d, want %d", b.delivered, want)
	}
	if got, want := b.departures(), []time.Duration{3, 10, 110}; !slices.Equal(got, want) {
		t.Errorf("departures at %d, want %d", got, want)
	}
}

// The step in which a packet arrives may be quiet.
func TestAnArrivalDoesNotHandOnWhatTheClockIsAboutToCallFor(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	b.sendAt(0, 1)
	b.clock.At(10, func() {
		b.send(1)
		if len(b.seen) > 0 {
			t.Error("the first packet left in the step in which the second came")
		}
	})
	b.run()
	if got, want := b.departures(), []time.Duration{10, 20}; !slices.Equal(got, want) {
		t.Errorf("departures at %d, want %d", got, want)
	}
}

func TestTheLimitCountsPacketsThatAreDelayed(t *testing.T) {
	b := newBench(t, 1, Netem{Limit: 2, Delay: 10})
	for _, at := range []time.Duration{0, 1, 2, 9, 11, 12} {
		b.sendAt(at, 1)
	}
	b.run()
	// The first leaves at 10, the second at 11, after the fifth came.
	if got, want := b.fates(), "DDxxDD"; got != want {
		t.Errorf("fates %s, want %s", got, want)
	}
}

func TestTheLimitIsAThousandPackets(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	for range 1001 {
		b.send(1)
	}
	b.run()
	if got, want := b.fates(), strings.Repeat("D", 1000)+"x"; got != want {
		t.Errorf("fates %s", got)
	}
}

func TestACopyEntersBeforeItsOriginalAndMayExceedTheLimit(t *testing.T) {
	b := newBench(t, 1, Netem{Limit: 3, Delay: 10, Duplicate: NetemChance{P: 1}})
	for range 3 {
		b.send(1)
	}
	b.run()
	if want := []uint64{1, 1, 2, 2}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets %d left, want %d", b.delivered, want)
	}
	want := Counters{Kind: "netem", In: Count{3, 3}, Out: Count{4, 4}, Dropped: Count{1, 1}, Duplicated: Count{2, 2}}
	if got := b.path.Counters()[0]; got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

func TestACopyTakesTheRateFirst(t *testing.T) {
	b := newBench(t, 1, Netem{Rate: tenMbit, Duplicate: NetemChance{P: 1}})
	b.send(1208)
	b.run()
	if got, want := b.departures(), []time.Duration{time.Millisecond, 2 * time.Millisecond}; !slices.Equal(got, want) {
		t.Errorf("departures at %v, want %v", got, want)
	}
	// What waits is the original.
	if b.seen[0].wait != 0 || b.seen[1].wait != time.Millisecond {
		t.Errorf("waits of %v and %v, want 0 and 1ms", b.seen[0].wait, b.seen[1].wait)
	}
}

func TestWhatIsLostAndDuplicatedGoesOnOnce(t *testing.T) {
	b := newBench(t, 1, Netem{Loss: Bernoulli{P: 1}, Duplicate: NetemChance{P: 1}})
	b.send(1)
	b.send(1)
	b.run()
	want := Counters{Kind: "netem", In: Count{2, 2}, Out: Count{2, 2}}
	if got := b.path.Counters()[0]; got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// With this chain every other decision is a loss: of the first original, which
// goes on once, and of the copies of the others.
func TestACopyMayBeLostByItself(t *testing.T) {
	b := newBench(t, 1, Netem{Loss: Markov{P13: 1, P31: 1}, Duplicate: NetemChance{P: 1}})
	for range 3 {
		b.send(1)
	}
	b.run()
	if want := []uint64{1, 2, 3}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets %d left, want %d", b.delivered, want)
	}
	want := Counters{Kind: "netem", In: Count{3, 3}, Out: Count{3, 3}, Dropped: Count{2, 2}, Duplicated: Count{2, 2}}
	if got := b.path.Counters()[0]; got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

func TestECNMarksInsteadOfLosing(t *testing.T) {
	b := newBench(t, 1, Netem{Loss: Bernoulli{P: 1}, ECN: true})
	for ecn := range ECN(4) {
		b.sendFrom(1, 10, ecn)
	}
	b.run()
	if fates, codes := b.fates(), b.codepoints(); fates != "xDDD" || codes != "0333" {
		t.Errorf("fates %s with codepoints %s, want xDDD with 0333", fates, codes)
	}
	if got := b.path.Counters()[0].Marked; got != (Count{2, 20}) {
		t.Errorf("marked %v, want two", got)
	}
}

func TestAMarkedPacketIsDuplicatedWithItsMark(t *testing.T) {
	b := newBench(t, 1, Netem{Loss: Bernoulli{P: 1}, ECN: true, Duplicate: NetemChance{P: 1}})
	b.sendFrom(1, 10, ECT0)
	b.run()
	if len(b.seen) != 2 || b.seen[0].ecn != CE || b.seen[1].ecn != CE || b.path.Counters()[0].Marked.Packets != 1 {
		t.Errorf("outcomes %+v, want two with CE, one of which was marked", b.seen)
	}
}

func TestNetemCorruptsOneBitOfEachByItself(t *testing.T) {
	var flips [32]int
	both := 0
	clock := &testClock{}
	last := uint32(0)
	path, err := NewPath(clock, "p", 1, []Element{Netem{Corrupt: NetemChance{P: 1}, Duplicate: NetemChance{P: 1}}}, func(p *Packet) {
		got := binary.LittleEndian.Uint32(p.Payload)
		if bits.OnesCount32(got) != 1 {
			t.Fatalf("seed 1: the payload became %x", p.Payload)
		}
		flips[bits.TrailingZeros32(got)]++
		if got == last {
			both++
		}
		last = got
		p.release()
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 160 {
		path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), make([]byte, 4), NotECT))
	}
	clock.runUntil(0)
	if slices.Contains(flips[:], 0) || both > 40 {
		t.Errorf("seed 1: flips %v of 320, and %d like the one before; want 10 each, and 10", flips, both)
	}
}

func TestAnEmptyPayloadPassesCorruptingNetem(t *testing.T) {
	b := newBench(t, 1, Netem{Corrupt: NetemChance{P: 1}})
	b.send(0)
	b.send(1)
	b.run()
	if got := b.path.Counters()[0].Corrupted; got != (Count{1, 1}) || b.fates() != "DD" {
		t.Errorf("corrupted %v, want the second packet only; fates %s", got, b.fates())
	}
}

func TestAChangeBeginsTheGapAndTheLossAnew(t *testing.T) {
	gap := Netem{Delay: 10, Reorder: NetemChance{P: 1}, Gap: 2}
	b := newBench(t, 1, gap)
	b.sendAt(0, 1)
	b.configureAt(1, gap)
	b.sendAt(1, 1) // would skip the delay
	b.sendAt(2, 1)
	b.run()
	if got, want := b.departures(), []time.Duration{2, 10, 11}; !slices.Equal(got, want) {
		t.Errorf("departures at %d, want %d", got, want)
	}
	bad := Netem{Loss: GilbertElliott{P: 1, Bad: 1}} // loses all but the first
	b = newBench(t, 1, bad)
	for range 3 {
		b.send(1)
	}
	b.configureAt(1, bad)
	b.sendAt(2, 1)
	b.sendAt(3, 1)
	b.run()
	if got, want := b.fates(), "DxxDx"; got != want {
		t.Errorf("fates %s, want %s", got, want)
	}
}

func TestPacketsDoNotWaitForSlotsThatAreNoMore(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 5, Slot: NetemSlot{Min: 100}})
	b.sendAt(0, 1)
	b.sendAt(48, 1)
	b.configureAt(50, Netem{})
	b.run()
	if got, want := b.departures(), []time.Duration{50, 53}; !slices.Equal(got, want) {
		t.Errorf("departures at %d, want %d", got, want)
	}
}

func TestAFailedChangeOfNetemChangesNothing(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	if err := b.path.Configure(Netem{Delay: 20, Loss: Bernoulli{P: 2}}); err == nil {
		t.Fatal("a probability of 2 was accepted")
	}
	b.send(1)
	b.run()
	if got := b.departures(); !slices.Equal(got, []time.Duration{10}) {
		t.Errorf("departures at %d, want 10", got)
	}
}

// The greatest payload at a byte per second, with cells that are mostly
// overhead, takes a day and not less than nothing.
func TestTheSlowestRateIsADayAPacket(t *testing.T) {
	b := newBench(t, 1, Netem{Rate: NetemRate{8 * BitPerSecond, 65535, 1, 65535}})
	b.send(int(maxPayload))
	b.run()
	if got := b.departures(); !slices.Equal(got, []time.Duration{24 * time.Hour}) {
		t.Errorf("departures at %v, want 24h", got)
	}
}

func TestNetemListsWhatItHoldsOldestFirst(t *testing.T) {
	b := newBench(t, 1, Netem{Delay: 10})
	b.sendAt(0, 1)
	b.configureAt(1, Netem{Delay: 5})
	b.sendAt(1, 1)
	b.clock.runUntil(2)
	var held []uint64
	b.path.stages[0].runner.Held(func(p *Packet) { held = append(held, p.ID) })
	if !slices.Equal(held, []uint64{1, 2}) {
		t.Errorf("holds %d, want 1 and 2", held)
	}
}

type strangeLoss struct{ Periodic }

func TestNetemRefuses(t *testing.T) {
	const chance = "the probability is not between 0 and 1"
	for _, c := range []struct {
		netem Netem
		want  string
	}{
		{Netem{Limit: -1}, "the limit is not between 0 and 4294967295 packets"},
		{Netem{Limit: 1 << 32}, "the limit is not between 0 and 4294967295 packets"},
		{Netem{Header: 1001}, "the overhead is not between 0 and 1000 bytes"},
		{Netem{Delay: -1}, "the delay is not between 0 and 24h0m0s"},
		{Netem{Jitter: 25 * time.Hour}, "the jitter is not between 0 and 24h0m0s"},
		{Netem{Correlation: 2}, "delay: the correlation is not between 0 and 1"},
		{Netem{Delay: 1, Distribution: Normal()}, "a distribution needs a delay and a jitter"},
		{Netem{Jitter: 1, Distribution: Normal()}, "a distribution needs a delay and a jitter"},
		{Netem{Delay: 1, Jitter: 1, Distribution: &Distribution{}}, "a distribution without values"},
		{Netem{Loss: strangeLoss{}}, "netem has no loss of the kind periodic_loss"},
		{Netem{Loss: Bernoulli{P: math.NaN()}}, "loss: " + chance},
		{Netem{Loss: GilbertElliott{R: 2}}, "loss: r: " + chance},
		{Netem{Loss: Markov{P31: 0.6, P32: 0.6}}, "loss: p31 and p32 are together above 1"},
		{Netem{ECN: true}, "ecn needs a loss"},
		{Netem{ECN: true, Loss: Bernoulli{}}, "ecn needs a loss"},
		{Netem{Corrupt: NetemChance{P: -1}}, "corrupt: " + chance},
		{Netem{Duplicate: NetemChance{Correlation: 2}}, "duplicate: the correlation is not between 0 and 1"},
		{Netem{Delay: 1, Reorder: NetemChance{P: 2}}, "reorder: " + chance},
		{Netem{Reorder: NetemChance{P: 1}}, "reordering needs a delay that packets can skip"},
		{Netem{Delay: 1, Gap: 3}, "a gap needs a probability of reordering"},
		{Netem{Gap: -1}, "the gap is not between 0 and 4294967295 packets"},
		{Netem{Rate: NetemRate{Rate: -1}}, "the rate is not between 0 and 1Tbit/s"},
		{Netem{Rate: NetemRate{Rate: 7}}, "the rate is less than a byte per second"},
		{Netem{Rate: NetemRate{PacketOverhead: -65536}}, "the packet overhead is not between -65535 and 65535 bytes"},
		{Netem{Rate: NetemRate{CellSize: -1}}, "the cell size is not between 0 and 65535 bytes"},
		{Netem{Rate: NetemRate{CellSize: 5, CellOverhead: -6}}, "the cell overhead is not between -5, the cell size, and 65535 bytes"},
		{Netem{Slot: NetemSlot{Min: 2, Max: 1}}, "the greatest delay of a slot is less than the least"},
		{Netem{Slot: NetemSlot{Min: -1}}, "the least delay of a slot is not between 0 and 24h0m0s"},
		{Netem{Slot: NetemSlot{Packets: 1 << 31}}, "the packets or bytes of a slot are not between 0 and 2147483647"},
		{Netem{Slot: NetemSlot{Bytes: -1}}, "the packets or bytes of a slot are not between 0 and 2147483647"},
		{Netem{Slot: NetemSlot{Distribution: Pareto()}}, "a distribution of slots needs a jitter"},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{c.netem}, nil, nil); err == nil || err.Error() != "netem: path p: netem: "+c.want {
			t.Errorf("%+v: error %v, want %s", c.netem, err, c.want)
		}
	}
}

// The second arrives at 5 ms with a delay below 0, and waits until 7 ms for the
// first.
func TestAPacketWithoutDelayWaitsInNetemFromItsArrival(t *testing.T) {
	b := newBench(t, 1, Netem{
		Delay: ms, Jitter: 3 * ms, Distribution: exactly(-1000), Rate: NetemRate{Rate: 2500 * KbitPerSecond},
	})
	b.sendAt(5*ms, 1208)
	b.sendAt(5*ms, 1208)
	for i, s := range b.run() {
		if want := time.Duration(i) * 2 * ms; s.wait != want {
			t.Errorf("packet %d waited for %s, want %s", s.id, s.wait, want)
		}
	}
}
