package workload

import (
	"context"
	"sync"
)

// gate is something to wait for that happens once.
type gate struct {
	opened chan struct{}
	open   func() // may be called again
}

func newGate() gate {
	opened := make(chan struct{})
	return gate{opened, sync.OnceFunc(func() { close(opened) })}
}

// await waits until the gate is open or ctx is done.
func (g gate) await(ctx context.Context) {
	select {
	case <-g.opened:
	case <-ctx.Done():
	}
}
