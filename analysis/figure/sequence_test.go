package figure

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
)

// sequences are that of a sender which loses the fifth and sixth of its 30
// datagrams, one each 10 ms.
func sequences() []Sequence {
	s := newSequencer("main, server", 4*time.Second, 40*ms)
	for i := range time.Duration(30) {
		j := journey{stage: arrived, size: 1000, sent: i * 10 * ms, done: i*10*ms + 20*ms}
		if i == 4 || i == 5 {
			j.stage, j.done, j.link, j.fate = dropped, j.sent, "access", []string{"queue", "loss"}[i-4]
		}
		s.add(&j)
	}
	return []Sequence{s.finish([]time.Duration{80 * ms}, []time.Duration{80 * ms, 85 * ms})}
}

func newSequencer(name string, end, rtt time.Duration) *sequencer {
	return &sequencer{Sequence: Sequence{Name: name}, end: end, rtt: func(time.Duration) time.Duration { return rtt }}
}

func TestASequenceCountsTheBytesOfEveryDatagram(t *testing.T) {
	s := newSequencer("main, server", time.Second, 10*ms)
	for _, j := range []journey{
		{stage: arrived, size: 100, sent: 0, done: 50 * ms},
		{stage: dropped, size: 200, sent: 10 * ms, done: 12 * ms, link: "access", fate: "queue"},
		{stage: underWay, size: 300, sent: 20 * ms, done: 25 * ms},
		{stage: arrived, size: 400, sent: 30 * ms, done: 45 * ms},
		{stage: arrived, size: 500, sent: 41 * ms, done: 60 * ms},
	} {
		s.add(&j)
	}
	got := s.finish([]time.Duration{44 * ms}, []time.Duration{15 * ms, 44 * ms})
	drops := []Drops{{"access: queue", []Point{{12 * ms, 300}}}}
	want := Sequence{
		Name:     "main, server",
		Sent:     []Point{{0, 100}, {10 * ms, 300}, {20 * ms, 600}, {30 * ms, 1000}, {41 * ms, 1500}},
		Arrived:  []Point{{45 * ms, 1000}, {50 * ms, 100}, {60 * ms, 1500}},
		Dropped:  drops,
		Declared: []Point{{44 * ms, 1500}},
		// From 10 ms before the first loss to 30 ms after it.
		First: &Episode{
			Lost: 10 * ms, From: 0, Until: 40 * ms,
			Sent:     []Point{{0, 100}, {10 * ms, 300}, {20 * ms, 600}, {30 * ms, 1000}},
			Arrived:  []Point{{50 * ms, 100}, {45 * ms, 1000}},
			Dropped:  drops,
			Declared: []Point{{15 * ms, 300}, {44 * ms, 1000}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASequenceWithoutLossesHasNoEpisode(t *testing.T) {
	s := newSequencer("main, server", time.Second, 10*ms)
	for i := range time.Duration(1000) {
		s.add(&journey{stage: arrived, size: 1, sent: i * ms, done: i*ms + 1})
	}
	if got := s.finish(nil, nil); got.First != nil || len(got.Dropped) > 0 {
		t.Errorf("there is %+v, and drops %v", got.First, got.Dropped)
	}
}

// TestOfAnyRunASequenceKeepsItsShape compares what is kept with all.
func TestOfAnyRunASequenceKeepsItsShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := 1000 * ms
		s := newSequencer("s", end, time.Duration(rapid.IntRange(1, 200).Draw(t, "rtt"))*ms)
		n := rapid.IntRange(1, 5000).Draw(t, "datagrams")
		each := rapid.IntRange(1, 40).Draw(t, "each")
		lost := map[int]bool{} // by part of the time
		for i := range n {
			at := end * time.Duration(i) / time.Duration(n)
			j := journey{stage: arrived, size: 1000, sent: at, done: at + 30*ms}
			if i%each == each-1 {
				j = journey{stage: dropped, size: 1000, sent: at, done: at, link: string(rune('a' + i%7)), fate: "loss"}
				lost[int(float64(at)/float64(end)*2*buckets)] = true
			}
			s.add(&j)
		}
		got := s.finish(nil, nil)
		last := got.Sent[len(got.Sent)-1]
		if most := 4 * buckets; len(got.Sent) > most || len(got.Arrived) > most || last.V != float64(n*1000) {
			t.Errorf("%d and %d points, the last %v", len(got.Sent), len(got.Arrived), last)
		}
		if !slices.IsSortedFunc(got.Sent, func(a, b Point) int { return int(a.V - b.V) }) {
			t.Errorf("what was sent is not in order")
		}
		if len(got.Dropped) > maxReasons {
			t.Errorf("%d reasons", len(got.Dropped))
		}
		for _, d := range got.Dropped {
			for _, p := range d.Points {
				delete(lost, int(float64(p.T)/float64(end)*2*buckets))
			}
		}
		if len(lost) > 0 {
			t.Errorf("%d losses have no mark", len(lost))
		}
		if got.First != nil && len(got.First.Sent) > wholeLosses {
			t.Errorf("the episode has %d datagrams", len(got.First.Sent))
		}
		for _, width := range widths {
			checkLayout(t, sequence(Data{End: end, Sequences: []Sequence{got, got}}), width)
		}
	})
}

func TestTheEndsThatSentMostHaveASequence(t *testing.T) {
	end := func(name string, sent uint64) record.Connection {
		client, _ := theEnds()
		client.Entity, client.Sent = "connections."+name, sent
		return client
	}
	run := record.Run{Connections: []record.Connection{
		end("a.client", 100), end("a.server", 9), // too few
		end("b.client", 99), end("b.server", 1000), // it only asks
		end("c.client", 200), end("c.server", 150),
	}}
	for session, want := range map[string][]string{
		"":  {"connections.b.server", "connections.c.client"},
		"a": {"connections.a.client"},
		"c": {"connections.c.client", "connections.c.server"},
	} {
		got, others := senderEnds(run, &Session{Name: session}, options{session})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of session %q: %s", session, diff)
		}
		if wantOthers := map[string]int{"": 2}[session]; others != wantOthers {
			t.Errorf("of session %q %d others, want %d", session, others, wantOthers)
		}
	}
}

func TestARecordingGivesTheSequenceOfItsSenders(t *testing.T) {
	var rows []record.Packet
	for i := range uint64(12) {
		at := time.Duration(i) * 10 * ms
		rows = append(rows, packet(2*i+1, "home", record.Forward, at, at+5*ms, atLaptop, atCloud))
		if i == 6 {
			rows[len(rows)-1] = lost(rows[len(rows)-1], "loss")
			continue
		}
		rows = append(rows, packet(2*i+1, "wan", record.Reverse, at+5*ms, at+9*ms, atLaptop, atCloud))
	}
	got, err := FromRecording(overTwoLinks(t, 12, rows...))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Sequences) != 1 || got.OtherEnds != 0 {
		t.Fatalf("%d sequences and %d others", len(got.Sequences), got.OtherEnds)
	}
	s := got.Sequences[0]
	if last := s.Sent[len(s.Sent)-1]; s.Name != "main, client" || len(s.Sent) != 12 || last != (Point{110 * ms, 12 * 1200}) {
		t.Errorf("%s sends %v", s.Name, s.Sent)
	}
	if diff := cmp.Diff([]Drops{{"home: loss", []Point{{65 * ms, 7 * 1200}}}}, s.Dropped); diff != "" {
		t.Error(diff)
	}
	if len(s.Arrived) != 11 || s.First == nil || s.First.Lost != 60*ms {
		t.Errorf("%d arrive, and the first loss is %+v", len(s.Arrived), s.First)
	}
}
