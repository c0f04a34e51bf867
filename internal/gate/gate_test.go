package gate

import (
	"slices"
	"testing"
)

// scenarios are of several suites, and take little time: those that each change
// should break, and some that none of them concerns.
var scenarios = []string{
	"scenarios/deviations/first-burst.toml",
	"scenarios/deviations/round-trip-beyond-probe-timeout.toml",
	"scenarios/deviations/tail-loss.toml",
	"scenarios/deviations/window-decrease.toml",
	"scenarios/laws/quic-handshake-time.toml",
	"scenarios/webtransport/close-by-client.toml",
}

// effects says which of the scenarios fail with a patch, and which it must leave
// alone. The others may do either.
var effects = map[string]struct{ caught, untouched []string }{
	"window-decrease": {
		caught:    []string{"first-burst", "window-decrease"},
		untouched: []string{"tail-loss", "quic-handshake-time", "close-by-client"},
	},
	"no-pacing": {
		caught:    []string{"first-burst"},
		untouched: []string{"tail-loss", "quic-handshake-time", "close-by-client"},
	},
	"slow-ack": {
		caught: []string{"first-burst", "tail-loss"},
	},
}

func TestAChangedCongestionControlFailsTheScenariosThatItConcerns(t *testing.T) {
	builds, baselines := folder(t), t.TempDir()
	unmodified := build(t, builds, patch{name: "unmodified"})
	update(t, unmodified, baselines, scenarios...)
	for _, p := range patches {
		report := check(t, build(t, builds, p), baselines, scenarios...)
		for _, s := range report.Scenarios {
			effect := effects[p.name]
			switch {
			case s.OK && slices.Contains(effect.caught, s.Scenario):
				t.Errorf("%s: %s passes; expected it to fail", p.name, s.File)
			case !s.OK && slices.Contains(effect.untouched, s.Scenario):
				t.Errorf("%s: fails, which this does not concern: %s", p.name, s)
			case !s.OK:
				t.Logf("%s: %s", p.name, s)
			}
		}
	}
}

func TestAnUnchangedProgramIsIdenticalToItsBaselineEachTime(t *testing.T) {
	const repeats = 20
	baselines := t.TempDir()
	unmodified := build(t, folder(t), patch{name: "unmodified"})
	update(t, unmodified, baselines, scenarios...)
	for i := range repeats {
		for _, s := range check(t, unmodified, baselines, scenarios...).Scenarios {
			if !s.OK || s.Baseline == nil || !s.Baseline.Identical {
				t.Errorf("repeat %d: %s", i+1, s)
			}
		}
	}
}
