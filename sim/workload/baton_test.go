package workload_test

import (
	"math"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// The baton 250 is sent as 250, 251, … 255 and 0, each after the one before,
// with 98 bytes of padding, whose length takes two.
func TestABatonIsPassedOneWayDelayByOneWayDelay(t *testing.T) {
	r := complete(t, pair+`flows.batons = { kind = "baton", baton = 250, padding = "98B" }`)
	r.delivers("flows.batons", 7*(2+98+1))
	sent, got := r.all(record.EventMessageSent, "flows.batons"), r.all(record.EventMessageGot, "flows.batons")
	delays := r.values(record.SeriesOneWayDelay, "flows.batons")
	if len(sent) != 7 || len(got) != 7 || len(delays) != 7 {
		t.Fatalf("seed %d: %d batons were sent, %d came, with %d delays; want 7", r.seed, len(sent), len(got), len(delays))
	}
	for n, s := range delays {
		direction := record.Reverse // from the server
		if n%2 == 1 {
			direction = record.Forward
		}
		want := r.crossing(direction, sent[n].Time)
		if n == 0 { // behind the response to the CONNECT request
			continue
		}
		if math.Abs(s.Value-want.Seconds()) > 1e-12 || s.Time != sent[n].Time+want || sent[n].Time != delays[n-1].Time {
			t.Errorf("seed %d: pass %d from %s to %s took %.9f s, want %s", r.seed, n, sent[n].Time, s.Time, s.Value, want)
		}
	}
	// A stream each for 250, 251, 253, 254 and 0; the other two are answers.
	if opened := r.all(record.EventStreamOpened, "flows.batons"); len(opened) != 5 {
		t.Errorf("seed %d: %d streams were opened, want 5", r.seed, len(opened))
	}
	finished := r.finished("flows.batons")
	for _, side := range []string{"client", "server"} {
		r.closedWith(r.only(record.EventCloseNotified, "sessions.main", side), 0, "")
	}
	if e := r.only(record.EventCloseCalled, "sessions.main", "client"); e.Time != finished.Time {
		t.Errorf("seed %d: the client, who receives 0 at %s, closes the session at %s", r.seed, finished.Time, e.Time)
	}
	r.accounted()
}

func TestBatonsWithoutStreamCreditFail(t *testing.T) {
	r := complete(t, pair+`
quic = { max_uni_streams = 10 }
flows.batons = { kind = "baton", baton = 1, count = 20 }`)
	r.failed("flows.batons", "no credit for another stream")
	for _, side := range []string{"client", "server"} {
		r.closedWith(r.only(record.EventCloseNotified, "sessions.main", side), 1, "no credit for another stream")
	}
	r.closedWith(r.only(record.EventCloseCalled, "sessions.main", "server"), 1, "no credit for another stream")
}

func TestBatonsThatAreHeldUpAreGivenUp(t *testing.T) {
	r := complete(t, pair+`
flows.batons = { kind = "baton", baton = 1, count = 3, patience = "1s" }
[[links.path.changes]]
at = "300ms"
loss = 1.0
[[links.path.changes]]
at = "5s"
loss = 0.0`)
	r.failed("flows.batons", "nothing for 1s")
}

func TestARandomBatonIsThatOfTheSeed(t *testing.T) {
	passes := func(seed string) int {
		r := complete(t, pair+`flows.batons = { kind = "baton" }`, "seed="+seed)
		return len(r.all(record.EventMessageSent, "flows.batons"))
	}
	first, again, other := passes("1"), passes("1"), passes("2")
	if first != again || first == other || first < 2 || first > 256 {
		t.Errorf("batons were passed %d, %d and, with another seed, %d times", first, again, other)
	}
}

func TestASessionWithBatonsMayBeClosedInTime(t *testing.T) {
	r := complete(t, pair+`
close = { at = "400ms", by = "server", code = 3, reason = "enough" }
flows.batons = { kind = "baton", baton = 1 }`)
	r.failed("flows.batons", "enough")
	r.at(r.only(record.EventCloseCalled, "sessions.main", "server"), 400*time.Millisecond, 0)
}
