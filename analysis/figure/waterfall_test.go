package figure

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
)

// one is a flight of one datagram that arrives.
func one(from Side, sent, done time.Duration, size int64) Flight {
	return Flight{From: from, Count: 1, Bytes: size, Sent: [2]time.Duration{sent, sent}, Done: [2]time.Duration{done, done}}
}

// key is a flight at the moment of an event.
func key(f Flight) Flight {
	f.Key = true
	return f
}

// gone is a flight of one datagram that a link drops.
func gone(from Side, at time.Duration, size int64, fate, link string, hop int) Flight {
	f := one(from, at, at, size)
	f.Fate, f.Link, f.Hop = fate, link, hop
	return f
}

// exchanges are those of a session over two links, whose first request is lost, and
// whose teardown meets a download.
func exchanges() []Exchange {
	us := time.Microsecond
	setup := Exchange{
		Session: "main", Part: "Set-up", Hosts: [2]string{"laptop", "cloud"}, Links: []string{"access", "backbone"},
		Events: []Event{
			{Dial, Client, 0},
			{HandshakeComplete, Client, 43 * ms},
			{Settings, Client, 43 * ms},
			{ConnectSent, Client, 43 * ms},
			{HandshakeComplete, Server, 64 * ms},
			{ConnectReceived, Server, 364 * ms},
			{Established, Server, 364 * ms},
			{Established, Client, 385 * ms},
		},
		Flights: []Flight{
			one(Client, 0, 21*ms, 1280),
			one(Client, 0, 21*ms+500*us, 1280),
			one(Server, 22*ms, 42*ms, 1280),
			one(Server, 22*ms, 42*ms+500*us, 723),
			gone(Client, 43*ms, 181, "loss", "access", 1),
			one(Client, 44*ms, 64*ms, 81),
			gone(Server, 66*ms, 1024, "queue", "backbone", 1),
			one(Client, 343*ms, 364*ms, 181),
			one(Server, 364*ms, 385*ms, 90),
			{From: Server, Count: 1, Bytes: 300, Sent: [2]time.Duration{390 * ms, 390 * ms}, Done: [2]time.Duration{400 * ms, 400 * ms}, Fate: underway, Link: "backbone", Hop: 1},
		},
	}
	teardown := Exchange{
		Session: "main", Part: "Teardown", Hosts: setup.Hosts, Links: setup.Links,
		Events: []Event{
			{CloseCalled, Client, 2 * time.Second},
			{CloseSent, Client, 2 * time.Second},
			{CloseNotified, Server, 2020 * ms},
			{LastStreamEnded, Server, 2020 * ms},
			{Gone, Server, 2021 * ms},
			{Gone, Client, 2041 * ms},
		},
	}
	for i := range time.Duration(40) {
		teardown.Flights = append(teardown.Flights, one(Server, 1980*ms+i*ms/4, 2*time.Second+i*ms/4, 1280))
	}
	teardown.Flights = append(teardown.Flights, key(one(Client, 2*time.Second, 2020*ms, 51)), one(Server, 2021*ms, 2041*ms, 50))
	return []Exchange{setup, teardown}
}

// TestNoLabelOfAWaterfallCollides lays out any exchange.
func TestNoLabelOfAWaterfallCollides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.SampledFrom([]time.Duration{1, ms, time.Second, time.Hour}).Draw(t, "scale")
		moment := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(scale)).Draw(t, "time"))
		})
		side := rapid.Custom(func(t *rapid.T) Side { return Side(rapid.IntRange(0, 1).Draw(t, "side")) })
		x := Exchange{Session: "s", Part: "Set-up", Links: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "backbone", strings.Repeat("long ", 30)}), 0, 4).Draw(t, "links")}
		x.Hosts[0] = strings.Repeat("host ", rapid.IntRange(0, 40).Draw(t, "host"))
		for range rapid.IntRange(0, 26).Draw(t, "events") {
			x.Events = append(x.Events, Event{Step(rapid.IntRange(0, int(Gone)).Draw(t, "step")), side.Draw(t, "side"), moment.Draw(t, "at")})
		}
		for range rapid.IntRange(1, 60).Draw(t, "flights") {
			sent := moment.Draw(t, "sent")
			if rapid.IntRange(0, 3).Draw(t, "fate") == 0 {
				x.Flights = append(x.Flights, gone(side.Draw(t, "from"), sent, 1200, "loss", "backbone", rapid.IntRange(1, 3).Draw(t, "hop")))
				continue
			}
			x.Flights = append(x.Flights, one(side.Draw(t, "from"), sent, sent+moment.Draw(t, "delay"), int64(rapid.IntRange(1, 1452).Draw(t, "size"))))
		}
		f := waterfall(Data{Exchanges: []Exchange{x, x}})
		for _, width := range widths {
			checkLayout(t, f, width)
			p := f.panels[0].(*cascade)
			if plan := p.plan(width, p.left(width)); plan.lanes[1]-plan.lanes[0] < leastLanes-1 {
				t.Errorf("the lanes are %v apart", plan.lanes[1]-plan.lanes[0])
			}
		}
	})
}

// Two datagrams wait in a queue for 200 ms, and the second is on three quarters of
// its way when the panel begins, 10 ms before the close at 1 s that takes 40 ms.
func TestADatagramThatWasSentLongBeforeTheFirstEventIsDrawnFromTheBeginOfThePanel(t *testing.T) {
	x := Exchange{
		Part:    "Teardown",
		Events:  []Event{{CloseCalled, Client, 1000 * ms}, {CloseNotified, Server, 1020 * ms}, {Gone, Client, 1040 * ms}},
		Flights: []Flight{one(Server, 800*ms, 1000*ms, 1280), one(Server, 840*ms, 1040*ms, 1280), one(Client, 1000*ms, 1020*ms, 50)},
	}
	p := newCascade(x)
	if got := p.intervals(); got[3].from != 990*ms || got[4].from != 990*ms || got[5].from != 1000*ms {
		t.Errorf("the panel shows %v", got)
	}
	if first := p.timeAxis().ticks(p.zero.Time)[0]; first.label != "-10" && first.label != "0" {
		t.Errorf("the axis begins at %s ms", first.label)
	}
	checkLayout(t, waterfall(Data{Exchanges: []Exchange{x}}), TwoColumns)
}

func TestDatagramsThatRunTogetherAreDrawnAsOne(t *testing.T) {
	p := newCascade(exchanges()[1])
	drawn := p.plan(TwoColumns, p.left(TwoColumns)).flights
	if len(drawn) != 3 || drawn[0].Count != 40 || drawn[0].Bytes != 40*1280 {
		t.Fatalf("%d flights are drawn, first %+v", len(drawn), drawn[0])
	}
	if got := p.labels(&drawn[0])[0]; got != "40 datagrams, 51.2 kB" {
		t.Errorf("they are labelled %q", got)
	}
}

func TestADatagramAtAStepStaysApartFromOthers(t *testing.T) {
	w := window{Exchange: Exchange{Events: []Event{{CloseSent, Client, 10 * ms}, {CloseNotified, Server, 30 * ms}}}, until: time.Second}
	for _, j := range []journey{
		{end: 0, stage: arrived, sent: 9 * ms, done: 29 * ms},
		{end: 0, stage: arrived, sent: 10 * ms, done: 31 * ms},
		{end: 0, stage: arrived, sent: 11 * ms, done: 30 * ms},
		{end: 1, stage: arrived, sent: 10 * ms, done: 30 * ms}, // of the other side
	} {
		w.add(&j)
	}
	var keys []bool
	for _, f := range w.Flights {
		keys = append(keys, f.Key)
	}
	if !slices.Equal(keys, []bool{false, true, true, false}) {
		t.Errorf("at a step are %v", keys)
	}
	if all := merge(w.Flights, func(_, _ *Flight) bool { return true }); len(all) != 3 {
		t.Errorf("%d flights are left", len(all))
	}
}

func TestOfAnyNumberOfDatagramsAWindowKeepsABoundedNumberAndTheirSum(t *testing.T) {
	w := window{until: time.Hour}
	const n = 100_000
	for i := range time.Duration(n) {
		j := &journey{end: int32(i % 2), stage: arrived, size: 1000, hop: 1, sent: i * ms, done: i*ms + 20*ms}
		if i%100 == 0 {
			j.stage, j.fate, j.link = dropped, "loss", "access"
		}
		w.add(j)
	}
	var count, lost int
	for _, f := range w.Flights {
		count += f.Count
		if f.Fate != "" {
			lost += f.Count
		}
	}
	if len(w.Flights) > maxFlights || count != n || lost != n/100 {
		t.Errorf("%d flights of %d datagrams, %d of them lost", len(w.Flights), count, lost)
	}
}

func TestTheWindowsOfASessionBeginWithItsOwnSteps(t *testing.T) {
	s := session("main", 40*ms)
	for name, c := range map[string]struct {
		session Session
		first   bool
		want    []interval
	}{
		"the first on its connection": {s, true, []interval{
			{0, 81500*time.Microsecond + 81500*time.Microsecond/8},
			{10 * time.Second, 10*time.Second + 40450*time.Microsecond + 40450*time.Microsecond/8},
		}},
		"a later one on its connection": {s, false, []interval{
			{41150 * time.Microsecond, 81500*time.Microsecond + 40350*time.Microsecond/8},
			{10 * time.Second, 10*time.Second + 40450*time.Microsecond + 40450*time.Microsecond/8},
		}},
		"never established": {Session{Events: s.Events[:3]}, true, []interval{{0, time.Minute}}},
		"never gone":        {Session{Events: s.Events[9:12]}, true, []interval{{10 * time.Second, time.Minute}}},
	} {
		var got []interval
		for _, w := range windowsOf(c.session, c.first, time.Minute) {
			got = append(got, interval{w.from, w.until})
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestTimeInWhichNothingHappensIsLeftOut(t *testing.T) {
	busy := []interval{{2000 * ms, 2040 * ms}, {0, 40 * ms}, {30 * ms, 50 * ms}, {55 * ms, 80 * ms}}
	w := newWarp(busy, 0, 100+4*stretchMargin)
	var got []interval
	for _, s := range w.stretches {
		got = append(got, interval{s.from, s.until})
	}
	if want := []interval{{0, 80 * ms}, {2000 * ms, 2040 * ms}}; !slices.Equal(got, want) {
		t.Fatalf("the stretches are %v, want %v", got, want)
	}
	// 120 ms have 100 points.
	for at, want := range map[time.Duration]vg.Length{
		0:         stretchMargin,
		60 * ms:   stretchMargin + 50,
		2010 * ms: 3*stretchMargin + breakHeight + 75,
	} {
		if got := w.place(at); got-want > 1e-6 || want-got > 1e-6 {
			t.Errorf("%v is at %v, want %v", at, got, want)
		}
	}
}

func TestLabelsAreMovedApartAsLittleAsItTakes(t *testing.T) {
	got := apart([]vg.Length{1, 20, 21, 22, 60, 99}, 10, 5, 95)
	if diff := cmp.Diff([]vg.Length{5, 15, 25, 35, 60, 95}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]vg.Length{40, 50, 60}, apart([]vg.Length{50, 50, 50}, 10, 0, 100)); diff != "" {
		t.Error(diff)
	}
}

// overTwoLinks is a recording of a session over two links whose client sent so
// many packets.
func overTwoLinks(t *testing.T, sent uint64, rows ...record.Packet) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(record.Event{Time: 0, Kind: record.EventDialStarted, Entity: "connections.main", Side: "client"})
	w.Event(record.Event{Time: 25 * ms, Kind: record.EventConnectReceived, Entity: "sessions.main", Side: "server"})
	w.Event(record.Event{Time: 60 * ms, Kind: record.EventEstablished, Entity: "sessions.main", Side: "client"})
	for _, p := range rows {
		w.Packet(&p)
	}
	client, server := theEnds()
	client.Sent, server.Sent = sent, 1
	err = w.Close(record.Run{
		Name: "demo", Seed: 7, Virtual: time.Second, Links: twoLinks,
		Sessions:    []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
		Connections: []record.Connection{client, server},
	})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestARecordingGivesTheDatagramsOfItsSession(t *testing.T) {
	rec := overTwoLinks(t, 3,
		lost(packet(2, "home", record.Forward, 1*ms, 1*ms, atLaptop, atCloud), "queue"),
		packet(1, "home", record.Forward, 0, 5*ms, atLaptop, atCloud),
		packet(1, "wan", record.Reverse, 5*ms, 25*ms, atLaptop, atCloud),
		packet(3, "wan", record.Forward, 26*ms, 40*ms, atCloud, atLaptop),
		packet(3, "home", record.Reverse, 40*ms, 45*ms, atCloud, atLaptop),
		packet(4, "home", record.Forward, 900*ms, 905*ms, atLaptop, atCloud),
		packet(4, "wan", record.Reverse, 905*ms, 925*ms, atLaptop, atCloud),
	)
	for _, options := range [][]Option{nil, {OfSession("main")}, {OfSession("sessions.main")}} {
		got, err := FromRecording(rec, options...)
		if err != nil {
			t.Fatal(err)
		}
		want := []Exchange{{
			Session: "main", Part: "Set-up", Hosts: [2]string{"laptop", "cloud"}, Links: []string{"home", "wan"},
			Events:  []Event{{Dial, Client, 0}, {ConnectReceived, Server, 25 * ms}, {Established, Client, 60 * ms}},
			Flights: []Flight{key(one(Client, 0, 25*ms, 1200)), gone(Client, 1*ms, 1200, "queue", "home", 1), one(Server, 26*ms, 45*ms, 1200)},
		}}
		if diff := cmp.Diff(want, got.Exchanges); diff != "" {
			t.Error(diff)
		}
	}
	_, err := FromRecording(rec, OfSession("mine"))
	if err == nil || err.Error() != `figures: no session "mine"; expected one of main` {
		t.Errorf("got %v", err)
	}
}
