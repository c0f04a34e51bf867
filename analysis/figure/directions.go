package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// maxDirections is how many directions are shown apart.
const maxDirections = 6

// way is a direction while it is put together.
type way struct {
	Direction
	hosts      [2]string // from and to; empty where several pairs of hosts share it
	bottleneck string    // a link direction; empty: none has a rate
	connection string    // of its flows; empty where they are several
}

// directions puts flows that share a bottleneck together, and those without one by
// the hosts that they join. Flows are counted where they arrive. Cross traffic
// joins the flows between its hosts.
func (links linkWays) directions(run record.Run, all *analysis.Data, traffic []trafficGroup, m moments) []Direction {
	var ways []*way
	at := func(from, to, bottleneck string) *way {
		for _, w := range ways {
			if w.bottleneck == bottleneck && (bottleneck != "" || w.hosts == [2]string{from, to}) {
				if w.hosts != [2]string{from, to} {
					w.hosts = [2]string{}
				}
				return w
			}
		}
		ways = append(ways, &way{hosts: [2]string{from, to}, bottleneck: bottleneck})
		return ways[len(ways)-1]
	}
	connections := map[string]string{}
	for _, s := range run.Sessions {
		connections[s.Entity] = s.Connection
	}
	for _, f := range run.Flows {
		s := all.Of(analysis.SeriesFlowThroughput, f.Entity)
		if binned := m.during(s, all.Bin, run.Virtual); len(binned) > 0 {
			w := at(f.From, f.To, links.bottleneck(f))
			switch c := connections[f.Session]; {
			case len(w.Goodput) == 0:
				w.connection = c
			case w.connection != c:
				w.connection = ""
			}
			w.Goodput = append(w.Goodput, Series{flowName(f.Entity), binned})
		}
	}
	for _, g := range traffic {
		var w *way
		if i := slices.IndexFunc(ways, func(w *way) bool { return w.hosts == g.hosts }); i >= 0 {
			w = ways[i]
		} else {
			w = at(g.hosts[0], g.hosts[1], links.between(g.hosts))
		}
		w.Traffic = append(w.Traffic, Series{g.name, g.throughput})
	}
	if len(ways) > maxDirections {
		together := Direction{Name: fmt.Sprintf("%d directions", len(ways))}
		for _, w := range ways {
			together.Goodput = append(together.Goodput, w.Goodput...)
			together.Traffic = append(together.Traffic, w.Traffic...)
		}
		return []Direction{together}
	}
	out := make([]Direction, len(ways))
	for i, w := range ways {
		links.describe(w, m.links)
		out[i] = w.Direction
	}
	return out
}

// linkWay is a direction of a link.
type linkWay struct {
	name     string // the link's
	from, to string
	rate     []Point // configured
	mean     float64 // of the rate over the run in bit/s; infinite without a limit
	flows    int     // how many go over it
}

// linkWays are the directions of the links, in the run's order.
type linkWays struct {
	entities []string
	of       map[string]*linkWay
}

func newLinks(run record.Run, all *analysis.Data) linkWays {
	l := linkWays{of: map[string]*linkWay{}}
	for _, link := range run.Links {
		for direction, ends := range [][2]string{link.Between, {link.Between[1], link.Between[0]}} {
			entity := "links." + link.Name + "." + record.Direction(direction).String()
			l.entities = append(l.entities, entity)
			l.of[entity] = &linkWay{name: link.Name, from: ends[0], to: ends[1], mean: math.Inf(1)}
		}
	}
	for _, s := range all.Named(record.SeriesLinkRate) {
		if w := l.of[s.Entity]; w != nil {
			w.rate = points(s)
			w.mean = meanRate(w.rate, run.Virtual)
		}
	}
	for _, f := range run.Flows {
		for _, entity := range f.Way {
			if w := l.of[entity]; w != nil {
				w.flows++
			}
		}
	}
	return l
}

// meanRate returns the mean of a rate over the run. A rate of 0 is unlimited.
func meanRate(rate []Point, end time.Duration) float64 {
	var bits, seconds float64
	for i, p := range rate {
		until := end
		if i+1 < len(rate) {
			until = rate[i+1].T
		}
		if p.V == 0 && until > p.T {
			return math.Inf(1)
		}
		bits += p.V * (until - p.T).Seconds()
		seconds += (until - p.T).Seconds()
	}
	if seconds == 0 {
		return math.Inf(1)
	}
	return bits / seconds
}

// bottleneck returns the link direction of a flow's way that leaves each flow over
// it the least: the one with the smallest mean rate divided by the number of its
// flows, which is the first bottleneck of max-min fairness (Bertsekas and Gallager,
// Data Networks, section 6.5.2). It is empty if no link has a limit.
func (l linkWays) bottleneck(f record.Flow) string {
	found, least := "", math.Inf(1)
	for _, entity := range f.Way {
		if w := l.of[entity]; w != nil && w.mean/float64(w.flows) < least {
			found, least = entity, w.mean/float64(w.flows)
		}
	}
	if found == "" && len(f.Way) == 0 {
		return l.between([2]string{f.From, f.To})
	}
	return found
}

// between returns the first link direction with a limit that joins two hosts.
func (l linkWays) between(hosts [2]string) string {
	for _, entity := range l.entities {
		if w := l.of[entity]; w.from == hosts[0] && w.to == hosts[1] && !math.IsInf(w.mean, 1) {
			return entity
		}
	}
	return ""
}

// describe gives a direction its name and its rates: that of the bottleneck, and, where a
// client may have changed over to them, those of the other links between its hosts.
func (l linkWays) describe(w *way, moves []migration) {
	neck := l.of[w.bottleneck]
	w.Name = w.hosts[0] + " → " + w.hosts[1]
	if neck != nil {
		w.Rates = append(w.Rates, Series{neck.name, neck.rate})
		w.Capacity = neck.rate
		if w.hosts == [2]string{} {
			w.Name = fmt.Sprintf("over %s, %s → %s", neck.name, neck.from, neck.to)
		}
	}
	for _, entity := range l.entities {
		if o := l.of[entity]; len(moves) > 0 && o != neck && len(o.rate) > 0 && w.hosts == [2]string{o.from, o.to} {
			w.Rates = append(w.Rates, Series{o.name, o.rate})
		}
	}
	for _, m := range moves {
		for _, s := range w.Rates {
			if s.Name == m.link && m.connection == w.connection {
				w.Capacity = switchTo(w.Capacity, m.at, s.Points)
			}
		}
	}
}

// switchTo returns the values of one line until a moment and those of another one from
// then on. A value holds until the next one.
func switchTo(one []Point, at time.Duration, other []Point) []Point {
	before := sort.Search(len(one), func(i int) bool { return one[i].T >= at })
	out := slices.Clone(one[:before])
	next := sort.Search(len(other), func(i int) bool { return other[i].T > at })
	if next > 0 {
		out = append(out, Point{at, other[next-1].V})
	}
	return append(out, other[next:]...)
}

// queues returns the queueing delay of each link direction.
func (l linkWays) queues(all *analysis.Data) []Series {
	var out []Series
	for _, entity := range l.entities {
		if s := all.Of(analysis.SeriesQueueDelay, entity); len(s.Points) > 0 {
			w := l.of[entity]
			out = append(out, Series{fmt.Sprintf("%s, %s → %s", w.name, w.from, w.to), points(s)})
		}
	}
	return out
}

// trafficGroup is cross traffic between two hosts: one source, or a group of them.
type trafficGroup struct {
	name       string
	hosts      [2]string
	throughput []Point // of all members together, from where it begins
	delay      []Point // of the packets of all members
}

// trafficGroups returns the cross traffic from which something arrived.
func trafficGroups(run record.Run, all *analysis.Data) []trafficGroup {
	type key struct {
		name  string
		hosts [2]string
	}
	var order []key
	members := map[key][]Series{}
	for _, t := range run.Traffic {
		s := all.Of(analysis.SeriesTrafficThroughput, t.Entity)
		if len(s.Points) == 0 {
			continue
		}
		k := key{cmp.Or(t.Group, t.Entity), [2]string{t.From, t.To}}
		if members[k] == nil {
			order = append(order, k)
		}
		members[k] = append(members[k], Series{t.Entity, points(s)})
	}
	var out []trafficGroup
	for _, k := range order {
		name := trafficName(k.name)
		if n := len(members[k]); n > 1 {
			name += fmt.Sprintf(", %d sources", n)
		}
		g := trafficGroup{name: name, hosts: k.hosts, throughput: spreadOfBins(members[k]).sum}
		if i := slices.IndexFunc(g.throughput, func(p Point) bool { return p.V > 0 }); i > 1 {
			g.throughput = g.throughput[i-1:]
		}
		for _, s := range members[k] {
			g.delay = append(g.delay, points(all.Of(record.SeriesTrafficDelay, s.Name))...)
		}
		slices.SortStableFunc(g.delay, func(a, b Point) int { return cmp.Compare(a.T, b.T) })
		out = append(out, g)
	}
	return out
}

// trafficName shortens "traffic.web" to "web".
func trafficName(entity string) string { return strings.TrimPrefix(entity, "traffic.") }
