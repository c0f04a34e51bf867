package workload_test

import (
	"math"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

// load is the link of pair with a source and a sink, and no session. 1000 bytes
// take 0.4 ms of the link.
const load = `
time_limit = "60s"
[hosts.client]
[hosts.server]
[links.path]
between = ["client", "server"]
rate = "20Mbit/s"
delay = "25ms"
queue = "10MB"
[traffic.cross]
from = "client"
to = "server"
size = "1000B"
`

func TestConstantTrafficIsRecordedPacketByPacket(t *testing.T) {
	r := complete(t, load+`
kind = "cbr"
rate = "8Mbit/s"
start = "1s"
stop = "2s"`)
	const delay = oneWay + 400*time.Microsecond
	if want := 2*time.Second - time.Millisecond + delay; r.result.Elapsed < want || r.result.Elapsed > want+20*time.Millisecond {
		t.Errorf("seed %d: the run took %s, want %s and the time to notice", r.seed, r.result.Elapsed, want)
	}
	want := record.Traffic{
		Entity: "traffic.cross", From: "client", To: "server", Kind: "cbr",
		Sent: record.Count{Packets: 1000, Bytes: 1_000_000}, Delivered: record.Count{Packets: 1000, Bytes: 1_000_000},
	}
	if len(r.run.Traffic) != 1 || r.run.Traffic[0] != want {
		t.Errorf("seed %d: traffic %+v, want %+v", r.seed, r.run.Traffic, want)
	}
	r.at(r.only(record.EventTrafficStarted, "traffic.cross", ""), time.Second, 0)
	r.at(r.only(record.EventTrafficStopped, "traffic.cross", ""), 2*time.Second, 0)
	delays := r.values(record.SeriesTrafficDelay, "traffic.cross")
	if len(delays) != 1000 {
		t.Fatalf("seed %d: %d delays, want 1000", r.seed, len(delays))
	}
	for i, s := range delays {
		if sent := time.Second + time.Duration(i)*time.Millisecond; s.Time != sent+delay || s.Value != delay.Seconds() {
			t.Fatalf("seed %d: packet %d: %+v, want a delay of %s from %s on", r.seed, i, s, delay, sent)
		}
	}
	got := r.values(record.SeriesTrafficDelivered, "traffic.cross")
	if last := got[len(got)-1]; last.Value != 1_000_000 || len(got) > 110 {
		t.Errorf("seed %d: %d samples of what was delivered, the last %+v", r.seed, len(got), last)
	}
	r.accounted()
}

func TestTheRateOfTrafficFollowsItsRamp(t *testing.T) {
	r := complete(t, load+`
kind = "cbr"
rate = "16Mbit/s"
stop = "5s"
changes = [{ at = "1s", over = "3s", step = "100ms", rate = "1Mbit/s" }, { at = "4500ms", rate = "0bit/s" }]`)
	rates := r.values(record.SeriesTrafficRate, "traffic.cross")
	if len(rates) != 32 { // the start, 30 steps, and the end
		t.Fatalf("seed %d: %d rates: %+v", r.seed, len(rates), rates)
	}
	bits := 16e6 // of the first second
	for i, s := range rates[1:31] {
		if want := (record.Sample{Time: time.Second + time.Duration(i+1)*100*time.Millisecond, Name: record.SeriesTrafficRate, Entity: "traffic.cross", Value: 16e6 - 0.5e6*float64(i+1)}); s != want {
			t.Errorf("seed %d: step %d: %+v, want %+v", r.seed, i, s, want)
		}
		bits += 0.1 * (16e6 - 0.5e6*float64(i))
	}
	bits += 0.5 * 1e6
	if got, want := float64(r.run.Traffic[0].Sent.Packets), bits/8000+1; got > want || got < want-1 {
		t.Errorf("seed %d: %.0f packets, want the whole ones of %.2f", r.seed, got, want)
	}
	if changed := r.all(record.EventTrafficChanged, "traffic.cross"); len(changed) != 31 || changed[30].Value != 0 || changed[30].Time != 4500*time.Millisecond {
		t.Errorf("seed %d: %d changes, the last %+v", r.seed, len(changed), changed[len(changed)-1])
	}
}

func TestTrafficThatIsLostEndsAfterASilence(t *testing.T) {
	r := complete(t, load+`
kind = "poisson"
rate = "8Mbit/s"
stop = "1s"`, "links.path.loss=1")
	if r.result.Elapsed < 2*time.Second || r.result.Elapsed > 2020*time.Millisecond {
		t.Errorf("seed %d: the run took %s, want a second after the stop", r.seed, r.result.Elapsed)
	}
	if x := r.run.Traffic[0]; x.Delivered.Packets != 0 || x.Sent.Packets < 800 {
		t.Errorf("seed %d: %+v", r.seed, x)
	}
}

func TestTrafficTakesItsShareOfALinkFromADownload(t *testing.T) {
	const text = pair + `
flows.down = { kind = "download", duration = "10s" }
[traffic.cross]
from = "server"
to = "client"
kind = "poisson"
mix = "imix"
rate = "10Mbit/s"`
	goodput := func(overrides ...string) float64 {
		r := complete(t, text, overrides...)
		r.accounted()
		if x := r.run.Traffic[0]; x.Sent.Bytes > 0 {
			seconds := r.result.Elapsed.Seconds()
			if got := 8 * float64(x.Sent.Bytes) / seconds; math.Abs(got/10e6-1) > 0.03 {
				t.Errorf("seed %d: the source sent %.2f Mbit/s, want 10", r.seed, got/1e6)
			}
			if x.Delivered.Packets < x.Sent.Packets*9/10 {
				t.Errorf("seed %d: %+v", r.seed, x)
			}
		}
		return float64(r.finished("flows.down").Value)
	}
	alone, shared := goodput("traffic.cross.rate=0bit/s"), goodput()
	if share := shared / alone; share < 0.40 || share > 0.55 {
		t.Errorf("the download got %.2f of what it gets alone, want about a half", share)
	}
}

func TestEachSourceOfAGroupIsRandomOnItsOwn(t *testing.T) {
	r := complete(t, load+`
kind = "onoff"
rate = "8Mbit/s"
on = "10ms"
off = "10ms"
distribution = "pareto"
shape = 1.5
count = 3
stop = "2s"`)
	if len(r.run.Traffic) != 3 {
		t.Fatalf("traffic %+v", r.run.Traffic)
	}
	seen := map[uint64]bool{}
	for i, name := range []string{"traffic.cross-1", "traffic.cross-2", "traffic.cross-3"} {
		x := r.run.Traffic[i]
		if x.Entity != name || x.Group != "traffic.cross" || x.Sent.Packets == 0 || seen[x.Sent.Packets] {
			t.Errorf("seed %d: %+v after %v", r.seed, x, seen)
		}
		seen[x.Sent.Packets] = true
	}
	again := complete(t, load+`
kind = "onoff"
rate = "8Mbit/s"
on = "10ms"
off = "10ms"
distribution = "pareto"
shape = 1.5
count = 2
stop = "2s"`)
	for i, x := range again.run.Traffic {
		if x.Sent != r.run.Traffic[i].Sent {
			t.Errorf("seed %d: another source in the group changed %s: %+v, then %+v", r.seed, x.Entity, r.run.Traffic[i], x)
		}
	}
}

func TestWhatALinkDoesToTrafficIsCounted(t *testing.T) {
	r := complete(t, load+`
kind = "cbr"
rate = "8Mbit/s"
ecn = "ect1"
stop = "1s"`, "links.path.duplicate=0.1", "links.path.corrupt=0.1", "links.path.reorder={p=0.1,delay=\"5ms\"}")
	x := r.run.Traffic[0]
	if x.Duplicated.Packets == 0 || x.Corrupted.Packets == 0 || x.Reordered == 0 || x.Delivered.Packets > x.Sent.Packets {
		t.Errorf("seed %d: %+v", r.seed, x)
	}
	for _, p := range r.packets {
		if p.ecn != netem.ECT1 {
			t.Fatalf("seed %d: packet %+v, want ECT(1)", r.seed, p)
		}
	}
	r.accounted()
}
