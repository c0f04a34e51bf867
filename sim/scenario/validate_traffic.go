package scenario

import (
	"strconv"

	"github.com/wtsim/wtsim/netem"
)

// maxTraffic is the largest number of sources of a scenario.
const maxTraffic = 10_000

// leastPayload is what a packet of traffic carries: a sequence number and the
// time at which it was sent.
const leastPayload = 12

func (c *checker) checkTraffic() error {
	total := 0
	names := map[string]*Traffic{}
	for i := range c.Traffic {
		t := &c.Traffic[i]
		path := func(keys ...string) []string { return append([]string{"traffic", t.Name}, keys...) }
		if total += t.Count * max(len(c.hostsNamed(t.From)), 1); total > maxTraffic {
			return c.fail(path("count"), "makes %d sources in all; expected at most %d", total, maxTraffic)
		}
		if err := c.checkSource(t, path); err != nil {
			return err
		}
		for _, in := range c.TrafficOf(t) {
			if other := names[in.Name]; other != nil {
				return c.fail(path(), "traffic %q is also made by traffic.%s, which is a group; expected different names", in.Name, other.Name)
			}
			names[in.Name] = t
		}
	}
	return nil
}

func (c *checker) checkSource(t *Traffic, path func(...string) []string) error {
	if err := c.checkHost(t.From, path("from")...); err != nil {
		return err
	}
	if err := c.checkHost(t.To, path("to")...); err != nil {
		return err
	}
	mtu, err := c.checkTrafficWays(t, path)
	if err != nil {
		return err
	}
	if c.has(path("size")...) && c.has(path("mix")...) {
		return c.fail(path("size"), "set, and mix is too; expected one of them")
	}
	if err := c.checkTime(t.Start, path("start")...); err != nil {
		return err
	}
	if t.Stop > 0 && t.Stop <= t.Start {
		return c.fail(path("stop"), "%s is not after the start; expected more than %s", t.Stop, t.Start)
	}
	if len(c.Sessions) == 0 && t.Stop == 0 {
		return c.fail(path("stop"), "missing; expected a time at which the run can end, because the scenario has no sessions")
	}
	if o, ok := t.Config.(*OnOff); ok {
		switch {
		case o.Distribution == "pareto" && o.Shape == 0:
			return c.fail(path("shape"), "missing; expected the shape of the Pareto distribution, such as 1.5")
		case o.Distribution != "pareto" && o.Shape != 0:
			return c.fail(path("shape"), "set, but the distribution is %s; expected distribution = \"pareto\"", o.Distribution)
		}
	}
	if err := c.checkSizes(t, mtu, path); err != nil {
		return err
	}
	return c.checkTrafficChanges(t, path)
}

// checkTrafficWays checks that the packets get to where they go, and returns the
// least MTU on their way.
func (c *checker) checkTrafficWays(t *Traffic, path func(...string) []string) (mtu netem.Bytes, err error) {
	for _, in := range c.TrafficOf(t) {
		if in.From == in.To {
			return 0, c.fail(path("to"), "%q is the sender too; expected another host", in.To)
		}
		way, err := c.checkOpenWay(in.From, in.To, path())
		if err != nil {
			return 0, err
		}
		for _, e := range way {
			if m := e.link.Link.direction(e.direction).MTU.Size; mtu == 0 || m < mtu {
				mtu = m
			}
		}
	}
	return mtu, nil
}

// checkSizes checks that packets have room for what they carry, and fit into the
// MTU of the links.
func (c *checker) checkSizes(t *Traffic, mtu netem.Bytes, path func(...string) []string) error {
	for i, s := range t.sizes() {
		where := path("size")
		switch {
		case t.Mix.Name != "":
			where = path("mix")
		case len(t.Mix.Shares) > 0:
			where = path("mix", strconv.Itoa(i), "size")
		}
		if least := t.Overhead + leastPayload; s.Size < least {
			return c.fail(where, "packets of %s have no room for %s of overhead and %s of payload; expected at least %s", s.Size, t.Overhead, netem.Bytes(leastPayload), least)
		}
		if most := mtu - ipUDPHeaders + t.Overhead; s.Size > most {
			return c.fail(where, "packets of %s do not fit into the MTU of the links, %s; expected at most %s", s.Size, mtu, most)
		}
	}
	return nil
}

func (c *checker) checkTrafficChanges(t *Traffic, path func(...string) []string) error {
	for i := range t.Changes {
		ch := &t.Changes[i]
		at := path("changes", strconv.Itoa(i), "at")
		if err := c.checkTime(ch.At, at...); err != nil {
			return err
		}
		switch {
		case ch.At < t.Start:
			return c.fail(at, "%s is before the start; expected at least %s", ch.At, t.Start)
		case t.Stop > 0 && ch.At >= t.Stop:
			return c.fail(at, "%s is not before the stop; expected less than %s", ch.At, t.Stop)
		case ch.Over > 0 && ch.Over/ch.Step > maxSteps:
			return c.fail(path("changes", strconv.Itoa(i), "step"), "makes more than %d steps; expected at least %s", maxSteps, ch.Over/maxSteps)
		}
		if i == 0 {
			continue
		}
		before := &t.Changes[i-1]
		if done := before.At + before.Over; ch.At < done || ch.At == before.At {
			return c.fail(at, "%s is before changes.%d is done, at %s; expected changes in the order of their times, one at a time", ch.At, i-1, done)
		}
	}
	return nil
}
