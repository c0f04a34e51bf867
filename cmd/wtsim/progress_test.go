package main

import (
	"testing"
	"time"
)

func TestSpeedComparesVirtualWithRealTime(t *testing.T) {
	for _, test := range []struct {
		virtual, wall time.Duration
		want          string
	}{
		{10 * time.Second, 500 * time.Millisecond, "20.0× real time"},
		{time.Second, 4 * time.Second, "1/4.00 of real time"},
		{time.Second, 0, "in no time"},
	} {
		if got := speed(test.virtual, test.wall); got != test.want {
			t.Errorf("%v in %v is %q, want %q", test.virtual, test.wall, got, test.want)
		}
	}
}
