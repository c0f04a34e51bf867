package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// fact is a number that the report opens with.
type fact struct{ Value, Title, Detail string }

// facts returns the numbers that matter most of a run.
func facts(run record.Run, metrics analysis.Metrics) []fact {
	index := indexOf(metrics)
	var out []fact
	add := func(m analysis.Metric, mean bool, title, detail string) {
		if mean {
			detail = strings.TrimSuffix("mean of "+detail, " of ")
		}
		out = append(out, fact{quantity.Format(m.Name, m.Value, m.Unit), title, detail})
	}
	if f, m, mean, ok := busiest(metrics, index); ok {
		add(m, mean, "goodput", short(f))
	}
	if entity, m, mean, ok := longest(metrics, index, "connections.", "rtt.p95"); ok {
		add(m, mean, "RTT, 95th percentile", short(entity))
	}
	if entity, m, mean, ok := longest(metrics, index, "sessions.", "setup.duration"); ok {
		add(m, mean, "session set-up", short(entity))
	}
	if entity, m, mean, ok := longest(metrics, index, "sessions.", "teardown.duration"); ok {
		add(m, mean, "session teardown", short(entity))
	}
	if entity, m, _, ok := longest(metrics, index, "links.", "loss_ratio"); ok && m.Value > 0 {
		add(m, false, "largest loss", directionIn(run, entity))
	}
	return out
}

// entitiesOf returns the entities of a kind that stand for themselves or for a
// group, in order.
func entitiesOf(metrics analysis.Metrics, prefix string) []string {
	return section{prefix: prefix}.entities(metrics)
}

// busiest returns the flow with the largest goodput.
func busiest(metrics analysis.Metrics, index metricIndex) (string, analysis.Metric, bool, bool) {
	return longest(metrics, index, "flows.", "goodput")
}

// longest returns the entity whose metric is the largest, the first of several.
func longest(metrics analysis.Metrics, index metricIndex, prefix, suffix string) (entity string, largest analysis.Metric, mean, ok bool) {
	for _, e := range entitiesOf(metrics, prefix) {
		if m, isMean, has := index.find(e, suffix); has && (!ok || m.Value > largest.Value) {
			entity, largest, mean, ok = e, m, isMean, true
		}
	}
	return entity, largest, mean, ok
}

// short names an entity without its kind: "bulk", "bulk of main", or "main at
// the server".
func short(entity string) string {
	kind, name, _ := strings.Cut(entity, ".")
	if session, flow, ok := strings.Cut(name, ".flows."); ok {
		return flow + " of " + session
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 && kind == "connections" {
		return name[:i] + " at the " + name[i+1:]
	}
	return name
}

// directionIn names a direction of a link by where it goes.
func directionIn(run record.Run, entity string) string {
	for _, l := range run.Links {
		switch entity {
		case "links." + l.Name + ".forward":
			return fmt.Sprintf("%s, %s → %s", l.Name, l.Between[0], l.Between[1])
		case "links." + l.Name + ".reverse":
			return fmt.Sprintf("%s, %s → %s", l.Name, l.Between[1], l.Between[0])
		}
	}
	return short(entity)
}

// throughputSentence says what the flows got, and how busy the busiest link was.
func throughputSentence(run record.Run, metrics analysis.Metrics) string {
	index := indexOf(metrics)
	type share struct {
		name string
		m    analysis.Metric
		mean bool
	}
	var flows []share
	for _, e := range entitiesOf(metrics, "flows.") {
		if m, mean, ok := index.find(e, "goodput"); ok {
			flows = append(flows, share{short(e), m, mean})
		}
	}
	slices.SortStableFunc(flows, func(a, b share) int { return cmp.Compare(b.m.Value, a.m.Value) })
	var s strings.Builder
	for i, f := range flows[:min(len(flows), 3)] {
		value := quantity.Format(f.m.Name, f.m.Value, f.m.Unit)
		switch {
		case i == 0 && f.mean:
			fmt.Fprintf(&s, "Each flow %s got %s on average", f.name, value)
			continue
		case i == 0:
			fmt.Fprintf(&s, "The flow %s got %s", f.name, value)
			continue
		case i == len(flows)-1:
			s.WriteString(" and ")
		default:
			s.WriteString(", ")
		}
		fmt.Fprintf(&s, "%s %s", f.name, value)
	}
	if more := len(flows) - 3; more > 0 {
		fmt.Fprintf(&s, " and %s no more", quantity.Count(more, "other flow"))
	}
	if m, ok := index["fairness.jain"]; ok {
		fmt.Fprintf(&s, "; Jain's fairness of the bulk flows is %s", quantity.Format(m.Name, m.Value, m.Unit))
	}
	if e, m, _, ok := longest(metrics, index, "links.", "utilisation"); ok && m.Value > 0 {
		if s.Len() > 0 {
			s.WriteString(". The")
		} else {
			s.WriteString("The")
		}
		fmt.Fprintf(&s, " busiest link, %s, was used to %s", directionIn(run, e), quantity.Format(m.Name, m.Value, m.Unit))
	}
	return sentence(s.String())
}

// delaySentence says how the largest round trip compares with the least, and
// where datagrams waited.
func delaySentence(run record.Run, metrics analysis.Metrics) string {
	index := indexOf(metrics)
	var s strings.Builder
	if e, p95, mean, ok := longest(metrics, index, "connections.", "rtt.p95"); ok {
		fmt.Fprintf(&s, "The RTT of %s was", short(e))
		if mean {
			s.WriteString(" on average")
		}
		if p50, _, ok := index.find(e, "rtt.p50"); ok {
			fmt.Fprintf(&s, " %s in the median and", quantity.Format(p50.Name, p50.Value, p50.Unit))
		}
		fmt.Fprintf(&s, " %s at the 95th percentile", quantity.Format(p95.Name, p95.Value, p95.Unit))
		if least, _, ok := index.find(e, "rtt.min"); ok && least.Value > 0 {
			fmt.Fprintf(&s, ", %s times the least of %s", quantity.Significant(p95.Value/least.Value), quantity.Format(least.Name, least.Value, least.Unit))
		}
	}
	if e, m, _, ok := longest(metrics, index, "links.", "queue_delay.max"); ok && m.Value > 0 {
		if s.Len() > 0 {
			s.WriteString(". ")
		}
		fmt.Fprintf(&s, "Datagrams waited up to %s in the queue of %s", quantity.Format(m.Name, m.Value, m.Unit), directionIn(run, e))
		if p95, ok := index[e+".queue_delay.p95"]; ok {
			fmt.Fprintf(&s, " (95th percentile %s)", quantity.Format(p95.Name, p95.Value, p95.Unit))
		}
	}
	return sentence(s.String())
}

// timelineSentence says how long set-up and teardown took.
func timelineSentence(metrics analysis.Metrics) string {
	index := indexOf(metrics)
	var s strings.Builder
	if e, m, mean, ok := longest(metrics, index, "sessions.", "setup.duration"); ok {
		name := "Session " + short(e)
		if mean {
			name = "A session of " + short(e)
		}
		fmt.Fprintf(&s, "%s was established %s after it was dialled", name, onAverage(m, mean))
		var parts []string
		for _, phase := range []struct{ suffix, name string }{
			{"setup.handshake", "QUIC handshake"}, {"setup.settings", "SETTINGS"}, {"setup.connect", "CONNECT"},
		} {
			if p, _, ok := index.find(e, phase.suffix); ok {
				parts = append(parts, phase.name+" "+quantity.Format(p.Name, p.Value, p.Unit))
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(&s, " (%s)", strings.Join(parts, ", "))
		}
	}
	if e, m, mean, ok := longest(metrics, index, "sessions.", "teardown.duration"); ok {
		if s.Len() > 0 {
			s.WriteString(". ")
		}
		fmt.Fprintf(&s, "The teardown of %s took %s", short(e), onAverage(m, mean))
		if p, _, ok := index.find(e, "teardown.notified"); ok {
			fmt.Fprintf(&s, "; the peer was notified after %s", quantity.Format(p.Name, p.Value, p.Unit))
		}
	}
	return sentence(s.String())
}

func onAverage(m analysis.Metric, mean bool) string {
	s := quantity.Format(m.Name, m.Value, m.Unit)
	if mean {
		return "on average " + s
	}
	return s
}

// sentence ends words with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return together(s) + "."
}

// together keeps each number on one line with what follows it.
func together(s string) string {
	b := []byte(s)
	for i := 1; i < len(b); i++ {
		if b[i] == ' ' && b[i-1] >= '0' && b[i-1] <= '9' {
			b[i] = 0 // stands for a space that breaks no line
		}
	}
	return strings.ReplaceAll(string(b), "\x00", "\u00a0")
}
