package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wtsim/wtsim/sim/record"
)

// network is the topology of a run, a group of equal hosts or links as one.
type network struct {
	nodes []node
	links []link
}

// node is a host, a group of hosts or a router.
type node struct {
	name   string
	count  int // of hosts in the group
	router bool
	sends  int // flows that come from it, less those that go to it: who sends is on the left
}

// link joins two nodes.
type link struct {
	name  string
	count int    // of links in the group
	ends  [2]int // the indexes of the nodes; forward goes from the first to the second
	words [2][]string
}

// tree is a table of a scenario.
type tree map[string]any

// table returns an inner table, an empty one if there is none.
func (t tree) table(name string) tree {
	inner, _ := t[name].(map[string]any)
	return inner
}

// text returns a value as the scenario writes it, "" if there is none.
func (t tree) text(name string) string {
	if v, ok := t[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// number returns a number, 0 if there is none.
func (t tree) number(name string) float64 {
	switch v := t[name].(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// length returns how many tables an array has.
func (t tree) length(name string) int {
	list, _ := t[name].([]any)
	return len(list)
}

// over returns the table with what another one says in addition or instead.
func (t tree) over(other tree) tree {
	all := maps.Clone(t)
	for name, v := range other {
		if inner, ok := v.(map[string]any); ok {
			v = map[string]any(t.table(name).over(inner))
		}
		if all == nil {
			all = tree{}
		}
		all[name] = v
	}
	return all
}

// scenarioOf returns the scenario as resolved, as text and as a tree: nothing if
// the run does not say.
func scenarioOf(run record.Run) (string, tree, error) {
	if len(run.Scenario) == 0 {
		return "", nil, nil
	}
	var text string
	if err := json.Unmarshal(run.Scenario, &text); err != nil {
		return "", nil, fmt.Errorf("the scenario in run.json is not a text: %w", err)
	}
	var t tree
	if err := toml.Unmarshal([]byte(text), &t); err != nil {
		return "", nil, fmt.Errorf("the scenario in run.json is broken: %w", err)
	}
	return text, t, nil
}

// networkOf puts the links of a run together as the scenario groups them.
// Without a scenario each link and host is on its own, and has no words.
func networkOf(run record.Run, scenario tree) network {
	hosts, routers, links := scenario.table("hosts"), scenario.table("routers"), scenario.table("links")
	var n network
	nodeOf := map[string]int{}
	add := func(member string) int {
		name := groupOf(member, hosts, routers)
		i, known := nodeOf[name]
		if !known {
			i = len(n.nodes)
			nodeOf[name] = i
			_, isRouter := routers[name]
			n.nodes = append(n.nodes, node{name: name, router: isRouter, count: max(1, int(hosts.table(name).number("count")))})
		}
		return i
	}
	linkOf := map[string]int{}
	for _, l := range run.Links {
		name := groupOf(l.Name, links)
		i, known := linkOf[name]
		if known {
			n.links[i].count++
			continue
		}
		linkOf[name] = len(n.links)
		n.links = append(n.links, link{
			name: name, count: 1,
			ends:  [2]int{add(l.Between[0]), add(l.Between[1])},
			words: linkWords(links.table(name)),
		})
	}
	flow := func(from, to string) {
		for i := range n.nodes {
			switch n.nodes[i].name {
			case groupOf(from, hosts):
				n.nodes[i].sends++
			case groupOf(to, hosts):
				n.nodes[i].sends--
			}
		}
	}
	for _, f := range run.Flows {
		flow(f.From, f.To)
	}
	for _, t := range run.Traffic {
		flow(t.From, t.To)
	}
	return n
}

// groupOf returns the name in the scenario that a host or a link is a member
// of: its own, or NAME for NAME-3.
func groupOf(member string, tables ...tree) string {
	for _, t := range tables {
		if _, ok := t[member]; ok {
			return member
		}
	}
	if i := strings.LastIndexByte(member, '-'); i > 0 && strings.Trim(member[i+1:], "0123456789") == "" {
		for _, t := range tables {
			if _, ok := t[member[:i]]; ok {
				return member[:i]
			}
		}
	}
	return member
}

// linkWords says in words how each direction of a link is configured.
func linkWords(t tree) [2][]string {
	if t == nil {
		return [2][]string{}
	}
	var out [2][]string
	for i, d := range []tree{t, t.over(t.table("reverse"))} {
		out[i] = append(directionWords(d), eventWords(t)...)
	}
	return out
}

// directionWords says how one direction is configured; what does nothing is
// not mentioned.
func directionWords(t tree) []string {
	var out []string
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	trace := t.table("trace").text("file")
	rate := t.text("rate")
	limited := trace != "" || rate != "" && rate != "unlimited"
	switch {
	case trace != "":
		say(true, "trace %s", trace[strings.LastIndexByte(trace, '/')+1:])
	case limited:
		say(true, "%s", spaced(rate))
	}
	jitter := t.table("jitter")
	switch delay, varies := t.text("delay"), !zero(jitter.text("deviation")); {
	case varies:
		say(true, "%s ± %s", spaced(delay), spaced(jitter.text("deviation")))
	case !zero(delay):
		say(true, "%s", spaced(delay))
	}
	if netem := t.text("netem"); netem != "" {
		say(true, "netem %s", netem)
	}
	queue := t.table("queue")
	say(limited && queue != nil, "%s", strings.TrimSuffix(queueName(queue.text("kind"))+" "+spaced(queue.text("limit")), " "))
	loss := t.table("loss")
	switch kind := loss.text("kind"); {
	case kind == "bernoulli":
		say(loss.number("p") > 0, "loss %s", percent(loss.number("p")))
	case kind == "gilbert_elliott":
		say(true, "Gilbert-Elliott loss (%s, %s)", percent(loss.number("p")), percent(loss.number("r")))
	case kind != "" && kind != "none":
		say(true, "%s loss", kind)
	}
	for _, name := range []string{"duplicate", "corrupt", "reorder"} {
		p := t.table(name).number("p")
		say(p > 0, "%s %s", name, percent(p))
	}
	policer := t.table("policer").text("rate")
	say(policer != "" && policer != "unlimited", "policer %s", spaced(policer))
	for _, name := range []string{"drop", "bleach", "mangle"} {
		p := t.table("ecn").number(name)
		say(p > 0, "ECN %s %s", name, percent(p))
	}
	mtu := t.table("mtu").text("size")
	say(mtu != "" && mtu != "1500B", "MTU %s", spaced(mtu))
	slot := t.table("slot").text("max")
	say(!zero(slot), "slots up to %s", spaced(slot))
	return out
}

// eventWords says what happens to a link during the run.
func eventWords(t tree) []string {
	var out []string
	for _, what := range []struct{ name, one, many string }{
		{"changes", "changes once", "changes %d times"},
		{"outages", "an outage", "%d outages"},
		{"rebinds", "a rebinding", "%d rebindings"},
	} {
		switch n := t.length(what.name); {
		case n == 1:
			out = append(out, what.one)
		case n > 1:
			out = append(out, fmt.Sprintf(what.many, n))
		}
	}
	if inside := t.table("nat").text("inside"); inside != "" {
		out = append(out, "NAT")
	}
	return out
}

// queueName returns the name by which a discipline is known.
func queueName(kind string) string {
	known := map[string]string{
		"fifo": "FIFO", "red": "RED", "codel": "CoDel", "fq_codel": "FQ-CoDel",
		"pie": "PIE", "fq_pie": "FQ-PIE", "dualpi2": "DualPI2",
	}
	if name, ok := known[kind]; ok {
		return name
	}
	return kind
}

// spaced puts a space between the number and the unit of a quantity.
func spaced(quantity string) string {
	i := strings.LastIndexAny(quantity, "0123456789.")
	if i < 0 || i == len(quantity)-1 || strings.ContainsAny(quantity[:i], "hms") {
		return quantity
	}
	return quantity[:i+1] + " " + quantity[i+1:]
}

// zero reports whether a quantity is none.
func zero(quantity string) bool { return strings.Trim(quantity, "0.nuµmsh") == "" }

// percent writes a share in per cent.
func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }

// sameWords reports whether both directions of a link are configured alike.
func (l link) sameWords() bool { return slices.Equal(l.words[0], l.words[1]) }

// describe says in one sentence what the link is.
func (l link) describe(nodes []node) string {
	from, to := nodes[l.ends[0]].name, nodes[l.ends[1]].name
	name := l.name
	if l.count > 1 {
		name = fmt.Sprintf("%s (%d links)", name, l.count)
	}
	words := func(i int) string {
		if len(l.words[i]) == 0 {
			return "no limit"
		}
		return strings.Join(l.words[i], ", ")
	}
	if l.sameWords() {
		return fmt.Sprintf("%s joins %s and %s: %s.", name, from, to, words(0))
	}
	return fmt.Sprintf("%s joins %s and %s: %s; back: %s.", name, from, to, words(0), words(1))
}
