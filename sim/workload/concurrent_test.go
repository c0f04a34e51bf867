package workload

import (
	"context"
	"sync"
	"testing"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
)

func TestAServerWaitsForTheClientToSayWhichSessionARequestIs(t *testing.T) {
	var r registry
	r.init()
	c, want, other := &connection{}, &instance{}, &instance{}
	found := make(chan *instance)
	go func() { found <- r.await(context.Background(), sessionKey{c, 4}) }()
	r.addSession(c, 0, other)
	r.addSession(c, 4, want)
	if got := <-found; got != want {
		t.Errorf("the session is %p, want %p", got, want)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if got := r.await(over, sessionKey{c, 8}); got != nil {
		t.Errorf("a session of which the client has not said anything is %p", got)
	}
}

func TestInRealTimeARecorderKeepsSoMuchAndCountsTheRest(t *testing.T) {
	var got told
	_, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
		r := &recorder{world: w, to: &got, realTime: true}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range maxKept / 4 {
					r.happened("connections.main.client", nil)
					r.sample(record.Sample{})
				}
			})
		}
		group.Wait()
		r.sample(record.Sample{})
		r.event(record.Event{})
		r.log(nil, nil)
		if lost := (&Workload{recorder: r}).Unrecorded(); lost != 3 {
			t.Errorf("seed 1: %d were lost, want 3", lost)
		}
		r.flush()
		r.sample(record.Sample{})
		r.flush()
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	if n := len(got.samples); n != maxKept+1 {
		t.Errorf("seed 1: %d samples were recorded, want %d", n, maxKept+1)
	}
}

func TestWhatAMeterRecordsGrowsWithTimeWhoeverAddsToIt(t *testing.T) {
	var got told
	_, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
		r := &recorder{world: w, to: &got}
		m := meter{recorder: r, entity: "flow", series: record.SeriesDelivered}
		m.add(10, 20*ms)
		m.add(10, 19*ms) // looked at the clock first
		m.add(10, 30*ms)
		m.flush()
		r.flush()
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	got.want(t, record.SeriesDelivered, "flow 20ms: 10", "flow 20ms: 20", "flow 30ms: 30")
}
