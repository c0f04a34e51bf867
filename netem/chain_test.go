package netem

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// drawnElements has each type of element.
var drawnElements = append(disorderly, orderly...)

// orderly is the elements that keep packets as they are and in order, and
// disorderly the others.
var (
	orderly = []Element{
		Rate{}, Rate{}, Trace{}, Delay{}, Jitter{}, Outage{}, Policer{}, ECNFault{}, Slot{}, MTU{},
		Filter{}, Bernoulli{}, GilbertElliott{}, Markov{}, Periodic{}, ListedLoss{}, LossMask{},
	}
	disorderly = []Element{Duplicate{}, Corrupt{}, Reorder{}, Netem{}}
)

// elements draws elements with times of some ten nanoseconds, so that their
// queues fill and their events coincide.
var elements = rapid.Custom(func(r *rapid.T) Element { return another(r, rapid.SampledFrom(orderly).Draw(r, "kind")) })

// disorder draws an element that may make, change or reorder packets.
var disorder = rapid.Custom(func(r *rapid.T) Element { return another(r, rapid.SampledFrom(disorderly).Draw(r, "kind")) })

// another draws an element of the type of e, with times of some ten nanoseconds.
func another(r *rapid.T, e Element) Element { return anotherWith(r, e, 1) }

// anotherWith draws an element of the type of e, with a queue of the same type,
// and with times of some ten units.
func anotherWith(r *rapid.T, e Element, unit time.Duration) Element {
	times := func(from, to int, name string) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(r, name)) * unit
	}
	rates := func(fast ...BitRate) BitRate { return rapid.SampledFrom(fast).Draw(r, "rate") / BitRate(unit) }
	switch e := e.(type) {
	case Rate:
		rate := rates(0, 30*GbitPerSecond, 100*GbitPerSecond, 70*GbitPerSecond, TbitPerSecond)
		return Rate{
			Rate: rate, Overhead: Bytes(rapid.IntRange(0, 40).Draw(r, "overhead")), Queue: queueOf(r, e.Queue, unit),
			Burst:  rapid.SampledFrom([]Bytes{0, 0, 150, 500}).Draw(r, "burst"),
			Paused: rapid.IntRange(0, 3).Draw(r, "paused") == 1,
		}
	case Trace:
		opportunities := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 5).Draw(r, "opportunities")
		slices.Sort(opportunities)
		t := Trace{
			Period:   time.Duration(opportunities[len(opportunities)-1])*unit + times(1, 20, "rest"),
			Bytes:    Bytes(rapid.IntRange(1, 500).Draw(r, "bytes")),
			Overhead: Bytes(rapid.IntRange(0, 40).Draw(r, "overhead")),
			Queue:    queueOf(r, e.Queue, unit),
			Paused:   rapid.IntRange(0, 3).Draw(r, "paused") == 1,
		}
		for _, at := range opportunities {
			t.Opportunities = append(t.Opportunities, time.Duration(at)*unit)
		}
		return t
	case Delay:
		return Delay{times(0, 50, "delay")}
	case Jitter:
		return Jitter{
			Delay:        times(0, 50, "delay"),
			Deviation:    times(0, 30, "deviation"),
			Distribution: rapid.SampledFrom([]*Distribution{nil, Normal(), ParetoNormal()}).Draw(r, "distribution"),
			Correlation:  rapid.SampledFrom([]float64{0, 0.25, 1}).Draw(r, "correlation"),
			InOrder:      true,
		}
	case Slot:
		least := times(0, 20, "min")
		return Slot{
			Min: least, Max: least + times(0, 20, "range"),
			Packets: rapid.IntRange(0, 3).Draw(r, "packets"), Bytes: Bytes(rapid.IntRange(0, 300).Draw(r, "bytes")),
		}
	case ECNFault:
		return ECNFault{aProbability(r), aProbability(r), aProbability(r), NotECT, ECN(rapid.IntRange(0, 3).Draw(r, "to"))}
	case Policer:
		return Policer{Rate: rates(0, 30*GbitPerSecond, TbitPerSecond), Burst: Bytes(rapid.IntRange(1, 1000).Draw(r, "burst"))}
	case Outage:
		return Outage{rapid.Bool().Draw(r, "down")}
	case Bernoulli:
		return Bernoulli{aProbability(r), aProbability(r)}
	case GilbertElliott:
		return GilbertElliott{aProbability(r), aProbability(r), aProbability(r), aProbability(r)}
	case Markov:
		p := aProbability(r)
		return Markov{P13: p, P31: aProbability(r), P23: aProbability(r), P14: 1 - p}
	case Periodic:
		return Periodic{rapid.Uint64Range(0, 5).Draw(r, "every")}
	case ListedLoss:
		return ListedLoss{rapid.SliceOf(rapid.Uint64Range(1, 60)).Draw(r, "packets")}
	case LossMask:
		return LossMask{rapid.Uint64().Draw(r, "mask")}
	case Filter:
		from := times(0, 100, "from")
		return Filter{
			Loss:  aLoss(r),
			Above: Bytes(rapid.IntRange(0, 300).Draw(r, "above")),
			From:  from,
			Until: from + times(1, 100, "window"),
			Burst: rapid.Uint64Range(0, 3).Draw(r, "burst"),
		}
	case Duplicate:
		return Duplicate{aProbability(r), aProbability(r)}
	case Corrupt:
		return Corrupt{aProbability(r), aProbability(r), rapid.Uint64Range(0, 3).Draw(r, "burst")}
	case Reorder:
		delay := times(0, 50, "delay")
		return Reorder{delay, aProbability(r), aProbability(r), rapid.IntRange(0, 4).Draw(r, "gap")}
	case Netem:
		return aNetem.Draw(r, "netem")
	case MTU:
		return MTU{Size: Bytes(rapid.IntRange(100, 300).Draw(r, "mtu"))}
	}
	panic("an unknown element")
}

// aLoss draws a loss, or none.
func aLoss(r *rapid.T) Loss {
	l := rapid.SampledFrom([]Loss{nil, Bernoulli{}, GilbertElliott{}, Markov{}, Periodic{}, ListedLoss{}, LossMask{}}).Draw(r, "loss")
	if l == nil {
		return nil
	}
	return another(r, l).(Loss)
}

// aChange draws a change of an element of the chain.
func aChange(r *rapid.T, chain []Element) Element {
	return another(r, chain[aPlace(r, chain)])
}

// aPlace draws an element of the chain that Configure can find.
func aPlace(r *rapid.T, chain []Element) int {
	which := rapid.SampledFrom(chain).Draw(r, "which")
	return slices.IndexFunc(chain, func(e Element) bool { return e.Kind() == which.Kind() })
}

// queueOf draws a queue of the type of q, which may be nil.
func queueOf(r *rapid.T, q Queue, unit time.Duration) Queue {
	if _, fifo := q.(FIFO); q != nil && !fifo {
		return anotherQueue(r, q)
	}
	limits := []Limit{{}, {Packets: 1}, {Packets: 3}, {Bytes: 300}, {Time: 20 * unit}}
	return anotherFIFO(r, rapid.SampledFrom(limits).Draw(r, "limit"))
}

func anotherFIFO(r *rapid.T, limit Limit) FIFO {
	mark := rapid.SampledFrom([]Limit{{}, {Packets: 1}, {Bytes: 300}, {Time: 20}}).Draw(r, "mark")
	return FIFO{Limit: limit, HeadDrop: rapid.Bool().Draw(r, "head drop"), Mark: mark}
}

func aProbability(r *rapid.T) float64 {
	return rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(r, "probability")
}

// drain ends every pause and limit of a rate and runs until nothing is left to do.
func (b *bench) drain() []sighting {
	b.Helper()
	for _, stage := range b.path.stages {
		var err error
		switch r := stage.runner.(type) {
		case *shaper:
			err = r.Configure(Rate{})
		case *trace:
			c := r.trace
			c.Paused = false
			err = r.Configure(c)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return b.run()
}
