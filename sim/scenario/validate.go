package scenario

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wtsim/wtsim/netem"
)

const (
	// maxInstances is the largest number of sessions of a scenario, and of hosts.
	maxInstances = 100_000

	// ipUDPHeaders is the size of the IPv4 and UDP headers, which an MTU
	// includes and a QUIC packet size does not.
	ipUDPHeaders netem.Bytes = 28

	// datagramOverhead is what a QUIC packet needs beside a WebTransport
	// datagram: quic-go reserves 37 bytes (type, longest connection ID, AEAD tag),
	// and the quarter stream ID takes at most 8 (RFC 9297, section 2.1).
	datagramOverhead netem.Bytes = 45

	// maxReason is the longest reason of a CLOSE_WEBTRANSPORT_SESSION capsule.
	maxReason = 1024
)

// checker finds what the single values of a scenario cannot tell: references
// that lead nowhere, and values that do not go together.
type checker struct {
	*Scenario
	root  *node
	needy bool // whether sessions or traffic are needed
	hosts []string
	graph *graph

	traces map[Trace]*traceContent // that were read; several links can follow one
	tables map[string]*netem.Distribution
}

func validate(s *Scenario, root *node, needy bool) error {
	c := &checker{Scenario: s, root: root, needy: needy, traces: map[Trace]*traceContent{}, tables: map[string]*netem.Distribution{}}
	for _, h := range s.Hosts {
		c.hosts = append(c.hosts, h.Name)
	}
	if err := c.checkWhole(); err != nil {
		return err
	}
	if err := c.checkCounts(); err != nil {
		return err
	}
	if err := c.checkNodes(); err != nil {
		return err
	}
	if err := c.checkLinks(); err != nil {
		return err
	}
	for i := range s.Links {
		if err := c.checkLink(&s.Links[i]); err != nil {
			return err
		}
	}
	if err := c.checkRoutes(); err != nil {
		return err
	}
	for i := range s.Sessions {
		if err := c.checkSession(&s.Sessions[i]); err != nil {
			return err
		}
	}
	if err := c.checkTraffic(); err != nil {
		return err
	}
	for i := range s.Expect {
		if err := c.checkExpect(i); err != nil {
			return err
		}
	}
	return c.checkInstances()
}

// find returns the value at a path, or else the last of its tables that exists.
func (c *checker) find(path []string) (n *node, found bool) {
	n = c.root
	for _, name := range path {
		next := n.child[name]
		if n.kind == listNode {
			var i int
			if _, err := fmt.Sscan(name, &i); err == nil && i < len(n.items) {
				next = n.items[i]
			}
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// maxInput is the size beyond which a file that a scenario names is refused.
const maxInput = 256 << 20

// readFile reads a file that the value at a path names, which is relative to
// the folder of the scenario.
func (c *checker) readFile(given string, path []string) ([]byte, error) {
	name := given
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(c.root.at.file), name)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, c.fail(path, "%s: no such file%s", name, suggestFile(name, filepath.Ext(name)))
	case err != nil:
		return nil, c.fail(path, "%s: %v", name, reason(err))
	case !info.Mode().IsRegular():
		return nil, c.fail(path, "%s is not a file", name)
	case info.Size() > maxInput:
		return nil, c.fail(path, "%s is larger than %d MiB", name, maxInput>>20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, c.fail(path, "%s: %v", name, reason(err))
	}
	if input := (Input{Name: given, SHA256: sha256.Sum256(data)}); !slices.Contains(c.Inputs, input) {
		c.Inputs = append(c.Inputs, input)
	}
	return data, nil
}

func (c *checker) has(path ...string) bool {
	_, found := c.find(path)
	return found
}

// fail returns an error about the value at a path.
func (c *checker) fail(path []string, format string, args ...any) error {
	n, _ := c.find(path)
	key := ""
	for _, name := range path {
		key = joinPath(key, name)
	}
	return failAt(n.at, key, format, args...)
}

func (c *checker) checkWhole() error {
	switch {
	case len(c.root.names) == 0:
		return c.fail(nil, "is empty; expected tables [hosts.NAME], [links.NAME] and [sessions.NAME]")
	case !validName.MatchString(c.Name) && c.has("name"):
		return c.fail([]string{"name"}, "%q is not a name; expected letters, digits, - and _", c.Name)
	case !validName.MatchString(c.Name):
		return c.fail([]string{"name"}, "missing, and %q, the file's, is not a name; expected letters, digits, - and _", c.Name)
	case c.needy && len(c.Sessions) == 0 && len(c.Traffic) == 0:
		return c.fail([]string{"sessions"}, "missing; expected at least one table [sessions.NAME], or traffic")
	}
	return nil
}

// checkHost checks the name of a host, or of a group, that the value at a path
// gives.
func (c *checker) checkHost(name string, path ...string) error {
	if c.hostsNamed(name) != nil {
		return nil
	}
	return c.unknown(path, "host", name, c.hosts)
}

// checkTime checks that something happens while the simulation runs.
func (c *checker) checkTime(t time.Duration, path ...string) error {
	if t >= c.TimeLimit {
		return c.fail(path, "%s is not before the end of the run; expected less than time_limit, %s", t, c.TimeLimit)
	}
	return nil
}

// checkCounts checks how much groups are in all.
func (c *checker) checkCounts() error {
	total := 0
	for i := range c.Hosts {
		if total += max(c.Hosts[i].Count, 1); total > maxInstances {
			return c.fail([]string{"hosts", c.Hosts[i].Name, "count"}, "makes %d hosts in all; expected at most %d", total, maxInstances)
		}
	}
	total = 0
	for i := range c.Sessions {
		if total += c.countOf(&c.Sessions[i]); total > maxInstances {
			return c.fail([]string{"sessions", c.Sessions[i].Name, "count"}, "makes %d sessions in all; expected at most %d", total, maxInstances)
		}
	}
	return nil
}

// checkInstances checks what sessions have in common.
func (c *checker) checkInstances() error {
	names := map[string]*Session{}
	users := map[string]*Session{} // of connections, the first
	for i := range c.Sessions {
		s := &c.Sessions[i]
		for _, in := range c.InstancesOf(s) {
			if other := names[in.Name]; other != nil {
				return c.fail([]string{"sessions", s.Name}, "session %q is also made by sessions.%s, which has a count; expected different names", in.Name, other.Name)
			}
			names[in.Name] = s
			first := users[in.Connection]
			if first == nil {
				users[in.Connection] = s
				continue
			}
			if first == s {
				continue
			}
			if err := c.checkShared(first, s, in.Connection); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkShared checks that two sessions can share a connection.
func (c *checker) checkShared(first, s *Session, connection string) error {
	at := []string{"sessions", s.Name, "connection"}
	for _, pair := range [][2]*Session{{first, s}, {s, first}} {
		if own := pair[0]; own.Connection == "" {
			return c.fail([]string{"sessions", pair[1].Name, "connection"}, "%q is the name of the connection that sessions.%s has for itself; expected another name", connection, own.Name)
		}
	}
	for _, session := range []*Session{first, s} {
		if clients, servers := c.hostsNamed(session.Client), c.hostsNamed(session.Server); len(clients) > 1 || len(servers) > 1 {
			return c.fail([]string{"sessions", session.Name, "connection"}, "%q cannot be one connection of several hosts; expected one client and one server", connection)
		}
	}
	if first.Client != s.Client || first.Server != s.Server {
		return c.fail(at, "connection %q goes from %s to %s in sessions.%s; expected the same client and server", connection, first.Client, first.Server, first.Name)
	}
	for _, host := range []string{s.Client, s.Server} {
		a, b := c.QUICFor(first, host), c.QUICFor(s, host)
		if a.set, b.set = 0, 0; a != b {
			return c.fail([]string{"sessions", s.Name, "quic"}, "differs from that of sessions.%s, with which it shares connection %q; expected the same", first.Name, connection)
		}
	}
	return nil
}
