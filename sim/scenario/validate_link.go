package scenario

import (
	"strconv"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func (c *checker) checkLink(l *Link) error {
	between := []string{"links", l.Name, "between"}
	for _, host := range l.Between {
		if err := c.checkHost(host, between...); err != nil {
			return err
		}
	}
	if l.Between[0] == l.Between[1] {
		return c.fail(between, "joins %q to itself; expected two hosts", l.Between[0])
	}
	if other := c.links[l.Between]; other != nil {
		return c.fail(between, "links.%s joins %s and %s already; expected one link between two hosts", other.Name, l.Between[0], l.Between[1])
	}
	c.links[l.Between], c.links[[2]string{l.Between[1], l.Between[0]}] = l, l

	for _, d := range []string{"forward", "reverse"} {
		if err := c.checkQueue(l, d); err != nil {
			return err
		}
	}
	return c.checkChanges(l)
}

// direction returns the configuration of a direction at the start.
func (l *Link) direction(name string) *LinkDirection {
	if name == "reverse" {
		return &l.Reverse
	}
	return &l.Forward
}

// path returns where the value of a direction's parameter is written: in
// [links.NAME.reverse] or among the link's own keys.
func (c *checker) path(l *Link, direction string, key ...string) []string {
	if direction == "reverse" {
		path := append([]string{"links", l.Name, "reverse"}, key...)
		if n, found := c.find(path); found || n.kind != tableNode { // a short form is no table
			return path
		}
	}
	return append([]string{"links", l.Name}, key...)
}

// checkQueue checks that a queue limit in BDP is an amount that makes sense.
func (c *checker) checkQueue(l *Link, direction string) error {
	d := l.direction(direction)
	if d.Queue.Limit.BDP == 0 {
		return nil
	}
	path := c.path(l, direction, "queue", "limit")
	for i, change := range l.Changes {
		if d.Rate == 0 && change.Rate != nil && *change.Rate > 0 && change.applies(direction) {
			return c.fail(path, "%s has no value on a link without a rate, but changes.%d sets one; expected a size such as \"64KB\"", d.Queue.Limit, i)
		}
	}
	return c.checkBDP(l, direction, d.Queue.Limit, path)
}

func (c *checker) checkBDP(l *Link, direction string, limit netem.Limit, path []string) error {
	d := l.direction(direction)
	if bytes := limit.BDP.Bytes(d.Rate, l.Forward.Delay+l.Reverse.Delay); limit.BDP > 0 && d.Rate > 0 && bytes < d.MTU.Size {
		return c.fail(path, "%s is %s in the %s direction, less than a packet of %s; expected more, such as \"64KB\"", limit, bytes, direction, d.MTU.Size)
	}
	return nil
}

// applies reports whether a change concerns a direction.
func (ch *Change) applies(direction string) bool {
	return ch.Direction == "both" || ch.Direction == direction
}

// parameters returns the keys of what a change sets.
func (ch *Change) parameters() []string {
	var keys []string
	for _, p := range []struct {
		key string
		set bool
	}{
		{"rate", ch.Rate != nil}, {"overhead", ch.Overhead != nil}, {"delay", ch.Delay != nil},
		{"mtu", ch.MTU != nil}, {"queue", ch.Queue != nil}, {"loss", ch.Loss != nil},
	} {
		if p.set {
			keys = append(keys, p.key)
		}
	}
	return keys
}

func (c *checker) checkChanges(l *Link) error {
	type slot struct {
		at             time.Duration
		direction, key string
	}
	taken := map[slot]int{}
	for i := range l.Changes {
		ch := &l.Changes[i]
		path := []string{"links", l.Name, "changes", strconv.Itoa(i)}
		if err := c.checkTime(ch.At, append(path, "at")...); err != nil {
			return err
		}
		keys := ch.parameters()
		if len(keys) == 0 {
			return c.fail(path, "changes nothing; expected one of rate, overhead, delay, mtu, queue, loss")
		}
		for _, direction := range []string{"forward", "reverse"} {
			if !ch.applies(direction) {
				continue
			}
			for _, key := range keys {
				other, twice := taken[slot{ch.At, direction, key}]
				if twice {
					return c.fail(append(path, key), "changes.%d sets the %s of the %s direction at %s already; expected it once", other, key, direction, ch.At)
				}
				taken[slot{ch.At, direction, key}] = i
			}
			if ch.Queue == nil {
				continue
			}
			limit := append(path, "queue", "limit")
			if l.direction(direction).Rate == 0 && ch.Queue.Limit.BDP > 0 {
				return c.fail(limit, "%s has no value on a link that starts without a rate; expected a size such as \"64KB\"", ch.Queue.Limit)
			}
			if err := c.checkBDP(l, direction, ch.Queue.Limit, limit); err != nil {
				return err
			}
		}
	}
	return nil
}
