package netem

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// queues has each kind of managed queue once.
var queues = []Queue{CoDel{}, FQCoDel{Flows: 4}, PIE{}, FQPIE{Flows: 4}, RED{}}

// byteTime is the time that the slowest link takes for a byte.
const byteTime = 10 * time.Microsecond

// anotherQueue draws a queue of the type of q.
func anotherQueue(r *rapid.T, q Queue) Queue {
	few := rapid.IntRange(0, 4)
	short := rapid.Custom(func(r *rapid.T) time.Duration { return byteTime * time.Duration(rapid.IntRange(0, 20).Draw(r, "time")) })
	switch q.(type) {
	case CoDel:
		return CoDel{
			Limit: few.Draw(r, "limit"), Target: short.Draw(r, "target"), Interval: short.Draw(r, "interval"),
			ECN: rapid.Bool().Draw(r, "ECN"), CEThreshold: short.Draw(r, "CE threshold"),
		}
	case FQCoDel:
		return FQCoDel{
			Limit: few.Draw(r, "limit"), Memory: Bytes(100 * few.Draw(r, "memory")), Flows: 4, Quantum: Bytes(100 * few.Draw(r, "quantum")),
			Target: short.Draw(r, "target"), Interval: short.Draw(r, "interval"), CEThreshold: short.Draw(r, "CE threshold"),
			NoECN: rapid.Bool().Draw(r, "no ECN"),
		}
	case PIE:
		return PIE{
			Limit: few.Draw(r, "limit"), Target: short.Draw(r, "target"), Update: 10 * max(byteTime, short.Draw(r, "update")),
			MaxBurst: short.Draw(r, "burst"), Alpha: few.Draw(r, "alpha"), Beta: 8 * few.Draw(r, "beta"),
			ECN: rapid.Bool().Draw(r, "ECN"), ByteMode: rapid.Bool().Draw(r, "byte mode"),
		}
	case FQPIE:
		return FQPIE{
			Limit: few.Draw(r, "limit"), Memory: Bytes(100 * few.Draw(r, "memory")), Flows: 4, Quantum: Bytes(100 * few.Draw(r, "quantum")),
			Target: short.Draw(r, "target"), Update: 10 * max(byteTime, short.Draw(r, "update")),
			MaxBurst: short.Draw(r, "burst"), Alpha: few.Draw(r, "alpha"), Beta: 8 * few.Draw(r, "beta"),
			ECN: rapid.Bool().Draw(r, "ECN"), ECNProb: 25 * few.Draw(r, "ECN probability"), ByteMode: rapid.Bool().Draw(r, "byte mode"),
		}
	case RED:
		return RED{
			Limit: Bytes(300 * few.Draw(r, "limit")), Min: Bytes(101 + 90*few.Draw(r, "min")), Max: Bytes(502 + 300*few.Draw(r, "max")),
			P: float64(few.Draw(r, "p")) / 4, AvPkt: 100, Burst: 5 + few.Draw(r, "burst"),
			ECN: rapid.Bool().Draw(r, "ECN"), HardDrop: rapid.Bool().Draw(r, "hard drop"),
		}
	}
	panic("an unknown queue")
}

func TestAManagedQueueConservesPacketsAndKeepsTheOrderOfFlows(t *testing.T) {
	for _, q := range queues {
		t.Run(fmt.Sprintf("%T", q), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				rates := rapid.SampledFrom([]BitRate{0, 8 * MbitPerSecond, 800 * KbitPerSecond, 80 * MbitPerSecond})
				bursts := rapid.SampledFrom([]Bytes{0, 400})
				another := func() Rate {
					return Rate{Rate: rates.Draw(r, "rate"), Burst: bursts.Draw(r, "burst"), Queue: anotherQueue(r, q)}
				}
				b := newBench(t, rapid.Uint64().Draw(r, "seed"), another())
				var ports []uint16 // of the packets, in order of ID
				for range rapid.IntRange(1, 60).Draw(r, "packets") {
					at := byteTime * time.Duration(rapid.IntRange(0, 200).Draw(r, "at"))
					port, size := uint16(rapid.IntRange(1, 3).Draw(r, "port")), rapid.IntRange(0, 300).Draw(r, "size")
					ecn := ECN(rapid.IntRange(0, 3).Draw(r, "ECN"))
					b.clock.At(at, func() {
						ports = append(ports, port)
						b.sendFrom(port, size, ecn)
					})
				}
				for range rapid.IntRange(0, 10).Draw(r, "changes") {
					b.configureAt(byteTime*time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), another())
				}
				for at := range time.Duration(300) {
					b.clock.runUntil(at * byteTime)
					if err := b.path.check(); err != nil {
						r.Fatal(err)
					}
				}
				b.configureAt(300*byteTime, Rate{Queue: q})
				b.run()
				last := map[uint16]uint64{}
				for _, id := range b.delivered {
					if port := ports[id-1]; id > last[port] {
						last[port] = id
					} else {
						r.Fatalf("packet %d of port %d left behind packet %d", id, port, last[port])
					}
				}
				if uint64(len(b.seen)) != b.sent {
					r.Fatalf("%d packets have a fate, of %d", len(b.seen), b.sent)
				}
			})
		})
	}
}

func TestALazyClockSeesTheSameOfAManagedQueue(t *testing.T) {
	for _, q := range queues {
		t.Run(fmt.Sprintf("%T", q), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				rate := func() Rate {
					rates := rapid.SampledFrom([]BitRate{0, 8 * MbitPerSecond, 800 * KbitPerSecond, 80 * MbitPerSecond})
					return Rate{Rate: rates.Draw(r, "rate"), Queue: anotherQueue(r, q)}
				}
				at := func() time.Duration { return byteTime * time.Duration(rapid.IntRange(0, 200).Draw(r, "at")) }
				delay := Delay{time.Duration(rapid.IntRange(0, 50).Draw(r, "delay")) * byteTime}
				paths := [][]Element{{rate(), delay}, {rate()}}
				var sends, changes []action
				for range rapid.IntRange(1, 60).Draw(r, "sends") {
					sends = append(sends, action{at: at(), path: rapid.IntRange(0, 1).Draw(r, "path"), size: rapid.IntRange(0, 200).Draw(r, "size")})
				}
				for range rapid.IntRange(0, 8).Draw(r, "changes") {
					changes = append(changes, action{at: at(), path: rapid.IntRange(0, 1).Draw(r, "path"), element: rate()})
				}
				eager := history(r, t, false, paths, sends, changes)
				lazy := history(r, t, true, paths, sends, changes)
				if !slices.Equal(eager, lazy) {
					r.Fatalf("eager\n%s\nlazy\n%s", strings.Join(eager, "\n"), strings.Join(lazy, "\n"))
				}
			})
		})
	}
}

// The cost of a packet of 1200 bytes that waits behind 50 others, at a load of
// 1.
func BenchmarkQueue(b *testing.B) {
	for _, q := range append([]Queue{FIFO{}}, queues...) {
		b.Run(fmt.Sprintf("%T", q), func(b *testing.B) {
			clock := &benchClock{}
			path, err := NewPath(clock, "path", 1, []Element{Rate{Rate: 96 * MbitPerSecond, Queue: q}}, (*Packet).release, nil)
			if err != nil {
				b.Fatal(err)
			}
			send := func() { path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:1200], ECT0)) }
			for range 50 {
				send()
			}
			b.ReportAllocs()
			for b.Loop() {
				send()
				clock.runUntil(clock.now + 100*time.Microsecond)
			}
		})
	}
}
