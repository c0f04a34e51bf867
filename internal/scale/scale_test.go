//go:build linux

package main

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/scenario"
)

func TestSessionsAreSpreadOverAHundredHostsAtMost(t *testing.T) {
	for sessions, want := range map[int][]string{
		10:    {"hosts.client.count=10", "sessions.main.count=1", "sessions.main.stagger=450000000ns"},
		100:   {"hosts.client.count=100", "sessions.main.count=1", "sessions.main.stagger=45000000ns"},
		10000: {"hosts.client.count=100", "sessions.main.count=100", "sessions.main.stagger=450000ns"},
	} {
		if got := overrides(sessions); !slices.Equal(got, want) {
			t.Errorf("%d sessions: %v, want %v", sessions, got, want)
		}
		if _, err := scenario.Load("../../scenarios/scale/ten-thousand-sessions.toml", overrides(sessions)...); err != nil {
			t.Errorf("%d sessions: %v", sessions, err)
		}
	}
}

func TestNumbersThatAreNoMultipleOfTheHostsAreRefused(t *testing.T) {
	for _, list := range []string{"", "0", "-1", "10,x", "150", "10,,100"} {
		if err := start(t.TempDir(), "none.toml", list, 0); err == nil || !strings.Contains(err.Error(), "expected numbers up to 100, and multiples of 100") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestTheMedianOfCostsIsByTheirTime(t *testing.T) {
	costs := []cost{{CPU: 9, Heap: 1}, {CPU: 2, Heap: 2}, {CPU: 5, Heap: 3}}
	if got := median(costs); got != (cost{CPU: 5, Heap: 3}) {
		t.Errorf("the median is %+v", got)
	}
}

func TestTheTableHasCostsOfADatagramAndASession(t *testing.T) {
	rows := []row{{200, cost{Datagrams: 1000, CPU: 5 * time.Millisecond, Peak: 90 << 20, Heap: 3 << 20, Stacks: 1 << 20}, cost{Datagrams: 1000, CPU: 12500 * time.Microsecond, Peak: 150 << 20}}}
	got := text("scenarios/scale/x.toml", rows, worker{here: 2 * time.Millisecond, own: 10 * time.Millisecond})
	for _, want := range []string{
		"| 200 | 1000 | 0.01 s | 5.0 µs | 0.01 s | 12.5 µs | 4 MiB | 20 KiB | 90 MiB | 150 MiB |\n",
		"starting a worker costs 8.0 ms (medians)", "[x.toml](../scenarios/scale/x.toml)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it has no %q:\n%s", want, got)
		}
	}
}

func TestAxesGoFromOnePowerOfTenToAnother(t *testing.T) {
	for _, c := range []struct{ least, most, from, to float64 }{{12, 80, 10, 100}, {10, 101, 10, 1000}, {0.5, 3, 0.1, 10}} {
		from, to := decade(c.least, c.most)
		if math.Abs(from/c.from-1) > 1e-9 || math.Abs(to/c.to-1) > 1e-9 {
			t.Errorf("%v to %v is shown from %v to %v; want %v to %v", c.least, c.most, from, to, c.from, c.to)
		}
	}
}
