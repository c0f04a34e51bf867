package netem

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPacketsLeaveAtTheOpportunitiesOfATrace(t *testing.T) {
	for _, c := range []struct {
		name  string
		trace Trace
		sizes []int // sent at 0
		want  []time.Duration
	}{
		{"a packet for each", Trace{Opportunities: []time.Duration{1 * ms, 3 * ms}, Period: 4 * ms}, []int{1500, 1500, 1500, 1500},
			[]time.Duration{1 * ms, 3 * ms, 5 * ms, 7 * ms}},
		{"headers count", Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms, Overhead: HeaderIPv4}, []int{1472, 1473, 1},
			[]time.Duration{1 * ms, 3 * ms, 3 * ms}},
		{"small packets share", Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms}, []int{500, 500, 500, 500},
			[]time.Duration{1 * ms, 1 * ms, 1 * ms, 2 * ms}},
		{"equal times add up", Trace{Opportunities: []time.Duration{2 * ms, 2 * ms, 3 * ms}, Period: 3 * ms}, []int{1500, 1500, 1500, 1500},
			[]time.Duration{2 * ms, 2 * ms, 3 * ms, 5 * ms}},
		{"the end of a period is the beginning of the next", Trace{Opportunities: []time.Duration{0, 2 * ms}, Period: 2 * ms}, []int{1500, 1500, 1500, 1500},
			[]time.Duration{2 * ms, 2 * ms, 4 * ms, 4 * ms}},
		{"once", Trace{Opportunities: []time.Duration{1 * ms, 2 * ms}, Period: 2 * ms, Once: true}, []int{1500, 1500, 1500},
			[]time.Duration{1 * ms, 2 * ms}},
		{"other amounts", Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms, Bytes: 100}, []int{250}, []time.Duration{3 * ms}},
		{"a queue", Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms, Queue: FIFO{Limit: Limit{Packets: 2}}}, []int{1500, 1500, 1500},
			[]time.Duration{1 * ms, 2 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.trace)
			for _, size := range c.sizes {
				b.send(size)
			}
			b.run()
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("departures %v, want %v", got, c.want)
			}
		})
	}
}

func TestAnOpportunityThatNothingWaitsForIsLost(t *testing.T) {
	b := newBench(t, 1, Trace{Opportunities: []time.Duration{1 * ms, 2 * ms, 7 * ms}, Period: 10 * ms})
	b.sendAt(1*ms, 1500) // at the very time of one
	b.sendAt(3*ms, 1500)
	b.sendAt(3*ms, 1500)
	b.sendAt(32*ms, 1500) // three periods later
	b.run()
	if got, want := b.departures(), []time.Duration{2 * ms, 7 * ms, 11 * ms, 37 * ms}; !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

func TestAPacketAtTheVeryEndOfAPeriodWaitsForTheNext(t *testing.T) {
	b := newBench(t, 1, Trace{Opportunities: []time.Duration{0}, Period: 10 * ms})
	b.sendAt(10*ms, 100)
	b.run()
	if got, want := b.departures(), []time.Duration{20 * ms}; !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

func TestATraceThatIsCalledLateLosesNoOpportunity(t *testing.T) {
	clock := lateClock{&testClock{}, 2500}
	var left []time.Duration
	path, err := NewPath(clock, "path", 1, []Element{Trace{Opportunities: []time.Duration{1000}, Period: 1000}},
		func(p *Packet) { left = append(left, clock.Now()) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		path.Send(&Packet{Payload: someBytes[:1500]})
	}
	clock.runUntil(time.Second)
	// The clock begins at 2500. Its call for 3500 comes at 6000, when there were three.
	if want := []time.Duration{6000, 6000, 6000, 9000}; !slices.Equal(left, want) {
		t.Errorf("packets departed at %d, want %d", left, want)
	}
}

func TestATraceThatIsReplacedBeginsThen(t *testing.T) {
	b := newBench(t, 1, Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms, Once: true})
	b.send(1500)
	b.send(1500)
	b.configureAt(5*ms, Trace{Opportunities: []time.Duration{3 * ms}, Period: 4 * ms})
	b.run()
	if got, want := b.departures(), []time.Duration{1 * ms, 8 * ms}; !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

func TestAChangeAmidAnOpportunityLosesNothingOfIt(t *testing.T) {
	c := Trace{Opportunities: []time.Duration{ms}, Period: ms, Bytes: 3000}
	b := newBench(t, 1, c)
	for range 3 {
		b.send(1500)
	}
	c.Queue = FIFO{Limit: Limit{Packets: 1}}
	b.configureAt(ms, c) // after the first packet, before the second
	b.run()
	if got, want := b.departures(), []time.Duration{ms, ms, 2 * ms}; !slices.Equal(got, want) {
		t.Errorf("packets departed at %d, want %d", got, want)
	}
}

func TestTracesThatCannotBeAreErrors(t *testing.T) {
	for want, c := range map[string]Trace{
		"no opportunity":       {},
		"not ascending":        {Opportunities: []time.Duration{2, 1}, Period: 2},
		"not hold all":         {Opportunities: []time.Duration{2}, Period: 1},
		"takes less than 0":    {Opportunities: []time.Duration{1}, Period: 1, Bytes: -1},
		"overhead is not betw": {Opportunities: []time.Duration{1}, Period: 1, Overhead: 1001},
	} {
		if _, err := NewPath(&testClock{}, "path", 1, []Element{c}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}

// A link that always has something to send uses its capacity to the byte.
func TestABusyTraceCarriesItsCapacity(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := Trace{Bytes: Bytes(rapid.IntRange(1, 3000).Draw(r, "bytes"))}
		at := time.Duration(0)
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 20).Draw(r, "gaps") {
			at += time.Duration(gap) * ms
			c.Opportunities = append(c.Opportunities, at)
		}
		c.Period = at + time.Duration(rapid.IntRange(1, 5).Draw(r, "rest"))*ms
		b := newBench(t, 1, c)
		sizes := rapid.SliceOfN(rapid.IntRange(1, 2000), 1, 50).Draw(r, "sizes")
		for _, size := range sizes {
			b.send(size)
		}
		b.run()
		capacity := func(until time.Duration) (n Bytes) { // of opportunities after 0
			for cycle := time.Duration(0); cycle <= until; cycle += c.Period {
				for _, o := range c.Opportunities {
					if o += cycle; o > 0 && o <= until {
						n += c.Bytes
					}
				}
			}
			return n
		}
		sent := Bytes(0)
		for i, at := range b.departures() {
			sent += Bytes(sizes[i])
			if before, by := capacity(at-1), capacity(at); before >= sent || by < sent {
				r.Fatalf("%d bytes had left at %v: the trace has carried %d before and %d by then", sent, at, before, by)
			}
		}
	})
}

func TestParseMahimahi(t *testing.T) {
	got, err := ParseMahimahi(strings.NewReader("0\n5\n5\n12\n"))
	if err != nil || !slices.Equal(got.Opportunities, []time.Duration{0, 5 * ms, 5 * ms, 12 * ms}) || got.Period != 12*ms {
		t.Errorf("%+v, %v", got, err)
	}
	if rate := got.Rate(); rate != 4*MbitPerSecond { // 4 × 1500 bytes in 12 ms
		t.Errorf("rate %v", rate)
	}
	for input, want := range map[string]string{
		"":                "no opportunity after 0 ms",
		"0\n":             "no opportunity after 0 ms",
		"1\nx\n":          `line 2: "x" is not a number`,
		"1\n\n2\n":        `line 2: "" is not a number`,
		"2\n1\n":          "line 2: 1 comes after 2",
		"-1\n":            `line 1: "-1" is not a number`,
		"99999999999\n":   "line 1: ",
		"1.5\n":           "line 1: ",
		"1 # a comment\n": "line 1: ",
	} {
		if _, err := ParseMahimahi(strings.NewReader(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", input, err, want)
		}
	}
}

func FuzzMahimahi(f *testing.F) {
	f.Add("0\n5\n5\n12\n")
	f.Add("1\r\n2\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseMahimahi(strings.NewReader(s))
		if err != nil {
			return
		}
		if _, err := NewPath(&testClock{}, "path", 1, []Element{c}, nil, nil); err != nil {
			t.Fatalf("%q is a trace that cannot be started: %v", s, err)
		}
		var text bytes.Buffer
		if err := c.WriteMahimahi(&text); err != nil {
			t.Fatalf("%q is a trace that cannot be written: %v", s, err)
		}
		if again, err := ParseMahimahi(&text); err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%+v was written and read again as %+v, %v", c, again, err)
		}
	})
}

func BenchmarkTrace(b *testing.B) {
	c := Trace{Opportunities: []time.Duration{1 * ms}, Period: 1 * ms}
	bench := newBench(b, 1, c)
	b.ReportAllocs()
	for range b.N {
		bench.send(1400)
		bench.clock.runUntil(bench.clock.now + ms)
		bench.seen, bench.delivered = bench.seen[:0], bench.delivered[:0]
	}
}
