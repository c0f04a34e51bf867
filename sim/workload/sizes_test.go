package workload_test

import (
	"fmt"
	"testing"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

func TestEachFlowOfAGroupHasItsOwnSize(t *testing.T) {
	for _, kind := range []string{"download", "upload"} {
		for _, direction := range []string{"uni", "bidi"} {
			r := complete(t, pair+fmt.Sprintf(`count = 12
arrivals = "poisson"
stagger = "50ms"
flows.page = { kind = %q, direction = %q, streams = 3, sizes = { kind = "pareto", mean = "20KB", shape = 1.5, most = "200KB" } }
`, kind, direction))
			sizes := map[netem.Bytes]bool{}
			for i, in := range r.scenario.Instances() {
				size := r.scenario.SizeOf(in, &in.Session.Flows[0])
				sizes[size] = true
				entity := r.scenario.FlowEntity(in.Name, "page")
				r.delivers(entity, size)
				if f := r.run.Flows[i]; f.Entity != entity || f.Size != int64(size) {
					t.Errorf("seed %d: the run describes flow %d as %+v, want %s with %s", r.seed, i, f, entity, size)
				}
				if e := r.only(record.EventDialStarted, "connections."+in.Name, "client"); e.Time != in.Start {
					t.Errorf("seed %d: %s dials at %s, want %s", r.seed, in.Name, e.Time, in.Start)
				}
			}
			if len(sizes) < 10 {
				t.Errorf("seed %d: twelve flows have %d sizes", r.seed, len(sizes))
			}
			r.accounted()
		}
	}
}

func TestTheRunDescribesTheSizesOfBulkFlowsOnly(t *testing.T) {
	r := complete(t, pair+`[sessions.main.flows]
sized = { kind = "download", size = "3KB" }
timed = { kind = "upload", duration = "100ms" }
echo = { kind = "echo", count = 1 }
`)
	for i, want := range []int64{3000, 0, 0} {
		if got := r.run.Flows[i]; got.Size != want {
			t.Errorf("seed %d: %s has %d bytes, want %d", r.seed, got.Entity, got.Size, want)
		}
	}
}
