package scenario

import "reflect"

// Table describes one kind of table of a scenario file.
type Table struct {
	Name string // as in the file, such as "links.NAME"; a flow's kind where kinds have keys of their own
	Doc  string // what the table is
	Keys []Key  // in the order in which they are explained
}

// Key describes one key of a table, or of a table within it ("queue.limit").
type Key struct {
	Name     string
	Type     string   // such as "rate"
	Example  string   // how a value of the type is written
	Default  string   // what a missing key stands for; empty: nothing
	Least    string   // least value accepted; empty where there is no range
	Most     string   // largest value accepted
	OneOf    []string // the words accepted, where only some are
	Required bool     // whether the key must be there
	Doc      string
}

// Reference describes all tables, in the order of a file.
func Reference() []Table {
	tables := []Table{
		describe("", "the scenario as a whole", &Scenario{}),
		describe("quic", "QUIC parameters; also hosts.NAME.quic and sessions.NAME.quic", &QUIC{}),
		describe("hosts.NAME", "a computer with one address", &Host{}),
	}
	tables = append(tables, LinkTables()...)
	tables = append(tables, TrafficTables()...)
	tables = append(tables, describe("sessions.NAME", "a WebTransport session, or a group of equal ones", &Session{}))
	for _, t := range FlowKinds() {
		t.Name = "sessions.NAME.flows.NAME, kind " + t.Name
		tables = append(tables, t)
	}
	for _, t := range SizeKinds() {
		t.Name = "sessions.NAME.flows.NAME." + t.Name
		tables = append(tables, t)
	}
	return append(tables, describe("expect", "what a metric is expected to be; a list [[expect]]", &Expect{}))
}

// LinkTables describes the tables of a link, and the kinds of its queues and
// losses.
func LinkTables() []Table {
	tables := []Table{describe("links.NAME", "two hosts joined, with a path in each direction; links.NAME.reverse overrides what differs from the second to the first", &Link{})}
	for _, k := range queueKinds {
		tables = append(tables, describe("links.NAME.queue, kind "+k.name, k.doc, k.config()))
	}
	for _, k := range lossKinds[1:] {
		tables = append(tables, describe("links.NAME.loss, kind "+k.name, k.doc, k.config()))
	}
	return append(tables,
		describe("links.NAME.changes", "new values at a virtual time for any keys of links.NAME but between; a list [[links.NAME.changes]]", &Change{}),
		describe("links.NAME.outages", "times without transmission; a list [[links.NAME.outages]]", &Outage{}))
}

// FlowKinds describes the kinds of flows, each with all the keys of its table.
func FlowKinds() []Table {
	var tables []Table
	for _, k := range flowKinds {
		tables = append(tables, describe(k.name, k.doc, &Flow{Config: k.config().(FlowConfig)}))
	}
	return tables
}

// describe reads a table's description off the tags of its type.
func describe(name, doc string, table any) Table {
	t := Table{Name: name, Doc: doc}
	for _, f := range leaves(reflect.ValueOf(table).Elem(), "") {
		typ := f.value.Type()
		k := Key{Name: f.key, Default: f.standard, Least: f.least, Most: f.most, OneOf: f.oneof, Required: f.required, Doc: f.doc}
		k.Type, k.Example = typeWords(typ)
		t.Keys = append(t.Keys, k)
	}
	return t
}
