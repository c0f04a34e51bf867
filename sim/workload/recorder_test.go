package workload

import (
	"strings"
	"testing"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
)

func TestAProgramThatNeverRestsIsStopped(t *testing.T) {
	var said any
	_, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
		r := &recorder{world: w}
		defer func() { said = recover() }()
		for range maxAtOnce + 1 {
			r.event(record.Event{Kind: record.EventPTO, Entity: "connections.main", Side: "client"})
		}
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	if text, _ := said.(string); !strings.Contains(text, "at 0s more than 1048576 events without a rest, the last of them connection.pto of connections.main client") {
		t.Errorf("seed 1: the program was stopped with %v", said)
	}
}
