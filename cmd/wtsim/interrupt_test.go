package main

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestASignalThatFollowsAtOnceIsNoSecondOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		go func() {
			for _, pause := range []time.Duration{time.Second, 0, echoTime - 1, 1} {
				time.Sleep(pause)
				signals <- os.Interrupt
			}
		}()
		begin := time.Now()
		var once time.Duration
		twice(signals, func() { once = time.Since(begin) })
		if took := time.Since(begin); once != time.Second || took != time.Second+echoTime {
			t.Errorf("the first signal came after %s and the second after %s, want 1s and %s", once, took, time.Second+echoTime)
		}
	})
}
