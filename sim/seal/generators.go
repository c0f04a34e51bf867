//go:build (amd64 || arm64) && !go1.27

package seal

import (
	"errors"
	"runtime"
	"unsafe"
)

// The runtime keeps two generators in each thread's m structure, next to each
// other: a chacha8 and, behind it, the 64-bit state of a wyrand. Neither can be
// set from outside the runtime, but both can be drawn from, by linknames that
// the runtime grants to all packages, and a draw shows where they are: the
// wyrand's state is the word that grows by its increment. The build constraint
// names the last version of Go that this was tried with: a later one may keep m
// elsewhere, where a wrong guess would crash.

//go:linkname runtimeCheaprand runtime.cheaprand
func runtimeCheaprand() uint32

//go:linkname runtimeRand runtime.rand
func runtimeRand() uint64

// currentM returns the m structure of the calling thread, from the goroutine's
// g structure, where its place has been the same since Go 1.4.
func currentM() unsafe.Pointer

const (
	wyrandIncrement = 0xa0761d6478bd642f
	searched        = 1792 // bytes of m that are searched, which has a size class of 2048
)

// generators is where in m the wyrand's state and the switch of the stack cache
// are; 0 for what is not known.
var generators struct {
	cheap      uintptr
	stackCache uintptr
	reason     error
}

func init() {
	if generators.cheap, generators.reason = findGenerators(); generators.cheap != 0 {
		generators.stackCache = findStackCache()
	}
}

// CanReseed returns nil if [Reseed] has an effect, and why not otherwise.
func CanReseed() error { return generators.reason }

func word(m unsafe.Pointer, offset uintptr) *uint64 { return (*uint64)(unsafe.Add(m, offset)) }

func chacha8At(m unsafe.Pointer) *chacha8 {
	return (*chacha8)(unsafe.Add(m, generators.cheap-unsafe.Sizeof(chacha8{})))
}

// findGenerators finds the generators, and tries them.
func findGenerators() (cheap uintptr, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := currentM()
	before := *(*[searched / 8]uint64)(m)
	runtimeCheaprand()
	after := *(*[searched / 8]uint64)(m)
	for i := range before {
		if after[i]-before[i] == wyrandIncrement && uintptr(i)*8 > unsafe.Sizeof(chacha8{}) {
			if cheap != 0 {
				return 0, errors.New("the runtime's random generator cannot be told from other memory")
			}
			cheap = uintptr(i) * 8
		}
	}
	if cheap == 0 {
		return 0, errors.New("the runtime's random generator is not where it is expected")
	}
	state := (*chacha8)(unsafe.Add(m, cheap-unsafe.Sizeof(chacha8{})))
	for range 2 { // the first draw may have to fill the buffer
		i, n := state.i, state.n
		if i < n && n <= uint32(len(state.buf)) {
			want := state.buf[i]
			if runtimeRand() == want && state.i == i+1 {
				return cheap, nil
			}
		} else {
			runtimeRand()
		}
	}
	return 0, errors.New("the runtime's generator for maps is not where it is expected")
}

// stackCacheEntries is the size of the cache of stack walks: 16 entries of 24
// bytes. Behind it is the word that tells whether it is in use: the runtime
// passes the cache by when that is not 0.
const stackCacheEntries = 16 * 24

// findStackCache finds the switch of the cache of stack walks, which on Linux
// is 32 bytes before the generators, and tries it: the cache changes with what
// is walked when it is off (0), and does not when it is on.
func findStackCache() uintptr {
	if runtime.GOOS != "linux" {
		return 0
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	at := generators.cheap - unsafe.Sizeof(chacha8{}) - 32
	m := currentM()
	inUse := word(m, at)
	cache := (*[stackCacheEntries]byte)(unsafe.Add(m, at-stackCacheEntries))
	if *inUse != 0 {
		return 0
	}
	var stack [4096]byte
	empty := *cache
	runtime.Stack(stack[:], false)
	filled := *cache
	*inUse = 1
	func() { runtime.Stack(stack[:], false) }() // another stack
	kept := *cache
	*inUse = 0
	func() { func() { runtime.Stack(stack[:], false) }() }()
	if empty == filled || kept != filled || *cache == kept {
		return 0
	}
	return at
}
