package scenario

import "github.com/wtsim/wtsim/netem"

func (c *checker) checkLink(l *Link) error {
	for _, d := range directions { // of both, before a BDP is asked for
		if err := c.loadTrace(l.direction(d), func(key ...string) []string { return c.path(l, d, key...) }); err != nil {
			return err
		}
	}
	for _, d := range directions {
		if err := c.checkDirection(l, l.direction(d), func(key ...string) []string { return c.path(l, d, key...) }, d); err != nil {
			return err
		}
	}
	if err := c.checkChanges(l); err != nil {
		return err
	}
	for _, d := range directions {
		if err := c.rehearse(l, d); err != nil {
			return err
		}
	}
	return c.checkOutages(l)
}

// directions are the names of a link's directions.
var directions = []string{"forward", "reverse"}

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

// checkDirection checks the configuration that one direction of a link has at
// the start or after a change. The function returns where a key is written.
func (c *checker) checkDirection(l *Link, d *LinkDirection, path func(key ...string) []string, direction string) error {
	for _, q := range d.Queue.Config.limits() {
		if err := c.checkLimit(l, q, path("queue", q.key), direction); err != nil {
			return err
		}
	}
	if r, ok := d.Queue.Config.(*RED); ok {
		if err := c.checkRED(r, path); err != nil {
			return err
		}
	}
	if d.Loss.Until > 0 && d.Loss.Until <= d.Loss.From {
		return c.fail(path("loss", "until"), "%s is not after the beginning; expected more than loss.from, %s", d.Loss.Until, d.Loss.From)
	}
	if m, ok := d.Loss.Config.(*Markov); ok {
		switch {
		case m.P13+m.P14 > 1:
			return c.fail(path("loss", "p14"), "p13 and p14 are %g and %g; expected at most 1 together", m.P13, m.P14)
		case m.P31+m.P32 > 1:
			return c.fail(path("loss", "p32"), "p31 and p32 are %g and %g; expected at most 1 together", m.P31, m.P32)
		}
	}
	if d.Slot.Max > 0 && d.Slot.Max < d.Slot.Min {
		return c.fail(path("slot", "max"), "%s is less than slot.min, %s; expected at least that", d.Slot.Max, d.Slot.Min)
	}
	if err := c.loadNetem(d, path("netem")); err != nil {
		return err
	}
	return c.loadDistribution(d, path("jitter", "distribution"))
}

// checkRED checks that the thresholds of a RED queue are in order.
func (c *checker) checkRED(r *RED, path func(key ...string) []string) error {
	limit := r.Limit.Bytes
	if limit == 0 { // in BDP: the path is not known here
		return nil
	}
	most := r.Max
	switch {
	case most > 0:
	case r.Min > 0:
		most = 3 * r.Min
	default:
		most = limit / 4
	}
	switch {
	case most > limit && r.Max == 0:
		return c.fail(path("queue", "min"), "%s makes max %s, above the limit, %s; expected at most a third of that, or a max", r.Min, most, limit)
	case most > limit:
		return c.fail(path("queue", "max"), "%s is above the limit, %s; expected at most that", r.Max, limit)
	case r.Min >= most:
		return c.fail(path("queue", "min"), "%s is not below max, %s; expected less", r.Min, most)
	}
	return nil
}

// checkLimit checks that a queue limit is an amount that makes sense.
func (c *checker) checkLimit(l *Link, q queueLimit, path []string, direction string) error {
	limit, mtu := q.limit, l.direction(direction).MTU.Size
	rate, roundTrip := l.bandwidthDelay(direction)
	switch {
	case q.measure == "packets" && limit.Packets == 0:
		return c.fail(path, "%s is no number of packets; expected one such as \"1000packets\"", limit)
	case q.measure == "bytes" && limit.Bytes == 0 && limit.BDP == 0:
		return c.fail(path, "%s is no number of bytes; expected one such as \"64KB\", or a multiple of the BDP", limit)
	case q.measure == "time" && limit.Time == 0 && limit.Packets == 0:
		return c.fail(path, "%s is neither a time nor a number of packets; expected one such as \"1ms\" or \"5packets\"", limit)
	case limit.BDP == 0:
		return nil
	case rate == 0 && l.queues(direction):
		return c.fail(path, "%s has no value on a link that starts without a rate; expected a size such as \"64KB\"", limit)
	}
	if bytes := limit.BDP.Bytes(rate, roundTrip); rate > 0 && bytes < mtu {
		return c.fail(path, "%s is %s in the %s direction, less than a packet of %s; expected more, such as \"64KB\"", limit, bytes, direction, mtu)
	}
	return nil
}

// queues reports whether a direction without a rate gets one later,
// or is held during an outage, so that its queue matters.
func (l *Link) queues(direction string) bool {
	for i := range l.Changes {
		if ch := &l.Changes[i]; ch.Applies(direction) && ch.direction(direction).Rate > 0 {
			return true
		}
	}
	for i := range l.Outages {
		if o := &l.Outages[i]; o.Applies(direction) && o.Packets == "hold" {
			return true
		}
	}
	return false
}

// loadDistribution reads the table of a distribution, if it is one of a file.
func (c *checker) loadDistribution(d *LinkDirection, path []string) error {
	file := d.Jitter.Distribution.file()
	if file == "" {
		return nil
	}
	table, err := c.loadTable(file, path)
	d.Jitter.Distribution.table = table
	return err
}

// loadTable reads a distribution from a file.
func (c *checker) loadTable(file string, path []string) (*netem.Distribution, error) {
	if table := c.tables[file]; table != nil {
		return table, nil
	}
	data, err := c.readFile(file, path)
	if err != nil {
		return nil, err
	}
	table, err := netem.ParseDistribution(string(data))
	if err != nil {
		return nil, c.fail(path, "%s: %v", file, err)
	}
	c.tables[file] = table
	return table, nil
}
