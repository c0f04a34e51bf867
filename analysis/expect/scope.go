package expect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/formula"
	"github.com/wtsim/wtsim/internal/nearest"
)

// scenario holds the values of a scenario as resolved, by their paths.
type scenario struct {
	values map[string]string
}

// measured is the prefix that tells a metric from a value of the scenario.
const measured = "measured."

// scope returns what names mean in a formula; metrics are those of the run and
// the window, nil where none may be used.
func (s *scenario) scope(metrics analysis.Metrics) *formula.Scope {
	return &formula.Scope{
		Functions: laws,
		Value: func(name string) (formula.Quantity, error) {
			metric, only := strings.CutPrefix(name, measured)
			if !only {
				if q, ok, err := s.value(name); ok || err != nil {
					return q, err
				}
			}
			if metrics == nil {
				return formula.Quantity{}, s.unknown(name, nil)
			}
			m, ok := metrics.Get(metric)
			if !ok {
				return formula.Quantity{}, s.unknown(name, metrics)
			}
			return quantityOf(m)
		},
	}
}

func quantityOf(m analysis.Metric) (formula.Quantity, error) {
	q, ok := formula.Of(m.Value, m.Unit)
	if !ok {
		return q, fmt.Errorf("metric %s has the unit %q, which formulas do not know", m.Name, m.Unit)
	}
	return q, nil
}

// missing says that a run has no metric of a name.
func missing(name string, metrics analysis.Metrics) error {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	if like := nearest.Word(name, names); like != "" {
		return fmt.Errorf("the run has no metric %s; it has %s", name, like)
	}
	for _, longer := range names { // of a flow whose name several sessions have
		if strings.Contains(longer+".", "."+name+".") {
			return fmt.Errorf("the run has no metric %s; it has %s", name, longer)
		}
	}
	return fmt.Errorf("the run has no metric %s", name)
}

func (s *scenario) unknown(name string, metrics analysis.Metrics) error {
	what, known := "the scenario has no value", slices.Sorted(maps.Keys(s.values))
	if metrics != nil {
		what = "neither the scenario nor the run has a value"
	}
	for _, m := range metrics {
		known = append(known, m.Name)
	}
	if like := nearest.Word(strings.TrimPrefix(name, measured), known); like != "" {
		return fmt.Errorf("%s %s; did you mean %s?", what, name, like)
	}
	return fmt.Errorf("%s %s", what, name)
}

// value returns a value of the scenario, or one that follows from its values, and
// whether there is one.
func (s *scenario) value(name string) (formula.Quantity, bool, error) {
	for _, path := range s.paths(name) {
		if text, ok := s.values[path]; ok {
			q, err := s.quantity(name, text)
			return q, true, err
		}
	}
	link, direction, rest, ok := splitLink(name)
	if !ok {
		return formula.Quantity{}, false, nil
	}
	prefix := "links." + link
	if direction != "" {
		prefix += "." + direction
	}
	switch rest {
	case "rtt":
		rtt := formula.Quantity{Dimension: formula.Time}
		for _, direction := range []string{"forward", "reverse"} {
			delay, ok, err := s.propagation("links." + link + "." + direction)
			if !ok || err != nil {
				return delay, ok, err
			}
			rtt.Value += delay.Value
		}
		return rtt, true, nil
	case "bdp":
		rate, ok, err := s.value(prefix + ".rate")
		if !ok || err != nil {
			return rate, ok, err
		}
		rtt, ok, err := s.value("links." + link + ".rtt")
		if !ok || err != nil {
			return rtt, ok, err
		}
		return formula.Quantity{Value: rate.Value * rtt.Value, Dimension: formula.Data}, true, nil
	}
	return formula.Quantity{}, false, nil
}

// propagation returns the delay of a direction of a link, that of datagrams which
// others overtake included, and whether there is one. It fails where files and
// options of tc say more of it than the scenario's values do.
func (s *scenario) propagation(direction string) (formula.Quantity, bool, error) {
	for _, other := range []string{"trace.file", "netem"} {
		for _, path := range s.paths(direction + "." + other) {
			if s.values[path] != "" {
				return formula.Quantity{}, true, fmt.Errorf("the round trip is not known of a link with %s", path)
			}
		}
	}
	delay, ok, err := s.value(direction + ".delay")
	if !ok || err != nil {
		return delay, ok, err
	}
	if held, ok, err := s.value(direction + ".reorder.delay"); ok && err == nil {
		delay.Value += held.Value
	}
	return delay, true, nil
}

// paths returns the paths under which a value may be written: what a link's
// reverse direction does not say is as forward, and a flow may be named without
// its session.
func (s *scenario) paths(name string) []string {
	paths := []string{name}
	if link, direction, rest, ok := splitLink(name); ok && direction != "" {
		paths = append(paths, "links."+link+"."+rest)
	}
	if strings.HasPrefix(name, "flows.") {
		var under []string
		for path := range s.values {
			if strings.HasPrefix(path, "sessions.") && strings.HasSuffix(path, "."+name) {
				under = append(under, path)
			}
		}
		if len(under) == 1 {
			paths = append(paths, under[0])
		}
	}
	return paths
}

// splitLink splits links.NAME[.DIRECTION].REST.
func splitLink(name string) (link, direction, rest string, ok bool) {
	name, ok = strings.CutPrefix(name, "links.")
	if !ok {
		return
	}
	if link, rest, ok = strings.Cut(name, "."); !ok {
		return
	}
	if d, r, cut := strings.Cut(rest, "."); cut && (d == "forward" || d == "reverse") {
		direction, rest = d, r
	}
	return
}

// quantity reads the value of the scenario that a name means. Multiples of the BDP
// are of the direction in the name, wherever they are written.
func (s *scenario) quantity(name, text string) (formula.Quantity, error) {
	if share, ok := strings.CutSuffix(text, "BDP"); ok {
		if n, ok := formula.ParseQuantity(share); ok {
			link, direction, _, _ := splitLink(name)
			if direction != "" {
				link += "." + direction
			}
			bdp, ok, err := s.value("links." + link + ".bdp")
			if err == nil && !ok {
				err = fmt.Errorf("%s is %s, of a link without a rate", name, text)
			}
			bdp.Value *= n.Value
			return bdp, err
		}
	}
	q, ok := formula.ParseQuantity(text)
	if !ok {
		return q, fmt.Errorf("%s is %q, which is no quantity", name, text)
	}
	return q, nil
}
