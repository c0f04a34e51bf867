package seal

import "math/rand/v2"

// Reseed makes the runtime's next random decisions on the calling thread depend
// on seed alone: which ready case a select takes, which of two timers due at
// one instant fires first, where an iteration over a map begins. It costs some
// nanoseconds. Where the generators are out of reach (see [CanReseed]) it does
// nothing.
//
// A process starts with generators that AT_RANDOM seeds (see [Start]). But the
// runtime also draws from them for its own ends, such as a cache of type
// assertions or the creation of a thread, so that what the program did before,
// and in which build, shifts all later decisions. A simulation reseeds before
// each step.
//
// In a sealed process it also makes goroutines take turns alike: where so many become
// ready at once that some wait outside of the processor's queue, their order depends on
// how many turns there were before.
//
// It also turns off, for good, a cache of the calling thread that speeds up
// walking stacks: the runtime draws for every miss, and how often it misses
// depends on the stacks that were walked before, even in earlier steps.
//
// The generators belong to the thread, of which the race detector knows nothing.
//
//go:norace
func Reseed(seed uint64) {
	if generators.cheap == 0 {
		return
	}
	m := currentM()
	resetTurns(m)
	if generators.stackCache != 0 {
		*word(m, generators.stackCache) = 1
	}
	*word(m, generators.cheap) = mix(seed)
	state := chacha8At(m)
	if state.i == 0 && state.seed[0] == reseeded.seed[0] {
		return // nothing was drawn since the last time
	}
	*state = reseeded
}

// mix spreads a seed over 64 bits (splitmix64; Steele, Lea and Flood, 2014), so
// that the sequences of neighbouring seeds do not overlap.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chacha8 has the layout of the runtime's generator for map seeds and
// iteration: internal/chacha8rand.State.
type chacha8 struct {
	buf  [32]uint64
	seed [4]uint64
	i, n uint32 // next index, and number of values, in buf
	c    uint32 // block counter
	_    uint32
}

// reseeded is the state that every step begins with. Maps may well be seeded
// alike in every step: only iterations that must not matter depend on it.
var reseeded = func() (s chacha8) {
	r := rand.New(rand.NewChaCha8([32]byte([]byte("wtsim seeds the maps of one step."))))
	for i := range s.buf {
		s.buf[i] = r.Uint64()
	}
	for i := range s.seed {
		s.seed[i] = r.Uint64()
	}
	s.n = uint32(len(s.buf))
	return s
}()
