package realtime

import "time"

// Wakeups says how much later than the time that it waited for a program woke up that has
// no priority: the delay that the peers of a network suffer, which the relay itself may
// not. It is that of the system's timers and of waiting for a processor; P99 is what 99 of 100
// do not exceed.
type Wakeups struct{ P50, P99, Max time.Duration }

// wakeupInterval is how long each wait is: whole milliseconds, as Go's runtime rounds the
// time that a thread sleeps up to them.
const wakeupInterval = 4 * time.Millisecond

// WatchWakeups measures the wake-ups of a goroutine that does nothing else, until stop is
// called, once.
func WatchWakeups() (stop func() Wakeups) {
	end, ended := make(chan struct{}), make(chan Wakeups)
	go func() {
		var h histogram
		timer := time.NewTimer(wakeupInterval)
		defer timer.Stop()
		for due := time.Now().Add(wakeupInterval); ; {
			select {
			case <-end:
				ended <- Wakeups{h.quantile(500), h.quantile(990), h.max}
				return
			case <-timer.C:
			}
			now := time.Now()
			h.add(now.Sub(due))
			due = now.Add(wakeupInterval)
			timer.Reset(wakeupInterval)
		}
	}()
	return func() Wakeups {
		close(end)
		return <-ended
	}
}
