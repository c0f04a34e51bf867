package workload_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

// Frames of 160 bytes each 20 ms, of which the one is lost that is due while
// nothing is transmitted.
const media = pair + `
[sessions.main.flows.voice]
kind = "media"
from = "client"
rate = "50Hz"
size = "160B"
count = 100
deadline = "60ms"
`

const hole = `
[[links.path.outages]]
at = "1s"
for = "20ms"
direction = "forward"
packets = "drop"
`

func TestFramesOnOneStreamWaitForTheOneThatIsSentAgain(t *testing.T) {
	r := complete(t, media+hole, `sessions.main.flows.voice.transport="one-stream"`)
	r.delivers("flows.voice", 100*160)
	waits := r.values(record.SeriesStreamWait, "flows.voice")
	if len(waits) == 0 {
		t.Fatalf("seed %d: no frame waited:\n%s", r.seed, r.story())
	}
	delays := r.values(record.SeriesOneWayDelay, "flows.voice")
	for i, w := range waits {
		// The frames after the hole are read at one instant, and arrived 20 ms apart.
		if w.Time != waits[0].Time || i > 0 && seconds(waits[i-1].Value-w.Value) != 20*time.Millisecond {
			t.Errorf("seed %d: wait %d of %vs ended at %s, after one of %vs at %s", r.seed, i, w.Value, w.Time, waits[max(i-1, 0)].Value, waits[0].Time)
		}
		// The delay of each is its wait and the time on the link.
		n := slices.IndexFunc(delays, func(d record.Sample) bool { return d.Time == w.Time }) + 1 + i // after the one sent again
		due := delays[n].Time - seconds(delays[n].Value)
		if got, want := seconds(delays[n].Value-w.Value), r.crossing(record.Forward, due); got != want {
			t.Errorf("seed %d: the frame due at %s took %s on the link, want %s", r.seed, due, got, want)
		}
	}
	if v := r.values(record.SeriesStreamWaited, "flows.voice"); v[len(v)-1].Value != float64(160*len(waits)) {
		t.Errorf("seed %d: %v bytes waited, want %d frames of 160", r.seed, v[len(v)-1].Value, len(waits))
	}
	again := r.values(record.SeriesStreamResent, "connections.main.client")
	if len(again) != 1 || again[0].Value != 160 {
		t.Errorf("seed %d: what was sent again is %v, want one frame of 160 bytes", r.seed, again)
	}
}

func TestFramesOnStreamsOfTheirOwnAndInDatagramsWaitForNoOthers(t *testing.T) {
	for transport, arrived := range map[string]netem.Bytes{"stream": 100 * 160, "datagram": 99 * 160} {
		r := complete(t, media+hole, `sessions.main.flows.voice.transport="`+transport+`"`)
		r.delivers("flows.voice", arrived)
		if waits := r.values(record.SeriesStreamWait, "flows.voice"); len(waits) > 0 {
			t.Errorf("seed %d: frames over a %s waited: %v", r.seed, transport, waits)
		}
		received := r.values(record.SeriesStreamReceived, "flows.voice")
		if transport == "datagram" && len(received) > 0 {
			t.Errorf("seed %d: datagrams on streams: %v", r.seed, received)
		}
	}
}

// A frame of several packets on a stream of its own waits for its own bytes.
func TestMediaUnderLossWaitsOnStreamsAlone(t *testing.T) {
	waited := map[string]int{}
	for _, transport := range []string{"one-stream", "stream", "datagram"} {
		r := complete(t, media, `sessions.main.flows.voice.transport="`+transport+`"`, "links.path.loss=0.02", "sessions.main.flows.voice.count=1000")
		waited[transport] = len(r.values(record.SeriesStreamWait, "flows.voice"))
	}
	if waited["one-stream"] < 20 || waited["stream"] > 0 || waited["datagram"] > 0 {
		t.Errorf("seed 1: frames that waited: %v", waited)
	}
	r := complete(t, media, `sessions.main.flows.voice.transport="stream"`, "links.path.loss=0.02", "sessions.main.flows.voice.count=1000", `sessions.main.flows.voice.size="5KB"`)
	if len(r.values(record.SeriesStreamWait, "flows.voice")) == 0 {
		t.Errorf("seed %d: no packet of a frame waited for another", r.seed)
	}
}

func TestARunSaysWhatTheFramesOfMediaAre(t *testing.T) {
	for bound, frames := range map[string]int64{"": 0, "count = 5": 5, `duration = "90ms"`: 5, `duration = "100ms"`: 5, `duration = "101ms"`: 6} {
		r := complete(t, pair+`
close = { at = "1s" }
flows.ping = { kind = "echo", transport = "datagram", count = 1 }
[sessions.main.flows.voice]
kind = "media"
transport = "stream"
rate = "50Hz"
deadline = "60ms"
`+bound)
		ping, voice := r.run.Flows[0], r.run.Flows[1]
		if ping.Transport != "datagram" || ping.Interval != 0 || ping.Frames != 0 || ping.Deadline != 0 {
			t.Errorf("seed %d: an echo is described as %+v", r.seed, ping)
		}
		if voice.Transport != "stream" || voice.Interval != 20*time.Millisecond || voice.Frames != frames || voice.Deadline != 60*time.Millisecond {
			t.Errorf("seed %d: media with %q is described as %+v, want %d frames", r.seed, bound, voice, frames)
		}
		if sent := int64(len(r.all(record.EventMessageSent, "flows.voice"))); frames > 0 && sent != frames {
			t.Errorf("seed %d: media with %q sent %d frames, want %d", r.seed, bound, sent, frames)
		}
	}
}

func TestARunSaysWhatHostsAndRoutersDiscarded(t *testing.T) {
	// The client closes a connection, and its socket when the server has heard of
	// that: for the time of one way more, the server's datagrams still come.
	r := complete(t, pair+`
close = { at = "1s", how = "connection" }
flows.bulk = { kind = "download", size = "100MB" }
[sessions.later]
client = "client"
server = "server"
start = "3s"
`)
	closed := r.only(record.EventConnectionClosed, "connections.main", "server")
	var want record.Count
	for _, p := range r.packets {
		if p.direction == record.Reverse && p.done > closed.Time && p.done < 3*time.Second {
			want.Packets++
			want.Bytes += uint64(p.size)
		}
	}
	if want.Packets == 0 {
		t.Fatalf("seed %d: nothing came after %s", r.seed, closed.Time)
	}
	if got := r.run.Discarded; !slices.Equal(got, []record.Discard{{At: "client", Reason: record.DiscardNoPort, Count: want}}) {
		t.Errorf("seed %d: discarded were %+v, want %+v at the client for want of a port", r.seed, got, want)
	}
}

// seconds is a number of seconds as a duration.
func seconds(s float64) time.Duration { return time.Duration(s*1e9 + 0.5) }
