//go:build (amd64 || arm64) && !go1.27

package seal

import (
	"runtime"
	"unsafe"
)

// A processor of the runtime's (its p structure) takes goroutines that wait in its
// own queue, of 256 places, and on every 61st turn first one of those for which there was no
// room. So where more than that become ready in one step, their order depends on how
// many turns the processor has had. A step begins with turn 0.

// processor is the beginning of a p structure.
type processor struct {
	id     int32
	status uint32
	_      uintptr
	turn   uint32 // schedtick
	_      [28]byte
	m      uintptr
}

// running is the status of a processor on which goroutines run.
const running = 1

// processorAt is where in m the pointer to the thread's processor is; 0 if that is not
// known.
var processorAt uintptr

// Outside of a sealed process the runtime's monitor thread looks at turns, too: it takes one
// that is the same for long for a goroutine that never ends.
func init() {
	if Inside() && generators.cheap != 0 {
		processorAt = findProcessor()
	}
}

// resetTurns makes the processor's next turn the first.
//
//go:norace
func resetTurns(m unsafe.Pointer) {
	if processorAt == 0 {
		return
	}
	if p := *(**processor)(unsafe.Add(m, processorAt)); p != nil && p.m == uintptr(m) {
		p.turn = 0
	}
}

// findProcessor finds the pointer to the processor, and tries it: the processor
// points back to m, and has a turn more when it has run another goroutine.
//
//go:nocheckptr
func findProcessor() uintptr {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := currentM()
	// Early in a process's life its heap is one arena, all of which can be read.
	const arena = 64 << 20
	heap := uintptr(unsafe.Pointer(new([64]uint64))) &^ (arena - 1)
	for at := uintptr(0); at < searched; at += 8 {
		address := uintptr(*word(m, at))
		if address%8 != 0 || address&^(arena-1) != heap || (address+unsafe.Sizeof(processor{}))&^(arena-1) != heap {
			continue
		}
		p := *(**processor)(unsafe.Add(m, at))
		if p.m != uintptr(m) || p.status != running || p.id < 0 {
			continue
		}
		before := p.turn
		runtime.Gosched()
		if *(**processor)(unsafe.Add(m, at)) == p && p.turn != before && p.turn-before < 1000 {
			return at
		}
	}
	return 0
}
