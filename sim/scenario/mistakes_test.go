package scenario

import (
	"errors"
	"strings"
	"testing"
)

// base is a scenario without mistakes, to which each case adds one. A line that
// begins with the marker of a case is replaced.
const base = `time_limit = "30s"
[quic]
[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
rate = "20Mbit/s"
delay = "20ms"
[sessions.main]
client = "client"
server = "server"
close = { at = "10s" }
[sessions.main.flows.bulk]
kind = "download"
size = "10MB"
[sessions.main.flows.voice]
kind = "media"
`

func TestTheBaseOfTheMistakesHasNone(t *testing.T) {
	if _, err := Parse("x.toml", []byte(base)); err != nil {
		t.Fatal(err)
	}
}

// Each case replaces the text "old" of base (or appends, where it is empty)
// and names the exact error.
func TestEveryMistakeIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		// Expectations.
		{"", "[[expect]]\nmetric = \"x\"\n", `x.toml:18: expect.0: no bound for x; expected 'min', 'max', or 'equals' with 'within'`},
		{"", "[[expect]]\nmetric = \"x\"\nmin = \"1 +\"", `x.toml:20: expect.0.min: "1 +" is no formula: expected operand, found its end`},
		{"", "[[expect]]\nmetric = \"x\"\nmin = \"5parsec\"", `x.toml:20: expect.0.min: "5parsec" is neither a number nor a quantity such as 20ms, 5Mbit/s, 64KB, 10packets or 5%`},
		{"", "[[expect]]\nmetric = \"x\"\nequals = 1\nmax = 2", `x.toml:21: expect.0.max: stands beside 'equals'; expected one or the other`},
		{"", "[[expect]]\nmetric = \"x\"\nmin = 1\nwithin = \"5%\"", `x.toml:21: expect.0.within: stands without 'equals'`},
		{"", "[[expect]]\nmetric = \"x\"\nmin = 1\nover = \"maen\"", `x.toml:21: expect.0.over: "maen"; did you mean "mean"?`},
		{"", "[[expect]]\nmetric = \"x\"\nmin = 1\nseeds = 0", `x.toml:21: expect.0.seeds: 0 is out of range; expected 1 to 10000`},
		// Keys.
		{`rate = "20M`, `rtae = "20M`, `x.toml:7: links.access.rtae: unknown key; did you mean "rate"?`},
		{`[quic]`, "[quic]\nidle_timout = \"1s\"", `x.toml:3: quic.idle_timout: unknown key; did you mean "idle_timeout"?`},
		{`[quic]`, "[qiuc]", `x.toml:2: qiuc: unknown key; did you mean "quic"?`},
		{`size = "10MB"`, `transport = "stream"`, `x.toml:15: sessions.main.flows.bulk.transport: kind "download" has no such key; expected one of the kinds echo, media`},
		{`delay = "20ms"`, `queue = { limt = "64KB" }`, `x.toml:8: links.access.queue.limt: unknown key; did you mean "limit"?`},
		{``, "[study]\n", `x.toml:18: study: unknown key; expected one of name, description, seed, time_limit, long, quic, hosts, routers, links, traffic, sessions, expect, sweep`},
		{``, "[[expect]]\nmetric = \"m\"\nmni = 5\n", `x.toml:20: expect.0.mni: unknown key; did you mean "min"?`},
		{``, "[[expect]]\nmin = 5\n", `x.toml:18: expect.0.metric: missing; expected a string`},
		{`client = "client"`, ``, `x.toml:9: sessions.main.client: missing; expected a string`},
		{`kind = "media"`, ``, `x.toml:16: sessions.main.flows.voice.kind: missing; expected one of download, upload, echo, media, baton, request`},
		{`between = ["client", "server"]`, ``, `x.toml:5: links.access.between: missing; expected a pair of names such as ["client", "server"]`},
		{``, "[[links.access.changes]]\nrate = \"1Mbit/s\"\n", `x.toml:18: links.access.changes.0.at: missing; expected a time such as "20ms"`},

		// Types.
		{`delay = "20ms"`, `delay = 20`, `x.toml:8: links.access.delay: 20 is an integer; expected a time such as "20ms"`},
		{`rate = "20Mbit/s"`, `rate = 20.5`, `x.toml:7: links.access.rate: 20.5 is a decimal number; expected a rate such as "20Mbit/s"`},
		{`size = "10MB"`, `size = true`, `x.toml:15: sessions.main.flows.bulk.size: true is a boolean; expected a size such as "64KB"`},
		{`size = "10MB"`, `streams = "4"`, `x.toml:15: sessions.main.flows.bulk.streams: "4" is a string; expected a whole number`},
		{`[hosts.client]`, "[hosts.client]\ngso = \"yes\"", `x.toml:4: hosts.client.gso: "yes" is a string; expected true or false`},
		{`delay = "20ms"`, `loss.p = "1%"`, `x.toml:8: links.access.loss.p: "1%" is a string; expected a number`},
		{`delay = "20ms"`, `queue = ["64KB"]`, `x.toml:8: links.access.queue: this is a list; expected a table`},
		{`delay = "20ms"`, `queue.limit = { bytes = 5 }`, `x.toml:8: links.access.queue.limit: this is a table; expected a queue limit such as "64KB", "25packets", "100ms" or "1BDP"`},
		{`kind = "media"`, "kind = \"media\"\nrate = 50", `x.toml:18: sessions.main.flows.voice.rate: 50 is an integer; expected a frequency such as "50Hz" or "20ms"`},
		{`between = ["client", "server"]`, `between = "client"`, `x.toml:6: links.access.between: "client" is a string; expected a pair of names such as ["client", "server"]`},
		{`between = ["client", "server"]`, `between = ["client"]`, `x.toml:6: links.access.between: this list has 1 elements; expected a pair of names such as ["client", "server"]`},
		{`between = ["client", "server"]`, `between = ["client", 5]`, `x.toml:6: links.access.between.1: 5 is an integer; expected a string`},
		{`delay = "20ms"`, `changes = { at = "1s" }`, `x.toml:8: links.access.changes: this is a table; expected tables [[links.access.changes]]`},
		{`time_limit = "30s"`, `expect = [5]`, `x.toml:1: expect.0: 5 is an integer; expected a table`},
		{`time_limit = "30s"`, `seed = 1979-05-27`, `x.toml:1: seed: 1979-05-27 is a date or time; expected a whole number`},
		{"[hosts.client]\n[hosts.server]\n", "[[hosts]]\n", `x.toml:3: hosts: this is a list; expected tables [hosts.NAME]`},
		{`time_limit = "30s"`, `seed = 007`, `x.toml:1: not valid TOML: integers cannot have leading zeroes`},
		{`time_limit = "30s"`, `seed = -1`, `x.toml:1: seed: -1 is negative; expected a whole number of at least 0`},
		{`time_limit = "30s"`, `seed = 18446744073709551616`, `x.toml:1: seed: 18446744073709551616 is too large`},
		{`close = { at = "10s" }`, `close = { at = "10s", code = 4294967296 }`, `x.toml:12: sessions.main.close.code: 4294967296 is too large`},

		// Units.
		{`"20ms"`, `"20 msec"`, `x.toml:8: links.access.delay: "20 msec" is not a time such as "20ms"; known units: ns, us, ms, s, m, h`},
		{`"20Mbit/s"`, `"20Mbps"`, `x.toml:7: links.access.rate: "20Mbps" is not a rate such as "20Mbit/s": unknown unit "Mbps"; known units: Tbit/s, Gbit/s, Mbit/s, kbit/s, bit/s, tbit, gbit, mbit, kbit, bit`},
		{`"10MB"`, `"10Mb"`, `x.toml:15: sessions.main.flows.bulk.size: "10Mb" is not a size such as "64KB": unknown unit "Mb"; known units: GB, MB, KB, kB, GiB, MiB, KiB, B`},
		{`delay = "20ms"`, `queue.limit = "0BDP"`, `x.toml:8: links.access.queue.limit: "0BDP" is not a queue limit such as "64KB", "25packets", "100ms" or "1BDP": "0" is not a positive number`},
		{`kind = "media"`, "kind = \"media\"\nrate = \"50fps\"", `x.toml:18: sessions.main.flows.voice.rate: "50fps" is not a frequency such as "50Hz" or "20ms": known units: Hz, ns, us, ms, s, m, h`},
		{`kind = "media"`, `kind = "vidoe"`, `x.toml:17: sessions.main.flows.voice.kind: unknown value "vidoe"; expected one of download, upload, echo, media, baton, request`},
		{`kind = "media"`, `kind = "mdeia"`, `x.toml:17: sessions.main.flows.voice.kind: unknown value "mdeia"; did you mean "media"?`},
		{`delay = "20ms"`, `queue.kind = "lifo"`, `x.toml:8: links.access.queue.kind: unknown value "lifo"; did you mean "fifo"?`},

		// Values that make no sense.
		{`"20ms"`, `"-1ms"`, `x.toml:8: links.access.delay: -1ms is out of range; expected 0s to 1h`},
		{`"20ms"`, `"61m"`, `x.toml:8: links.access.delay: 61m is out of range; expected 0s to 1h`},
		{`"20Mbit/s"`, `"0Mbit/s"`, `x.toml:7: links.access.rate: 0Mbit/s is out of range; expected 1bit/s to 1Tbit/s`},
		{`"20Mbit/s"`, `"2Tbit/s"`, `x.toml:7: links.access.rate: 2Tbit/s is out of range; expected 1bit/s to 1Tbit/s`},
		{`delay = "20ms"`, `loss = { kind = "bernoulli", p = 1.5 }`, `x.toml:8: links.access.loss.p: 1.5 is out of range; expected 0 to 1`},
		{`delay = "20ms"`, `loss.p = -0.1`, `x.toml:8: links.access.loss.p: -0.1 is out of range; expected 0 to 1`},
		{`delay = "20ms"`, `loss.p = nan`, `x.toml:8: links.access.loss.p: nan is out of range; expected 0 to 1`},
		{`delay = "20ms"`, `loss = { kind = "bernoulli" }`, `x.toml:8: links.access.loss.p: missing; expected a number`},
		{`delay = "20ms"`, `loss = { kind = "none", p = 0.1 }`, `x.toml:8: links.access.loss.p: kind "none" has no such key; expected one of the kinds bernoulli, gilbert_elliott`},
		{`delay = "20ms"`, `mtu.size = "1227B"`, `x.toml:8: links.access.mtu.size: 1227B is out of range; expected 1228B to 65535B`},
		{`delay = "20ms"`, `mtu = "1227B"`, `x.toml:8: links.access.mtu: 1227B is out of range; expected 1228B to 65535B`},
		{`size = "10MB"`, `size = "0B"`, `x.toml:15: sessions.main.flows.bulk.size: 0B is out of range; expected 1B to 1000GB`},
		{`size = "10MB"`, `duration = "0s"`, `x.toml:15: sessions.main.flows.bulk.duration: 0s is out of range; expected 1us to 24h`},
		{`size = "10MB"`, `streams = 0`, `x.toml:15: sessions.main.flows.bulk.streams: 0 is out of range; expected 1 to 10000`},
		{`size = "10MB"`, "size = 3\nstreams = 4", `x.toml:16: sessions.main.flows.bulk.streams: 4 streams cannot share 3B; expected at least a byte for each`},
		{`kind = "media"`, "kind = \"media\"\nsize = \"15B\"", `x.toml:18: sessions.main.flows.voice.size: 15B is out of range; expected 16B to 16MB`},
		{`kind = "media"`, "kind = \"media\"\nsize = \"1236B\"", `x.toml:18: sessions.main.flows.voice.size: datagrams of 1236B do not fit into packets of 1280B; expected at most 1235B`},
		{`kind = "media"`, "kind = \"echo\"\ntransport = \"datagram\"\nsize = \"2KB\"", `x.toml:19: sessions.main.flows.voice.size: datagrams of 2KB do not fit into packets of 1280B; expected at most 1235B`},
		{`kind = "media"`, "kind = \"media\"\nrate = \"2000000Hz\"", `x.toml:18: sessions.main.flows.voice.rate: 2000000Hz is out of range; expected 0.001Hz to 1000000Hz`},
		{`kind = "media"`, "kind = \"media\"\ndeadline = \"0s\"", `x.toml:18: sessions.main.flows.voice.deadline: 0s is out of range; expected 1us to 1h`},
		{`kind = "media"`, "kind = \"media\"\ndeadline = 150", `x.toml:18: sessions.main.flows.voice.deadline: 150 is an integer; expected a time such as "20ms"`},
		{`size = "10MB"`, `deadline = "1s"`, `x.toml:15: sessions.main.flows.bulk.deadline: kind "download" has no such key; expected kind = "media"`},
		{`kind = "media"`, "kind = \"media\"\ntransport = \"streams\"", `x.toml:18: sessions.main.flows.voice.transport: unknown value "streams"; did you mean "stream"?`},
		{`kind = "media"`, "kind = \"media\"\nrate = \"2h\"", `x.toml:18: sessions.main.flows.voice.rate: 2h is out of range; expected 0.001Hz to 1000000Hz`},
		{`[quic]`, "[quic]\nidle_timeout = \"0s\"", `x.toml:3: quic.idle_timeout: 0s is out of range; expected 1ms to 24h`},
		{`[quic]`, "[quic]\ninitial_packet_size = \"1199B\"", `x.toml:3: quic.initial_packet_size: 1199B is out of range; expected 1200B to 1280B`},
		{`[quic]`, "[quic]\nmax_stream_window = \"100KiB\"", `x.toml:3: quic.max_stream_window: initial_stream_window is 512KiB and max_stream_window 100KiB at host client; expected the first to be at most the second`},
		{`[hosts.server]`, "[hosts.server]\nquic.initial_connection_window = \"16MiB\"", `x.toml:5: hosts.server.quic.initial_connection_window: initial_connection_window is 16MiB and max_connection_window 15MiB at host server; expected the first to be at most the second`},
		{`delay = "20ms"`, "delay = \"20ms\"\nmtu = \"1280B\"", `x.toml:9: links.access.mtu.size: QUIC packets of 1280B and 28B of headers do not fit into 1280B; expected at least 1308B, or a quic.initial_packet_size of at most 1252B`},
		{`delay = "20ms"`, "delay = \"20ms\"\nreverse.mtu = \"1280B\"", `x.toml:9: links.access.reverse.mtu.size: QUIC packets of 1280B and 28B of headers do not fit into 1280B; expected at least 1308B, or a quic.initial_packet_size of at most 1252B`},
		{`[quic]`, "[quic]\ninitial_packet_size = 1280\n[links.access.mtu]\nsize = 1300", `x.toml:3: quic.initial_packet_size: packets of 1280B and 28B of headers do not fit into the MTU of links.access, 1300B; expected at most 1272B`},
		{`time_limit = "30s"`, `time_limit = "0s"`, `x.toml:1: time_limit: 0s is out of range; expected 1ms to 24h`},
		{`client = "client"`, "client = \"client\"\ncount = 100001", `x.toml:11: sessions.main.count: 100001 is out of range; expected 1 to 100000`},
		{`delay = "20ms"`, ``, `x.toml:5: links.access.queue.limit: 1BDP is 0B in the forward direction, less than a packet of 1500B; expected more, such as "64KB"`},
		{`delay = "20ms"`, "delay = \"20ms\"\nreverse.queue = \"0.01BDP\"", `x.toml:9: links.access.reverse.queue.limit: 0.01BDP is 1KB in the reverse direction, less than a packet of 1500B; expected more, such as "64KB"`},
		{`rate = "20Mbit/s"`, `changes = [{ at = "1s", rate = "1Mbit/s" }]`, `x.toml:5: links.access.queue.limit: 1BDP has no value on a link that starts without a rate; expected a size such as "64KB"`},
		{`rate = "20Mbit/s"`, `outages = [{ at = "1s", for = "1s", packets = "hold" }]`, `x.toml:5: links.access.queue.limit: 1BDP has no value on a link that starts without a rate; expected a size such as "64KB"`},

		// Elements of links.
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { kind = "codel", limit = "64KB" }`, `x.toml:9: links.access.queue.limit: 64KB is no number of packets; expected one such as "1000packets"`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { kind = "dualpi2", step = "unlimited" }`, `x.toml:9: links.access.queue.step: unlimited is neither a time nor a number of packets; expected one such as "1ms" or "5packets"`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { kind = "red", limit = "9packets" }`, `x.toml:9: links.access.queue.limit: 9packets is no number of bytes; expected one such as "64KB", or a multiple of the BDP`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { kind = "red", max = "500KB" }`, `x.toml:9: links.access.queue.max: 500KB is above the limit, 400KB; expected at most that`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { kind = "red", min = "100KB", max = "100KB" }`, `x.toml:9: links.access.queue.min: 100KB is not below max, 100KB; expected less`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `queue = { target = "1ms" }`, `x.toml:9: links.access.queue.target: kind "fifo" has no such key; expected one of the kinds codel, fq_codel, pie, fq_pie, dualpi2`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `loss = { kind = "markov", p13 = 0.7, p31 = 0.1, p14 = 0.5 }`, `x.toml:9: links.access.loss.p14: p13 and p14 are 0.7 and 0.5; expected at most 1 together`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `loss = { kind = "markov", p13 = 0.7, p31 = 0.9, p32 = 0.5 }`, `x.toml:9: links.access.loss.p32: p31 and p32 are 0.9 and 0.5; expected at most 1 together`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `loss = { p = 0.1, from = "2s", until = "1s" }`, `x.toml:9: links.access.loss.until: 1s is not after the beginning; expected more than loss.from, 2s`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `loss = { kind = "listed", packets = [3, 0] }`, `x.toml:9: links.access.loss.packets.1: 0 is out of range; expected 1 to 1000000000000`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `loss = { kind = "listed", packets = 3 }`, `x.toml:9: links.access.loss.packets: 3 is an integer; expected a list of whole numbers such as [3, 7]`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `slot = { min = "2ms", max = "1ms" }`, `x.toml:9: links.access.slot.max: 1ms is less than slot.min, 2ms; expected at least that`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `jitter.distribution = "paretonomal"`, `x.toml:9: links.access.jitter.distribution: unknown value "paretonomal"; did you mean "paretonormal"?`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `jitter.distribution = "gone.dist"`, `x.toml:9: links.access.jitter.distribution: gone.dist: no such file`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `reverse.ecn.from = "ect2"`, `x.toml:9: links.access.reverse.ecn.from: unknown value "ect2"; did you mean "ect0"?`},

		{`delay = "20ms"`, "delay = \"20ms\"\n" + `trace = "gone.csv"`, `x.toml:9: links.access.trace.file: gone.csv: no such file`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `trace = "testdata"`, `x.toml:9: links.access.trace.file: testdata is not a file`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `trace = "testdata/architecture.toml"`, `x.toml:9: links.access.trace.file: testdata/architecture.toml: parse error on line 1, column 8: bare " in non-quoted-field`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `trace = "testdata/steps.csv"`, `x.toml:7: links.access.rate: set, and the trace sets the rate too; expected one of them`},
		{`rate = "20Mbit/s"`, `trace = "testdata/steps.csv"`, `x.toml:8: links.access.delay: set, and the trace sets the delay too; expected one of them`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", trace = "testdata/steps.csv" }]`, `x.toml:9: links.access.changes.0.trace: a trace is for the whole run; expected it among the link's own keys`},

		{`delay = "20ms"`, "delay = \"20ms\"\n" + `netem = "dleay 5ms"`, `x.toml:9: links.access.netem: unknown option "dleay"; did you mean "delay"?`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `netem = "delay 5ms 1ms distribution gone"`, `x.toml:9: links.access.netem: gone.dist: no such file`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `reverse.netem = "tc qdisc add dev eth0 root netem delay 5ms"`, `x.toml:9: links.access.reverse.netem: leave out "tc qdisc add dev eth0 root netem": only the options that follow it are read`},

		// Changes and outages.
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", between = ["a", "b"] }]`, `x.toml:9: links.access.changes.0.between: unknown key; expected one of at, over, step, direction, rate, burst, overhead, delay, jitter, mtu, queue, loss, duplicate, corrupt, reorder, policer, trace, slot, netem, ecn`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", queue = { kind = "codel" } }]`, `x.toml:9: links.access.changes.0.queue.kind: would make the queue of the forward direction, fifo, a codel; expected the same kind for the whole run`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", over = "2s", rate = "1Mbit/s" }, { at = "3s", rate = "2Mbit/s" }]`, `x.toml:9: links.access.changes.1.rate: changes.0 sets the rate of the forward direction from 1s to 3s too; expected one at a time`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", over = "2s", rate = "unlimited" }]`, `x.toml:9: links.access.changes.0.rate: cannot change over a time, from "20Mbit/s" to "unlimited"; expected two numbers of one kind, or no 'over'`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `slot = "5ms"
changes = [{ at = "1s", over = "2s", slot.max = "10ms" }]`, `x.toml:10: links.access.changes.0.slot.max: cannot change over a time, from "0s" to "10ms", where 0 is not a number but has a meaning of its own; expected two numbers of one kind, or no 'over'`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `slot = { min = "10ms", max = "10ms" }
changes = [{ at = "1s", over = "2s", slot.min = "1ms" }, { at = "2s", slot.max = "3ms" }]`, `x.toml:10: links.access.changes.1.slot.max: changes.0 sets the slot of the forward direction from 1s to 3s too; expected one at a time`},
		{`delay = "20ms"`, "queue = { kind = \"fq_codel\" }\n" + `changes = [{ at = "1s", queue.flows = 5 }]`, `x.toml:9: links.access.changes.0: queue: the number of flows cannot change`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", over = "2h", step = "1ms", rate = "1Mbit/s" }]`, `x.toml:9: links.access.changes.0.step: makes more than 1000000 steps; expected at least 7.2ms`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `changes = [{ at = "1s", loss = { every = 5 } }]`, `x.toml:9: links.access.changes.0.loss.every: kind "none" has no such key; expected kind = "periodic"`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `outages = [{ at = "1s" }]`, `x.toml:9: links.access.outages.0.for: missing; expected a time such as "20ms"`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `outages = [{ at = "1s", for = "2s", every = "2s" }]`, `x.toml:9: links.access.outages.0.every: 2s is not more than the outage lasts, 2s; expected more, or 0s for once`},
		{`delay = "20ms"`, "delay = \"20ms\"\n" + `outages = [{ at = "31s", for = "2s" }]`, `x.toml:9: links.access.outages.0.at: 31s is not before the end of the run; expected less than time_limit, 30s`},

		// References.
		{`["client", "server"]`, `["clinet", "server"]`, `x.toml:6: links.access.between: unknown host or router "clinet"; did you mean "client"?`},
		{`client = "client"`, `client = "proxy"`, `x.toml:10: sessions.main.client: unknown host "proxy"; expected one of client, server`},
		{"[hosts.client]\n[hosts.server]\n", "", `x.toml:4: links.access.between: unknown host or router "client"; expected a table [hosts.client]`},
		{`server = "server"`, `server = "client"`, `x.toml:11: sessions.main.server: "client" is the client too; expected another host`},
		{`["client", "server"]`, `["client", "client"]`, `x.toml:6: links.access.between: joins "client" to itself; expected two hosts or routers`},
		// Topologies.
		{`[hosts.client]`, "[hosts.client]\ncount = 2\n[hosts.client-2]", `x.toml:5: hosts.client-2: "client-2" is a name of hosts.client already; expected another`},
		{`[hosts.client]`, "[hosts.other]\ncount = 2\n[hosts.client]\n[links.other]\nbetween = [\"other\", \"server\"]\n[links.other-2]\nbetween = [\"client\", \"server\"]", `x.toml:8: links.other-2: "other-2" is a name of links.other already; expected another`},
		{`[hosts.client]`, "[hosts.many]\ncount = 10000\n[hosts.client]\n[links.a]\nbetween = [\"many\", \"server\"]\nnat = \"many\"\n[links.b]\nbetween = [\"many\", \"server\"]\nnat = \"many\"", `x.toml:11: links.b.nat: makes 20000 NATs in all; expected at most 10000`},
		{`[hosts.client]`, "[hosts.many]\ncount = 10000\nroutes = { many = \"all\" }\n[hosts.client]\n[links.all]\nbetween = [\"many\", \"server\"]", `x.toml:5: hosts.many.routes.many: makes 100000000 routes; expected at most 1000000`},
		{`delay = "20ms"`, "delay = \"20ms\"\ntrace = \"testdata/step.csv\"", `x.toml:9: links.access.trace.file: testdata/step.csv: no such file; did you mean "testdata/steps.csv"?`},
		{`delay = "20ms"`, "delay = \"20ms\"\nloss = { p = 0.1, kind = \"bernouli\" }", `x.toml:9: links.access.loss.kind: unknown value "bernouli"; did you mean "bernoulli"?`},
		{`kind = "download"`, "every = 5\nkind = \"dowload\"", `x.toml:15: sessions.main.flows.bulk.kind: unknown value "dowload"; did you mean "download"?`},
		{`delay = "20ms"`, "delay = \"20ms\"\nnetem = 5", `x.toml:9: links.access.netem: 5 is an integer; expected options of tc-netem such as "delay 20ms 5ms loss 1%"`},
		{`delay = "20ms"`, "delay = \"20ms\"\nqueue = { kind = \"red\", min = \"200KB\" }", `x.toml:9: links.access.queue.min: 200KB makes max 600KB, above the limit, 400KB; expected at most a third of that, or a max`},
		{`[hosts.client]`, "[routers.client]\n[hosts.client]", `x.toml:3: routers.client: "client" is a name of hosts.client already; expected another`},
		{`[hosts.client]`, "[hosts.client]\ncount = 10001", `x.toml:4: hosts.client.count: 10001 is out of range; expected 1 to 10000`},
		{"[hosts.client]\n[hosts.server]", "[hosts.client]\ncount = 2\n[hosts.server]\ncount = 3", `x.toml:8: links.access.between: client is 2 hosts and server 3; expected as many, or one at an end`},
		{`[hosts.client]`, "[hosts.client]\nroutes.proxy = \"access\"", `x.toml:4: hosts.client.routes.proxy: unknown host "proxy"; expected one of client, server`},
		{`[hosts.client]`, "[hosts.client]\nroutes.server = \"acess\"", `x.toml:4: hosts.client.routes.server.via: "acess" is not the one link of client to server; did you mean "access"?`},
		{`[sessions.main]`, "[routers.r]\n[sessions.other]\nclient = \"r\"\nserver = \"server\"\n[sessions.main]", `x.toml:11: sessions.other.client: unknown host "r"; expected one of client, server`},
		{`delay = "20ms"`, "delay = \"20ms\"\nnat = \"middle\"", `x.toml:9: links.access.nat.inside: "middle" is no end of the link; expected client or server`},
		{`delay = "20ms"`, "delay = \"20ms\"\nnat = \"server\"", `x.toml:10: sessions.main: server is behind the NAT of links.access, where client cannot reach it; expected it outside`},
		{`delay = "20ms"`, "delay = \"20ms\"\nrebinds = [{ at = \"1s\" }]", `x.toml:9: links.access.rebinds.0: set, but the link has no NAT; expected nat.inside, such as nat = "client"`},
		{`delay = "20ms"`, "delay = \"20ms\"\nnat = \"client\"\nrebinds = [{ at = \"1s\", what = \"host\" }]", `x.toml:10: links.access.rebinds.0.what: unknown value "host"; expected one of port, address`},
		{`client = "client"`, "client = \"client\"\nmigrations = [{ at = \"1s\", link = \"wifi\" }]", `x.toml:11: sessions.main.migrations.0.link: "wifi" is no link of client; expected access`},
		{`client = "client"`, "client = \"client\"\nmigrations = [{ at = \"0s\", link = \"access\" }]", `x.toml:11: sessions.main.migrations.0.at: 0s is not after the session's start; expected more than 0s`},
		{"[hosts.client]\n", "[hosts.client]\ncount = 2\n[sessions.two]\nconnection = \"c\"\nclient = \"client\"\nserver = \"server\"\n[sessions.three]\nconnection = \"c\"\nclient = \"client\"\nserver = \"server\"\n", `x.toml:6: sessions.two.connection: "c" cannot be one connection of several hosts; expected one client and one server`},

		// Times.
		{`"10s"`, `"40s"`, `x.toml:12: sessions.main.close.at: 40s is not before the end of the run; expected less than time_limit, 30s`},
		{`client = "client"`, "client = \"client\"\nstart = \"11s\"", `x.toml:13: sessions.main.close.at: 10s is not after the session's start; expected more than 11s`},
		{`client = "client"`, "client = \"client\"\ndrain.at = \"0s\"", `x.toml:11: sessions.main.drain.at: 0s is not after the session's start; expected more than 0s`},
		{`client = "client"`, "client = \"client\"\ndrain.at = \"10s\"", `x.toml:11: sessions.main.drain.at: 10s is not before the session's close; expected less than 10s`},
		{`client = "client"`, "client = \"client\"\ndrain.at = \"2h\"", `x.toml:11: sessions.main.drain.at: 2h0m0s is not before the end of the run; expected less than time_limit, 30s`},
		{`"10s"`, `"0s"`, `x.toml:12: sessions.main.close.at: 0s is not after the session's start; expected more than 0s`},
		{`client = "client"`, "client = \"client\"\nstart = \"30s\"", `x.toml:11: sessions.main.start: 30s is not before the end of the run; expected less than time_limit, 30s`},
		{`client = "client"`, "client = \"client\"\ncount = 31\nstagger = \"1s\"", `x.toml:12: sessions.main.stagger: the last of the 31 sessions starts at 30s; expected less than time_limit, 30s`},
		{`kind = "media"`, "kind = \"media\"\nstart = \"10s\"", `x.toml:18: sessions.main.flows.voice.start: the flow would start at 10s or later; expected it before the session's close at 10s`},
		{`close = { at = "10s" }`, ``, `x.toml:16: sessions.main.flows.voice: never ends; expected a duration or a count here, or sessions.main.close.at`},
		{`delay = "20ms"`, "delay = \"20ms\"\nchanges = [{ at = \"31s\", rate = \"1Mbit/s\" }]", `x.toml:9: links.access.changes.0.at: 31s is not before the end of the run; expected less than time_limit, 30s`},
		{`delay = "20ms"`, "delay = \"20ms\"\nchanges = [{ at = \"1s\" }]", `x.toml:9: links.access.changes.0: changes nothing; expected keys of a link, such as rate, delay, loss`},
		{``, "[[links.access.changes]]\nat = \"1s\"\nrate = \"1Mbit/s\"\n[[links.access.changes]]\nat = \"1000ms\"\ndirection = \"reverse\"\nrate = \"2Mbit/s\"\n", `x.toml:24: links.access.changes.1.rate: changes.0 sets the rate of the reverse direction at 1s already; expected it once`},

		// Flows and sessions.
		{`size = "10MB"`, ``, `x.toml:13: sessions.main.flows.bulk.size: missing, and duration is too; expected one of them, such as size = "10MB"`},
		{`size = "10MB"`, "size = \"10MB\"\nduration = \"1s\"", `x.toml:16: sessions.main.flows.bulk.duration: set, and size is too; expected one of them`},
		{`kind = "media"`, "kind = \"media\"\nduration = \"1s\"\ncount = 5", `x.toml:19: sessions.main.flows.voice.count: set, and duration is too; expected one of them`},
		{`client = "client"`, "client = \"client\"\npath = \"demo\"", `x.toml:11: sessions.main.path: "demo" is not a path; expected one such as "/demo", in printable ASCII without spaces`},
		{`close = { at = "10s" }`, `close = { at = "10s", reason = "` + strings.Repeat("é", 513) + `" }`, `x.toml:12: sessions.main.close.reason: has 1026 bytes; expected at most 1024`},
		{`[sessions.main]`, "[sessions.main]\nconnection = \"a b\"", `x.toml:10: sessions.main.connection: "a b" is not a name; expected letters, digits, - and _`},
		{``, "[sessions.other]\nclient = \"server\"\nserver = \"client\"\nconnection = \"main\"\n", `x.toml:21: sessions.other.connection: "main" is the name of the connection that sessions.main has for itself; expected another name`},
		{`[sessions.main]`, "[sessions.other]\nclient = \"server\"\nserver = \"client\"\nconnection = \"c\"\n[sessions.main]\nconnection = \"c\"", `x.toml:14: sessions.main.connection: connection "c" goes from server to client in sessions.other; expected the same client and server`},
		{`[sessions.main]`, "[sessions.other]\nclient = \"client\"\nserver = \"server\"\nconnection = \"c\"\n[sessions.main]\nconnection = \"c\"\nquic.ecn = false", `x.toml:15: sessions.main.quic: differs from that of sessions.other, with which it shares connection "c"; expected the same`},
		{`[sessions.main]`, "[sessions.s]\nclient = \"client\"\nserver = \"server\"\ncount = 2\n[sessions.s-2]\nclient = \"client\"\nserver = \"server\"\n[sessions.main]", `x.toml:13: sessions.s-2: session "s-2" is also made by sessions.s, which has a count; expected different names`},
		{`[sessions.main]`, "[sessions.s]\nclient = \"client\"\nserver = \"server\"\ncount = 100000\n[sessions.main]", `x.toml:13: sessions.main.count: makes 100001 sessions in all; expected at most 100000`},
		{`[sessions.main.flows.bulk]`, `[sessions.main.flows."big file"]`, `x.toml:13: sessions.main.flows."big file": "big file" is not a name; expected letters, digits, - and _`},
		{`time_limit = "30s"`, `name = "my scenario"`, `x.toml:1: name: "my scenario" is not a name; expected letters, digits, - and _`},

		// Batons have their session for themselves.
		{`kind = "media"`, `kind = "baton"`, `x.toml:16: sessions.main.flows.voice: batons have their session for themselves; expected no other flow in sessions.main`},
		{``, "[sessions.b]\nclient = \"client\"\nserver = \"server\"\nflows.b = { kind = \"baton\" }\n", `x.toml:18: sessions.b.path: "/" is the path of sessions.main too, which has no batons; expected another`},
		{``, "[sessions.b]\nclient = \"client\"\nserver = \"server\"\npath = \"/b?c\"\nflows.b = { kind = \"baton\", start = \"1s\" }\n", `x.toml:22: sessions.b.flows.b.start: batons begin with their session; expected 0s`},
		{``, "[sessions.b]\nclient = \"client\"\nserver = \"server\"\npath = \"/b\"\nclose.code = 1\nflows.b = { kind = \"baton\" }\n", `x.toml:22: sessions.b.close: the session is closed when the batons have arrived; expected nothing else, or a time`},
		{``, "[sessions.b]\nclient = \"client\"\nserver = \"server\"\npath = \"/b\"\nflows.b = { kind = \"baton\", baton = 256 }\n", `x.toml:22: sessions.b.flows.b.baton: 256 is out of range; expected 1 to 255`},

		// TOML.
		{`delay = "20ms"`, "delay = \"20ms\"\ndelay = \"30ms\"", `x.toml:9: links.access.delay: defined twice, first on line 8; expected it once`},
		{``, "[hosts.client]\n", `x.toml:18: hosts.client: defined twice, first on line 3; expected it once`},
		{``, "[links.access.between]\n", `x.toml:18: links.access.between: defined twice, first on line 6; expected it once`},
		{``, "[sessions.main.close.later]\n", `x.toml:18: sessions.main.close: already has a value on line 12; expected it to be written in one place`},
		{``, "[[hosts]]\n", `x.toml:18: hosts: defined twice, first on line 3; expected it once`},
		{`delay = "20ms"`, `queue = { limit = "64KB", limit = "1BDP" }`, `x.toml:8: links.access.queue.limit: defined twice, first on line 8; expected it once`},
		{`delay = "20ms"`, "queue.limit = \"64KB\"\nqueue = \"1BDP\"", `x.toml:9: links.access.queue: defined twice, first on line 8; expected it once`},
		{`delay = "20ms"`, `delay = 20ms`, `x.toml:8: not valid TOML: strings must be quoted`},
		{`delay = "20ms"`, `delay = "20ms`, `x.toml:8: not valid TOML: basic strings cannot have new lines`},
		{`delay = "20ms"`, "delay = \"20ms\xff\"", `x.toml:8: byte 0xff is not text; expected a TOML file in UTF-8`},
	} {
		text := base + c.new
		if c.old != "" {
			if !strings.Contains(base, c.old) {
				t.Fatalf("the base does not contain %q", c.old)
			}
			text = strings.Replace(base, c.old, c.new, 1)
		}
		_, err := Parse("x.toml", []byte(text))
		checkError(t, c.new, err, c.want)
	}
}

// checkError checks the text of an error; want "" is none.
func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
		if mistake := (*Error)(nil); !errors.As(err, &mistake) {
			t.Errorf("%q: the error is a %T, not an *Error", what, err)
		}
	}
	if got != want {
		t.Errorf("%q: error\n  %s\nwant\n  %s", what, got, want)
	}
}

func TestASessionNeedsALinkBetweenItsHosts(t *testing.T) {
	text := strings.Replace(base, "[hosts.server]", "[hosts.server]\n[hosts.third]", 1)
	_, err := Parse("x.toml", []byte(strings.Replace(text, `server = "server"`, `server = "third"`, 1)))
	checkError(t, "no link", err, `x.toml:10: sessions.main: no links lead from client to third; expected a table [links.NAME] with between = ["client", "third"], or several with routers between them`)
}

func TestAScenarioNeedsSessions(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "x.toml: is empty; expected tables [hosts.NAME], [links.NAME] and [sessions.NAME]",
		"# nothing\n\n":    "x.toml: is empty; expected tables [hosts.NAME], [links.NAME] and [sessions.NAME]",
		"seed = 1\n":       "x.toml: sessions: missing; expected at least one table [sessions.NAME], or traffic",
		"\x7fELF\x02\x00a": "x.toml:1: byte 0x00 is not text; expected a TOML file in UTF-8",
	} {
		_, err := Parse("x.toml", []byte(text))
		checkError(t, text, err, want)
	}
}

func TestAFileNameThatIsNoNameNeedsAName(t *testing.T) {
	_, err := Parse("dir/my file.toml", []byte(base))
	checkError(t, "my file", err, `dir/my file.toml: name: missing, and "my file", the file's, is not a name; expected letters, digits, - and _`)
}
