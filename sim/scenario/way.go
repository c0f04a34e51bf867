package scenario

import "fmt"

// Ways knows the ways that datagrams take between the hosts of a scenario.
type Ways struct{ graph *graph }

// Leg is one link of a way.
type Leg struct {
	Link      string // of a group one by one
	Direction string // forward or reverse
}

// Ways returns the ways of a scenario that is valid.
func (s *Scenario) Ways() *Ways {
	g, _ := s.routed()
	return &Ways{g}
}

// Between returns the links from one host to another: those of the static
// routes, and where there are none the first link of a shortest way. It fails if
// a host is unknown or none leads there.
func (w *Ways) Between(from, to string) ([]Leg, error) {
	for _, host := range []string{from, to} {
		if w.graph.nodes[host] == nil {
			return nil, fmt.Errorf("no host is called %q", host)
		}
	}
	edges, err := w.graph.way(from, to)
	if err != nil {
		return nil, err
	}
	legs := make([]Leg, 0, len(edges))
	for _, e := range edges {
		legs = append(legs, Leg{Link: e.link.Name, Direction: e.direction})
	}
	return legs, nil
}
