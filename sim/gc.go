package sim

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	heapCheckEvery = 256      // steps between two looks at the heap's size
	heapGrowth     = 12 << 20 // bytes that the heap may grow before it is collected
)

var heapSample = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}

func heapSize() uint64 {
	metrics.Read(heapSample)
	return heapSample[0].Value.Uint64()
}

// collect collects garbage when the heap has grown enough since the last time:
// by a fixed amount, or by as much as was live if that is more.
func (h *heapOwner) collect(step uint64) {
	if step%heapCheckEvery != 0 {
		return
	}
	if heapSize() < h.next {
		return
	}
	runtime.GC()
	live := heapSize()
	h.next = live + max(live, heapGrowth)
}

// ownRuntime makes the process fit for a run: one processor, so that goroutines
// take turns, and garbage collection left to the kernel. It returns a function
// that puts things back.
func ownRuntime() (restore func()) {
	procs := runtime.GOMAXPROCS(1)
	percent := debug.SetGCPercent(-1)
	return func() {
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	}
}
