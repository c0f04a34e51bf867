package sim

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// epoch is when runs begin. Bubbles begin in 2000, which is before the process
// does: quic-go counts its times from then on, so that they would all be negative
// and its zero time, which some packets have for long ago, one to come. From 2050
// on, the times in a certificate are longer.
var epoch = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)

// inBubble runs f where time is virtual. It returns when f and every goroutine
// that f started, directly or not, have ended, and an error if some of them
// never will.
//
// Only testing/synctest gives virtual time to code that reads the time package
// directly, and it takes a *testing.T, of which a zero one is enough outside
// tests.
func inBubble(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("sim: goroutines survive the run: %v\n%s", r, bubbleStacks())
		}
	}()
	var t testing.T
	synctest.Test(&t, func(*testing.T) {
		// A panic of f must not meet the testing package, which would try to
		// report it on the zero T.
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(time.Until(epoch))
			f()
		}()
		<-done
	})
	return nil
}

// rest returns when every other goroutine of the bubble waits for something.
func rest() { synctest.Wait() }
