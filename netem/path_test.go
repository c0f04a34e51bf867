package netem

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

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
				b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), aChange(r, chain))
			}
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
	const prefix = "netem: path a.forward: marker does not conserve packets: it took in {1 100B}, duplicated {0 0B}, but "
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
