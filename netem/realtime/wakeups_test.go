package realtime

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestNothingWakesUpLateInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := WatchWakeups()
		time.Sleep(time.Second)
		if got := stop(); got != (Wakeups{}) {
			t.Errorf("wake-ups were late: %+v", got)
		}
	})
}

func TestRealProgramsWakeUpLate(t *testing.T) {
	begin := time.Now()
	stop := WatchWakeups()
	time.Sleep(20 * wakeupInterval)
	got, took := stop(), time.Since(begin)
	if got.P50 <= 0 || got.P99 < got.P50 || got.Max < got.P99 || got.Max > took-wakeupInterval {
		t.Errorf("in %s wake-ups were late by %+v", took, got)
	}
}
