package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func (c *checker) checkSession(s *Session) error {
	path := func(keys ...string) []string { return append([]string{"sessions", s.Name}, keys...) }
	if err := c.checkHost(s.Client, path("client")...); err != nil {
		return err
	}
	if err := c.checkHost(s.Server, path("server")...); err != nil {
		return err
	}
	there, back, err := c.checkWays(s)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.Path, "/") || strings.ContainsFunc(s.Path, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return c.fail(path("path"), "%q is not a path; expected one such as \"/demo\", in printable ASCII without spaces", s.Path)
	}
	if s.Connection != "" && !validName.MatchString(s.Connection) {
		return c.fail(path("connection"), "%q is not a name; expected letters, digits, - and _", s.Connection)
	}
	last, err := c.checkArrivals(s)
	if err != nil {
		return err
	}
	if c.has(path("close", "at")...) {
		if err := c.checkTime(s.Close.At, path("close", "at")...); err != nil {
			return err
		}
		if s.Close.At <= last {
			return c.fail(path("close", "at"), "%s is not after the session's start; expected more than %s", s.Close.At, last)
		}
	}
	if err := c.checkDrain(s, last, path("drain", "at")); err != nil {
		return err
	}
	if len(s.Close.Reason) > maxReason {
		return c.fail(path("close", "reason"), "has %d bytes; expected at most %d", len(s.Close.Reason), maxReason)
	}
	if err := c.checkMigrations(s, last); err != nil {
		return err
	}
	if err := c.checkQUIC(s, there, back); err != nil {
		return err
	}
	for i := range s.Flows {
		if err := c.checkFlow(s, &s.Flows[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkDrain checks that a session, whose last start is given, drains while it lasts.
func (c *checker) checkDrain(s *Session, last time.Duration, at []string) error {
	if !c.has(at...) {
		return nil
	}
	if err := c.checkTime(s.Drain.At, at...); err != nil {
		return err
	}
	switch {
	case s.Drain.At <= last:
		return c.fail(at, "%s is not after the session's start; expected more than %s", s.Drain.At, last)
	case s.Close.At > 0 && s.Drain.At >= s.Close.At:
		return c.fail(at, "%s is not before the session's close; expected less than %s", s.Drain.At, s.Close.At)
	}
	return nil
}

// checkWays checks that the clients and servers of a session reach each other. It
// returns the links that the datagrams of each take.
func (c *checker) checkWays(s *Session) (there, back []edge, err error) {
	path := []string{"sessions", s.Name}
	checked := map[[2]string]bool{}
	for _, in := range c.InstancesOf(s) {
		pair := [2]string{in.Client, in.Server}
		if checked[pair] {
			continue
		}
		checked[pair] = true
		if in.Client == in.Server {
			return nil, nil, c.fail(append(path, "server"), "%q is the client too; expected another host", in.Server)
		}
		way, err := c.checkOpenWay(in.Client, in.Server, path)
		if err != nil {
			return nil, nil, err
		}
		there = append(there, way...)
		if way, err = c.checkWay(in.Server, in.Client, path); err != nil {
			return nil, nil, err
		}
		back = append(back, way...)
	}
	return there, back, nil
}

// checkMigrations checks where the client of a session moves to.
func (c *checker) checkMigrations(s *Session, last time.Duration) error {
	for i, m := range s.Migrations {
		path := func(key string) []string { return []string{"sessions", s.Name, "migrations", strconv.Itoa(i), key} }
		if err := c.checkTime(m.At, path("at")...); err != nil {
			return err
		}
		if m.At <= last {
			return c.fail(path("at"), "%s is not after the session's start; expected more than %s", m.At, last)
		}
		for _, client := range c.hostsNamed(s.Client) {
			if !slices.ContainsFunc(c.graph.nodes[client].edges, func(e edge) bool { return e.isNamed(m.Link) }) {
				return c.fail(path("link"), "%q is no link of %s%s", m.Link, client, suggest(m.Link, c.graph.linksOf(client)))
			}
		}
	}
	return nil
}

// quicPath returns where a QUIC parameter of one end of a session is written.
func (c *checker) quicPath(s *Session, host, key string) []string {
	for _, path := range [][]string{{"sessions", s.Name, "quic", key}, {"hosts", host, "quic", key}} {
		if c.has(path...) {
			return path
		}
	}
	return []string{"quic", key}
}

// checkQUIC checks the parameters of both ends together with the links that their
// datagrams take.
func (c *checker) checkQUIC(s *Session, there, back []edge) error {
	for _, host := range []string{s.Client, s.Server} {
		q := c.QUICFor(s, host)
		for _, w := range []struct {
			kind         string
			initial, max netem.Bytes
		}{
			{"stream", q.InitialStreamWindow, q.MaxStreamWindow},
			{"connection", q.InitialConnectionWindow, q.MaxConnectionWindow},
			{"session", q.InitialSessionWindow, q.MaxSessionWindow},
		} {
			if w.initial > w.max {
				path := c.quicPath(s, host, "initial_"+w.kind+"_window")
				if !c.has(path...) {
					path = c.quicPath(s, host, "max_"+w.kind+"_window")
				}
				return c.fail(path, "initial_%s_window is %s and max_%s_window %s at host %s; expected the first to be at most the second", w.kind, w.initial, w.kind, w.max, host)
			}
		}
	}
	for _, e := range there {
		if err := c.checkPacketSize(s, s.Client, e); err != nil {
			return err
		}
	}
	for _, e := range back {
		if err := c.checkPacketSize(s, s.Server, e); err != nil {
			return err
		}
	}
	return nil
}

// checkPacketSize checks that the packets of a host fit into a link.
func (c *checker) checkPacketSize(s *Session, host string, e edge) error {
	q, mtu := c.QUICFor(s, host), e.link.Link.direction(e.direction).MTU.Size
	if q.InitialPacketSize+ipUDPHeaders <= mtu {
		return nil
	}
	path := c.quicPath(s, host, "initial_packet_size")
	if c.has(path...) {
		return c.fail(path, "packets of %s and %s of headers do not fit into the MTU of links.%s, %s; expected at most %s",
			q.InitialPacketSize, ipUDPHeaders, e.link.Link.Name, mtu, mtu-ipUDPHeaders)
	}
	return c.fail(c.path(e.link.Link, e.direction, "mtu", "size"), "QUIC packets of %s and %s of headers do not fit into %s; expected at least %s, or a quic.initial_packet_size of at most %s",
		q.InitialPacketSize, ipUDPHeaders, mtu, q.InitialPacketSize+ipUDPHeaders, mtu-ipUDPHeaders)
}

func (c *checker) checkFlow(s *Session, f *Flow) error {
	path := func(keys ...string) []string { return append([]string{"sessions", s.Name, "flows", f.Name}, keys...) }
	start := s.Start + f.Start
	if err := c.checkTime(start, path("start")...); err != nil {
		return err
	}
	if s.Close.At > 0 && start >= s.Close.At {
		return c.fail(path("start"), "the flow would start at %s or later; expected it before the session's close at %s", start, s.Close.At)
	}
	switch b := f.Config.(type) {
	case *Bulk:
		return c.checkBulk(b, path)
	case *Baton:
		return c.checkBaton(s, path)
	case *Echo:
		return c.checkMessages(s, path, messages{b.Transport, []string{s.Client, s.Server}, b.Size, b.Duration > 0, b.Count > 0})
	case *Media:
		from := s.Server
		if b.From == "client" {
			from = s.Client
		}
		return c.checkMessages(s, path, messages{b.Transport, []string{from}, b.Size, b.Duration > 0, b.Count > 0})
	}
	return nil
}

// checkBaton checks that a session belongs to its batons, which bring it to its end.
func (c *checker) checkBaton(s *Session, path func(...string) []string) error {
	asIs := Close{By: "client", How: "session"}
	switch {
	case len(s.Flows) > 1:
		return c.fail(path(), "batons have their session for themselves; expected no other flow in sessions.%s", s.Name)
	case s.Flows[0].Start > 0:
		return c.fail(path("start"), "batons begin with their session; expected 0s")
	case s.Close.At == 0 && s.Close != asIs:
		return c.fail([]string{"sessions", s.Name, "close"}, "the session is closed when the batons have arrived; expected nothing else, or a time")
	}
	for i := range c.Sessions {
		if other := &c.Sessions[i]; !other.HasBatons() && other.RequestPath() == s.RequestPath() {
			return c.fail([]string{"sessions", s.Name, "path"}, "%q is the path of sessions.%s too, which has no batons; expected another", s.RequestPath(), other.Name)
		}
	}
	return nil
}

// messages is what flows of messages have in common.
type messages struct {
	transport             string
	from                  []string // the hosts that send
	size                  netem.Bytes
	hasDuration, hasCount bool
}

func (c *checker) checkMessages(s *Session, path func(...string) []string, m messages) error {
	if m.hasDuration && m.hasCount {
		return c.fail(path("count"), "set, and duration is too; expected one of them")
	}
	if !m.hasDuration && !m.hasCount && s.Close.At == 0 && s.Close.How != "none" {
		return c.fail(path(), "never ends; expected a duration or a count here, or sessions.%s.close.at", s.Name)
	}
	if m.transport != "datagram" {
		return nil
	}
	for _, host := range m.from {
		if most := c.QUICFor(s, host).InitialPacketSize - datagramOverhead; m.size > most {
			return c.fail(path("size"), "datagrams of %s do not fit into packets of %s; expected at most %s", m.size, most+datagramOverhead, most)
		}
	}
	return nil
}
