package traffic

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func TestDelaysAreExact(t *testing.T) {
	// 1500 bytes take 1.2 ms of the link, and enter it every 1.5 ms.
	b := newBench(t, testSeed, Config{Rate: 8 * mbit, Overhead: 28, Stop: 15 * ms},
		netem.Rate{Rate: 10 * mbit, Overhead: 28}, netem.Delay{Delay: 20 * ms})
	b.clock.runUntil(time.Second)
	const delay = 20*ms + 1200*time.Microsecond
	for i, a := range b.arrived {
		if want := (Arrival{Seq: uint64(i), Size: 1472, Sent: time.Duration(i) * 1500 * time.Microsecond, Delay: delay}); a != want {
			t.Errorf("arrival %+v, want %+v", a, want)
		}
	}
	want := Arrivals{Delivered: netem.Count{Packets: 10, Bytes: 14720}, Delay: 10 * delay, MinDelay: delay, MaxDelay: delay}
	if got := b.sink.Totals(); got != want {
		t.Errorf("in all %+v, want %+v", got, want)
	}
}

func TestMissingPacketsAreThoseThatTheLinkLost(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 12 * mbit, Stop: time.Second}, netem.ListedLoss{Packets: []uint64{1, 5, 6, 1000}})
	b.clock.runUntil(2 * time.Second)
	got, sent := b.sink.Totals(), int64(1000)
	if got.Delivered.Packets != sent-4 || got.Missing != 3 || got.Bursts != 2 || got.Reordered != 0 {
		t.Errorf("%+v, want 996 delivered and 3 missing, in 2 bursts, before the last, which is lost too", got)
	}
}

func TestOvertakenPacketsAreReordered(t *testing.T) {
	// Every tenth packet overtakes those of 20 ms, which are 20.
	b := newBench(t, testSeed, Config{Rate: 12 * mbit, Stop: time.Second}, netem.Reorder{Delay: 20 * ms, P: 1, Gap: 10})
	b.clock.runUntil(2 * time.Second)
	late, most := int64(0), uint64(0)
	for i, a := range b.arrived {
		if reordered := i > 0 && a.Seq < most; reordered != a.Reordered {
			t.Fatalf("packet %d after %d: %+v", a.Seq, most, a)
		} else if reordered {
			late++
		}
		most = max(most, a.Seq)
	}
	if got := b.sink.Totals(); got.Reordered != late || late == 0 || got.Missing != 0 || got.Delivered.Packets != 1000 {
		t.Errorf("%+v, want %d reordered of 1000", got, late)
	}
}

func TestCopiesAreCountedApart(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 12 * mbit, Stop: time.Second}, netem.Duplicate{P: 1}, netem.Delay{Delay: ms})
	b.clock.runUntil(2 * time.Second)
	if got := b.sink.Totals(); got.Delivered.Packets != 1000 || got.Duplicated.Packets != 1000 || len(b.arrived) != 1000 {
		t.Errorf("%+v, want 1000 packets and as many copies", got)
	}
}

func TestACorruptedPacketDoesNotArrive(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 12 * mbit, Sizes: IMIX(), Overhead: 28, Stop: time.Second}, netem.Corrupt{P: 0.5})
	b.clock.runUntil(2 * time.Second)
	sent, _ := b.source.Totals()
	got := b.sink.Totals()
	if got.Corrupted.Packets+got.Delivered.Packets != sent.Packets || got.Corrupted.Packets < sent.Packets/3 || got.Duplicated.Packets > 0 {
		t.Errorf("seed %d: %+v of %v", testSeed, got, sent)
	}
	for _, a := range b.arrived {
		if a.Delay != 0 {
			t.Errorf("seed %d: arrival %+v", testSeed, a)
		}
	}
}

// What is too old to be told from a copy counts as late.
func TestASinkRemembersSoManyPackets(t *testing.T) {
	s := &Sink{}
	for _, c := range []struct {
		seq  uint64
		want bool
	}{
		{0, true}, {0, false}, {2, true}, {1, true}, {1, false}, {2, false},
		{recentBits, true}, {1, false}, {3, true}, {3, false},
		{recentBits + 3, true}, {3, true}, {3, true}, {4, true}, {4, false},
		{10 * recentBits, true}, {10*recentBits - 1, true}, {10*recentBits - 1, false}, {10 * recentBits, false},
		{9*recentBits + 1, true}, {9*recentBits + 1, false}, {9 * recentBits, true}, {9 * recentBits, true},
	} {
		if got := s.isNew(c.seq); got != c.want {
			t.Errorf("%d of %d is new: %v, want %v", c.seq, s.expected, got, c.want)
		}
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	for _, seq := range []uint64{0, 1, 1<<40 - 1} {
		payload := make([]byte, 100)
		put(payload, seq, 24*time.Hour-1)
		if gotSeq, gotSent, ok := parse(payload); gotSeq != seq || gotSent != uint64(24*time.Hour-1) || !ok {
			t.Errorf("%d is read as %d of %d, %v", seq, gotSeq, gotSent, ok)
		}
		for bit := range 8 * len(payload) {
			payload[bit/8] ^= 1 << (bit % 8)
			if _, _, ok := parse(payload); ok {
				t.Errorf("sequence number %d: the flipped bit %d was not found", seq, bit)
			}
			payload[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func FuzzPayload(f *testing.F) {
	payload := make([]byte, 20)
	put(payload, 77, time.Hour)
	f.Add(payload)
	f.Add(payload[:headerSize])
	f.Add(payload[:headerSize-1])
	f.Fuzz(func(t *testing.T, payload []byte) {
		seq, sent, ok := parse(payload)
		if !ok {
			return
		}
		again := make([]byte, len(payload))
		if put(again, seq, time.Duration(sent)); string(again) != string(payload) {
			t.Errorf("%x is written as %x", payload, again)
		}
	})
}
