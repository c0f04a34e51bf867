package netem

import "time"

// Clock is the time that a network lives in.
type Clock interface {
	// Now returns the time since the clock started.
	Now() time.Duration

	// At calls f at time t, on the goroutine that owns the clock. Calls that
	// are due at the same time run in the order in which they were asked for. A
	// time in the past is due at once.
	At(t time.Duration, f func())

	// AtQuiet is At for a step that reaches no host, and leads to no call of At
	// that is due, before [Network.Lookahead] after t. The clock may put the
	// call off for that long, as long as calls of At and AtQuiet run in the
	// order of their times; Now then returns t during the call. A simulation
	// need not wake for such steps. To call At instead is correct.
	AtQuiet(t time.Duration, f func())
}

// Driver is what runs a [Network]: its clock, and the two moments at which the
// network's owner has to act.
type Driver interface {
	Clock

	// Sent says that a host's outbox, which was empty, is no longer so. Any
	// goroutine may call it.
	Sent()

	// Delivered says that a socket has received a datagram, so that an
	// application may be about to run. The clock's owner calls it, through the
	// network, at most once in each call that At asked for.
	Delivered()
}
