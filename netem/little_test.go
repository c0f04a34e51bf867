package netem

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// forgetful holds each packet for a while, and then hands on the one that came
// first in place of any other.
type forgetful struct{ Hold time.Duration }

func (forgetful) Kind() string { return "forgetful" }

func (f forgetful) Start(env *Env) (Runner, error) {
	return &forgetfulRunner{env: env, hold: f.Hold}, nil
}

type forgetfulRunner struct {
	env   *Env
	hold  time.Duration
	first *Packet
	held  int
}

func (f *forgetfulRunner) Configure(Element) error { return nil }

func (f *forgetfulRunner) Receive(p *Packet) {
	if f.first == nil {
		f.first = p
	}
	f.held++
	f.env.Clock.At(f.env.Clock.Now()+f.hold, func() {
		f.held--
		f.env.Forward(f.first)
	})
}

func (f *forgetfulRunner) Held(yield func(*Packet)) {
	for range f.held {
		yield(f.first)
	}
}

// Packets of one size come and go in the right numbers, but not the right ones.
func TestLittlesLawFindsWhatConservationDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		until time.Duration
		want  string
	}{
		"while it holds packets": {12, "its number of packets over time comes to 19ns, but they spent 34ns in it"}, // 10 + 7 + 2, 10 + 2·12
		"when all have left":     {99, "its number of packets over time comes to 30ns, but they spent 45ns in it"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &testClock{}
			n := NewNetwork(clock, 1, nil)
			a, err := n.AddHost("a")
			if err != nil {
				t.Fatal(err)
			}
			b, err := n.AddHost("b")
			if err != nil {
				t.Fatal(err)
			}
			link, err := n.Connect("link", a, b, []Element{MTU{}, forgetful{10}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			link.Forward.deliver = func(*Packet) {} // lest it be released more than once
			for i := range time.Duration(3) {
				clock.At(5*i, func() { link.Forward.Send(newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:100], NotECT)) })
			}
			clock.runUntil(c.until)
			want := "netem: path link.forward: forgetful breaks Little's law: " + c.want
			if err := n.Check(); err == nil || err.Error() != want {
				t.Errorf("error\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestLittlesLawHoldsBeyondTheRangeOfTheSums(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var l little
		var held []*Packet
		now := time.Duration(0)
		for range rapid.IntRange(1, 50).Draw(r, "steps") {
			now += time.Duration(rapid.Int64Range(0, 1<<56).Draw(r, "pause"))
			if len(held) > 0 && rapid.Bool().Draw(r, "leaves") {
				i := rapid.IntRange(0, len(held)-1).Draw(r, "which")
				l.leave(held[i], now)
				held = append(held[:i], held[i+1:]...)
			} else {
				p := &Packet{}
				l.enter(p, now)
				held = append(held, p)
			}
		}
		list := func(yield func(*Packet)) {
			for _, p := range held {
				yield(p)
			}
		}
		if err := l.check(now, int64(len(held)), list); err != nil {
			r.Fatal(err)
		}
		l.sojourns++
		if l.check(now, int64(len(held)), list) == nil {
			r.Fatal("a nanosecond was not missed")
		}
	})
}
