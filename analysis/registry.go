package analysis

import (
	"cmp"
	"slices"
	"strings"
)

// Definition says what a metric is. The capitals of a pattern stand for names:
// FLOW is a flow (one whose name is not unique is sessions.SESSION.flows.FLOW),
// CONNECTION and SIDE a QUIC connection and its
// end, TRAFFIC cross traffic, LINK and DIRECTION a link and its direction.
type Definition struct {
	Pattern string // the metric's name, such as "flows.FLOW.goodput"
	Unit    string // an SI unit, "B", "packets", or "1" for ratios and other counts
	Meaning string // the definition, in one line
	Source  string // where the definition comes from; empty where the meaning says it all

	// Grouped says that for a group of equal sessions, besides the metrics
	// of each one, there are .mean, .p50, .p95, .p99 (nearest rank) and .max
	// over the members of the group that have the metric, under the group's name.
	Grouped bool

	entity string // the pattern of the entity
	index  int    // place in the registry
	suffix string // what the name has after the entity's
}

// registry holds all definitions; define is the only way to one, and a metric
// can only be made from one.
var registry []*Definition

// Definitions returns the definition of every metric that [Compute] can
// return, in the order of [Metrics].
func Definitions() []Definition {
	all := make([]Definition, len(registry))
	for i, d := range registry {
		all[i] = *d
	}
	slices.SortStableFunc(all, func(a, b Definition) int {
		return cmp.Compare(section(a.entity), section(b.entity))
	})
	return all
}

// The entities that metrics belong to, as patterns start.
const (
	ofRun        = ""
	ofFlow       = "flows.FLOW"
	ofSession    = "sessions.SESSION"
	ofConnection = "connections.CONNECTION.SIDE"
	ofTraffic    = "traffic.TRAFFIC"
	ofLink       = "links.LINK.DIRECTION"
)

func define(entity, name, unit, meaning, source string) *Definition {
	d := &Definition{
		Pattern: strings.TrimPrefix(entity+"."+name, "."),
		Unit:    unit,
		Meaning: meaning,
		Source:  source,
		Grouped: entity == ofFlow || entity == ofSession || entity == ofConnection || entity == ofTraffic,
		entity:  entity,
		index:   len(registry),
		suffix:  "." + strings.TrimSuffix(name, ".REASON"),
	}
	registry = append(registry, d)
	return d
}

// summaryDefinition holds the definitions of the five numbers that describe a
// distribution.
type summaryDefinition struct{ mean, p50, p95, p99, max *Definition }

const percentileSource = "nearest-rank percentiles; beyond 4096 values to within 0.05 %"

func defineSummary(entity, name, unit, of, source string) summaryDefinition {
	join := func(extra string) string { return strings.TrimPrefix(source+"; "+extra, "; ") }
	return summaryDefinition{
		mean: define(entity, name+".mean", unit, "mean of "+of, source),
		p50:  define(entity, name+".p50", unit, "median of "+of, join(percentileSource)),
		p95:  define(entity, name+".p95", unit, "95th percentile of "+of, join(percentileSource)),
		p99:  define(entity, name+".p99", unit, "99th percentile of "+of, join(percentileSource)),
		max:  define(entity, name+".max", unit, "largest of "+of, source),
	}
}
