package analysis

import (
	"cmp"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// setUpEvents are the events of a connection that belong to the timelines of
// its sessions.
var setUpEvents = map[string]bool{
	record.EventDialStarted:       true,
	record.EventHandshakeComplete: true,
	record.EventConnectionClosed:  true,
}

func isSessionEvent(kind string) bool { return strings.HasPrefix(kind, "session.") }

// connectionOf returns the connection of a session that run.json does not
// list: the one of the same name.
func connectionOf(session string) string {
	return "connections." + strings.TrimPrefix(session, "sessions.")
}

// connectionsOf returns the connection of each session.
func connectionsOf(sessions []record.Session) map[string]string {
	connections := map[string]string{}
	for _, s := range sessions {
		connections[s.Entity] = s.Connection
	}
	return connections
}

// linkName is what packets need to know of a link direction.
type linkName struct {
	entity   string
	overhead int64
	totals   *linkTotals   // of Compute
	idle     time.Duration // of Load: when nobody waited any more
}

// linkNames finds link directions by the fields of a packet.
type linkNames map[string]*[2]linkName

// defaultOverhead is the length of the IPv4 and UDP headers (RFC 791 and RFC
// 768), for a link that run.json does not describe.
const defaultOverhead = 28

func newLinkNames(links []record.Link) linkNames {
	names := linkNames{}
	for _, l := range links {
		names[l.Name] = &[2]linkName{
			{entity: linkEntity(l.Name, record.Forward), overhead: l.Forward.Overhead},
			{entity: linkEntity(l.Name, record.Reverse), overhead: l.Reverse.Overhead},
		}
	}
	return names
}

func (n linkNames) of(link string, d record.Direction) *linkName {
	both := n[link]
	if both == nil {
		both = &[2]linkName{
			{entity: linkEntity(link, record.Forward), overhead: defaultOverhead},
			{entity: linkEntity(link, record.Reverse), overhead: defaultOverhead},
		}
		n[link] = both
	}
	return &both[d]
}

func linkEntity(link string, d record.Direction) string {
	return "links." + link + "." + d.String()
}

// compareEntities orders names with the numbers in them by size, so that
// main-2 comes before main-10, and main-02 before main-2.
func compareEntities(a, b string) int {
	wholeA, wholeB := a, b
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(wholeA, wholeB))
}

// digits returns the length of the number that s starts with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
