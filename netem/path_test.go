package netem

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// elements draws elements with times of some ten nanoseconds, so that their
// queues fill and their events coincide.
var elements = rapid.Custom(func(r *rapid.T) Element {
	return another(r, rapid.SampledFrom([]Element{
		Rate{}, Rate{}, Delay{}, Jitter{}, Policer{}, ECNFault{}, Slot{}, MTU{},
		Bernoulli{}, GilbertElliott{}, Markov{}, Periodic{}, ListedLoss{}, LossMask{}, Filter{Loss: Periodic{}},
	}).Draw(r, "kind"))
})

// disorder draws an element that may make, change or reorder packets.
var disorder = rapid.Custom(func(r *rapid.T) Element {
	return another(r, rapid.SampledFrom([]Element{Duplicate{}, Corrupt{}, Reorder{}}).Draw(r, "kind"))
})

// another draws an element of the type of e.
func another(r *rapid.T, e Element) Element {
	switch e := e.(type) {
	case Rate:
		limit := rapid.SampledFrom([]Limit{{}, {Packets: 1}, {Packets: 3}, {Bytes: 300}, {Time: 20}}).Draw(r, "limit")
		rate := rapid.SampledFrom([]BitRate{0, 30 * GbitPerSecond, 100 * GbitPerSecond, 70 * GbitPerSecond, TbitPerSecond}).Draw(r, "rate")
		return Rate{Rate: rate, Overhead: Bytes(rapid.IntRange(0, 40).Draw(r, "overhead")), Queue: anotherFIFO(r, limit)}
	case Delay:
		return Delay{time.Duration(rapid.IntRange(0, 50).Draw(r, "delay"))}
	case Jitter:
		return Jitter{
			Delay:        time.Duration(rapid.IntRange(0, 50).Draw(r, "delay")),
			Deviation:    time.Duration(rapid.IntRange(0, 30).Draw(r, "deviation")),
			Distribution: rapid.SampledFrom([]*Distribution{nil, Normal(), ParetoNormal()}).Draw(r, "distribution"),
			Correlation:  rapid.SampledFrom([]float64{0, 0.25, 1}).Draw(r, "correlation"),
			InOrder:      true,
		}
	case Slot:
		least := time.Duration(rapid.IntRange(0, 20).Draw(r, "min"))
		return Slot{
			Min: least, Max: least + time.Duration(rapid.IntRange(0, 20).Draw(r, "range")),
			Packets: rapid.IntRange(0, 3).Draw(r, "packets"), Bytes: Bytes(rapid.IntRange(0, 300).Draw(r, "bytes")),
		}
	case ECNFault:
		return ECNFault{aProbability(r), aProbability(r), aProbability(r), NotECT, ECN(rapid.IntRange(0, 3).Draw(r, "to"))}
	case Policer:
		rate := rapid.SampledFrom([]BitRate{0, 30 * GbitPerSecond, TbitPerSecond}).Draw(r, "rate")
		return Policer{Rate: rate, Burst: Bytes(rapid.IntRange(1, 1000).Draw(r, "burst"))}
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
		from := time.Duration(rapid.IntRange(0, 100).Draw(r, "from"))
		return Filter{
			Loss:  another(r, e.Loss).(Loss),
			Above: Bytes(rapid.IntRange(0, 300).Draw(r, "above")),
			From:  from,
			Until: from + time.Duration(rapid.IntRange(1, 100).Draw(r, "window")),
		}
	case Duplicate:
		return Duplicate{aProbability(r), aProbability(r)}
	case Corrupt:
		return Corrupt{aProbability(r), aProbability(r)}
	case Reorder:
		delay := time.Duration(rapid.IntRange(0, 50).Draw(r, "delay"))
		return Reorder{delay, aProbability(r), aProbability(r), rapid.IntRange(0, 4).Draw(r, "gap")}
	case MTU:
		return MTU{Size: Bytes(rapid.IntRange(100, 300).Draw(r, "mtu"))}
	}
	panic("an unknown element")
}

func anotherFIFO(r *rapid.T, limit Limit) FIFO {
	mark := rapid.SampledFrom([]Limit{{}, {Packets: 1}, {Bytes: 300}, {Time: 20}}).Draw(r, "mark")
	return FIFO{Limit: limit, HeadDrop: rapid.Bool().Draw(r, "head drop"), Mark: mark}
}

func aProbability(r *rapid.T) float64 {
	return rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(r, "probability")
}

// marker is an element from outside the package's own, which holds every n-th
// packet for a time, marks every packet, and can be broken on purpose.
type marker struct {
	Hold  time.Duration
	Loses bool // keeps packets without saying so
	Twice bool // hands packets on twice
}

func (marker) Kind() string { return "marker" }

func (m marker) Start(env *Env) (Runner, error) { return &markerRunner{env: env, marker: m}, nil }

type markerRunner struct {
	env    *Env
	marker marker
	held   []*Packet
}

func (m *markerRunner) Configure(e Element) (err error) {
	m.marker, err = configured[marker](e)
	return err
}

func (m *markerRunner) Receive(p *Packet) {
	switch {
	case m.marker.Loses:
	case m.marker.Twice:
		m.env.Forward(p)
		m.env.Forward(p)
	case !m.env.Mark(p):
		m.env.Drop(p)
	case m.marker.Hold > 0:
		m.held = append(m.held, p)
		m.env.Clock.At(m.env.Clock.Now()+m.marker.Hold, func() {
			m.held = m.held[1:]
			m.env.Forward(p)
		})
	default:
		m.env.Forward(p)
	}
}

func (m *markerRunner) Held(yield func(*Packet)) {
	for _, p := range m.held {
		yield(p)
	}
}

func TestAPathKeepsOrderAndConservesPackets(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		chain := rapid.SliceOfN(elements, 0, 6).Draw(r, "chain")
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), chain...)
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			b.sendAt(time.Duration(rapid.IntRange(0, 200).Draw(r, "at")), rapid.IntRange(0, 300).Draw(r, "size"))
		}
		if len(chain) > 0 {
			for range rapid.IntRange(0, 10).Draw(r, "changes") {
				b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), another(r, rapid.SampledFrom(chain).Draw(r, "which")))
			}
		}
		for at := range time.Duration(300) {
			b.clock.runUntil(at)
			if err := b.path.check(); err != nil {
				r.Fatal(err)
			}
		}
		b.run()
		if !slices.IsSorted(b.delivered) {
			r.Fatalf("packets arrived in the order %d", b.delivered)
		}
		ids := make([]uint64, 0, len(b.seen))
		for _, s := range b.seen {
			ids = append(ids, s.id)
		}
		slices.Sort(ids)
		for i, id := range ids {
			if id != uint64(i)+1 {
				r.Fatalf("the packets %d have a fate, of %d that were sent", ids, b.sent)
			}
		}
		in, out, dropped := b.path.Totals()
		if uint64(in.Packets) != b.sent || len(ids) != int(b.sent) || int(out.Packets) != len(b.delivered) || in.Packets != out.Packets+dropped.Packets {
			r.Fatalf("in %v, out %v, dropped %v, of %d packets", in, out, dropped, b.sent)
		}
	})
}

func TestEveryElementCounts(t *testing.T) {
	b := newBench(t, 1, MTU{Size: 1028}, Bernoulli{P: 0}, Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Limit: Limit{Packets: 1}}}, Delay{time.Second})
	for _, size := range []int{1000, 1001, 500, 400} {
		b.send(size)
	}
	b.run()
	want := []Counters{
		{Kind: "mtu", In: Count{4, 2901}, Out: Count{3, 1900}, Dropped: Count{1, 1001}},
		{Kind: "loss", In: Count{3, 1900}, Out: Count{3, 1900}},
		{Kind: "queue", In: Count{3, 1900}, Out: Count{2, 1500}, Dropped: Count{1, 400}},
		{Kind: "delay", In: Count{2, 1500}, Out: Count{2, 1500}},
	}
	if got := b.path.Counters(); !slices.Equal(got, want) {
		t.Errorf("counters\n%+v\nwant\n%+v", got, want)
	}
	in, out, dropped := b.path.Totals()
	if in != (Count{4, 2901}) || out != (Count{2, 1500}) || dropped != (Count{2, 1401}) {
		t.Errorf("totals: in %v, out %v, dropped %v", in, out, dropped)
	}
}

func TestCheckFindsAnElementThatDoesNotConserve(t *testing.T) {
	const prefix = "netem: path a.forward does not conserve packets: marker: took in {1 100B}, duplicated {0 0B}, but "
	for want, broken := range map[string]marker{
		prefix + "handed on {0 0B}, dropped {0 0B} and holds {0 0B} (packets, bytes)":   {Loses: true},
		prefix + "handed on {2 200B}, dropped {0 0B} and holds {0 0B} (packets, bytes)": {Twice: true},
	} {
		n := newTestNet(t, 1, nil)
		// The delay keeps what it gets from being released twice.
		n.connect("a", []Element{Bernoulli{}, broken, Delay{time.Hour}}, nil)
		n.connect("b", []Element{Bernoulli{}}, nil)
		conn := n.listen(0, 0)
		n.write(conn, addrOf(2, 9), 100)
		n.write(conn, addrOf(3, 9), 100)
		n.clock.runUntil(1)
		err := n.Check()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: error\n%v\nwant\n%s", broken, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "b.forward") {
			t.Errorf("%+v: the whole path was blamed too: %v", broken, err)
		}
	}
}

func TestHeldPacketsAreListedOldestFirst(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond}, Delay{1500 * time.Microsecond})
	for range 5 {
		b.send(1000) // departs a millisecond after the one before, and arrives 1.5 later
	}
	b.clock.runUntil(3 * time.Millisecond)
	var held [2][]uint64
	for i, stage := range b.path.stages {
		stage.runner.Held(func(p *Packet) { held[i] = append(held[i], p.ID) })
	}
	if !slices.Equal(held[0], []uint64{4, 5}) || !slices.Equal(held[1], []uint64{2, 3}) {
		t.Errorf("the queue holds %d, want 4 in transmission and 5; the delay holds %d, want 2 and 3", held[0], held[1])
	}
}

func TestStopReportsWhatIsInTransit(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("a", []Element{Rate{Rate: 8 * MbitPerSecond}, Delay{1500 * time.Microsecond}}, nil)
	conn := n.listen(0, 0)
	for range 5 {
		n.write(conn, addrOf(2, 9), 1000)
	}
	n.clock.runUntil(3 * time.Millisecond)
	n.Stop()
	const now = 3 * time.Millisecond
	want := []sighting{
		{id: 1, size: 1000, at: 2500 * time.Microsecond, fate: Delivered},
		{id: 4, size: 1000, at: now, wait: now, fate: InTransit},
		{id: 5, size: 1000, at: now, fate: InTransit}, // still waits
		{id: 2, size: 1000, at: now, wait: time.Millisecond, fate: InTransit},
		{id: 3, size: 1000, at: now, wait: 2 * time.Millisecond, fate: InTransit},
	}
	if got := n.seen["a.forward"]; !slices.Equal(got, want) {
		t.Errorf("outcomes\n%+v\nwant\n%+v", got, want)
	}
	if err := n.Check(); err != nil {
		t.Error(err)
	}
}

func TestOnlyCapablePacketsAreMarked(t *testing.T) {
	for ecn, want := range map[ECN]sighting{
		NotECT: {ecn: NotECT, fate: Dropped, cause: "marker"},
		ECT0:   {ecn: CE},
		ECT1:   {ecn: CE},
		CE:     {ecn: CE},
	} {
		b := newBench(t, 1, marker{})
		p := newPacket(addrOf(1, 1), addrOf(2, 2), nil, ecn)
		b.path.Send(p)
		b.run()
		if b.seen[0] != want {
			t.Errorf("ECN %d: %+v, want %+v", ecn, b.seen[0], want)
		}
		marked := int64(0)
		if ecn == ECT0 || ecn == ECT1 {
			marked = 1
		}
		if got := b.path.Counters()[0].Marked.Packets; got != marked {
			t.Errorf("ECN %d: %d packets marked, want %d", ecn, got, marked)
		}
	}
}

// impostor has the kind of an element, but not its type.
type impostor struct{ marker }

func (impostor) Kind() string { return "delay" }

func TestConfigureRefusesWhatThePathDoesNotHave(t *testing.T) {
	b := newBench(t, 1, Delay{1})
	for want, e := range map[string]Element{
		"netem: path path has no element of kind loss":                                  Bernoulli{},
		"netem: path path: delay: a running netem.Delay cannot become a netem.impostor": impostor{},
	} {
		if err := b.path.Configure(e); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestConfigureChangesTheFirstElementOfItsKind(t *testing.T) {
	b := newBench(t, 1, Delay{10}, Delay{100})
	if err := b.path.Configure(Delay{20}); err != nil {
		t.Fatal(err)
	}
	b.send(1)
	b.run()
	if got := b.departures(); got[0] != 120 {
		t.Errorf("the packet took %d, want 120", got[0])
	}
}
