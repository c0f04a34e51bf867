package analysis

import (
	"slices"
	"strings"

	"github.com/wtsim/wtsim/sim/record"
)

// tables returns the tables of a recording that the metric is computed from:
// those that its source names. Where that says "or run.json", run.json has the
// same of the whole run.
func (d *Definition) tables(whole bool) []record.Table {
	var tables []record.Table
	for part := range strings.SplitSeq(d.Source, "; ") {
		part, counted := strings.CutSuffix(part, " or run.json")
		switch {
		case counted && whole:
		case part == "packets":
			tables = append(tables, record.TablePackets)
		case strings.HasPrefix(part, "samples "):
			tables = append(tables, record.TableSeries)
		case strings.HasPrefix(part, "events "):
			tables = append(tables, record.TableEvents)
		}
	}
	return tables
}

// onlyOf leaves out the metrics that cannot be computed from a recording,
// because it was made without one of their tables.
func (m Metrics) onlyOf(run record.Run, whole bool) Metrics {
	missing := run.Unrecorded()
	if len(missing) == 0 {
		return m
	}
	return slices.DeleteFunc(m, func(x Metric) bool {
		return slices.ContainsFunc(x.definition.tables(whole), func(t record.Table) bool { return slices.Contains(missing, t) })
	})
}

// count takes the packets of a link direction from the counters of run.json.
func (l *linkWindow) count(c *record.Counters) {
	l.entered = int64(c.In.Packets + c.Duplicated.Packets)
	l.delivered, l.bytes = int64(c.Out.Packets), int64(c.Out.Bytes)
	l.inside = int64(c.Queued.Packets)
	for _, drop := range c.Dropped {
		l.dropped += int64(drop.Packets)
		*l.reasons.get(drop.Reason) += int64(drop.Packets)
	}
	l.lost = l.dropped
}
