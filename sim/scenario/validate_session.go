package scenario

import (
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
	if s.Client == s.Server {
		return c.fail(path("server"), "%q is the client too; expected another host", s.Server)
	}
	link := c.links[[2]string{s.Client, s.Server}]
	if link == nil {
		return c.fail(path(), "no link joins %s and %s; expected a table [links.NAME] with between = [%q, %q]", s.Client, s.Server, s.Client, s.Server)
	}
	if !strings.HasPrefix(s.Path, "/") || strings.ContainsFunc(s.Path, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return c.fail(path("path"), "%q is not a path; expected one such as \"/demo\", in printable ASCII without spaces", s.Path)
	}
	if s.Connection != "" && !validName.MatchString(s.Connection) {
		return c.fail(path("connection"), "%q is not a name; expected letters, digits, - and _", s.Connection)
	}
	if err := c.checkTime(s.Start, path("start")...); err != nil {
		return err
	}
	last := s.Start + time.Duration(s.Count-1)*s.Stagger
	if last >= c.TimeLimit {
		return c.fail(path("stagger"), "the last of the %d sessions starts at %s; expected less than time_limit, %s", s.Count, last, c.TimeLimit)
	}
	if c.has(path("close", "at")...) {
		if err := c.checkTime(s.Close.At, path("close", "at")...); err != nil {
			return err
		}
		if s.Close.At <= last {
			return c.fail(path("close", "at"), "%s is not after the session's start; expected more than %s", s.Close.At, last)
		}
	}
	if len(s.Close.Reason) > maxReason {
		return c.fail(path("close", "reason"), "has %d bytes; expected at most %d", len(s.Close.Reason), maxReason)
	}
	if err := c.checkQUIC(s, link); err != nil {
		return err
	}
	for i := range s.Flows {
		if err := c.checkFlow(s, &s.Flows[i]); err != nil {
			return err
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

// checkQUIC checks the parameters of both ends together with the link.
func (c *checker) checkQUIC(s *Session, link *Link) error {
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
		direction := "forward"
		if link.Between[0] != host {
			direction = "reverse"
		}
		if mtu := link.direction(direction).MTU.Size; q.InitialPacketSize+ipUDPHeaders > mtu {
			path := c.quicPath(s, host, "initial_packet_size")
			if c.has(path...) {
				return c.fail(path, "packets of %s and %s of headers do not fit into the MTU of links.%s, %s; expected at most %s",
					q.InitialPacketSize, ipUDPHeaders, link.Name, mtu, mtu-ipUDPHeaders)
			}
			return c.fail(c.path(link, direction, "mtu", "size"), "QUIC packets of %s and %s of headers do not fit into %s; expected at least %s, or a quic.initial_packet_size of at most %s",
				q.InitialPacketSize, ipUDPHeaders, mtu, q.InitialPacketSize+ipUDPHeaders, mtu-ipUDPHeaders)
		}
	}
	return nil
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
		switch {
		case b.Size > 0 && b.Duration > 0:
			return c.fail(path("duration"), "set, and size is too; expected one of them")
		case b.Size == 0 && b.Duration == 0:
			return c.fail(path("size"), "missing, and duration is too; expected one of them, such as size = \"10MB\"")
		case b.Size > 0 && b.Size < netem.Bytes(b.Streams):
			return c.fail(path("streams"), "%d streams cannot share %s; expected at least a byte for each", b.Streams, b.Size)
		}
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
