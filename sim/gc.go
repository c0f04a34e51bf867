package sim

import (
	"math/bits"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	collectEvery   = 8192      // datagrams between two collections of a small heap
	smallHeap      = 16 << 20  // bytes alive up to which a heap is small
	heapCheckEvery = 1024      // steps between two looks at the heap's size
	heapGrowth     = 128 << 20 // bytes that the heap may grow between two collections
)

// heapOwner decides when garbage is collected: between steps, never during one,
// because the collector's goroutines would take part in scheduling.
//
// It collects after so many datagrams, each of which leaves about as much
// behind, and not after so many bytes, which would depend on what the run
// records. The number doubles with each doubling of what is alive, so that the
// cost of a collection is spread over as much garbage. Only a run that allocates
// far more than that is collected by size.
type heapOwner struct {
	datagrams uint64 // at which to collect
	size      uint64 // likewise
}

var heapSample = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}

func heapSize() uint64 {
	metrics.Read(heapSample)
	return heapSample[0].Value.Uint64()
}

func (h *heapOwner) collect(step, datagrams uint64) {
	if datagrams < h.datagrams && (step%heapCheckEvery != 0 || heapSize() < h.size) {
		return
	}
	runtime.GC()
	live := heapSize()
	h.datagrams = datagrams + collectEvery<<bits.Len64(live/smallHeap)
	h.size = live + max(live, heapGrowth)
}

// ownRuntime makes the process fit for a run: one processor, so that goroutines
// take turns, garbage collection left to the kernel, and no heap profile, which
// would draw from the same random numbers as select does, as often as the
// amount of memory that a run allocates, for its recording too, makes it. It
// returns a function that puts things back.
func ownRuntime() (restore func()) {
	procs := runtime.GOMAXPROCS(1)
	percent := debug.SetGCPercent(-1)
	profile := runtime.MemProfileRate
	runtime.MemProfileRate = 0
	return func() {
		runtime.MemProfileRate = profile
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	}
}
