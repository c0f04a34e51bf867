package seal

import (
	"os"
	"runtime"
)

// threads is the number of threads at which [Fresh] runs its function: more
// than any Go program has when its main function begins.
const threads = 16

// Fresh calls f on a thread whose random generators nothing has drawn from, in
// a sealed process; elsewhere it just calls f. What the runtime then decides
// at random does not depend on what the program did before, such as
// initialising packages of which another build, with or without cgo, has
// others.
//
// Each thread has generators of its own. One is seeded from a generator that
// counts the threads, the other from the thread that creates it. So Fresh has
// each new thread create the next one and sleep, until there are as many as
// always.
func Fresh(f func()) {
	if !Inside() {
		f()
		return
	}
	runtime.MemProfileRate = 0 // the profiler draws at random which allocations to look at
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tasks, err := os.ReadDir("/proc/self/task")
	if err == nil && len(tasks) < threads {
		done := make(chan struct{})
		go func() {
			defer close(done)
			Fresh(f)
		}()
		<-done
		return
	}
	runtime.UnlockOSThread()
	defer runtime.LockOSThread()
	f()
}
