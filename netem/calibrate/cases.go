package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// link is one direction of a path. What its fields say is done by the kernel's
// queueing disciplines, one inside the other, and by elements of netem in the
// same order.
type link struct {
	Delay time.Duration // netem
	Loss  netem.Loss    // netem: Bernoulli or GilbertElliott, nil for none

	Rate    netem.BitRate // tbf
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

func delayed(l link, delay time.Duration, loss netem.Loss) link {
	l.Delay, l.Loss = delay, loss
	return l
}

func fqCoDel(l link) link {
	l.Limit, l.FQCoDel = 0, true
	return l
}

var cases = func() []testCase {
	const (
		M    = netem.MbitPerSecond
		half = 20 * time.Millisecond
	)
	both := func(name string, l link) testCase { return testCase{name, l, l, exact} }
	// Large queues are some ten times larger than the path needs, but small
	// enough that the window sees their sawtooth several times.
	const large = 100
	return []testCase{
		both("rate-5", shaped(5*M, 50)),
		both("rate-20", shaped(20*M, large)),
		both("rate-100", shaped(100*M, 250)),
		both("queue-25", shaped(20*M, 25)),
		both("queue-10", shaped(20*M, 10)),
		both("queue-5", shaped(20*M, 5)),
		{"asymmetric", shaped(20*M, large), shaped(1*M, large), exact},
		both("delay", delayed(shaped(20*M, large), half, nil)),
		both("delay-small-queue", delayed(shaped(20*M, 15), half, nil)),
		{"loss", delayed(shaped(20*M, large), half, netem.Bernoulli{P: 0.01}), delayed(shaped(20*M, large), half, nil), random},
		{"gilbert-elliott", delayed(shaped(20*M, large), half, netem.GilbertElliott{P: 0.005, R: 0.3, Bad: 1}), delayed(shaped(20*M, large), half, nil), random},
		both("fq_codel", fqCoDel(delayed(shaped(20*M, large), half, nil))),
	}
}()

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
	if c.Up == c.Down || c.Up == delayed(c.Down, c.Up.Delay, nil) {
		return c.Down.String()
	}
	return c.Down.String() + "; up " + c.Up.String()
}

func (l link) String() string {
	words := []string{l.Rate.String()}
	if l.Delay > 0 {
		words = append(words, l.Delay.String())
	}
	switch loss := l.Loss.(type) {
	case netem.Bernoulli:
		words = append(words, fmt.Sprintf("%v %% loss", 100*loss.P))
	case netem.GilbertElliott:
		words = append(words, fmt.Sprintf("%.1f %% loss in bursts of %.1f", 100*loss.P/(loss.P+loss.R), 1/loss.R))
	}
	if l.FQCoDel {
		return strings.Join(append(words, "fq_codel"), ", ")
	}
	return strings.Join(append(words, fmt.Sprintf("queue of %d packets", l.Limit/packetWire)), ", ")
}

// elements returns the path's direction in the simulator.
func (l link) elements() []netem.Element {
	var e []netem.Element
	if l.Loss != nil {
		e = append(e, l.Loss)
	}
	e = append(e, netem.Delay{Delay: l.Delay})
	rate := netem.Rate{Rate: l.Rate, Burst: l.Burst, Overhead: overhead, Queue: netem.FIFO{Limit: netem.Limit{Bytes: l.Limit}}}
	if l.FQCoDel {
		rate.Queue = netem.FQCoDel{}
	}
	return append(e, rate)
}

// qdisc is a queueing discipline with its options, as tc takes them.
type qdisc []string

func (q qdisc) kind() string { return q[0] }

// qdiscs returns the path's direction in the kernel, each within the one
// before.
func (l link) qdiscs() []qdisc {
	var q []qdisc
	if l.Delay > 0 || l.Loss != nil {
		q = append(q, append(qdisc{"netem", "limit", "100000", "delay", strconv.FormatInt(l.Delay.Microseconds(), 10) + "us"}, lossOptions(l.Loss)...))
	}
	limit := l.Limit
	if l.FQCoDel {
		limit = l.Burst // tbf wants one, even if the discipline within it has its own
	}
	q = append(q, qdisc{"tbf", "rate", fmt.Sprintf("%dbit", l.Rate), "burst", fmt.Sprint(int64(l.Burst)), "limit", fmt.Sprint(int64(limit))})
	if l.FQCoDel {
		q = append(q, qdisc{"fq_codel"})
	}
	return q
}

// lossOptions returns netem's options for a loss (tc-netem(8)).
func lossOptions(loss netem.Loss) []string {
	percent := func(p float64) string { return strconv.FormatFloat(100*p, 'g', 6, 64) + "%" }
	switch l := loss.(type) {
	case nil:
		return nil
	case netem.Bernoulli:
		return []string{"loss", "random", percent(l.P)}
	case netem.GilbertElliott:
		return []string{"loss", "gemodel", percent(l.P), percent(l.R), percent(l.Bad), percent(l.Good)}
	}
	panic(fmt.Sprintf("%T is not one of netem's losses", loss))
}
