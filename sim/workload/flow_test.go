package workload_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

func TestABulkFlowDeliversItsSize(t *testing.T) {
	for _, test := range []struct {
		flow string
		size netem.Bytes
		quic string
	}{
		{`size = "1MB"`, 1_000_000, ""},
		{`size = "1B"`, 1, ""},
		{`size = "3B", streams = 3`, 3, ""},
		{`size = "100B", streams = 7`, 100, ""},
		{`size = "100KB", streams = 16`, 100_000, ""},
		{`size = "20KB", streams = 20`, 20_000, `max_streams = 2, max_uni_streams = 3`},
		{`size = "100KB"`, 100_000, `initial_stream_window = "1KiB", max_stream_window = "1KiB"`},
		{`size = "100KB", streams = 3`, 100_000, `initial_connection_window = "2KiB", max_connection_window = "2KiB"`},
	} {
		for _, kind := range []string{"download", "upload"} {
			for _, direction := range []string{"uni", "bidi"} {
				for _, loss := range []string{"0.0", "0.01"} {
					name := fmt.Sprintf("%s of %s, %s, loss %s, %s", kind, test.flow, direction, loss, test.quic)
					t.Run(name, func(t *testing.T) {
						r := complete(t, pair+fmt.Sprintf("quic = { %s }\nflows.bulk = { kind = %q, direction = %q, %s }",
							test.quic, kind, direction, test.flow), "links.path.loss="+loss)
						r.delivers("flows.bulk", test.size)
						opened, first := r.all(record.EventStreamOpened, "flows.bulk"), r.all(record.EventFirstByte, "flows.bulk")
						if len(opened) != len(first) {
							t.Errorf("seed %d: %d streams were opened and %d had a first byte", r.seed, len(opened), len(first))
						}
						r.accounted()
					})
				}
			}
		}
	}
}

func TestAThousandStreamsOpenAsCreditAllows(t *testing.T) {
	for _, direction := range []string{"uni", "bidi"} {
		for _, kind := range []string{"download", "upload"} {
			r := complete(t, pair+fmt.Sprintf(`flows.bulk = { kind = %q, direction = %q, streams = 1000, size = "100KB" }`, kind, direction))
			r.delivers("flows.bulk", 100_000)
			if opened := r.all(record.EventStreamOpened, "flows.bulk"); len(opened) != 1000 {
				t.Errorf("seed %d: %d streams were opened", r.seed, len(opened))
			}
		}
	}
}

func TestADurationEndsTheSending(t *testing.T) {
	for _, test := range []struct{ flow, quic string }{
		{`streams = 1`, ``},
		{`streams = 4`, ``},
		// One stream after the other: the first takes all the time.
		{`streams = 4`, `max_streams = 2, max_uni_streams = 3`},
	} {
		for _, kind := range []string{"download", "upload"} {
			for _, direction := range []string{"uni", "bidi"} {
				t.Run(fmt.Sprint(kind, direction, test), func(t *testing.T) {
					r := complete(t, pair+fmt.Sprintf("quic = { %s }\nflows.bulk = { kind = %q, direction = %q, duration = \"2s\", %s }",
						test.quic, kind, direction, test.flow), "links.path.queue=1BDP")
					started, ended := r.only(record.EventFlowStarted, "flows.bulk", ""), r.finished("flows.bulk")
					// After the last byte was sent a full queue empties, losses are repaired, and
					// streams that had to wait are opened.
					if took := ended.Time - started.Time; took < 2*time.Second || took > 3*time.Second {
						t.Errorf("seed %d: the flow took %s:\n%s", r.seed, took, r.story())
					}
					if rate := float64(ended.Value) * 8 / 2; rate < 15e6 || rate > 21e6 {
						t.Errorf("seed %d: the flow delivered %.3g bit/s", r.seed, rate)
					}
				})
			}
		}
	}
}

func TestADurationEndsAWriteThatIsBlocked(t *testing.T) {
	// Nothing arrives after 1.5 s, so that no credit comes back.
	r := complete(t, pair+`
quic = { idle_timeout = "5s" }
flows.bulk = { kind = "upload", duration = "2s" }
[[links.path.changes]]
at = "1500ms"
loss = 1.0
[[links.path.changes]]
at = "4s"
loss = 0.0`, "links.path.queue=1BDP")
	if e := r.finished("flows.bulk"); e.Time < 4*time.Second || e.Value > 20_000_000/8*2 {
		t.Errorf("seed %d: the flow ended at %s with %d bytes", r.seed, e.Time, e.Value)
	}
}

func TestMediaFramesTakeDelayAndTransmission(t *testing.T) {
	for _, transport := range []string{"datagram", "stream"} {
		for direction, from := range []string{record.Forward: "client", record.Reverse: "server"} {
			t.Run(transport+" from "+from, func(t *testing.T) {
				r := complete(t, pair+fmt.Sprintf(`flows.voice = { kind = "media", from = %q, transport = %q, rate = "50Hz", size = "160B", count = 200 }`, from, transport))
				established := r.only(record.EventEstablished, "sessions.main", from).Time
				delays := r.values(record.SeriesOneWayDelay, "flows.voice")
				if len(delays) != 200 {
					t.Fatalf("seed %d: %d of 200 frames arrived", r.seed, len(delays))
				}
				for n, s := range delays {
					due := established + time.Duration(n)*20*time.Millisecond
					delay := r.crossing(record.Direction(direction), due)
					if n > 0 && (s.Time != due+delay || math.Abs(s.Value-delay.Seconds()) > 1e-12) {
						t.Errorf("seed %d: frame %d, due at %s, arrived at %s after %.9f s, want %s", r.seed, n, due, s.Time, s.Value, delay)
					}
				}
				r.delivers("flows.voice", 200*160)
			})
		}
	}
}

func TestEchoesTakeARoundTripAndTwoTransmissions(t *testing.T) {
	for _, transport := range []string{"datagram", "stream"} {
		t.Run(transport, func(t *testing.T) {
			r := complete(t, pair+fmt.Sprintf(`flows.ping = { kind = "echo", transport = %q, rate = "10Hz", size = "100B", count = 30, start = "500ms" }`, transport))
			start := r.only(record.EventEstablished, "sessions.main", "client").Time + 500*time.Millisecond
			r.at(r.only(record.EventFlowStarted, "flows.ping", ""), start, 0)
			samples := r.values(record.SeriesMessageRTT, "flows.ping")
			if len(samples) != 30 {
				t.Fatalf("seed %d: %d of 30 messages came back", r.seed, len(samples))
			}
			for n, s := range samples {
				due := start + time.Duration(n)*100*time.Millisecond
				rtt := r.roundTrip(due)
				if s.Time != due+rtt || math.Abs(s.Value-rtt.Seconds()) > 1e-12 {
					t.Errorf("seed %d: message %d, due at %s, took %.9f s, want %s", r.seed, n, due, s.Value, rtt)
				}
			}
			r.delivers("flows.ping", 30*100)
		})
	}
}

func TestMessagesArriveOrAreLost(t *testing.T) {
	for _, kind := range []string{"media", "echo"} {
		for _, transport := range []string{"datagram", "stream"} {
			t.Run(kind+" "+transport, func(t *testing.T) {
				r := complete(t, pair+fmt.Sprintf(`flows.m = { kind = %q, transport = %q, rate = "100Hz", size = "100B", duration = "4s" }`, kind, transport),
					"links.path.loss=0.05")
				sent, got := r.all(record.EventMessageSent, "flows.m"), r.all(record.EventMessageGot, "flows.m")
				last := make(map[int64]bool)
				for _, e := range got {
					if last[e.Value] {
						t.Errorf("seed %d: message %d arrived twice", r.seed, e.Value)
					}
					last[e.Value] = true
				}
				if len(sent) != 400 {
					t.Errorf("seed %d: %d messages were sent in 4 s at 100 Hz", r.seed, len(sent))
				}
				ended := r.finished("flows.m")
				if transport == "stream" {
					if len(got) != len(sent) {
						t.Errorf("seed %d: %d of %d messages arrived", r.seed, len(got), len(sent))
					}
					return
				}
				if len(got) >= len(sent) || len(got) < 300 {
					t.Errorf("seed %d: %d of %d messages arrived with a loss of 5 %%", r.seed, len(got), len(sent))
				}
				r.at(ended, sent[len(sent)-1].Time+time.Second, 0)
			})
		}
	}
}

func TestADurationEndsMessagesThatCannotBeSent(t *testing.T) {
	// A frame every 10 ms, of which each takes 50 ms to transmit.
	r := complete(t, pair+`
quic = { initial_stream_window = "2KiB", max_stream_window = "2KiB" }
flows.video = { kind = "echo", transport = "stream", rate = "100Hz", size = "10KB", duration = "2s" }`)
	sent := r.all(record.EventMessageSent, "flows.video")
	began := r.only(record.EventFlowStarted, "flows.video", "").Time
	if len(sent) >= 50 || sent[len(sent)-1].Time > began+3*time.Second {
		t.Errorf("seed %d: %d messages, the last one at %s", r.seed, len(sent), sent[len(sent)-1].Time)
	}
	r.delivers("flows.video", netem.Bytes(len(sent))*10_000)
}

func TestADatagramThatIsTooLargeIsNotSent(t *testing.T) {
	s := parse(t, pair+`flows.voice = { kind = "media", count = 5, size = "1000B" }`)
	s.Sessions[0].Flows[0].Config.(*scenario.Media).Size = 1400
	r := simulate(t, s)
	if r.err != nil {
		t.Fatal(r.err)
	}
	failed := r.all(record.EventMessageFailed, "flows.voice")
	if len(failed) != 5 || !strings.Contains(failed[0].Text, "too large") {
		t.Errorf("seed %d: failures: %v", r.seed, failed)
	}
	r.finished("flows.voice")
}

func TestRequestsFollowOneAnother(t *testing.T) {
	for _, size := range []netem.Bytes{0, 1, 1_000_000} {
		r := complete(t, pair+fmt.Sprintf(`flows.get = { kind = "request", size = "%dB", count = 3, interval = "1s", start = "200ms" }`, int64(size)))
		start := r.only(record.EventEstablished, "sessions.main", "client").Time + 200*time.Millisecond
		for n, e := range r.all(record.EventMessageSent, "flows.get") {
			r.at(e, start+time.Duration(n)*time.Second, 0)
		}
		if r.finished("flows.get").Value != 3*int64(size) {
			t.Errorf("seed %d: 3 requests of %d bytes got %d", r.seed, int64(size), r.finished("flows.get").Value)
		}
		for n, s := range r.values(record.SeriesMessageRTT, "flows.get") {
			if size > 1 {
				continue // depends on the congestion window
			}
			due := start + time.Duration(n)*time.Second
			rtt := r.roundTrip(due)
			if math.Abs(s.Value-rtt.Seconds()) > 1e-12 {
				t.Errorf("seed %d: request %d of %d bytes took %v s, want %s", r.seed, n, int64(size), s.Value, rtt)
			}
		}
	}
}

func TestTheFirstByteOfAStreamIsMeasuredWhereItIsRead(t *testing.T) {
	for _, test := range []struct {
		flow string
		want time.Duration
	}{
		{`kind = "download", size = "1KB"`, oneWay},
		{`kind = "upload", size = "1KB"`, oneWay},
		{`kind = "upload", size = "1KB", direction = "bidi"`, oneWay},
		{`kind = "download", size = "1KB", direction = "bidi"`, 2 * oneWay},
		{`kind = "echo", transport = "stream", count = 1`, 2 * oneWay},
	} {
		r := complete(t, pair+fmt.Sprintf(`flows.f = { start = "1s", %s }`, test.flow))
		opened, first := r.only(record.EventStreamOpened, "flows.f", ""), r.only(record.EventFirstByte, "flows.f", "")
		if opened.Value != first.Value {
			t.Errorf("seed %d: stream %d was opened and %d had a first byte", r.seed, opened.Value, first.Value)
		}
		r.at(first, opened.Time+test.want, time.Millisecond)
	}
}

func TestFlowsThatOutliveTheirSessionEndWithIt(t *testing.T) {
	for _, by := range []string{"client", "server"} {
		t.Run(by, func(t *testing.T) {
			r := complete(t, pair+fmt.Sprintf(`
close = { at = "1s", by = %q, code = 9, reason = "over" }
flows.down = { kind = "download", size = "100MB", streams = 3 }
flows.up = { kind = "upload", duration = "20s", direction = "bidi" }
flows.ask = { kind = "download", direction = "bidi", size = "100MB" }
flows.get = { kind = "request", size = "100MB" }
flows.wait = { kind = "request", count = 2, interval = "10s" }
flows.bounded = { kind = "media", duration = "10s" }
flows.voice = { kind = "media", transport = "stream" }
flows.ping = { kind = "echo" }
flows.pong = { kind = "echo", transport = "datagram" }
flows.late = { kind = "download", size = "1B", start = "990ms" }
flows.silent = { kind = "media", start = "990ms" }`, by))
			for _, name := range []string{"down", "up", "ask", "get", "wait", "bounded", "late", "silent"} {
				r.failed("flows."+name, `code 9 ("over")`)
			}
			for _, name := range []string{"voice", "ping", "pong"} {
				r.finished("flows." + name)
			}
			for _, name := range []string{"late", "silent"} {
				if got := r.all(record.EventFlowStarted, "flows."+name); len(got) > 0 {
					t.Errorf("seed %d: flow %s started at %s", r.seed, name, got[0].Time)
				}
			}
		})
	}
}

func TestPausesAreRecordedAsSuch(t *testing.T) {
	// Requests of some packets each, with a second between them.
	r := complete(t, pair+`flows.get = { kind = "request", size = "5KB", count = 3, interval = "1s" }`)
	samples := r.values(record.SeriesDelivered, "flows.get")
	got := r.all(record.EventMessageGot, "flows.get")
	for n, e := range got {
		found := false
		for _, s := range samples {
			found = found || s.Time == e.Time && s.Value == float64(5000*(n+1))
		}
		if !found {
			t.Errorf("seed %d: no sample says that %d bytes had arrived at %s: %v", r.seed, 5000*(n+1), e.Time, samples)
		}
	}
}

func TestStreamsThatOvertakeTheAnswerToConnectAreKept(t *testing.T) {
	overtook := 0
	for seed := range 20 {
		r := complete(t, pair+`flows.tiny = { kind = "download", size = "100B", streams = 100 }`,
			"links.path.reverse.loss=0.2", fmt.Sprint("seed=", seed))
		if len(r.all(record.EventSessionFailed, "sessions.main")) > 0 {
			continue
		}
		r.delivers("flows.tiny", 100)
		server := r.only(record.EventEstablished, "sessions.main", "server").Time
		if client := r.only(record.EventEstablished, "sessions.main", "client").Time; client > server+2*oneWay {
			overtook++
		}
	}
	if overtook == 0 {
		t.Error("seeds 0 to 19: the answer was never lost")
	}
}
