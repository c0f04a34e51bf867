package scenario

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestTheReferenceDescribesEveryTableAndKey(t *testing.T) {
	var names []string
	for _, table := range Reference() {
		names = append(names, table.Name)
		if table.Doc == "" {
			t.Errorf("table %q has no description", table.Name)
		}
		for _, k := range table.Keys {
			if k.Doc == "" || k.Type == "" {
				t.Errorf("%s.%s has no description or no type: %+v", table.Name, k.Name, k)
			}
			if k.Default != "" && k.Required {
				t.Errorf("%s.%s is required and has a default", table.Name, k.Name)
			}
		}
	}
	want := []string{
		"", "quic", "hosts.NAME", "hosts.NAME.routes", "routers.NAME", "routers.NAME.routes", "links.NAME", "links.NAME.reverse",
		"links.NAME, element outages", "links.NAME, element mtu", "links.NAME, element policer", "links.NAME, element ecn", "links.NAME, element loss",
		"links.NAME.loss, kind bernoulli", "links.NAME.loss, kind gilbert_elliott", "links.NAME.loss, kind markov",
		"links.NAME.loss, kind periodic", "links.NAME.loss, kind listed", "links.NAME.loss, kind mask",
		"links.NAME, element duplicate", "links.NAME, element corrupt", "links.NAME, element netem", "links.NAME, element queue",
		"links.NAME.queue, kind fifo", "links.NAME.queue, kind red", "links.NAME.queue, kind codel", "links.NAME.queue, kind fq_codel", "links.NAME.queue, kind pie", "links.NAME.queue, kind fq_pie", "links.NAME.queue, kind dualpi2",
		"links.NAME, element rate", "links.NAME, element trace", "links.NAME, element slot", "links.NAME, element reorder", "links.NAME, element delay", "links.NAME, element jitter",
		"links.NAME.changes", "links.NAME.outages", "links.NAME.nat", "links.NAME.rebinds",
		"traffic.NAME", "traffic.NAME, kind cbr", "traffic.NAME, kind poisson", "traffic.NAME, kind onoff", "traffic.NAME.mix", "traffic.NAME.changes",
		"sessions.NAME", "sessions.NAME.migrations",
		"sessions.NAME.flows.NAME, kind download", "sessions.NAME.flows.NAME, kind upload", "sessions.NAME.flows.NAME, kind echo",
		"sessions.NAME.flows.NAME, kind media", "sessions.NAME.flows.NAME, kind baton", "sessions.NAME.flows.NAME, kind request",
		"sessions.NAME.flows.NAME.sizes, kind exponential", "sessions.NAME.flows.NAME.sizes, kind pareto", "sessions.NAME.flows.NAME.sizes, kind cdf",
		"sessions.NAME.flows.NAME.sizes, kind web_search", "sessions.NAME.flows.NAME.sizes, kind data_mining", "sessions.NAME.flows.NAME.sizes.points", "expect",
		"sweep", "sweep.grid", "sweep.zip", "sweep.sample",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the tables are %q, want %q", names, want)
	}
}

func TestTheReferenceHasEveryKeyOfALinkOnce(t *testing.T) {
	seen := map[string]int{}
	for _, table := range LinkTables() {
		if table.Name == "links.NAME" || strings.HasPrefix(table.Name, "links.NAME, ") {
			for _, k := range table.Keys {
				seen[k.Name]++
			}
		}
		if table.Name == "links.NAME.nat" {
			for _, k := range table.Keys {
				seen["nat."+k.Name]++
			}
		}
	}
	for _, f := range leaves(reflect.ValueOf(&Link{}).Elem(), "") {
		if seen[f.key] != 1 {
			t.Errorf("links.NAME.%s is described %d times, want once", f.key, seen[f.key])
		}
	}
}

func TestTheElementsAreInTheOrderInWhichADatagramPassesThem(t *testing.T) {
	s := parse(t, `
[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
policer = "1Mbit/s"
ecn.bleach = 1
loss = 0.1
duplicate = 0.1
corrupt = 0.1
netem = "limit 10"
queue = "1KB"
slot = "1ms"
reorder.delay = "1ms"
jitter = "1ms"
outages = [{ at = "1s", for = "1s" }]
[sessions.main]
client = "client"
server = "server"
`)
	var passed []string
	for _, e := range s.Links[0].Elements("forward", &s.Links[0].Forward, Outages{}) {
		passed = append(passed, e.Kind())
	}
	var described []string
	for _, e := range linkElements {
		switch e.name {
		case "rate", "trace", "delay": // in one element with the queue, or the jitter
		case "outages":
			described = append(described, "outage")
		default:
			described = append(described, e.name)
		}
	}
	if !slices.Equal(passed, described) {
		t.Errorf("a datagram passes %q, and the reference describes %q", passed, described)
	}
}

func TestEveryTypeOfAKeyIsDescribed(t *testing.T) {
	used := map[string]bool{}
	for _, table := range Reference() {
		for _, k := range table.Keys {
			used[k.Type] = true
		}
	}
	for _, typ := range Types() {
		if !used[typ.Name] {
			t.Errorf("no key is a %s", typ.Name)
		}
		delete(used, typ.Name)
	}
	for name := range used {
		t.Errorf("the type %s is not described", name)
	}
}

func TestAFlowKindHasTheKeysOfItsTable(t *testing.T) {
	media := FlowKinds()[3]
	var keys []string
	for _, k := range media.Keys {
		keys = append(keys, k.Name)
	}
	if want := []string{"kind", "start", "transport", "from", "rate", "size", "duration", "count", "deadline"}; media.Name != "media" || !slices.Equal(keys, want) {
		t.Errorf("%s has the keys %q, want %q", media.Name, keys, want)
	}
	want := Key{
		Name: "rate", Type: "frequency", Example: `"50Hz" or "20ms"`, Default: "50Hz",
		Least: "0.001Hz", Most: "1000000Hz", OneOf: []string{}, Doc: "frames per second",
	}
	if got := media.Keys[4]; !reflect.DeepEqual(got, want) {
		t.Errorf("rate is described as %+v, want %+v", got, want)
	}
}

// A tag that does not parse would be found only by the file that uses its key.
func TestTheTagsAreValues(t *testing.T) {
	kinds := []any{&Scenario{}, &Point{}, &Link{}, &Change{}, &Outage{}, &Session{}, &Expect{}, &Host{}, &Traffic{}, &Share{}, &TrafficChange{}}
	for _, k := range slices.Concat(flowKinds, queueKinds, lossKinds, trafficKinds, sizeKinds) {
		kinds = append(kinds, k.config())
	}
	words := []string{"when all flows of the session have ended", "1500B, unless there is a mix", "the end of the run"}
	for _, kind := range kinds {
		for _, f := range leaves(reflect.ValueOf(kind).Elem(), "") {
			f.inRange(f.value) // panics if the range does not parse
			if f.standard == "" || slices.Contains(words, f.standard) {
				continue
			}
			if err := setText(f.value, f.standard); err != nil {
				t.Errorf("%T: default of %s: %v", kind, f.key, err)
			}
			if f.standard != unlimited && !f.inRange(f.value) {
				t.Errorf("%T: the default of %s is out of range", kind, f.key)
			}
			if len(f.oneof) > 0 && !slices.Contains(f.oneof, f.standard) {
				t.Errorf("%T: the default of %s is none of %s", kind, f.key, strings.Join(f.oneof, ", "))
			}
		}
	}
}
