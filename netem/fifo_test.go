package netem

import (
	"testing"
	"time"
)

// The link sends 1 byte a microsecond, and the packet in transmission does not
// count.
func TestAPacketBeyondTheLimitIsDropped(t *testing.T) {
	for _, c := range []struct {
		name     string
		limit    Limit
		overhead Bytes
		sizes    []int // sent at once
		want     string
	}{
		{"no limit", Limit{}, 0, []int{100, 100, 100, 100, 100}, "DDDDD"},
		{"packets", Limit{Packets: 2}, 0, []int{100, 1, 1000, 1, 1}, "DDDxx"},
		{"bytes", Limit{Bytes: 300}, 0, []int{500, 100, 100, 101, 100, 1}, "DDDxDx"},
		{"bytes on the wire", Limit{Bytes: 300}, 28, []int{500, 100, 100, 17, 16}, "DDDxD"},
		{"a packet larger than the queue", Limit{Bytes: 300}, 0, []int{500, 301, 300}, "DxD"},
		{"time", Limit{Time: 300 * time.Microsecond}, 0, []int{500, 100, 200, 1}, "DDDx"},
		{"time, rounded down", Limit{Time: 300*time.Microsecond - 1}, 0, []int{500, 100, 200, 199}, "DDxD"},
		{"one BDP", Limit{BDP: 1000}.Resolve(8*MbitPerSecond, 2*time.Millisecond), 0, []int{500, 1000, 1000, 999}, "DDDx"},
		{"never less than a packet", Limit{BDP: 1000}.Resolve(8*MbitPerSecond, 0), 28, []int{500, 1472, 0}, "DDx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Overhead: c.overhead, Queue: FIFO{Limit: c.limit}})
			for _, size := range c.sizes {
				b.send(size)
			}
			b.run()
			if got := b.fates(); got != c.want {
				t.Errorf("packets of %d bytes: %s, want %s (D delivered, x dropped)", c.sizes, got, c.want)
			}
			for _, s := range b.seen {
				if s.fate == Dropped && (s.cause != "queue" || s.at != 0) {
					t.Errorf("packet %d was dropped by %q at %d", s.id, s.cause, s.at)
				}
			}
		})
	}
}

func TestALimitInTimeFollowsTheRate(t *testing.T) {
	limit := FIFO{Limit: Limit{Time: 100 * time.Microsecond}}
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: limit})
	b.send(1000)
	b.send(100)
	b.send(1) // beyond 100 bytes
	b.configureAt(10, Rate{Rate: 16 * MbitPerSecond, Queue: limit})
	b.sendAt(20, 100)
	b.sendAt(20, 1) // beyond 200 bytes
	b.run()
	if got, want := b.fates(), "DDxDx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestALimitThatShrinksDropsOnlyArrivals(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Limit: Limit{Packets: 3}}})
	for range 4 {
		b.send(100)
	}
	b.configureAt(50*time.Microsecond, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Limit: Limit{Packets: 1}}})
	b.sendAt(60*time.Microsecond, 100)  // behind three
	b.sendAt(260*time.Microsecond, 100) // behind one
	b.sendAt(360*time.Microsecond, 100) // behind none
	b.run()
	if got, want := b.fates(), "DDDDxxD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAChangeWithoutAQueueIsAFIFOWithoutLimit(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Limit: Limit{Packets: 1}}})
	b.configureAt(1, Rate{Rate: 8 * MbitPerSecond})
	for i := range 4 {
		b.sendAt(time.Duration(i), 100)
	}
	b.run()
	if got, want := b.fates(), "DDDD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHeadDropMakesRoomForTheArrival(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit Limit
		sizes []int // sent at once
		want  string
	}{
		{"packets", Limit{Packets: 2}, []int{100, 1, 2, 3, 4}, "DxxDD"},
		{"bytes", Limit{Bytes: 300}, []int{500, 100, 100, 100, 101}, "DxxDD"},
		{"time", Limit{Time: 300 * time.Microsecond}, []int{500, 200, 100, 1}, "DxDD"},
		{"a packet larger than the queue", Limit{Bytes: 300}, []int{500, 300, 301}, "DDx"},
		{"no limit", Limit{}, []int{500, 300, 301}, "DDD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Limit: c.limit, HeadDrop: true}})
			for _, size := range c.sizes {
				b.send(size)
			}
			b.run()
			if got := b.fates(); got != c.want {
				t.Errorf("packets of %d bytes: %s, want %s", c.sizes, got, c.want)
			}
		})
	}
}

// Packets of 100 bytes take 100 µs each.
func TestAStepMarksCapablePacketsAboveItsThreshold(t *testing.T) {
	for _, c := range []struct {
		name string
		mark Limit
		ecn  ECN
		want string
	}{
		{"none", Limit{}, ECT0, "22222"},
		{"packets", Limit{Packets: 2}, ECT0, "22233"},
		{"bytes", Limit{Bytes: 299}, ECT1, "11133"},
		{"wait of exactly the time", Limit{Time: 300 * time.Microsecond}, ECT0, "22223"},
		{"wait", Limit{Time: 300*time.Microsecond - 1}, ECT0, "22233"},
		{"not capable", Limit{Packets: 1}, NotECT, "00000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Mark: c.mark}})
			for range 5 {
				b.sendFrom(1, 100, c.ecn)
			}
			b.run()
			if got := b.codepoints(); got != c.want || b.fates() != "DDDDD" {
				t.Errorf("ECN fields %s, want %s; fates %s", got, c.want, b.fates())
			}
		})
	}
}
