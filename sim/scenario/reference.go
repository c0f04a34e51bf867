package scenario

import (
	"reflect"
	"slices"
	"strings"
)

// Table describes one kind of table of a scenario file, or a part of one.
type Table struct {
	// Name is as in the file, such as "links.NAME". Where it goes on with ", kind
	// …" or ", element …", the table describes the keys of that kind or element
	// only. [FlowKinds] have the name of the kind alone.
	Name    string `json:"name"`
	Doc     string `json:"meaning"`           // what the table is
	Linux   string `json:"linux,omitempty"`   // what does the same in Linux, such as "tc-netem: loss gemodel"; empty: nothing does
	Example string `json:"example,omitempty"` // TOML that is part of a valid scenario
	Keys    []Key  `json:"keys"`              // in the order in which they are explained
}

// Key describes one key of a table, or of a table within it ("queue.limit").
type Key struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`               // one of those that [Types] describes
	Example  string   `json:"example"`            // how a value of the type is written
	Default  string   `json:"default,omitempty"`  // what a missing key stands for; empty: nothing
	Least    string   `json:"least,omitempty"`    // least value accepted; empty where there is no range
	Most     string   `json:"most,omitempty"`     // largest value accepted
	OneOf    []string `json:"one_of,omitempty"`   // the words accepted, where only some are
	Required bool     `json:"required,omitempty"` // whether the key must be there
	Short    bool     `json:"short,omitempty"`    // whether a value in place of the innermost table stands for this key: mtu = "1400B"
	Doc      string   `json:"meaning"`
}

// Values says which values a key accepts, "" for all of its type and where Doc
// ends with them.
func (k Key) Values() string {
	switch words := strings.Join(k.OneOf, ", "); {
	case words != "" && !strings.HasSuffix(k.Doc, words):
		return words
	case k.Least != "":
		return k.Least + " to " + k.Most
	}
	return ""
}

// Fallback says what a missing key stands for, in words where the key must be
// there or has no default.
func (k Key) Fallback() string {
	if k.Required {
		return "(required)"
	}
	return k.Default
}

// Reference describes all tables, in the order of a file.
func Reference() []Table {
	tables := []Table{
		describe("", "the scenario as a whole", &Scenario{}).example(`
name = "demo"
description = "What it shows, and its source."
seed = 7
time_limit = "30s"`),
		describe("quic", "QUIC parameters; also hosts.NAME.quic and sessions.NAME.quic", &QUIC{}).example(`
[quic]
idle_timeout = "10s"
ecn = false
[hosts.client.quic]
keep_alive = "2s"`),
	}
	tables = append(tables, topologyTables()...)
	tables = append(tables, LinkTables()...)
	tables = append(tables, TrafficTables()...)
	tables = append(tables, sessionTables()...)
	tables = append(tables, describe("expect", "what a metric is expected to be; a list [[expect]]", &Expect{}).example(`
[[expect]]
metric = "flows.bulk.goodput"
from = "1s"
min = "0.9 * links.access.rate"`))
	return append(tables, sweepTables()...)
}

func sweepTables() []Table {
	return []Table{
		describe("sweep", "the study that 'wtsim sweep' makes of the scenario; other commands run the scenario as it is", &Sweep{}).example(`
[sweep]
seeds = 3
metrics = ["flows.bulk.goodput", "links.access.forward.queue_delay.p95"]
wall = "60s"
[sweep.grid]
links.access.rate = ["5Mbit/s", "20Mbit/s"]`),
		Table{Name: "sweep.grid", Doc: "keys of the scenario, named as with --set, of which every combination of values is a cell; the first varies slowest. " +
			"A value is as the key takes it, or a range: LOW..HIGH:linN, N values with equal steps; LOW..HIGH:logN, N values with equal factors; LOW..HIGH:stepSIZE. " +
			"What lies between the ends is rounded to four digits, and to whole numbers where the key takes only those"}.example(`
[sweep.grid]
links.access.rate = ["5Mbit/s", "10Mbit/s", "20Mbit/s"]
links.access.loss.p = "0.001..0.1:log5"
links.access.queue = [{ kind = "codel" }, "1BDP"]`),
		Table{Name: "sweep.zip", Doc: "keys whose values go together, the first with the first and so on; a list [[sweep.zip]], of which each table counts in the grid as one key"}.example(`
[[sweep.zip]]
links.access.rate = ["5Mbit/s", "50Mbit/s"]
links.access.delay = ["50ms", "5ms"]`),
		Table{Name: "sweep.sample", Doc: "keys that are drawn: uniformly from LOW..HIGH, with equal chances for equal factors from LOW..HIGH:log, or from a list. As many draws as 'samples' says count in the grid as one key"}.example(`
[sweep]
samples = 50
[sweep.sample]
links.access.rate = "1..100Mbit/s:log"
links.access.delay = "1ms..200ms"
links.access.queue.kind = ["fifo", "codel"]`),
	}
}

func topologyTables() []Table {
	return []Table{
		describe("hosts.NAME", "a computer on which ends of sessions run, or a group of equal ones", &Host{}).example(`
[hosts.server]
[hosts.client]
count = 3 # client-1, client-2 and client-3; a link of the group is one for each: access-1, access-2 and access-3`),
		describe("hosts.NAME.routes", "static routes of a host; without them datagrams take the way with the fewest links, of several the one whose link comes first in the file", &Route{}).linux("ip route").example(`
[hosts.client]
routes = { server = "access" } # datagrams to the server leave by the link access`),
		describe("routers.NAME", "a node that forwards datagrams from link to link, at once, and runs nothing", &Router{}).linux("sysctl net.ipv4.ip_forward=1").example(`
[routers.edge]
[links.uplink]
between = ["client", "edge"]
[links.core]
between = ["edge", "server"]`),
		describe("routers.NAME.routes", "static routes of a router", &Route{}).linux("ip route").example(`
[routers.edge]
routes = { client = "uplink" }
[links.uplink]
between = ["client", "edge"]
[links.core]
between = ["edge", "server"]`),
	}
}

// TrafficTables describes the tables of traffic, and its kinds, each with the keys
// of its own.
func TrafficTables() []Table {
	tables := []Table{describe("traffic.NAME", "cross traffic without a transport: UDP datagrams from one host to another, or a group of equal sources", &Traffic{}).example(`
[traffic.background]
from = "server"
to = "client"
kind = "poisson"
rate = "2Mbit/s" # of each of the four sources
count = 4
start = "1s"
stop = "8s"`)}
	for _, k := range trafficKinds {
		tables = append(tables, k.describe("traffic.NAME"))
	}
	return append(tables,
		describe("traffic.NAME.mix", "sizes of packets; a list [[traffic.NAME.mix]]", &Share{}).example(`
[traffic.background]
from = "server"
to = "client"
kind = "cbr"
rate = "2Mbit/s"
mix = [{ size = "64B", weight = 3 }, { size = "1500B" }]`),
		describe("traffic.NAME.changes", "new rates at a virtual time; a list [[traffic.NAME.changes]]", &TrafficChange{}).example(`
[traffic.background]
from = "server"
to = "client"
kind = "cbr"
rate = "10Mbit/s"
changes = [{ at = "5s", over = "2s", rate = "0bit/s" }] # fades out`))
}

func sessionTables() []Table {
	tables := []Table{
		describe("sessions.NAME", "a WebTransport session, or a group of equal ones", &Session{}).example(`
[sessions.voice]
client = "client"
server = "server"
count = 10
stagger = "100ms" # one after the other
drain = { at = "4s", by = "server" }
close = { at = "5s", by = "server", code = 7, reason = "enough" }`),
		describe("sessions.NAME.migrations", "moves of the client to another of its links, once the new path is found to work (RFC 9000, section 9); a list [[sessions.NAME.migrations]]", &Migration{}).example(`
[links.lte]
between = ["server", "client"] # beside the link access
rate = "5Mbit/s"
delay = "35ms"
[[sessions.main.migrations]]
at = "3s"
link = "lte"`),
	}
	for _, k := range flowKinds {
		t := describe("sessions.NAME.flows.NAME, kind "+k.name, k.doc, &Flow{Config: k.config().(FlowConfig)})
		tables = append(tables, t.example(k.example))
	}
	for _, t := range SizeKinds() {
		t.Name = "sessions.NAME.flows.NAME." + t.Name
		tables = append(tables, t)
	}
	return tables
}

// FlowKinds describes the kinds of flows, each with all the keys of its table.
func FlowKinds() []Table {
	var tables []Table
	for _, k := range flowKinds {
		tables = append(tables, describe(k.name, k.doc, &Flow{Config: k.config().(FlowConfig)}).example(k.example))
	}
	return tables
}

// describe describes the keys of a kind's own.
func (k kind) describe(table string) Table {
	return describe(table+", kind "+k.name, k.doc, k.config()).linux(k.linux).example(k.example)
}

// describe reads a table's description off the tags of its type.
func describe(name, doc string, table any) Table {
	t := Table{Name: name, Doc: doc}
	for _, f := range leaves(reflect.ValueOf(table).Elem(), "") {
		k := Key{Name: f.key, Default: f.standard, Least: f.least, Most: f.most, OneOf: f.oneof, Required: f.required, Short: f.short, Doc: f.doc}
		k.Type, k.Example = typeWords(f.value.Type())
		t.Keys = append(t.Keys, k)
	}
	return t
}

func (t Table) linux(what string) Table {
	t.Linux = what
	return t
}

func (t Table) example(toml string) Table {
	t.Example = strings.TrimSpace(toml)
	return t
}

// only keeps the keys that are, or stand within, one of those named.
func (t Table) only(keys ...string) Table {
	t.Keys = slices.DeleteFunc(t.Keys, func(k Key) bool {
		top, _, _ := strings.Cut(k.Name, ".")
		return !slices.Contains(keys, top)
	})
	return t
}
