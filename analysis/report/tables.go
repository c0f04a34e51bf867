package report

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// section is a table of a run: the entities of one kind and their metrics.
type section struct {
	title   string // of the table
	entity  string // of its first column
	prefix  string // of the entities' names
	columns []column
}

// column shows the metric that ends in suffix. Neighbours of one group have a
// common header.
type column struct{ group, title, suffix string }

var sections = []section{
	{"Flows", "flow", "flows.", []column{
		{"", "goodput", "goodput"}, {"", "completed in", "completion_time"}, {"", "slowdown", "slowdown"}, {"", "first byte", "first_byte.p50"},
		{"messages", "sent", "messages.sent"}, {"messages", "missing", "messages.loss_ratio"}, {"messages", "missed deadline", "deadline.miss_ratio"},
		{"one-way delay", "p50", "messages.delay.p50"}, {"one-way delay", "p95", "messages.delay.p95"}, {"one-way delay", "jitter", "messages.jitter"},
		{"round trip", "p50", "messages.rtt.p50"}, {"round trip", "p95", "messages.rtt.p95"},
		{"head-of-line blocking", "share", "hol_blocking.ratio"}, {"head-of-line blocking", "p50", "hol_blocking.p50"}, {"head-of-line blocking", "p95", "hol_blocking.p95"}}},
	{"Sessions", "session", "sessions.", []column{
		{"set-up", "all", "setup.duration"}, {"set-up", "QUIC", "setup.handshake"}, {"set-up", "SETTINGS", "setup.settings"}, {"set-up", "CONNECT", "setup.connect"},
		{"teardown", "all", "teardown.duration"}, {"teardown", "close sent", "teardown.close_sent"}, {"teardown", "peer notified", "teardown.notified"},
		{"last stream ended", "client", "teardown.last_stream.client"}, {"last stream ended", "server", "teardown.last_stream.server"},
		{"gone", "client", "teardown.gone.client"}, {"gone", "server", "teardown.gone.server"}}},
	{"Connections", "end", "connections.", []column{
		{"RTT", "min", "rtt.min"}, {"RTT", "p50", "rtt.p50"}, {"RTT", "p95", "rtt.p95"},
		{"congestion window", "mean", "cwnd.mean"}, {"congestion window", "max", "cwnd.max"},
		{"packets", "sent", "packets_sent"}, {"packets", "lost", "packets_lost"}, {"packets", "share", "loss_ratio"}, {"packets", "spurious", "spurious_losses"}, {"", "sent again", "retransmission_ratio"},
		{"", "PTOs", "ptos"}, {"", "streams reset", "streams_reset"}}},
	{"Cross traffic", "traffic", "traffic.", []column{
		{"", "rate", "rate"}, {"", "delivered", "throughput"}, {"", "packets", "sent"}, {"", "loss", "loss_ratio"},
		{"delay", "p50", "delay.p50"}, {"delay", "p95", "delay.p95"}, {"delay", "max", "delay.max"}}},
	{"Links", "direction", "links.", []column{
		{"", "throughput", "throughput"}, {"", "utilisation", "utilisation"},
		{"queueing delay", "p50", "queue_delay.p50"}, {"queueing delay", "p95", "queue_delay.p95"}, {"queueing delay", "max", "queue_delay.max"},
		{"datagrams", "all", "datagrams"}, {"datagrams", "dropped", "dropped"}, {"datagrams", "share", "loss_ratio"}, {"datagrams", "CE marks", "ce_marks"}}},
}

// mostRows bounds the rows of a table.
const mostRows = 200

// table is a table as the page shows it.
type table struct {
	ID, Title string
	Groups    []header // above the columns; empty if no column has a group
	Columns   []header
	Rows      []row
	More      int // rows that are left out
	Note      string
}

// header is the title of columns.
type header struct {
	Title, Meaning string
	Span           int
	Text           bool // the column holds words, not numbers
}

// row is a row of a table.
type row struct {
	Name  string
	Cells []cell
}

// cell is a cell of a table; Key is what it is sorted by.
type cell struct {
	Text, Key string
	Class     string // of the element, such as "text"
}

// metricIndex finds metrics by their names.
type metricIndex map[string]analysis.Metric

func indexOf(m analysis.Metrics) metricIndex {
	index := make(metricIndex, len(m))
	for _, x := range m {
		index[x.Name] = x
	}
	return index
}

// find returns a metric of an entity, of a group its mean.
func (x metricIndex) find(entity, suffix string) (m analysis.Metric, mean, ok bool) {
	if m, ok = x[entity+"."+suffix]; ok {
		return m, false, true
	}
	m, ok = x[entity+"."+suffix+".mean"]
	return m, true, ok
}

// tablesOf returns the tables of a run. A group stands for its members, and
// what no entity has is left out.
func tablesOf(run record.Run, metrics analysis.Metrics) []table {
	index := indexOf(metrics)
	var out []table
	for _, s := range sections {
		if t, ok := s.table(run, metrics, index); ok {
			out = append(out, t)
		}
	}
	return out
}

// entities returns the entities of the section, groups instead of their
// members.
func (s section) entities(metrics analysis.Metrics) []string {
	var found []string
	known := map[string]bool{}
	for _, m := range metrics {
		prefix := m.Entity[:strings.IndexByte(m.Entity, '.')+1]
		if strings.Contains(m.Entity, ".flows.") {
			prefix = "flows."
		}
		if prefix == s.prefix && !m.Member && !known[m.Entity] {
			known[m.Entity] = true
			found = append(found, m.Entity)
		}
	}
	return found
}

func (s section) table(run record.Run, metrics analysis.Metrics, index metricIndex) (table, bool) {
	entities := s.entities(metrics)
	if len(entities) == 0 {
		return table{}, false
	}
	t := table{ID: strings.TrimSuffix(s.prefix, "."), Title: s.title, Columns: []header{{Title: s.entity, Text: true}}}
	extra := s.extra(run)
	for _, x := range extra {
		t.Columns = append(t.Columns, header{Title: x.title, Text: true})
	}
	if len(entities) > mostRows {
		t.More = len(entities) - mostRows
		entities = entities[:mostRows]
	}
	for _, entity := range entities {
		r := row{Name: strings.TrimPrefix(entity, s.prefix)}
		for _, x := range extra {
			r.Cells = append(r.Cells, cell{Text: x.of[entity], Key: x.of[entity], Class: "text"})
		}
		t.Rows = append(t.Rows, r)
	}
	var groups []header
	grouped := false
	groups = append(groups, header{Span: len(t.Columns)})
	means := false
	for _, c := range s.columns {
		cells := make([]cell, len(entities))
		meaning, filled := "", false
		for i, entity := range entities {
			m, mean, ok := index.find(entity, c.suffix)
			if !ok {
				continue
			}
			filled = true
			means = means || mean
			meaning = cmp.Or(meaning, m.Definition().Meaning)
			cells[i] = cell{Text: quantity.Format(m.Name, m.Value, m.Unit), Key: key(m.Value)}
		}
		if !filled {
			continue
		}
		for i := range t.Rows {
			t.Rows[i].Cells = append(t.Rows[i].Cells, cells[i])
		}
		t.Columns = append(t.Columns, header{Title: c.title, Meaning: meaning})
		if last := &groups[len(groups)-1]; c.group == last.Title {
			last.Span++
		} else {
			groups = append(groups, header{Title: c.group, Span: 1})
		}
		grouped = grouped || c.group != ""
	}
	if grouped {
		t.Groups = groups
	}
	if means {
		t.Note = "Groups show the means over their members."
	}
	return t, true
}

// key writes a value to sort by.
func key(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// words are a column of words.
type words struct {
	title string
	of    map[string]string // by entity
}

// extra returns the columns of words of the section.
func (s section) extra(run record.Run) []words {
	kind, way := words{"kind", map[string]string{}}, words{"from → to", map[string]string{}}
	put := func(entity, group, k, from, to string) {
		if group != "" {
			if _, known := way.of[group]; known && way.of[group] != from+" → "+to {
				from, to = strings.TrimRight(from, "-0123456789"), strings.TrimRight(to, "-0123456789")
			}
			kind.of[group], way.of[group] = k, from+" → "+to
		}
		kind.of[entity], way.of[entity] = k, from+" → "+to
	}
	switch s.prefix {
	case "flows.":
		for _, f := range run.Flows {
			put(f.Entity, f.Group, f.Kind, f.From, f.To)
		}
		return []words{kind, way}
	case "traffic.":
		for _, t := range run.Traffic {
			put(t.Entity, t.Group, t.Kind, t.From, t.To)
		}
		return []words{kind, way}
	case "links.":
		for _, l := range run.Links {
			way.of["links."+l.Name+".forward"] = l.Between[0] + " → " + l.Between[1]
			way.of["links."+l.Name+".reverse"] = l.Between[1] + " → " + l.Between[0]
		}
		return []words{way}
	}
	return nil
}

// mostMetrics bounds the table of all metrics.
const mostMetrics = 1500

// allMetrics returns the table of every metric of one run, but of the members of
// groups.
func allMetrics(metrics analysis.Metrics) table {
	t := table{ID: "metrics", Title: "All metrics", Columns: []header{{Title: "metric", Text: true}, {Title: "value"}, {Title: "meaning", Text: true}}}
	for _, m := range metrics {
		if m.Member {
			continue
		}
		if len(t.Rows) == mostMetrics {
			t.More++
			continue
		}
		meaning := m.Definition().Meaning
		t.Rows = append(t.Rows, row{m.Name, []cell{
			{Text: quantity.Format(m.Name, m.Value, m.Unit), Key: key(m.Value)},
			{Text: meaning, Key: meaning, Class: "meaning"},
		}})
	}
	return t
}
