package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// playEmulation plays an emulation whose scenario has a comment "# play emulation",
// without sockets: two seconds of which the second is late, and one datagram a
// second for ten seconds. With "until" behind it, it goes on until it is to end.
func playEmulation(ctx context.Context, r run.EmulateRequest, onLive func(run.Live)) (*run.Result, error) {
	text, err := os.ReadFile(r.Scenario)
	if err != nil {
		panic(err)
	}
	_, what, found := bytes.Cut(text, []byte("# play emulation"))
	if !found {
		return run.Emulate(ctx, r, onLive)
	}
	if bytes.HasPrefix(what, []byte(" fails")) {
		return nil, &run.Error{Kind: run.Input, Message: "cannot listen for server: address already in use"}
	}
	s, err := scenario.Parse(r.Scenario, text, r.Overrides...)
	if err != nil {
		panic(err)
	}
	var listening []run.Listening
	for i, u := range r.Upstream {
		l := run.Listening{Server: u.Server, Upstream: u.Addr, Listen: r.Listen[0]}
		l.Listen = netip.AddrPortFrom(l.Listen.Addr(), l.Listen.Port()+uint16(i))
		if l.Server == "" {
			l.Server = "server"
		}
		listening = append(listening, l)
	}
	r.Ready(listening)
	forward := run.LiveDirection{Entity: "links.access.forward", Throughput: 8e6, Delivered: 99, Dropped: 1, Delay: 20500 * time.Microsecond, Queue: 2400}
	reverse := run.LiveDirection{Entity: "links.access.reverse"}
	onLive(run.Live{Waiting: true, Links: []run.LiveDirection{reverse, reverse}})
	onLive(run.Live{Waiting: true, Links: []run.LiveDirection{reverse, reverse}})
	r.Notice("server at 127.0.0.1:4434 does not take datagrams: connection refused; they are lost until it does")
	onLive(run.Live{Elapsed: time.Second, Clients: 1, Links: []run.LiveDirection{forward, reverse}, Precision: realtime.Precision{Departed: 99}})
	onLive(run.Live{Elapsed: 2 * time.Second, Clients: 1, Links: []run.LiveDirection{reverse, forward}, Precision: realtime.Precision{Departed: 198, Late: 3}})
	if bytes.HasPrefix(what, []byte(" until")) {
		<-ctx.Done()
	}
	if bytes.HasPrefix(what, []byte(" until long")) {
		if _, err := scratch.Make(r.Out, ".recording"); err != nil {
			panic(err)
		}
		os.WriteFile("ending", []byte("yes"), 0o666)
		select {}
	}
	if ctx.Err() != nil && bytes.HasPrefix(what, []byte(" until full")) {
		return nil, &run.Error{Kind: run.Input, Message: "no space left on device"}
	}
	dir := filepath.Join(r.Out, "play", "default,emulated", "1")
	temporary := dir + ".tmp"
	w, err := record.Create(dir, record.Options{Without: r.Without, Temporary: temporary})
	if err != nil {
		panic(err)
	}
	for i := range 10 {
		at := time.Duration(i) * time.Second
		w.Packet(&record.Packet{ID: uint64(i + 1), Sent: at, Done: at + 20*time.Millisecond, Link: "access", Size: 1000,
			Source: netip.MustParseAddrPort("10.0.0.2:443"), Dest: netip.MustParseAddrPort("10.0.0.1:5000")})
	}
	network, err := s.Network(r.Link, s.TimeLimit)
	if err != nil {
		panic(err)
	}
	info := playedInRealTime(record.Run{
		Name: "play", Seed: 1, Overrides: r.Overrides, Versions: run.Versions(), Ended: record.Complete, Virtual: 10 * time.Second, Datagrams: 10,
		Links: []record.Link{{Name: "access"}}, Fingerprint: w.Fingerprint(),
	})
	info.RealTime.Emulated = true
	if info.Scenario, err = scenarioText(network); err != nil {
		panic(err)
	}
	if err := w.Finish(&info); err != nil {
		panic(err)
	}
	if err := r.Complete(temporary); err != nil {
		os.RemoveAll(temporary)
		return nil, err
	}
	return &run.Result{Run: info, Dir: dir}, record.Publish(temporary, dir)
}

// playedInRealTime says of a run that it happened in real time.
func playedInRealTime(info record.Run) record.Run {
	info.Determinism, info.Unsealed = record.InReal, ""
	info.RealTime = &record.RealTime{
		Departed: 1000, Late: 3, P50: 12 * time.Microsecond, P99: 48 * time.Microsecond, P999: 150 * time.Microsecond, Max: 1200 * time.Microsecond,
		Wakeups: record.Wakeups{P50: 90 * time.Microsecond, P99: 250 * time.Microsecond, Max: 4 * time.Millisecond},
		Refused: []record.Refusal{{Reason: "before the start", Datagrams: 1}, {Reason: "above the MTU", Datagrams: 4}},
		Clients: []record.Client{
			{Address: netip.MustParseAddrPort("127.0.0.1:5000"), Host: "client", Sent: record.Count{Packets: 1}, Received: record.Count{Packets: 10},
				Seen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:6000"), netip.MustParseAddrPort("127.0.0.1:6001")}},
			{Address: netip.MustParseAddrPort("127.0.0.1:5001"), Host: "client", Sent: record.Count{Packets: 2}},
		},
		Notes: []string{"ECN is not carried: this system does not allow it"},
	}
	return info
}

func TestTheExamplesOfTheHelpAreTaken(t *testing.T) {
	t.Chdir("../..")
	defer func() { emulate = run.Emulate }()
	taken := errors.New("taken")
	emulate = func(context.Context, run.EmulateRequest, func(run.Live)) (*run.Result, error) { return nil, taken }
	examples := 0
	for line := range strings.Lines(newEmulate().Example) {
		words := strings.Fields(line)
		if words[1] != "emulate" {
			continue
		}
		examples++
		cmd := newRoot()
		cmd.SetArgs(words[1:])
		cmd.SetErr(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, taken) {
			t.Errorf("%s%v", line, err)
		}
	}
	if examples < 4 {
		t.Errorf("there are %d examples", examples)
	}
}

func TestTheLiveTableHasRoomOnTheTerminal(t *testing.T) {
	now := run.Live{Elapsed: 3 * time.Second, Clients: 2, Precision: realtime.Precision{Departed: 1000, Late: 20, P50: 9 * time.Microsecond, P99: 200 * time.Microsecond, Max: time.Millisecond},
		Refused: []record.Refusal{{Reason: "above the MTU", Datagrams: 1}}}
	for i := range 40 {
		name := "links." + strings.Repeat("l", i+1) + ".forward"
		now.Links = append(now.Links, run.LiveDirection{Entity: name, Throughput: netem.BitRate(i) * 1e6, Delivered: 1})
	}
	for _, size := range [][2]int{{80, 24}, {40, 24}, {200, 100}, {20, 3}} {
		lines := strings.Split(strings.TrimSuffix(liveTable(now, size[0], size[1]), "\n"), "\n")
		if most := max(size[1], 9) - 1; len(lines) > most {
			t.Errorf("%d lines of at most %d:\n%s", len(lines), most, strings.Join(lines, "\n"))
		}
		for _, line := range lines {
			if n := len([]rune(line)); n > size[0] {
				t.Errorf("%d columns of %d: %s", n, size[0], line)
			}
		}
	}
	text := liveTable(now, 100, 24)
	for _, want := range []string{
		"3.00 s, 2 clients\n1000 departures, 9.00 µs late (p50), 200 µs (p99), at most 1.00 ms\n20 (2 %) by more than 100 µs: this machine could not keep up\nrefused: 1 datagram (above the MTU)\n",
		strings.Repeat("l", 40) + ".forward  39.0 Mbit/s  0 s    0 %   0 B\n", "… and 24 more\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestANoticeStandsAboveTheLiveTable(t *testing.T) {
	var out bytes.Buffer
	v := newLiveView(&out, everything, "the first datagram")
	v.terminal = os.Stdout // which has no size
	v.live(run.Live{Waiting: true})
	v.print("notice")
	v.ending()
	v.live(run.Live{Waiting: true}) // too late
	const erased = "\x1b[1A\x1b[J"
	if got, want := out.String(), "waiting for the first datagram\n"+erased+"notice\nwaiting for the first datagram\n"+erased+"ending; Ctrl-C again ends at once, and nothing is kept\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestATimeOfDayIsTheNextOfToday(t *testing.T) {
	now := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"14:00:01":             now.Add(time.Second),
		"15:30":                now.Add(90 * time.Minute),
		"2026-03-02T00:00:00Z": now.Add(10 * time.Hour),
	} {
		if at, first, err := startTime(text, now); !at.Equal(want) || first || err != nil {
			t.Errorf("%s is %v, %v, %v", text, at, first, err)
		}
	}
	for _, text := range []string{"", "13:59", "25:00", "soon", "2026-03-01T13:00:00Z", "14:30:00Z"} {
		if _, _, err := startTime(text, now); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
