package netem

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyElement has each type of element with parameters that a link may have at
// 100 Mbit/s.
var everyElement = []struct {
	name    string
	element Element
}{
	{"outage", Outage{}},
	{"mtu", MTU{Size: 1500}},
	{"policer", Policer{Rate: 90 * MbitPerSecond, Burst: 10_000}},
	{"ecn", ECNFault{Drop: 0.01, Bleach: 0.1, Mangle: 0.1, From: ECT0, To: CE}},
	{"loss", Bernoulli{P: 0.01}},
	{"correlated loss", Bernoulli{0.01, 0.25}},
	{"gilbert-elliott", GilbertElliott{P: 0.01, R: 0.17, Bad: 1}},
	{"markov", Markov{P13: 0.01, P31: 0.17, P32: 0.1, P23: 0.5}},
	{"periodic", Periodic{100}},
	{"list", ListedLoss{[]uint64{1, 10, 100, 1000}}},
	{"mask", LossMask{1 << 40}},
	{"filter", Filter{Loss: Bernoulli{P: 0.01}, Above: 1000, Until: time.Hour}},
	{"duplicate", Duplicate{P: 0.01}},
	{"corrupt", Corrupt{P: 0.01}},
	{"netem", netemOf("delay 20ms 1ms 25% distribution normal loss gemodel 1% 17%")},
	{"netem with all", netemOf("delay 2ms loss 1% 1% ecn corrupt 1% 1% duplicate 1% 1% reorder 5% 1% gap 3 rate 1gbit 1 48 5 slot 10us 20us")},
	{"queue", Rate{Rate: 100 * MbitPerSecond, Overhead: HeaderIPv4, Queue: FIFO{Limit: Limit{Bytes: 100_000}}}},
	{"token bucket", Rate{Rate: 100 * MbitPerSecond, Burst: 10_000, Overhead: HeaderIPv4}},
	{"trace", Trace{Opportunities: []time.Duration{100_000, 200_000, 300_000}, Period: 400_000, Bytes: 3000}},
	{"slot", Slot{Min: time.Millisecond, Max: 2 * time.Millisecond, Packets: 32}},
	{"reorder", Reorder{Delay: 20 * time.Millisecond, P: 0.1, Gap: 5}},
	{"delay", Delay{20 * time.Millisecond}},
	{"jitter", Jitter{Delay: 20 * time.Millisecond, Deviation: time.Millisecond, Distribution: Normal(), Correlation: 0.25}},
}

func netemOf(text string) Netem {
	n, err := ParseNetem(text, nil)
	if err != nil {
		panic(err)
	}
	return n
}

// receivers returns the exported types of the package that have a method.
func receivers(t *testing.T, method string) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != method {
				continue
			}
			if name, ok := f.Recv.List[0].Type.(*ast.Ident); ok && name.IsExported() {
				names = append(names, name.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// What is left out of the lists here has no benchmark, and no part in the
// properties of chains.
func TestEveryElementAndQueueIsInTheListsOfTests(t *testing.T) {
	listed := func(values ...any) []string {
		var names []string
		for _, v := range values {
			names = append(names, reflect.TypeOf(v).Name())
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	var typical, drawn, managed []any
	for _, e := range everyElement {
		typical = append(typical, e.element)
	}
	for _, e := range drawnElements {
		drawn = append(drawn, e)
	}
	for _, q := range queues {
		managed = append(managed, q)
	}
	for _, c := range []struct {
		name         string
		listed, want []string
	}{
		{"everyElement", listed(typical...), receivers(t, "Start")},
		{"drawnElements", listed(drawn...), receivers(t, "Start")},
		{"queues", listed(managed...), receivers(t, "start")},
	} {
		if !slices.Equal(c.listed, c.want) {
			t.Errorf("%s has %s, want %s", c.name, c.listed, c.want)
		}
	}
}

// An element that says nothing of its delays would keep a whole network from
// putting off quiet steps.
func TestEveryElementLooksAhead(t *testing.T) {
	for _, c := range everyElement {
		b := newBench(t, 1, c.element, Delay{7})
		r, ok := b.path.stages[0].runner.(prompt)
		if !ok {
			t.Errorf("%s is not prompt", c.name)
			continue
		}
		if ahead := r.lookahead(7); ahead < 7 {
			t.Errorf("%s shortens a lookahead of 7 to %d", c.name, ahead)
		}
	}
}

// steady returns a function that sends a packet of 1200 bytes on a path of the
// elements and lets 100 µs pass.
func steady(tb testing.TB, elements ...Element) func() {
	clock := &benchClock{}
	path, err := NewPath(clock, "path", 1, elements, (*Packet).release, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return func() {
		path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:1200], ECT0))
		clock.runUntil(clock.now + 100*time.Microsecond)
	}
}

func TestNoElementAllocatesForAPacket(t *testing.T) {
	chains := map[string][]Element{}
	for _, c := range everyElement {
		chains[c.name] = []Element{c.element}
	}
	for _, q := range queues {
		// Packets of 1228 bytes come a little faster than they go.
		chains[fmt.Sprintf("%T", q)] = []Element{Rate{Rate: 97 * MbitPerSecond, Overhead: HeaderIPv4, Queue: q}}
	}
	for name, chain := range chains {
		send := steady(t, chain...)
		for range 3000 {
			send()
		}
		if n := testing.AllocsPerRun(1000, send); n != 0 {
			t.Errorf("seed 1: %s allocates %v times a packet", name, n)
		}
	}
}
