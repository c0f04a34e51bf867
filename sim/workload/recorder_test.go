package workload

import (
	"strings"
	"testing"

	"github.com/quic-go/quic-go/qlog"

	"github.com/wtsim/wtsim/sim"
)

func TestAProgramThatNeverRestsIsStopped(t *testing.T) {
	var said any
	_, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
		r := &recorder{world: w}
		defer func() { said = recover() }()
		for range maxAtOnce + 1 {
			r.happened("connections.main.client", qlog.PTOCountUpdated{})
		}
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	if text, _ := said.(string); !strings.Contains(text, "at 0s more than 131072 qlog events without a rest, the last of them recovery:metrics_updated of connections.main.client") {
		t.Errorf("seed 1: the program was stopped with %v", said)
	}
}
