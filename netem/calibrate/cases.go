package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// link is one direction of a path. What its fields say is done by the kernel's
// queueing disciplines, one inside the other, and by elements of netem in the
// same order.
type link struct {
	Netem string // options of netem, as tc takes them; empty for none

	Rate    netem.BitRate // tbf; 0 for none
	Burst   netem.Bytes   // tbf
	Limit   netem.Bytes   // tbf's own queue
	FQCoDel bool          // in place of that queue, with the defaults of Linux
}

// testCase is a path: down carries the transfer, up its acknowledgements.
type testCase struct {
	Name      string
	Down      link
	Up        link
	Tolerance tolerance
}

// Ethernet is counted by the kernel but not on links of netem, where it
// makes 42 bytes with the headers of IP and UDP.
const (
	overhead   = netem.HeaderIPv4 + 14
	packetWire = 1280 + overhead // a full packet of QUIC
)

// shaped is a direction with a token bucket and room for some packets.
func shaped(rate netem.BitRate, packets netem.Bytes) link {
	// The kernel's timers are late now and then. What the bucket holds is how
	// late they may be without a loss of capacity: here 2 ms or more.
	burst := max(10*packetWire, netem.Bytes(rate/8/500))
	return link{Rate: rate, Burst: burst, Limit: packets * packetWire}
}

func behind(options string, l link) link {
	l.Netem = options
	return l
}

func fqCoDel(l link) link {
	l.Limit, l.FQCoDel = 0, true
	return l
}

var cases = func() []testCase {
	const M = netem.MbitPerSecond
	// Large queues are some ten times larger than the path needs, but small
	// enough that the window sees their sawtooth several times.
	large, slow := shaped(20*M, 100), shaped(5*M, 50)
	// What netem alone can do is slow enough for a kernel in user space, and
	// its own queue is not meant to fill.
	const half = "limit 100000 delay 40ms"
	both := func(name string, l link) testCase { return testCase{name, l, l, exact} }
	down := func(name, options string, t tolerance) testCase {
		return testCase{name, behind(half+" "+options, slow), behind(half, slow), t}
	}
	return []testCase{
		both("rate-5", slow),
		both("rate-20", large),
		both("rate-100", shaped(100*M, 250)),
		both("queue-25", shaped(20*M, 25)),
		both("queue-10", shaped(20*M, 10)),
		both("queue-5", shaped(20*M, 5)),
		{"asymmetric", large, shaped(1*M, 100), exact},
		both("delay", behind(half, slow)),
		both("delay-queue-10", behind(half, shaped(5*M, 10))),
		both("netem-rate", link{Netem: "limit 100 delay 40ms rate 5mbit"}),
		down("loss", "loss random 1%", random),
		down("gilbert-elliott", "loss gemodel 0.5% 30%", random),
		down("duplicate", "duplicate 5%", exact),
		both("fq_codel", fqCoDel(behind(half, slow))),
	}
}()

// period returns when the case is measured. Random losses need time: with some
// hundred of them, a tenth more or less is chance.
func (c testCase) period(window time.Duration) period {
	p := period{Settle: 2 * time.Second, Window: window}
	if c.Tolerance == random {
		p.Window *= 6
	}
	return p
}

// chooseCases returns the cases of some names, all if there are none.
func chooseCases(names []string) ([]testCase, error) {
	if len(names) == 0 {
		return cases, nil
	}
	var chosen []testCase
	for _, name := range names {
		i := slices.IndexFunc(cases, func(c testCase) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no case %q; cases: %s", name, strings.Join(caseNames(), ", "))
		}
		chosen = append(chosen, cases[i])
	}
	return chosen, nil
}

func caseNames() []string {
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
	}
	return names
}

// String describes a path in words, the other direction where it differs.
func (c testCase) String() string {
	if c.Up == c.Down {
		return c.Down.String()
	}
	return c.Down.String() + "; up " + c.Up.String()
}

func (l link) String() string {
	var words []string
	if l.Netem != "" {
		words = append(words, "netem "+strings.TrimPrefix(l.Netem, "limit 100000 "))
	}
	if l.Rate > 0 {
		words = append(words, l.Rate.String())
	}
	switch {
	case l.FQCoDel:
		words = append(words, "fq_codel")
	case l.Limit > 0:
		words = append(words, fmt.Sprintf("queue of %d packets", l.Limit/packetWire))
	}
	return strings.Join(words, ", ")
}

// elements returns the path's direction in the simulator.
func (l link) elements() ([]netem.Element, error) {
	var e []netem.Element
	if l.Netem != "" {
		n, err := netem.ParseNetem(l.Netem, nil)
		if err != nil {
			return nil, err
		}
		e = append(e, n)
	}
	if l.Rate == 0 {
		return e, nil
	}
	rate := netem.Rate{Rate: l.Rate, Burst: l.Burst, Overhead: overhead, Queue: netem.FIFO{Limit: netem.Limit{Bytes: l.Limit}}}
	if l.FQCoDel {
		rate.Queue = netem.FQCoDel{}
	}
	return append(e, rate), nil
}

// qdisc is a queueing discipline with its options, as tc takes them.
type qdisc []string

func (q qdisc) kind() string { return q[0] }

// qdiscs returns the path's direction in the kernel, each within the one
// before.
func (l link) qdiscs() []qdisc {
	var q []qdisc
	if l.Netem != "" {
		q = append(q, append(qdisc{"netem"}, strings.Fields(l.Netem)...))
	}
	limit := l.Limit
	if l.FQCoDel {
		limit = l.Burst // tbf wants one, even if the discipline within it has its own
	}
	if l.Rate > 0 {
		q = append(q, qdisc{"tbf", "rate", fmt.Sprintf("%dbit", l.Rate), "burst", fmt.Sprint(int64(l.Burst)), "limit", fmt.Sprint(int64(limit))})
	}
	if l.FQCoDel {
		q = append(q, qdisc{"fq_codel"})
	}
	return q
}
