package workload

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
)

// told keeps what a recorder tells.
type told struct{ samples []record.Sample }

func (t *told) Sample(s record.Sample) { t.samples = append(t.samples, s) }
func (*told) Event(record.Event)       {}

// values returns the samples of a series, as "entity at: value".
func (t *told) values(series string) []string {
	var all []string
	for _, s := range t.samples {
		if s.Name == series {
			all = append(all, fmt.Sprintf("%s %s: %v", s.Entity, s.Time, s.Value))
		}
	}
	return all
}

const ms = time.Millisecond

// watching gives f the two directions of an end of a connection on which stream 3
// belongs to a flow, and returns what they recorded.
func watching(t interface{ Fatal(...any) }, f func(*incoming, *outgoing)) *told {
	var got told
	_, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
		r := &recorder{world: w, to: &got}
		total := newTransfer(r, "end")
		voice := &flow{arrivals: newArrivals(r, "flow")}
		known := &owners{unused: make(map[quic.StreamID]owner)}
		known.opened(3, voice)
		f(&incoming{owners: known, others: &total.others}, &outgoing{total: &total})
		total.flush()
		voice.arrivals.flush()
		r.flush()
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	return &got
}

func (t *told) want(test *testing.T, series string, values ...string) {
	test.Helper()
	if got := t.values(series); !slices.Equal(got, values) {
		test.Errorf("seed 1: %s is\n%q, want\n%q", series, got, values)
	}
}

func TestAFrameWaitsUntilAllBytesBeforeItHaveArrived(t *testing.T) {
	got := watching(t, func(in *incoming, _ *outgoing) {
		in.frame(3, 0, 100, false, 0)
		in.frame(3, 200, 100, false, 10*ms)
		in.frame(3, 300, 50, true, 20*ms)
		in.frame(3, 100, 100, false, 50*ms)
		in.frame(3, 0, 350, true, 60*ms) // once more, after the stream's end
		in.frame(0, 10, 5, false, 60*ms) // of no flow
		in.frame(0, 0, 10, false, 65*ms)
	})
	got.want(t, record.SeriesStreamWait, "flow 50ms: 0.04", "flow 50ms: 0.03", "end 65ms: 0.005")
	got.want(t, record.SeriesStreamWaited, "flow 50ms: 100", "end 65ms: 5", "flow 50ms: 150")
	got.want(t, record.SeriesStreamReceived, "flow 0s: 100", "flow 10ms: 200", "flow 20ms: 250", "flow 50ms: 350", "end 60ms: 5", "end 65ms: 15")
}

func TestBytesThatArriveTwiceWaitOnce(t *testing.T) {
	got := watching(t, func(in *incoming, _ *outgoing) {
		in.frame(3, 100, 100, false, 0)
		in.frame(3, 100, 100, false, 10*ms) // again
		in.frame(3, 50, 200, false, 20*ms)  // on both sides of it
		in.frame(3, 0, 60, false, 30*ms)
		in.frame(3, 40, 20, false, 30*ms)
	})
	got.want(t, record.SeriesStreamWait, "flow 30ms: 0.01", "flow 30ms: 0.03", "flow 30ms: 0.01")
	got.want(t, record.SeriesStreamWaited, "flow 30ms: 50", "flow 30ms: 200")
	got.want(t, record.SeriesStreamReceived, "flow 0s: 100", "flow 20ms: 150", "flow 20ms: 200", "flow 30ms: 250")
}

func TestWhatArrivesAtOneInstantDoesNotWait(t *testing.T) {
	got := watching(t, func(in *incoming, _ *outgoing) {
		in.frame(3, 100, 100, true, 7*ms)
		in.frame(3, 0, 100, false, 7*ms)
	})
	got.want(t, record.SeriesStreamWait)
	got.want(t, record.SeriesStreamReceived, "flow 7ms: 100", "flow 7ms: 200")
}

func TestWhatIsNotReadDoesNotWait(t *testing.T) {
	for what, end := range map[string]func(*incoming){
		"the peer resets the stream":           func(in *incoming) { in.reset(3, 0) },
		"the application stops reading":        func(in *incoming) { in.stop(3) },
		"a reset leaves bytes before the hole": func(in *incoming) { in.reset(3, 10) },
	} {
		got := watching(t, func(in *incoming, _ *outgoing) {
			in.frame(3, 0, 20, false, 0)
			in.frame(3, 100, 100, true, 10*ms)
			end(in)
			in.frame(3, 20, 80, false, 20*ms)
			if len(in.streams) > 0 {
				t.Errorf("seed 1: %s: %d streams are not forgotten", what, len(in.streams))
			}
		})
		got.want(t, record.SeriesStreamWait)
	}
	got := watching(t, func(in *incoming, _ *outgoing) {
		in.frame(3, 50, 50, false, 0)
		in.reset(3, 100) // which are still to be read
		in.frame(3, 0, 50, false, 20*ms)
		if len(in.streams) > 0 {
			t.Error("seed 1: the stream is not forgotten")
		}
	})
	got.want(t, record.SeriesStreamWait, "flow 20ms: 0.02")
}

func TestAStreamBelongsToItsFlowInBothDirections(t *testing.T) {
	voice := new(flow)
	known := &owners{unused: make(map[quic.StreamID]owner)}
	known.opened(4, voice) // bidirectional
	known.opened(7, voice) // unidirectional
	for i, id := range []quic.StreamID{4, 4, 7} {
		if known.of(id) != voice {
			t.Errorf("stream %d, question %d: no flow", id, i)
		}
	}
	if known.of(8) != nil || len(known.unused) > 0 {
		t.Errorf("a stream of no flow has one, or streams are not forgotten: %v", known.unused)
	}
}

func TestBytesThatWereSentBeforeAreSentAgain(t *testing.T) {
	got := watching(t, func(_ *incoming, out *outgoing) {
		out.frame(3, 0, 100, false, 0)
		out.frame(3, 100, 100, false, 20*ms)
		out.frame(3, 50, 50, false, 40*ms)  // again
		out.frame(3, 150, 100, true, 60*ms) // half of it again
		out.frame(3, 0, 250, true, 80*ms)   // the whole stream again, after its end was sent
		out.frame(7, 0, 0, false, 80*ms)
		out.frame(7, 0, 10, false, 100*ms)
		out.reset(7, 0)
		out.reset(11, 5) // of which 5 bytes are still to be sent
		out.frame(11, 0, 5, false, 120*ms)
		out.frame(11, 0, 5, false, 140*ms)
		if len(out.streams) > 0 {
			t.Errorf("seed 1: %d streams are not forgotten", len(out.streams))
		}
	})
	got.want(t, record.SeriesStreamSent, "end 0s: 100", "end 20ms: 200", "end 40ms: 250", "end 60ms: 350", "end 80ms: 600", "end 100ms: 610", "end 120ms: 615", "end 140ms: 620")
	got.want(t, record.SeriesStreamResent, "end 40ms: 50", "end 60ms: 100", "end 80ms: 350", "end 140ms: 355")
}

func TestTheSetOfStreamsHoldsWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set streamSet
		has := map[quic.StreamID]bool{}
		for _, id := range rapid.SliceOf(rapid.Int64Range(0, 60)).Draw(t, "streams") {
			set.add(quic.StreamID(id))
			has[quic.StreamID(id)] = true
		}
		ranges := 0
		for id := range quic.StreamID(64) {
			if set.has(id) != has[id] {
				t.Fatalf("%d is in the set: %t, want %t; %v", id, set.has(id), has[id], set)
			}
			if has[id] && !has[id-4] {
				ranges++
			}
		}
		if n := len(set[0]) + len(set[1]) + len(set[2]) + len(set[3]); n != ranges {
			t.Fatalf("%d ranges, want %d: %v", n, ranges, set)
		}
	})
}

// Frames of any order, overlap and repetition are compared with bytes that are
// looked at one by one.
func TestEveryByteWaitsForTheBytesBeforeIt(t *testing.T) {
	const size = 40
	rapid.Check(t, func(t *rapid.T) {
		var waited, received float64
		got := watching(t, func(in *incoming, _ *outgoing) {
			var arrived [size]time.Duration // plus one; 0 has not
			next := 0
			for i := range rapid.IntRange(1, 40).Draw(t, "frames") {
				now := time.Duration(i+1) * ms
				from := rapid.IntRange(0, size-1).Draw(t, "from")
				to := rapid.IntRange(from, size).Draw(t, "to")
				in.frame(3, int64(from), int64(to-from), false, now)
				for b := from; b < to; b++ {
					if arrived[b] == 0 {
						arrived[b] = now
						received++
					}
				}
				for ; next < size && arrived[next] > 0; next++ {
					if now > arrived[next] {
						waited++
					}
				}
			}
		})
		last := map[string]float64{}
		for _, s := range got.samples {
			last[s.Name] = s.Value
		}
		if last[record.SeriesStreamWaited] != waited || last[record.SeriesStreamReceived] != received {
			t.Fatalf("seed 1: %v, want %v bytes of %v that waited", last, waited, received)
		}
	})
}

func TestFollowingStreamsDoesNotAllocateForEachPacket(t *testing.T) {
	watching(t, func(in *incoming, out *outgoing) {
		offset := int64(0)
		allocated := testing.AllocsPerRun(1000, func() {
			out.frame(3, offset, 1000, false, 0)
			in.frame(3, offset+1000, 1000, false, 0) // after the next
			in.frame(3, offset, 1000, false, 0)
			offset += 2000
		})
		if allocated > 0 {
			t.Errorf("seed 1: %v allocations", allocated)
		}
	})
}
