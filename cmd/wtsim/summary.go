package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// section is a table of the summary: the entities of one kind, and the metrics
// of theirs that matter most.
type section struct {
	title, prefix string
	columns       []column
}

// column shows the metric that ends in suffix.
type column struct{ title, suffix string }

var sections = []section{
	{"Flow", "flows.", []column{
		{"goodput", "goodput"}, {"completed in", "completion_time"}, {"first byte", "first_byte.p50"},
		{"sent", "messages.sent"}, {"missing", "messages.loss_ratio"}, {"missed deadline", "deadline.miss_ratio"},
		{"delay p50", "messages.delay.p50"}, {"p95", "messages.delay.p95"}, {"jitter", "messages.jitter"},
		{"RTT p50", "messages.rtt.p50"}, {"p95", "messages.rtt.p95"}}},
	{"Session", "sessions.", []column{
		{"set-up", "setup.duration"}, {"QUIC handshake", "setup.handshake"}, {"SETTINGS", "setup.settings"}, {"CONNECT", "setup.connect"},
		{"teardown", "teardown.duration"}, {"peer notified", "teardown.notified"}}},
	{"Connection end", "connections.", []column{
		{"RTT p50", "rtt.p50"}, {"p95", "rtt.p95"}, {"min", "rtt.min"}, {"cwnd mean", "cwnd.mean"}, {"max", "cwnd.max"},
		{"packets lost", "packets_lost"}, {"sent again", "retransmission_ratio"}, {"PTOs", "ptos"}}},
	{"Traffic", "traffic.", []column{
		{"rate", "rate"}, {"delivered", "throughput"}, {"packets", "sent"}, {"loss", "loss_ratio"},
		{"delay p50", "delay.p50"}, {"p95", "delay.p95"}, {"max", "delay.max"}}},
	{"Link direction", "links.", []column{
		{"throughput", "throughput"}, {"utilisation", "utilisation"}, {"queueing p50", "queue_delay.p50"}, {"p95", "queue_delay.p95"},
		{"datagrams", "datagrams"}, {"dropped", "dropped"}, {"loss", "loss_ratio"}, {"CE", "ce_marks"}}},
}

// mostRows bounds the rows of a section.
const mostRows = 20

// printRun writes the summary of one run.
func printRun(out io.Writer, o outcome) error {
	var b strings.Builder
	took := fmt.Sprintf("%s of virtual time in %s (%s)", quantity.Duration(o.Virtual.Seconds()), quantity.Duration(o.Wall.Seconds()), speed(o.Virtual, o.Wall))
	switch {
	case o.RealTime != nil && o.RealTime.Emulated:
		took = quantity.Duration(o.Virtual.Seconds()) + " emulated between other programs"
	case o.RealTime != nil:
		took = quantity.Duration(o.Virtual.Seconds()) + " in real time"
	}
	fmt.Fprintf(&b, "%s, seed %d%s: %s, %d datagrams\n", o.Name, o.Seed, with(o.Overrides), took, o.Datagrams)
	if o.Ended == record.TimeLimit && len(o.Unfinished) > 0 {
		bullets(&b, fmt.Sprintf("\nThe run ended at its time limit of %s, unfinished:", o.Virtual), o.Unfinished, len(o.Unfinished))
	}
	if o.Failed > 0 {
		lines := make([]string, len(o.Failures))
		for i, f := range o.Failures {
			lines[i] = fmt.Sprintf("%s, at %s: %s", f.Entity, quantity.Duration(f.At.Seconds()), f.Why)
		}
		bullets(&b, "\nFailed:", lines, o.Failed)
	}
	for _, g := range o.Graphs {
		g.print(&b, styleOf(out))
	}
	for _, s := range sections {
		s.print(&b, o.Metrics)
	}
	if m, ok := o.Metrics.Get("fairness.jain"); ok {
		fmt.Fprintf(&b, "\nJain's fairness of the bulk flows' goodputs: %s\n", quantity.Format(m.Name, m.Value, m.Unit))
	}
	printVerdicts(&b, o.Verdicts)
	printUnrecorded(&b, o)
	printRealTime(&b, o.RealTime)
	fmt.Fprintf(&b, "\nFiles        %s%c: %s\n", o.Dir, filepath.Separator, strings.Join(fileNames(o), ", "))
	fmt.Fprintf(&b, "Fingerprint  %s\n", o.Fingerprint)
	fmt.Fprintf(&b, "Determinism  %s\n", determinism(o))
	_, err := io.WriteString(out, b.String())
	return err
}

// printUnrecorded says why metrics are missing.
func printUnrecorded(out io.Writer, o outcome) {
	var names []string
	for _, t := range o.Unrecorded() {
		names = append(names, string(t))
	}
	if len(names) > 0 {
		fmt.Fprintf(out, "\nNot recorded: %s. Metrics and figures that need them are left out.\n", strings.Join(names, ", "))
	}
}

// bullets writes a title and the first of so many lines.
func bullets(b *strings.Builder, title string, lines []string, count int) {
	fmt.Fprintln(b, title)
	shown := lines[:min(len(lines), mostFailures)]
	for _, line := range shown {
		fmt.Fprintln(b, "  "+line)
	}
	if more := count - len(shown); more > 0 {
		fmt.Fprintf(b, "  … and %d more\n", more)
	}
}

func with(overrides []string) string {
	if len(overrides) == 0 {
		return ""
	}
	return " with " + strings.Join(overrides, ", ")
}

// determinism says in words whether the run can be repeated.
func determinism(o outcome) string {
	switch o.Determinism {
	case record.Sealed:
		return "sealed: the same scenario and seed give the same fingerprint"
	case record.InReal:
		return "none: it happened in real time, and no other run is the same"
	}
	return "unsealed, so another run may differ: " + o.Unsealed
}

// fileNames names the files of a recording, figures and qlogs by their folder.
func fileNames(o outcome) []string {
	var names []string
	for _, path := range o.Outputs {
		name, err := filepath.Rel(o.Dir, path)
		if err != nil {
			name = path
		}
		if dir, _, below := strings.Cut(name, string(filepath.Separator)); below {
			name = dir + string(filepath.Separator)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// print writes the section's table, if the run has such entities.
func (s section) print(out io.Writer, metrics analysis.Metrics) {
	entities := s.entities(metrics)
	if len(entities) == 0 {
		return
	}
	titles := []string{s.title}
	for _, c := range s.columns {
		titles = append(titles, c.title)
	}
	t := newTable(titles...)
	t.SuppressEmptyColumns()
	if len(entities) > mostRows {
		s.fullestFirst(entities, metrics)
	}
	for _, entity := range entities[:min(len(entities), mostRows)] {
		row := table.Row{strings.TrimPrefix(entity, s.prefix)}
		for _, c := range s.columns {
			row = append(row, cell(metrics, entity+"."+c.suffix))
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(out, "\n%s\n", t.Render())
	if more := len(entities) - mostRows; more > 0 {
		fmt.Fprintf(out, "… and %d more in metrics.json\n", more)
	}
}

// entities returns the entities of the section, groups instead of their
// members.
func (s section) entities(metrics analysis.Metrics) []string {
	var found []string
	for _, m := range metrics {
		if s.shows(m) && !m.Member && !slices.Contains(found, m.Entity) {
			found = append(found, m.Entity)
		}
	}
	return found
}

// fullestFirst puts entities first that have values in more columns, and of these
// the ones that are used more, so that it is not links without a rate and a queue,
// or those of a group of hosts, that hide a bottleneck.
func (s section) fullestFirst(entities []string, metrics analysis.Metrics) {
	filled, used := map[string]int{}, map[string]float64{}
	for _, m := range metrics {
		if s.shows(m) {
			filled[m.Entity]++
		}
		if m.Name == m.Entity+".utilisation" {
			used[m.Entity] = m.Value
		}
	}
	slices.SortStableFunc(entities, func(a, b string) int {
		return cmp.Or(cmp.Compare(filled[b], filled[a]), cmp.Compare(used[b], used[a]))
	})
}

// shows reports whether one of the section's columns shows a metric. A flow
// whose name is not unique is named after its session.
func (s section) shows(m analysis.Metric) bool {
	prefix := m.Entity[:strings.IndexByte(m.Entity, '.')+1]
	if strings.Contains(m.Entity, ".flows.") {
		prefix = "flows."
	}
	return prefix == s.prefix && slices.ContainsFunc(s.columns, func(c column) bool {
		name := m.Entity + "." + c.suffix
		return m.Name == name || m.Name == name+".mean"
	})
}

// cell writes a metric, of a group its mean.
func cell(metrics analysis.Metrics, name string) string {
	if m, ok := metrics.Get(name); ok {
		return quantity.Format(m.Name, m.Value, m.Unit)
	}
	if m, ok := metrics.Get(name + ".mean"); ok {
		return "mean " + quantity.Format(m.Name, m.Value, m.Unit)
	}
	return ""
}
