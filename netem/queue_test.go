package netem

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// queues has each kind of queue, and what of it cannot change.
var queues = []Queue{
	FIFO{}, RED{}, CoDel{}, FQCoDel{Flows: 4}, PIE{}, FQPIE{Flows: 4},
	DualPI2{}, DualPI2{AnyECT: true}, // a change would reorder flows with ECT(0)
}

// byteTime is the time that the slowest link takes for a byte.
const byteTime = 10 * time.Microsecond

// anotherQueue draws a queue of the type of q.
func anotherQueue(r *rapid.T, q Queue) Queue {
	few := rapid.IntRange(0, 4)
	short := rapid.Custom(func(r *rapid.T) time.Duration { return byteTime * time.Duration(rapid.IntRange(0, 20).Draw(r, "time")) })
	switch q := q.(type) {
	case FIFO:
		return anotherFIFO(r, rapid.SampledFrom([]Limit{{}, {Packets: 1}, {Packets: 3}, {Bytes: 500}}).Draw(r, "limit"))
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
	case DualPI2:
		return DualPI2{
			Limit: few.Draw(r, "limit"), Memory: Bytes(100 * few.Draw(r, "memory")),
			Target: short.Draw(r, "target"), Update: 10 * max(byteTime, short.Draw(r, "update")),
			Alpha: float64(10 * few.Draw(r, "alpha")), Beta: float64(100 * few.Draw(r, "beta")), Coupling: few.Draw(r, "coupling"),
			Step:              rapid.SampledFrom([]Limit{{}, {Time: 10 * byteTime}, {Packets: 1}}).Draw(r, "step"),
			ClassicProtection: 25 * few.Draw(r, "protection"), AnyECT: q.AnyECT,
			DropEarly: rapid.Bool().Draw(r, "early"), Overflow: rapid.Bool().Draw(r, "overflow"),
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

// bounds returns how much may wait in a queue.
func bounds(q Queue) load {
	most := load{math.MaxInt, math.MaxInt64 / 2}
	switch q := q.(type) {
	case FIFO:
		return load{orDefault(q.Limit.Packets, most.packets), orDefault(q.Limit.Bytes, most.bytes)}
	case RED:
		return load{most.packets, orDefault(q.Limit, 400*KB)}
	case CoDel:
		return load{orDefault(q.Limit, 1000), most.bytes}
	case FQCoDel: // what it drops for an arrival may be less than the arrival
		return load{orDefault(q.Limit, 10240), most.bytes}
	case PIE:
		return load{orDefault(q.Limit, 1000), most.bytes}
	case FQPIE:
		return load{orDefault(q.Limit, 10240), orDefault(q.Memory, 32*MiB)}
	case DualPI2:
		limit := orDefault(q.Limit, 10_000)
		return load{limit, orDefault(q.Memory, Bytes(limit)*3028)}
	}
	panic("an unknown queue")
}

// waiting returns how much waits in the queue of a path's first element, and in
// front of it for tokens, which does not count in a limit of memory.
func waiting(p *Path) (l load) {
	s := p.stages[0].runner.(*shaper)
	l.packets, l.bytes = s.ahead()
	switch s.queue.(type) {
	case *fqPIE, *dualPI2:
		l.bytes = 0
	}
	s.queue.held(func(p *Packet) {
		l.packets++
		l.bytes += p.wire
	})
	return l
}

// Whatever the parameters and whenever they change, with full queues too: every
// packet has one fate, a change itself drops none, a flow keeps its order in each
// queue that it has, and nothing waits beyond the limits.
func TestAQueueKeepsToItsModelWheneverItChanges(t *testing.T) {
	type flow struct {
		port uint16
		ecn  ECN // if the queue is two, and 0 else
	}
	for _, q := range queues {
		t.Run(fmt.Sprintf("%T", q), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				rates := rapid.SampledFrom([]BitRate{0, 8 * MbitPerSecond, 800 * KbitPerSecond, 80 * MbitPerSecond})
				bursts := rapid.SampledFrom([]Bytes{0, 400})
				another := func() Rate {
					return Rate{Rate: rates.Draw(r, "rate"), Burst: bursts.Draw(r, "burst"), Queue: anotherQueue(r, q)}
				}
				rate := another()
				b := newBench(t, rapid.Uint64().Draw(r, "seed"), rate)
				var flows []flow // of the packets, in order of ID
				for range rapid.IntRange(1, 60).Draw(r, "packets") {
					at := byteTime * time.Duration(rapid.IntRange(0, 200).Draw(r, "at"))
					port, size := uint16(rapid.IntRange(1, 3).Draw(r, "port")), rapid.SampledFrom([]int{0, 1, 100, 300, 1500}).Draw(r, "size")
					ecn := ECN(rapid.IntRange(0, 3).Draw(r, "ECN"))
					b.clock.At(at, func() {
						f := flow{port: port}
						if _, two := q.(DualPI2); two {
							f.ecn = ecn
						}
						flows = append(flows, f)
						before := waiting(b.path)
						b.sendFrom(port, size, ecn)
						after, most := waiting(b.path), bounds(rate.Queue)
						if after.packets > before.packets && after.packets > most.packets || after.bytes > before.bytes && after.bytes > most.bytes {
							r.Fatalf("after an arrival of %d bytes at %v, %v waits, before %v, more than %v", size, at, after, before, most)
						}
					})
				}
				for range rapid.IntRange(0, 10).Draw(r, "changes") {
					change := another()
					b.clock.At(byteTime*time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), func() {
						_, _, before := b.path.Totals()
						if err := b.path.Configure(change); err != nil {
							r.Fatal(err)
						}
						if _, _, after := b.path.Totals(); after != before {
							r.Fatalf("a change dropped %d packets", after.Packets-before.Packets)
						}
						rate = change
					})
				}
				for at := range time.Duration(300) {
					b.clock.runUntil(at * byteTime)
					if err := b.path.check(); err != nil {
						r.Fatal(err)
					}
				}
				b.configureAt(300*byteTime, Rate{Queue: q})
				b.run()
				last := map[flow]uint64{}
				for _, id := range b.delivered {
					if f := flows[id-1]; id > last[f] {
						last[f] = id
					} else {
						r.Fatalf("packet %d of flow %d left behind packet %d", id, f, last[f])
					}
				}
				if uint64(len(b.seen)) != b.sent {
					r.Fatalf("%d packets have a fate, of %d", len(b.seen), b.sent)
				}
			})
		})
	}
}

// What a queue draws depends on the arrivals alone, so that a change of its
// parameters leaves the chances of later packets as they are.
func TestTheParametersOfAQueueDoNotShiftItsRandomNumbers(t *testing.T) {
	for _, q := range queues {
		t.Run(fmt.Sprintf("%T", q), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				seed := rapid.Uint64().Draw(r, "seed")
				arrivals := rapid.SliceOfN(rapid.IntRange(0, 50), 1, 60).Draw(r, "arrivals")
				next := func() uint64 {
					b := newBench(t, seed, Rate{Rate: 8 * MbitPerSecond, Queue: anotherQueue(r, q)})
					for i, at := range arrivals {
						b.clock.At(time.Duration(at)*byteTime, func() { b.sendFrom(uint16(i%3), 300, ECN(i%4)) })
					}
					b.configureAt(25*byteTime, Rate{Rate: 8 * MbitPerSecond, Queue: anotherQueue(r, q)})
					b.run()
					return b.path.stages[0].Rand.Uint64()
				}
				if one, two := next(), next(); one != two {
					r.Fatalf("the next number is %#x, and with other parameters %#x", one, two)
				}
			})
		})
	}
}

func TestALazyClockSeesTheSameOfAQueue(t *testing.T) {
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
				sameHistory(r, t, paths, sends, changes)
			})
		})
	}
}

// The cost of a packet of 1200 bytes that waits behind 50 others, at a load of
// 1.
func BenchmarkQueue(b *testing.B) {
	for _, q := range queues {
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
