package netem

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Each line is read as the value, and the value written as the text.
func TestParseNetem(t *testing.T) {
	const ms, us = time.Millisecond, time.Microsecond
	for _, c := range []struct {
		text string
		want Netem // with a limit of 1000 packets unless it has one
		tc   string
	}{
		{"", Netem{}, "limit 1000"},
		{"netem", Netem{}, "limit 1000"},

		// The examples of tc-netem(8).
		{"netem delay 100ms", Netem{Delay: 100 * ms}, "limit 1000 delay 100ms"},
		{"netem delay 100ms 10ms 25%", Netem{Delay: 100 * ms, Jitter: 10 * ms, Correlation: 0.25}, "limit 1000 delay 100ms 10ms 25%"},
		{"netem delay 100ms 20ms distribution normal", Netem{Delay: 100 * ms, Jitter: 20 * ms, Distribution: Normal()}, "limit 1000 delay 100ms 20ms distribution normal"},
		{"netem loss 0.1%", Netem{Loss: Bernoulli{P: 0.001}}, "limit 1000 loss 0.1%"},
		{"netem duplicate 1%", Netem{Duplicate: NetemChance{P: 0.01}}, "limit 1000 duplicate 1%"},
		{"netem loss 0.3% 25%", Netem{Loss: Bernoulli{0.003, 0.25}}, "limit 1000 loss 0.3% 25%"},
		{"netem gap 5 delay 10ms", Netem{Delay: 10 * ms, Reorder: NetemChance{P: 1}, Gap: 5}, "limit 1000 delay 10ms reorder 100% gap 5"},
		{"netem delay 10ms reorder 25% 50%", Netem{Delay: 10 * ms, Reorder: NetemChance{0.25, 0.5}}, "limit 1000 delay 10ms reorder 25% 50%"},
		{"netem delay 100ms 75ms", Netem{Delay: 100 * ms, Jitter: 75 * ms}, "limit 1000 delay 100ms 75ms"},
		{"netem rate 5kbit 20 100 5", Netem{Rate: NetemRate{5 * KbitPerSecond, 20, 100, 5}}, "limit 1000 rate 5kbit 20 100 5"},
		{"netem delay 200ms 10ms distribution normal", Netem{Delay: 200 * ms, Jitter: 10 * ms, Distribution: Normal()}, "limit 1000 delay 200ms 10ms distribution normal"},

		{"delay 20ms 5ms 25% distribution normal loss gemodel 1% 17% rate 10mbit limit 1000",
			Netem{Delay: 20 * ms, Jitter: 5 * ms, Correlation: 0.25, Distribution: Normal(), Loss: GilbertElliott{P: 0.01, R: 0.17, Bad: 1}, Rate: tenMbit},
			"limit 1000 delay 20ms 5ms 25% distribution normal loss gemodel 1% 17% rate 10mbit"},

		{"limit 1k", Netem{Limit: 1024}, "limit 1024"},
		{"distribution pareto delay 1.5ms 0.5ms", Netem{Delay: 1500 * us, Jitter: 500 * us, Distribution: Pareto()}, "limit 1000 delay 1500us 500us distribution pareto"},
		{"delay 1s 7ns distribution paretonormal", Netem{Delay: time.Second, Jitter: 7, Distribution: ParetoNormal()}, "limit 1000 delay 1s 7ns distribution paretonormal"},
		{"delay 1s 1s distribution uniform", Netem{Delay: time.Second, Jitter: time.Second}, "limit 1000 delay 1s 1s"},
		{"delay 0 5ms", Netem{Jitter: 5 * ms}, "limit 1000 delay 0ns 5ms"},
		{"delay 0 0 10%", Netem{Correlation: 0.1}, "limit 1000 delay 0ns 0ns 10%"},

		{"loss random 2", Netem{Loss: Bernoulli{P: 0.02}}, "limit 1000 loss 2%"},
		{"loss 0", Netem{Loss: Bernoulli{}}, "limit 1000 loss 0%"},
		{"loss 1% ecn", Netem{Loss: Bernoulli{P: 0.01}, ECN: true}, "limit 1000 loss 1% ecn"},
		{"loss state 3%", Netem{Loss: Markov{P13: 0.03, P31: 0.97, P23: 1}}, "limit 1000 loss state 3%"},
		{"loss state 3% 97%", Netem{Loss: Markov{P13: 0.03, P31: 0.97, P23: 1}}, "limit 1000 loss state 3%"},
		{"loss state 3% 60%", Netem{Loss: Markov{P13: 0.03, P31: 0.6, P23: 1}}, "limit 1000 loss state 3% 60%"},
		{"loss state 3% 60% 20%", Netem{Loss: Markov{P13: 0.03, P31: 0.6, P32: 0.2, P23: 1}}, "limit 1000 loss state 3% 60% 20%"},
		{"loss state 3% 60% 20% 50%", Netem{Loss: Markov{P13: 0.03, P31: 0.6, P32: 0.2, P23: 0.5}}, "limit 1000 loss state 3% 60% 20% 50%"},
		{"loss state 3% 60% 20% 50% 0.5%", Netem{Loss: Markov{0.03, 0.6, 0.2, 0.5, 0.005}}, "limit 1000 loss state 3% 60% 20% 50% 0.5%"},
		{"loss gemodel 1%", Netem{Loss: GilbertElliott{P: 0.01, R: 0.99, Bad: 1}}, "limit 1000 loss gemodel 1%"},
		{"loss gemodel 1% 10% 70%", Netem{Loss: GilbertElliott{P: 0.01, R: 0.1, Bad: 0.7}}, "limit 1000 loss gemodel 1% 10% 70%"},
		{"loss gemodel 1% 10% 70% 0.1%", Netem{Loss: GilbertElliott{0.01, 0.1, 0.7, 0.001}}, "limit 1000 loss gemodel 1% 10% 70% 0.1%"},
		{"loss gemodel 1% 10% 100% 0.1%", Netem{Loss: GilbertElliott{0.01, 0.1, 1, 0.001}}, "limit 1000 loss gemodel 1% 10% 100% 0.1%"},

		{"corrupt 0.02% 3%", Netem{Corrupt: NetemChance{0.0002, 0.03}}, "limit 1000 corrupt 0.02% 3%"},
		{"duplicate 1% 25%", Netem{Duplicate: NetemChance{0.01, 0.25}}, "limit 1000 duplicate 1% 25%"},
		{"delay 1ms reorder 50% gap 0x10", Netem{Delay: ms, Reorder: NetemChance{P: 0.5}, Gap: 16}, "limit 1000 delay 1ms reorder 50% gap 16"},
		{"delay 1ms reorder 50% gap 010", Netem{Delay: ms, Reorder: NetemChance{P: 0.5}, Gap: 8}, "limit 1000 delay 1ms reorder 50% gap 8"},

		{"rate 1.5Mbit -14", Netem{Rate: NetemRate{Rate: 1500 * KbitPerSecond, PacketOverhead: -14}}, "limit 1000 rate 1500kbit -14"},
		{"rate 9600 0 53", Netem{Rate: NetemRate{Rate: 9600, CellSize: 53}}, "limit 1000 rate 9600bit 0 53"},
		{"rate 1mbps 0 48 5", Netem{Rate: NetemRate{8 * MbitPerSecond, 0, 48, 5}}, "limit 1000 rate 8mbit 0 48 5"},
		{"rate 1kibps", Netem{Rate: NetemRate{Rate: 8192}}, "limit 1000 rate 8192bit"},
		{"rate 100bit", Netem{Rate: NetemRate{Rate: 96}}, "limit 1000 rate 96bit"},
		{"rate 0.001tbit", Netem{Rate: NetemRate{Rate: GbitPerSecond}}, "limit 1000 rate 1gbit"},
		{"rate 0", Netem{}, "limit 1000"},
		{"rate 0 20", Netem{Rate: NetemRate{PacketOverhead: 20}}, "limit 1000 rate 0bit 20"},

		{"slot 800us", Netem{Slot: NetemSlot{Min: 800 * us, Max: 800 * us}}, "limit 1000 slot 800us"},
		{"slot 800us 1ms", Netem{Slot: NetemSlot{Min: 800 * us, Max: ms}}, "limit 1000 slot 800us 1ms"},
		{"slot 1ms 10ms packets 32 bytes 64k", Netem{Slot: NetemSlot{Min: ms, Max: 10 * ms, Packets: 32, Bytes: 65536}}, "limit 1000 slot 1ms 10ms packets 32 bytes 65536"},
		{"slot distribution pareto 5ms 2ms p 3 b 1500", Netem{Slot: NetemSlot{Delay: 5 * ms, Jitter: 2 * ms, Distribution: Pareto(), Packets: 3, Bytes: 1500}},
			"limit 1000 slot distribution pareto 5ms 2ms packets 3 bytes 1500"},
		{"slot distribution uniform 5ms 2ms", Netem{Slot: NetemSlot{Delay: 5 * ms, Jitter: 2 * ms}}, "limit 1000 slot distribution uniform 5ms 2ms"},
		{"slot 0 packets 2", Netem{Slot: NetemSlot{Packets: 2}}, "limit 1000 slot 0ns packets 2"},

		// Short for the first option of tc that begins so, and its other names.
		{"l 5 d 1ms dr 1% e r 1% c 2% g 3 du 4% ra 8bit sl 1us",
			Netem{Limit: 5, Delay: ms, Loss: Bernoulli{P: 0.01}, ECN: true, Reorder: NetemChance{P: 0.01}, Corrupt: NetemChance{P: 0.02}, Gap: 3,
				Duplicate: NetemChance{P: 0.04}, Rate: NetemRate{Rate: 8}, Slot: NetemSlot{Min: us, Max: us}},
			"limit 5 delay 1ms loss 1% ecn corrupt 2% duplicate 4% reorder 1% gap 3 rate 8bit slot 1us"},
		{"latency 2msecs", Netem{Delay: 2 * ms}, "limit 1000 delay 2ms"},
	} {
		if c.want.Limit == 0 {
			c.want.Limit = 1000
		}
		got, err := ParseNetem(c.text, nil)
		if err != nil || got != c.want {
			t.Errorf("%q is read as\n%+v, %v\nwant\n%+v", c.text, got, err, c.want)
			continue
		}
		if text := got.String(); text != c.tc {
			t.Errorf("%q is written\n%s\nwant\n%s", c.text, text, c.tc)
		}
		if again, err := ParseNetem(c.tc, nil); err != nil || again != got {
			t.Errorf("%q is read as\n%+v, %v\nwant\n%+v", c.tc, again, err, got)
		}
	}
}

func TestParseNetemRefuses(t *testing.T) {
	const times = "; known units: s, ms, us, ns, sec, secs, msec, msecs, usec, usecs, nsec, nsecs"
	const options = "; expected one of limit, delay, loss, ecn, reorder, corrupt, gap, duplicate, distribution, rate, slot"
	for text, want := range map[string]string{
		"dlay 20ms":            `unknown option "dlay"; did you mean "delay"?`,
		"delay 20ms dupliacte": `unknown option "dupliacte"; did you mean "duplicate"?`,
		"bandwidth 1mbit":      `unknown option "bandwidth"` + options,
		"help":                 `unknown option "help"` + options,
		"delay 10ms .5ms":      `unknown option ".5ms"` + options,
		"seed 42":              "seed: it is not supported: random numbers come from the seed of the run",
		"tc qdisc add dev eth0 root netem delay 100ms": `leave out "tc qdisc add dev eth0 root netem": only the options that follow it are read`,
		"# tc qdisc change dev eth0 root netem loss":   `leave out "# tc qdisc change dev eth0 root netem": only the options that follow it are read`,
		"netem netem":                   `unknown option "netem"` + options,
		"delay 1ms latency 2ms":         `the option "delay" is given twice`,
		"loss 1% drop 1%":               `the option "loss" is given twice`,
		"limit":                         "limit: a value is missing at the end",
		"limit 0":                       "limit: at a limit of 0 all packets are dropped; use loss 100%",
		"limit 5000000000":              "the limit is not between 0 and 4294967295 packets",
		"limit many":                    `limit: "many" is not a size such as "1000" or "64k": it starts with no digit`,
		"delay":                         "delay: a value is missing at the end",
		"delay 100":                     `delay: "100" is not a time such as "20ms": it has no unit` + times,
		"delay 20mss":                   `delay: "20mss" is not a time such as "20ms": unknown unit "mss"` + times,
		"delay -1ms":                    `delay: "-1ms" is not a time such as "20ms": it starts with no digit`,
		"delay 1.2.3ms":                 `delay: "1.2.3ms" is not a time such as "20ms": "1.2.3" is not a decimal number of at most 40 digits`,
		"delay 25000000h":               `delay: "25000000h" is not a time such as "20ms": unknown unit "h"` + times,
		"delay 86401s":                  "the delay is not between 0 and 24h0m0s",
		"delay 99999999999s":            `delay: "99999999999s" is not a time such as "20ms": it is too large`,
		"delay 1ms 1ms 101%":            `delay: "101%" is not a percentage such as "25%": it is above 100%`,
		"delay 1ms 1ms 1%%":             `delay: "1%%" is not a percentage such as "25%": unknown unit "%%"; known units: %`,
		"distribution":                  "distribution: a value is missing at the end",
		"delay 1ms distribution normal": "a distribution needs a delay and a jitter",
		"delay 1ms 1ms distribution experimental": `distribution: unknown distribution "experimental"; expected one of uniform, normal, pareto, paretonormal`,
		"delay 1ms 1ms distribution norml":        `distribution: unknown distribution "norml"; did you mean "normal"?`,
		"loss":                                    "loss: a value is missing at the end",
		"loss bernoulli 1%":                       `loss: unknown model "bernoulli"; expected one of random, state, gemodel`,
		"loss gmodel 1%":                          `loss: unknown model "gmodel"; did you mean "gemodel"?`,
		"loss state":                              "loss: a value is missing at the end",
		"loss state 60% 0% 0% 100% 60%":           "loss: p13 and p14 are together above 1",
		"loss gemodel 1% 200%":                    `loss: "200%" is not a percentage such as "25%": it is above 100%`,
		"ecn":                                     "ecn needs a loss",
		"reorder 25%":                             "reordering needs a delay that packets can skip",
		"gap 5":                                   "reordering needs a delay that packets can skip",
		"delay 1ms reorder 0% gap 5":              "a gap needs a probability of reordering",
		"delay 1ms gap 1_0":                       `gap: "1_0" is not a whole number`,
		"delay 1ms gap 0b1":                       `gap: "0b1" is not a whole number`,
		"delay 1ms gap -1":                        "the gap is not between 0 and 4294967295 packets",
		"rate 10mb":                               `rate: "10mb" is not a rate such as "10mbit": unknown unit "mb"; known units: tbit, gbit, mbit, kbit, bit, tibit, gibit, mibit, kibit, tbps, gbps, mbps, kbps, bps, tibps, gibps, mibps, kibps`,
		"rate 50%":                                `rate: "50%" is not a rate such as "10mbit": a link has no device whose speed it could be a share of`,
		"rate 7bit":                               `rate: "7bit" is not a rate such as "10mbit": it is less than a byte per second`,
		"rate 2tbit":                              `rate: "2tbit" is not a rate such as "10mbit": it is more than 1tbit`,
		"rate 1mbit 1.5":                          `rate: "1.5" is not a whole number`,
		"rate 1mbit 70000":                        "the packet overhead is not between -65535 and 65535 bytes",
		"slot":                                    "slot: a value is missing at the end",
		"slot fast":                               `slot: unknown value "fast"; expected one of distribution, a time`,
		"slot distribution normal":                "slot: a value is missing at the end",
		"slot distribution normal 1ms 0":          "slot: a distribution needs a jitter above 0",
		"slot 2ms 1ms":                            "slot: the greatest delay is less than the least",
		"slot 2ms 0":                              "slot: the greatest delay is less than the least",
		"slot 1ms packets":                        "slot: a value is missing at the end",
		"slot 1ms bytes 4gb":                      "the packets or bytes of a slot are not between 0 and 2147483647",
	} {
		if n, err := ParseNetem(text, nil); err == nil || err.Error() != want {
			t.Errorf("%q: %+v, error\n  %v\nwant\n  %s", text, n, err, want)
		}
	}
}

func TestDistributionsOfOtherNamesComeFromTheirTables(t *testing.T) {
	table := newDistribution([]int16{1, 2, 3})
	tables := func(name string) (*Distribution, error) {
		if name != "lte" {
			return nil, errors.New("no table of " + name)
		}
		return table, nil
	}
	const text = "limit 1000 delay 20ms 5ms distribution lte slot distribution lte 2ms 1ms"
	n, err := ParseNetem(text, tables)
	if err != nil {
		t.Fatal(err)
	}
	if &n.Distribution.table[0] != &table.table[0] || table.name != "" {
		t.Error("the table was copied, or the caller's was changed")
	}
	if got, err := n.MarshalText(); err != nil || string(got) != text {
		t.Errorf("it is written %q, %v", got, err)
	}
	if _, err := ParseNetem("delay 1ms 1ms distribution wifi", tables); err == nil || err.Error() != "distribution: no table of wifi" {
		t.Errorf("error %v", err)
	}
	if n, err := ParseNetem("delay 1ms 1ms distribution flat", func(string) (*Distribution, error) { return nil, nil }); err != nil || n.Distribution != nil {
		t.Errorf("a table of nil, which is uniform, is read as %+v, %v", n, err)
	}
}

func TestADistributionWithoutANameHasNoText(t *testing.T) {
	d := newDistribution([]int16{1})
	for _, n := range []Netem{{Delay: 1, Jitter: 1, Distribution: d}, {Slot: NetemSlot{Jitter: 1, Distribution: d}}} {
		if text, err := n.MarshalText(); err == nil || err.Error() != "a distribution has no name" {
			t.Errorf("%s: error %v", text, err)
		}
		if !strings.Contains(n.String(), "distribution unnamed") {
			t.Errorf("String is %s", n)
		}
	}
}

func TestNetemIsReadFromText(t *testing.T) {
	n := Netem{Delay: 7}
	if err := n.UnmarshalText([]byte("loss 1%")); err != nil || n != (Netem{Limit: 1000, Loss: Bernoulli{P: 0.01}}) {
		t.Errorf("%+v, %v", n, err)
	}
	if err := n.UnmarshalText([]byte("los 1% 2% 3%")); err == nil {
		t.Errorf("%+v", n)
	}
}

// aPercentage draws a probability that percentages of few digits can say, or any.
func aPercentage(r *rapid.T, name string) float64 {
	if rapid.Bool().Draw(r, name+" is round") {
		return float64(rapid.IntRange(0, 1000).Draw(r, name)) / 1000
	}
	return rapid.Float64Range(1e-9, 1).Draw(r, name)
}

// aWrittenNetem draws a configuration that text can say.
var aWrittenNetem = rapid.Custom(func(r *rapid.T) Netem {
	some := func(name string) time.Duration {
		return time.Duration(rapid.Int64Range(1, int64(maxDelay)).Draw(r, name))
	}
	maybe := func(name string) time.Duration {
		return rapid.SampledFrom([]time.Duration{0, some(name)}).Draw(r, name+" or none")
	}
	chance := func(name string) NetemChance {
		return rapid.SampledFrom([]NetemChance{{}, {aPercentage(r, name), aPercentage(r, name)}, {P: aPercentage(r, name)}}).Draw(r, name)
	}
	n := Netem{
		Limit:     rapid.IntRange(1, 1<<32-1).Draw(r, "limit"),
		Delay:     some("delay"),
		Jitter:    some("jitter"),
		Corrupt:   chance("corrupt"),
		Duplicate: chance("duplicate"),
		Reorder:   chance("reorder"),
	}
	n.Correlation = aPercentage(r, "correlation")
	n.Distribution = rapid.SampledFrom([]*Distribution{nil, Normal(), Pareto(), ParetoNormal()}).Draw(r, "distribution")
	p := aPercentage(r, "p")
	n.Loss = rapid.SampledFrom([]Loss{
		nil, Bernoulli{p, aPercentage(r, "correlation")},
		GilbertElliott{P: p, R: 1 - p, Bad: 1}, GilbertElliott{aPercentage(r, "p"), aPercentage(r, "r"), aPercentage(r, "bad"), aPercentage(r, "good")},
		Markov{P13: p, P31: 1 - p, P23: 1}, Markov{p / 2, p / 2, p / 2, aPercentage(r, "p23"), p / 2}, Markov{P13: p, P31: p, P23: 1},
	}).Draw(r, "loss")
	if b, ok := n.Loss.(Bernoulli); n.Loss != nil && (!ok || b.P > 0) {
		n.ECN = rapid.Bool().Draw(r, "ecn")
	}
	if n.Reorder.P > 0 {
		n.Gap = rapid.IntRange(0, 1<<32-1).Draw(r, "gap")
	}
	n.Rate = NetemRate{
		Rate:           8 * BitRate(rapid.Int64Range(0, int64(TbitPerSecond)/8).Draw(r, "rate")),
		PacketOverhead: Bytes(rapid.Int64Range(-65535, 65535).Draw(r, "overhead")),
		CellSize:       Bytes(rapid.Int64Range(0, 65535).Draw(r, "cell")),
	}
	n.Rate.CellOverhead = Bytes(rapid.Int64Range(int64(-n.Rate.CellSize), 65535).Draw(r, "cell overhead"))
	least := maybe("min")
	n.Slot = rapid.SampledFrom([]NetemSlot{{}, {Min: least, Max: min(maxDelay, least+maybe("range"))}, {Delay: maybe("slot delay"), Jitter: some("slot jitter"), Distribution: n.Distribution}}).Draw(r, "slot")
	n.Slot.Packets = rapid.IntRange(0, 1<<31-1).Draw(r, "packets")
	n.Slot.Bytes = Bytes(rapid.IntRange(0, 1<<31-1).Draw(r, "bytes"))
	return n
})

func TestEveryNetemIsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := aWrittenNetem.Draw(r, "netem")
		if err := n.check(); err != nil {
			r.Fatal(err)
		}
		text, err := n.MarshalText()
		if err != nil {
			r.Fatal(err)
		}
		var again Netem
		if err := again.UnmarshalText(text); err != nil || again != n {
			r.Fatalf("%s\nis read as\n%+v, %v\nwant\n%+v", text, again, err, n)
		}
	})
}

// What is read has a text, which means the same, and can run.
func FuzzParseNetem(f *testing.F) {
	for _, text := range []string{
		"delay 20ms 5ms 25% distribution normal loss gemodel 1% 17% rate 10mbit limit 1000",
		"netem loss state 3% 60% 20% 50% 0.5% ecn corrupt 0.02% 3% duplicate 1%",
		"gap 5 delay 10ms", "delay 10ms reorder 25% 50% gap 0x5", "rate 5kbit -20 100 5",
		"slot distribution pareto 1ms 2ms packets 3 bytes 1k", "slot 1us 2us p 3", "slot 1s 0",
		"tc qdisc add dev eth0 root netem delay 1ms", "delay 1ms 1ms distribution x", "loss 1e3%", "limit 0 seed 1", "loss random .5%",
	} {
		f.Add(text)
	}
	flat := newDistribution([]int16{0, 1})
	tables := func(string) (*Distribution, error) { return flat, nil }
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNetem(text, tables)
		if err != nil {
			return
		}
		written, err := n.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseNetem(string(written), tables)
		if err != nil || !reflect.DeepEqual(again, n) {
			t.Fatalf("%q is written %q, which is read as\n%+v, %v\nwant\n%+v", text, written, again, err, n)
		}
		b := newBench(t, 1, n)
		b.send(100)
		b.send(1)
		b.clock.runUntil(time.Millisecond)
		if err := b.path.check(); err != nil {
			t.Fatal(err)
		}
	})
}

// The numbers are those of iproute2: set_percent.
func TestProbabilitiesAreRoundedAsByTC(t *testing.T) {
	for text, want := range map[string]uint32{
		"0%": 0, "100%": 4294967295, "1%": 42949673, "50%": 2147483648, "25%": 1073741824,
		"0.1%": 4294967, "0.00000001%": 0, "0.00000002%": 1, "33.3333%": 1431654333,
	} {
		p, err := parseTCPercent(text)
		if err != nil || scale32(p) != want {
			t.Errorf("%s is %d, %v; want %d", text, scale32(p), err, want)
		}
	}
}

func TestPercentagesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, p := range map[string]float64{"0%": 0, "1%": 0.01, "0.1%": 0.001, "17%": 0.17, "29%": 0.29, "100%": 1, "33.3%": 0.333, "0.00000002%": 2e-10} {
		if got := formatTCPercent(p); got != want {
			t.Errorf("%v is written %s, want %s", p, got, want)
		}
	}
	if got := fmt.Sprint(Netem{Loss: Bernoulli{P: -0.5}}); got != "limit 1000 loss -50%" {
		t.Errorf("a negative probability is written %s", got)
	}
}
