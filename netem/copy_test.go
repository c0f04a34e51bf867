package netem

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestACopyFollowsItsOriginalAtTheSameInstant(t *testing.T) {
	b := newBench(t, 1, Duplicate{P: 1}, Delay{10})
	b.send(100)
	b.send(200)
	b.sendAt(5, 300)
	b.run()
	if want := []uint64{1, 1, 2, 2, 3, 3}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets arrived in the order %d, want %d", b.delivered, want)
	}
	if got, want := b.departures(), []time.Duration{10, 10, 10, 10, 15, 15}; !slices.Equal(got, want) {
		t.Errorf("packets departed at %d, want %d", got, want)
	}
	want := []Counters{
		{Kind: "duplicate", In: Count{3, 600}, Out: Count{6, 1200}, Duplicated: Count{3, 600}},
		{Kind: "delay", In: Count{6, 1200}, Out: Count{6, 1200}},
	}
	if got := b.path.Counters(); !slices.Equal(got, want) {
		t.Errorf("counters\n%+v\nwant\n%+v", got, want)
	}
	if in, out, dropped := b.path.Totals(); in != (Count{3, 600}) || out != (Count{6, 1200}) || dropped != (Count{}) {
		t.Errorf("totals: in %v, out %v, dropped %v", in, out, dropped)
	}
}

func TestACopyHasAFateOfItsOwn(t *testing.T) {
	b := newBench(t, 1, Duplicate{P: 1}, Periodic{2})
	for range 3 {
		b.send(100)
	}
	b.run()
	if want := []uint64{1, 2, 3}; !slices.Equal(b.delivered, want) {
		t.Errorf("packets %d arrived, want %d", b.delivered, want)
	}
	if _, _, dropped := b.path.Totals(); dropped != (Count{3, 300}) {
		t.Errorf("dropped %v, want the three copies", dropped)
	}
	if copies := b.path.Duplicated(); copies != (Count{3, 300}) {
		t.Errorf("%v copies, want three", copies)
	}
}

func TestACopyDoesNotShareItsPayload(t *testing.T) {
	p := newPacket(addrOf(1, 1), addrOf(2, 2), []byte("original"), ECT0)
	p.ID, p.QueueDelay = 7, 9
	c := p.clone()
	p.Payload[0] = 'O'
	if string(c.Payload) != "original" || c.ID != 7 || c.ECN != ECT0 || c.QueueDelay != 9 || c.Dest != p.Dest {
		t.Errorf("the copy is %+v", c)
	}
}

func TestACopyHasNotWaitedForItsOriginal(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond}, Duplicate{P: 1})
	b.send(100)
	b.send(100) // waits 100 µs
	b.run()
	var waits []time.Duration
	for _, s := range b.seen {
		waits = append(waits, s.wait)
	}
	if want := []time.Duration{0, 0, 100 * time.Microsecond, 0}; !slices.Equal(waits, want) {
		t.Errorf("originals and copies waited %v, want %v", waits, want)
	}
}

func TestASocketReadsBothCopies(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("a", []Element{Duplicate{P: 1}}, nil)
	conn := n.listen(0, 0)
	n.write(conn, addrOf(2, 9), 100)
	n.write(conn, addrOf(2, 9), 100)
	n.clock.runUntil(1)
	if noPort, _ := n.hosts[1].Unread(); noPort != (Count{4, 400}) {
		t.Errorf("%v arrived, want four packets", noPort)
	}
	if !n.Idle() || n.Datagrams() != 2 {
		t.Errorf("idle %t after %d datagrams, want two", n.Idle(), n.Datagrams())
	}
	if err := n.Check(); err != nil {
		t.Error(err)
	}
}

func TestTheFrequencyOfCopiesAndCorruptionIsTheProbability(t *testing.T) {
	const n, seed, p = 100_000, 1, 0.1
	b := newBench(t, seed, Duplicate{P: p}, Corrupt{P: p})
	for range n {
		b.send(1)
	}
	b.run()
	c := b.path.Counters()
	copies := float64(c[0].Duplicated.Packets)
	if most := 3.29 * math.Sqrt(n*p*(1-p)); math.Abs(copies-n*p) > most {
		t.Errorf("seed %d: %v copies, want %v ± %.0f", seed, copies, n*p, most)
	}
	corrupted, want := float64(c[1].Corrupted.Packets), (n+copies)*p
	if most := 3.29 * math.Sqrt(want*(1-p)); math.Abs(corrupted-want) > most {
		t.Errorf("seed %d: %v corrupted, want %v ± %.0f", seed, corrupted, want, most)
	}
}

// corrupted sends a payload through the elements, and returns what arrives.
func corrupted(tb testing.TB, seed uint64, n int, payload []byte, elements ...Element) [][]byte {
	var got [][]byte
	path, err := NewPath(&testClock{}, "p", seed, elements, func(p *Packet) {
		got = append(got, bytes.Clone(p.Payload))
		p.release()
	}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for range n {
		path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), payload, NotECT))
	}
	return got
}

// Of 24 bits, each is flipped n/24 times: χ² with 23 degrees of freedom is below
// 49.7 with a confidence of 99.9 %.
func TestCorruptionFlipsOneBitAnywhere(t *testing.T) {
	const n, seed = 24_000, 1
	payload := []byte{0x00, 0xff, 0x5a}
	var flips [24]float64
	for i, got := range corrupted(t, seed, n, payload, Corrupt{P: 1}) {
		changed := uint32(got[0]^payload[0]) | uint32(got[1]^payload[1])<<8 | uint32(got[2]^payload[2])<<16
		if bits.OnesCount32(changed) != 1 || len(got) != 3 {
			t.Fatalf("seed %d: packet %d became %x", seed, i, got)
		}
		flips[bits.TrailingZeros32(changed)]++
	}
	chi := 0.0
	for _, f := range flips {
		chi += (f - n/24) * (f - n/24) / (n / 24)
	}
	if chi > 49.7 {
		t.Errorf("seed %d: χ² = %.1f of the flips %v", seed, chi, flips)
	}
	if !bytes.Equal(payload, []byte{0x00, 0xff, 0x5a}) {
		t.Errorf("the sender's buffer became %x", payload)
	}
}

func TestAnEmptyPayloadIsNotCorrupted(t *testing.T) {
	b := newBench(t, 1, Corrupt{P: 1})
	b.send(0)
	b.send(1)
	b.run()
	if got := b.path.Counters()[0].Corrupted; got != (Count{1, 1}) {
		t.Errorf("corrupted %v, want the second packet only", got)
	}
}

func TestAChangeOfCorruptionDoesNotShiftTheStream(t *testing.T) {
	payload := []byte("01234567")
	want := corrupted(t, 1, 200, payload, Corrupt{P: 0.5})
	var got [][]byte
	path, err := NewPath(&testClock{}, "p", 1, []Element{Corrupt{}}, func(p *Packet) { got = append(got, bytes.Clone(p.Payload)) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if i == 100 {
			if err := path.Configure(Corrupt{P: 0.5}); err != nil {
				t.Fatal(err)
			}
		}
		path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), payload, NotECT))
	}
	if !slices.EqualFunc(got[100:], want[100:], bytes.Equal) {
		t.Error("seed 1: other packets are corrupted after the change")
	}
}

// The elements of a chain with copies conserve packets and their order, and
// only the duplicates have more than one fate.
func TestCopiesAreConservedInAnyChain(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		copies := func(name string) Element {
			return rapid.SampledFrom([]Element{
				Duplicate{aProbability(r), aProbability(r)}, Corrupt{P: aProbability(r), Correlation: aProbability(r), Burst: rapid.Uint64Range(0, 3).Draw(r, "burst")},
			}).Draw(r, name)
		}
		chain := rapid.SliceOfN(elements, 0, 3).Draw(r, "before")
		chain = append(chain, copies("first"))
		chain = append(chain, rapid.SliceOfN(elements, 0, 3).Draw(r, "between")...)
		chain = append(chain, copies("second"))
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), chain...)
		for range rapid.IntRange(1, 40).Draw(r, "packets") {
			b.sendAt(time.Duration(rapid.IntRange(0, 200).Draw(r, "at")), rapid.IntRange(0, 300).Draw(r, "size"))
		}
		for range rapid.IntRange(0, 5).Draw(r, "changes") {
			e := Element(Corrupt{P: aProbability(r), Correlation: aProbability(r)})
			for _, c := range chain {
				if _, ok := c.(Duplicate); ok {
					e = Duplicate{aProbability(r), aProbability(r)}
				}
			}
			b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), e)
		}
		for at := range time.Duration(300) {
			b.clock.runUntil(at)
			if err := b.path.check(); err != nil {
				r.Fatal(err)
			}
		}
		b.drain()
		if !slices.IsSorted(b.delivered) {
			r.Fatalf("packets arrived in the order %d", b.delivered)
		}
		made := int64(0)
		for _, c := range b.path.Counters() {
			made += c.Duplicated.Packets
		}
		if b.path.holds() != 0 || int64(len(b.seen)) != int64(b.sent)+made || strings.Contains(b.fates(), ".") {
			r.Fatalf("%d packets and %d copies have %d fates: %s", b.sent, made, len(b.seen), b.fates())
		}
	})
}

func TestCopiesAndCorruptionRefuse(t *testing.T) {
	for want, e := range map[string]Element{
		"duplicate: the probability is not between 0 and 1": Duplicate{P: 2},
		"duplicate: the correlation is not between 0 and 1": Duplicate{Correlation: -1},
		"corrupt: the probability is not between 0 and 1":   Corrupt{P: math.NaN()},
		"corrupt: the correlation is not between 0 and 1":   Corrupt{Correlation: 2},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != "netem: path p: "+want {
			t.Errorf("%+v: error %v, want %s", e, err, want)
		}
	}
}
