package run

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func TestARunThatTakesMoreThanItMayIsStoppedAndLeavesNothing(t *testing.T) {
	defer func(was time.Duration) { mostIdle = was }(mostIdle)
	mostIdle = 200 * time.Millisecond
	for _, test := range []struct {
		scenario string
		limits   Limits
		kind     Kind
		contains string
		linux    bool // only Linux tells
	}{
		{scenario: "hang", limits: Limits{Wall: 300 * time.Millisecond}, kind: Limit,
			contains: "it was stopped after 300ms of wall-clock time, its limit; 2s of virtual time had passed of 10s"},
		{scenario: "grow", limits: Limits{Memory: 100 * netem.MB}, kind: Limit,
			contains: "it was stopped when its memory exceeded 100MB, its limit; 2s of virtual time had passed of 10s", linux: true},
		{scenario: "spin", kind: Stalled,
			contains: "it used 200ms of CPU time without any progress in virtual time, and was stopped: something is busy for ever within one instant; 2s of virtual time had passed of 10s", linux: true},
	} {
		if test.linux && runtime.GOOS != "linux" {
			continue
		}
		r := request(t, test.scenario)
		r.Limits = test.limits
		_, err := Do(t.Context(), r, nil)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != test.kind || !strings.Contains(err.Error(), test.contains) {
			t.Errorf("%s: error %v, want kind %s and %q", test.scenario, err, test.kind, test.contains)
		}
		if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
			t.Errorf("%s: left %q", test.scenario, got)
		}
	}
}

func TestARunWithinItsLimitsIsNotStopped(t *testing.T) {
	r := request(t, "fine")
	r.Limits = Limits{Wall: time.Hour, Memory: netem.GB}
	if _, err := Do(t.Context(), r, nil); err != nil {
		t.Error(err)
	}
}
