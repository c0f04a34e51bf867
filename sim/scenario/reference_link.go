package scenario

// linkElements are what a datagram passes in a link's direction, in order, as
// [LinkDirection.Elements] builds it: keys of links.NAME, unless the element has
// a table of its own.
var linkElements = []struct {
	name, doc, linux string
	keys             []string
	example          string
}{
	{
		name: "outages", doc: "times without transmission: what comes is lost, or waits in the queue", linux: "ip link set down",
		example: `outages = [{ at = "3s", for = "250ms" }]`,
	},
	{
		name: "mtu", keys: []string{"mtu"}, doc: "larger IP packets are lost without a word, or refused to the sender", linux: "ip link set mtu",
		example: `mtu = { size = "1400B", error = true } # or mtu = "1400B"`,
	},
	{
		name: "policer", keys: []string{"policer"}, doc: "a token bucket that drops what exceeds it and delays nothing", linux: "tc-police: rate, burst, drop",
		example: `policer = { rate = "5Mbit/s", burst = "30KB" }`,
	},
	{
		name: "ecn", keys: []string{"ecn"}, doc: "wrong treatment of the ECN field by the path", linux: "nft: ip ecn set",
		example: `ecn = { bleach = 0.1, mangle = 1.0, from = "ect0", to = "ect1" }`,
	},
	{
		name: "loss", keys: []string{"loss"}, doc: "loss of datagrams", linux: "tc-netem: loss",
		example: `loss = { p = 0.1, above = "200B", from = "1s", until = "2s" }`,
	},
	{
		name: "duplicate", keys: []string{"duplicate"}, doc: "datagrams are sent twice", linux: "tc-netem: duplicate",
		example: `duplicate = { p = 0.01, correlation = 0.25 } # or duplicate = 0.01`,
	},
	{
		name: "corrupt", keys: []string{"corrupt"}, doc: "one bit of the UDP payload is flipped", linux: "tc-netem: corrupt",
		example: `corrupt = { p = 0.3, burst = 3 } # or corrupt = 0.001`,
	},
	{
		name: "netem", keys: []string{"netem"}, doc: "a whole netem of Linux, in the syntax of tc and with its order of steps, its queue and its defaults", linux: "tc-netem",
		example: `netem = "delay 20ms 5ms 25% distribution normal loss gemodel 1% 17% rate 10mbit"`,
	},
	{
		name: "queue", keys: []string{"queue"}, doc: "the queue in front of the rate or the trace", linux: "tc qdisc",
		example: `queue = { kind = "fifo", limit = "100ms" } # or queue = "100ms"`,
	},
	{
		name: "rate", keys: []string{"rate", "burst", "overhead"}, doc: "how fast datagrams leave the queue", linux: "tc-tbf, or tc-netem: rate",
		example: `rate = "20Mbit/s"
burst = "32KB"
overhead = "28B"`,
	},
	{
		name: "trace", keys: []string{"trace"}, doc: "a recorded link in place of the rate, or of rate, delay and loss", linux: "mahimahi: mm-link",
		example: `trace = { file = "traces/lte-down.mahimahi", loop = true } # or trace = "traces/lte-down.mahimahi"`,
	},
	{
		name: "slot", keys: []string{"slot"}, doc: "datagrams are held and leave together, as on links that aggregate frames", linux: "tc-netem: slot",
		example: `slot = { min = "1ms", max = "2ms", packets = 32 }`,
	},
	{
		name: "reorder", keys: []string{"reorder"}, doc: "some datagrams overtake those in front of them", linux: "tc-netem: delay, reorder, gap",
		example: `reorder = { p = 0.25, gap = 5, delay = "10ms" }`,
	},
	{
		name: "delay", keys: []string{"delay"}, doc: "propagation delay", linux: "tc-netem: delay",
		example: `delay = "20ms"`,
	},
	{
		name: "jitter", keys: []string{"jitter"}, doc: "variation of the delay, about its value", linux: "tc-netem: delay, distribution",
		example: `jitter = { deviation = "5ms", distribution = "normal", correlation = 0.25, reorder = false } # or jitter = "5ms"`,
	},
}

// LinkTables describes the tables of a link: the link, the elements of a
// direction in the order in which a datagram passes them, the kinds of loss and
// of queues below theirs, and what happens at a time.
func LinkTables() []Table {
	tables := []Table{
		describe("links.NAME", "two hosts or routers joined, with a path in each direction: forward is from the first to the second; any keys of a direction stand here for both", &Link{}).only("between").example(`
[links.access]
between = ["server", "client"] # forward is down to the client
rate = "20Mbit/s"
delay = "20ms"`),
		{Name: "links.NAME.reverse", Doc: "any keys of a direction, with which the one from the second to the first differs; what it does not name is as in the other direction", Example: `[links.access]
rate = "20Mbit/s"
reverse = { rate = "5Mbit/s", queue = "64KB" }`},
	}
	for _, e := range linkElements {
		t := describe("links.NAME, element "+e.name, e.doc, &Link{}).only(e.keys...).linux(e.linux)
		tables = append(tables, t.example(onLink(e.example)))
		switch e.name {
		case "loss":
			tables = append(tables, linkKinds("links.NAME.loss", lossKinds[1:])...)
		case "queue":
			tables = append(tables, linkKinds("links.NAME.queue", queueKinds)...)
		}
	}
	return append(tables,
		describe("links.NAME.changes", "new values at a virtual time for any keys of a direction, at once or in a ramp; a list [[links.NAME.changes]]", &Change{}).linux("tc qdisc change").example(`
[[links.access.changes]] # a hand-over: everything at once
at = "5s"
rate = "5Mbit/s"
delay = "60ms"
[[links.access.changes]] # a ramp
at = "8s"
over = "2s"
step = "50ms"
direction = "forward"
rate = "1Mbit/s"`),
		describe("links.NAME.outages", "times without transmission, once or again and again; a list [[links.NAME.outages]]", &Outage{}).linux("ip link set down").example(`
[[links.access.outages]]
at = "5s"
for = "2s"
every = "7s"
packets = "hold"`),
		describe("links.NAME.nat", "a network address and port translator at an end of the link", &NAT{}).linux("nft masquerade").example(`
[links.access]
nat = { inside = "client", timeout = "30s", filtering = "endpoint-independent" } # or nat = "client"`),
		describe("links.NAME.rebinds", "times at which the NAT forgets its mappings; a list [[links.NAME.rebinds]]", &Rebind{}).linux("conntrack --flush").example(`
[links.access]
nat = "client"
[[links.access.rebinds]]
at = "1s"
every = "5s"
what = "address"`))
}

func linkKinds(table string, kinds []kind) []Table {
	var tables []Table
	for _, k := range kinds {
		t := k.describe(table)
		tables = append(tables, t.example(onLink(t.Example)))
	}
	return tables
}

// onLink puts keys below the header of a link.
func onLink(keys string) string { return "[links.access]\n" + keys }
