package main

import (
	"testing"
	"time"
)

func TestQuantitiesHaveThreeDigitsAndAFittingPrefix(t *testing.T) {
	for _, test := range []struct {
		name  string
		value float64
		unit  string
		want  string
	}{
		{"goodput", 20e6, "bit/s", "20.0 Mbit/s"},
		{"goodput", 999_499, "bit/s", "999 kbit/s"},
		{"goodput", 999_600, "bit/s", "1.00 Mbit/s"},
		{"goodput", 12, "bit/s", "12 bit/s"},
		{"goodput", 2.5e15, "bit/s", "2500 Tbit/s"},
		{"rtt", 0.0401, "s", "40.1 ms"},
		{"rtt", 0.000_009_99, "s", "9.99 µs"},
		{"rtt", 0.999_6, "s", "1.00 s"},
		{"rtt", 0, "s", "0 s"},
		{"rtt", -0.002, "s", "-2.00 ms"},
		{"duration", 123.4, "s", "123 s"},
		{"cwnd", 14_520, "B", "14.5 kB"},
		{"dropped", 12_345, "packets", "12345"},
		{"loss_ratio", 0.0125, "1", "1.25 %"},
		{"utilisation", 0, "1", "0 %"},
		{"fairness.jain", 0.98765, "1", "0.988"},
		{"fairness.jain", 9.996, "1", "10.0"},
	} {
		if got := quantity(test.name, test.value, test.unit); got != test.want {
			t.Errorf("%s of %g %s is %q, want %q", test.name, test.value, test.unit, got, test.want)
		}
	}
}

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
