package workload_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

const transfer = pair + `
flows.down = { kind = "download", size = "1MB", streams = 3 }
flows.up = { kind = "upload", size = "1MB", direction = "bidi" }`

func TestSegmentationOffloadChangesNoBytes(t *testing.T) {
	for _, gso := range []string{"true", "false"} {
		for _, loss := range []string{"0.0", "0.01"} {
			r := complete(t, transfer, "hosts.client.gso="+gso, "hosts.server.gso="+gso, "links.path.loss="+loss)
			r.delivers("flows.down", 1_000_000)
			r.delivers("flows.up", 1_000_000)
			r.accounted()
		}
	}
}

func TestPacketsAreMarkedAsTheScenarioSays(t *testing.T) {
	marks := func(ecn string) (count [4]int) {
		for _, p := range complete(t, transfer, "quic.ecn="+ecn).packets {
			count[p.ecn]++
		}
		return count
	}
	if on := marks("true"); on[netem.ECT0] == 0 {
		t.Errorf("with ECN, packets by codepoint: %v", on)
	}
	if off := marks("false"); off[netem.ECT0]+off[netem.ECT1]+off[netem.CE] != 0 {
		t.Errorf("without ECN, packets by codepoint: %v", off)
	}
}

func TestChangesOfALinkAreRecordedAndHaveEffect(t *testing.T) {
	r := complete(t, pair+`
close = { at = "3s" }
flows.ping = { kind = "echo", transport = "datagram", rate = "10Hz" }
[[links.path.changes]]
at = "1s"
delay = "50ms"
direction = "reverse"
[[links.path.changes]]
at = "2s"
rate = "1Mbit/s"
delay = "25ms"`)
	for _, want := range []record.Event{
		{Time: time.Second, Kind: record.EventLinkChanged, Entity: "links.path.reverse", Text: "delay = 50ms"},
		{Time: 2 * time.Second, Kind: record.EventLinkChanged, Entity: "links.path.forward", Text: "rate = 1Mbit/s, delay = 25ms"},
	} {
		found := false
		for _, e := range r.all(want.Kind, want.Entity) {
			found = found || e == want
		}
		if !found {
			t.Errorf("no event %+v among %+v", want, r.all(want.Kind, want.Entity))
		}
	}
	rates := r.values(record.SeriesLinkRate, "links.path.forward")
	if len(rates) != 2 || rates[0].Time != 0 || rates[0].Value != 20e6 || rates[1].Time != 2*time.Second || rates[1].Value != 1e6 {
		t.Errorf("rates: %+v", rates)
	}
	for _, s := range r.values(record.SeriesMessageRTT, "flows.ping") {
		least, most := 0.050, 0.051
		switch {
		case s.Time > 2100*time.Millisecond:
			most = 0.053
		case s.Time > 2*time.Second: // between two delays
			most = 0.100
		case s.Time > 1100*time.Millisecond:
			least, most = 0.075, 0.076
		case s.Time > time.Second:
			most = 0.076
		}
		if s.Value < least || s.Value > most {
			t.Errorf("the echo at %s took %v s, want %v to %v", s.Time, s.Value, least, most)
		}
	}
}

func TestARampChangesALinkInEqualSteps(t *testing.T) {
	r := complete(t, pair+`
close = { at = "3s" }
[[links.path.changes]]
at = "1s"
over = "1s"
step = "300ms"
direction = "reverse"
rate = "10Mbit/s"
delay = "125ms"`)
	type value struct {
		at    time.Duration
		value float64
	}
	check := func(series string, want ...value) {
		t.Helper()
		var got []value
		for _, s := range r.values(series, "links.path.reverse") {
			got = append(got, value{s.Time, s.Value})
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: %s is %v, want %v", r.seed, series, got, want)
		}
	}
	const ms = time.Millisecond
	check(record.SeriesLinkRate, value{0, 20e6}, value{1300 * ms, 17e6}, value{1600 * ms, 14e6}, value{1900 * ms, 11e6}, value{2000 * ms, 10e6})
	check(record.SeriesLinkDelay, value{0, 0.025}, value{1300 * ms, 0.055}, value{1600 * ms, 0.085}, value{1900 * ms, 0.115}, value{2000 * ms, 0.125})
	want := record.Event{Time: time.Second, Kind: record.EventLinkChanged, Entity: "links.path.reverse", Text: "rate = 10Mbit/s, delay = 125ms over 1s"}
	if events := r.all(record.EventLinkChanged, want.Entity); len(events) != 1 || events[0] != want {
		t.Errorf("seed %d: events %+v, want %+v", r.seed, events, want)
	}
}

func TestALinkFollowsATraceAgainAndAgain(t *testing.T) {
	// From 0 to 1 s it has 20 Mbit/s and 25 ms, and until 2 s 10 Mbit/s and 50 ms.
	traced := strings.Replace(pair, `rate = "20Mbit/s"`+"\n"+`delay = "25ms"`, `trace = "testdata/steps.csv"`, 1)
	r := complete(t, traced+`
close = { at = "4500ms" }
flows.ping = { kind = "echo", transport = "datagram", rate = "10Hz" }`)
	for _, d := range []string{"forward", "reverse"} {
		var got []float64
		for i, s := range r.values(record.SeriesLinkRate, "links.path."+d) {
			if s.Time != time.Duration(i)*time.Second {
				t.Errorf("seed %d: rate %d of %s is from %s", r.seed, i, d, s.Time)
			}
			got = append(got, s.Value)
		}
		if want := []float64{20e6, 10e6, 20e6, 10e6, 20e6}; !slices.Equal(got, want) {
			t.Errorf("seed %d: the rates of %s are %v, want %v", r.seed, d, got, want)
		}
	}
	for _, s := range r.values(record.SeriesMessageRTT, "flows.ping") {
		least, most := 0.050, 0.051
		switch offset := s.Time % (2 * time.Second); {
		case offset < 100*time.Millisecond, offset > time.Second && offset < 1100*time.Millisecond:
			most = 0.102 // between two delays
		case offset > time.Second:
			least, most = 0.100, 0.102
		}
		if s.Value < least || s.Value > most {
			t.Errorf("seed %d: the echo at %s took %v s, want %v to %v", r.seed, s.Time, s.Value, least, most)
		}
	}
}

func TestAnOutageDropsOrHoldsWhatIsSentMeanwhile(t *testing.T) {
	for _, packets := range []string{"drop", "hold"} {
		r := complete(t, pair+`
close = { at = "3s" }
flows.voice = { kind = "media", rate = "100Hz" }
[[links.path.outages]]
at = "1s"
for = "200ms"
every = "1s"
direction = "reverse"
packets = "`+packets+`"`)
		dropped, held := 0, 0
		for _, p := range r.packets {
			down := p.sent >= time.Second && p.sent%time.Second < 200*time.Millisecond
			switch {
			case p.direction != record.Reverse:
			case p.fate == netem.Dropped:
				if dropped++; !down || p.reason != "outage" {
					t.Errorf("seed %d: %s: a packet of %s was dropped by %s", r.seed, packets, p.sent, p.reason)
				}
			case down && packets == "drop":
				t.Errorf("seed %d: a packet of %s passed the outage", r.seed, p.sent)
			case down:
				held++
				if end := p.sent - p.sent%time.Second + 200*time.Millisecond + oneWay; p.done <= end {
					t.Errorf("seed %d: a packet of %s arrived at %s, before %s", r.seed, p.sent, p.done, end)
				}
			}
		}
		// The link is down for 400 ms, in which the server sends a frame each 10 ms.
		if n := max(dropped, held); n < 40 || dropped > 0 && held > 0 {
			t.Errorf("seed %d: %s: %d packets were dropped and %d held", r.seed, packets, dropped, held)
		}
	}
}

func TestWhatALinkDidToDatagramsIsCounted(t *testing.T) {
	r := complete(t, pair+`
close = { at = "1s" }
flows.voice = { kind = "media", rate = "100Hz" }`,
		"links.path.duplicate=1", `links.path.ecn={ mangle = 1, from = "ect0", to = "ce" }`, `links.path.reverse={ ecn = { mangle = 0 }, corrupt = 0.05 }`)
	l := r.run.Links[0]
	marks := 0
	for _, p := range r.packets {
		if p.direction == record.Forward && p.ecn == netem.CE {
			marks++
		}
	}
	for what, ok := range map[string]bool{
		"a copy of each datagram there":    l.Forward.Duplicated == l.Forward.In && l.Forward.In.Packets > 0,
		"a copy of each datagram back":     l.Reverse.Duplicated == l.Reverse.In,
		"a mark for each datagram that is": int(2*l.Forward.Marked.Packets) == marks && marks > 0,
		"no marks back":                    l.Reverse.Marked.Packets == 0,
		"no corruption there":              l.Forward.Corrupted.Packets == 0,
		"some corruption back":             l.Reverse.Corrupted.Packets > 0,
	} {
		if !ok {
			t.Errorf("seed %d: not %s: %d marked packets, forward %+v, reverse %+v", r.seed, what, marks, l.Forward, l.Reverse)
		}
	}
	r.accounted()
}

func TestStepMarkingBoundsTheQueueWithoutALoss(t *testing.T) {
	r := complete(t, pair+`
flows.down = { kind = "download", size = "20MB" }`,
		`links.path.queue={ limit = "4BDP", mark = "30KB" }`)
	const marked = 30 * netem.KB
	var longest time.Duration
	drops, marks := 0, 0
	for _, p := range r.packets {
		if p.fate == netem.Dropped {
			drops++
		}
		if p.ecn == netem.CE {
			marks++
		}
		if p.sent > time.Second { // after slow start
			longest = max(longest, p.done-p.sent-oneWay-transmission(p.size))
		}
	}
	// The queue may grow for a round trip until the sender hears of a mark, by a
	// packet for each round trip of the window of a BDP and 30 KB.
	if most := transmission(2 * marked); drops > 0 || marks == 0 || longest > most {
		t.Errorf("seed %d: %d drops, %d marks, a queue of %s; want none, some, %s at most", r.seed, drops, marks, longest, most)
	}
}

func TestTheCongestionWindowIsRecordedAsLongAsItLasts(t *testing.T) {
	r := complete(t, pair+`
close = { at = "10s" }
flows.down = { kind = "download", size = "1MB" }`)
	ended := r.finished("flows.down").Time
	windows := r.values(record.SeriesCwnd, "connections.main.server")
	last := windows[len(windows)-1]
	// Nothing is sent until the close, so the last value of the download stands.
	if last.Time > ended+oneWay+time.Millisecond && last.Time < 10*time.Second {
		t.Errorf("seed %d: the download ended at %s, and the last window is of %s", r.seed, ended, last.Time)
	}
	for i := 1; i < len(windows); i++ {
		if windows[i].Time <= windows[i-1].Time {
			t.Errorf("seed %d: windows at %s and then at %s", r.seed, windows[i-1].Time, windows[i].Time)
		}
	}
}

// Of two hundred first packets some have the flipped bit in the connection ID: with
// them begin connections at the server that are nobody's.
func TestAFirstPacketWithACorruptedConnectionIDIsNobodys(t *testing.T) {
	r := complete(t, pair+`
count = 200
stagger = "50ms"
flows.ping = { kind = "echo", count = 1 }`, "links.path.corrupt=0.5", "links.path.reverse={ corrupt = 0 }")
	established := 0
	for i := range 200 {
		session := fmt.Sprintf("sessions.main-%d", i+1)
		switch ends, failures := len(r.all(record.EventEstablished, session)), len(r.all(record.EventSessionFailed, session)); {
		case ends == 2:
			established++
		case failures == 0:
			t.Errorf("seed %d: %s was established at %d ends and did not fail", r.seed, session, ends)
		}
	}
	// Every second packet of a client is lost, so that now and then all that a
	// handshake has time for are.
	if established < 190 {
		t.Errorf("seed %d: %d sessions of 200 were established", r.seed, established)
	}
	r.accounted()
}
