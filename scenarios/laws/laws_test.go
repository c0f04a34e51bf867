// Package laws_test holds every law to what it says: its scenario keeps it, and
// with physics that differ it is broken.
package laws_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// TestMain also plays the workers that simulate the scenarios.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument {
		os.Exit(run.Worker())
	}
	os.Exit(m.Run())
}

// physics are, for each scenario, sets of overrides that change what it
// simulates. Each of its expectations must fail with one of the sets, as long as
// it is evaluated for the scenario as it is.
var physics = map[string][][]string{
	"buffer-utilisation": {{"links.buffer-05.queue=1BDP", "links.buffer-1.queue=1BDP", "links.buffer-2.queue=1BDP", "links.buffer-3.queue=0.05BDP"}},
	"codel-drops":        {{"links.overload.queue.interval=50ms"}},
	"exact-rate":         {{"links.fast.rate=899Mbit/s", "links.slow.rate=7001kbit/s"}},
	"fair-share-2":       {{"sessions.main.stagger=60s"}},
	"fair-share-4":       {{"sessions.main.stagger=20s"}},
	"fair-share-8":       {{"sessions.main.stagger=10s"}},
	"full-link":          {{"links.access.queue=0.1BDP"}},
	"gilbert-elliott-loss": {
		{"links.gilbert.loss.r=0.3", "links.elliott.loss.bad=0.7"},
	},
	"idle-timeout-least": {{"hosts.hasty.quic.idle_timeout=7s"}},
	"idle-timeout-short": {{"hosts.hasty.quic.idle_timeout=6s"}, {"hosts.patient.quic.idle_timeout=2s"}},
	"mahimahi-rate":      {{"traffic.overload.rate=11990kbit/s"}},
	"md1":                {{"traffic.half.rate=6Mbit/s", "traffic.high.rate=7Mbit/s", "traffic.full.rate=8Mbit/s"}},
	"mm1":                {{"traffic.half.rate=6Mbit/s", "traffic.high.rate=7Mbit/s"}},
	"mm1k":               {{"links.four.queue=4packets", "links.ten.queue=8packets", "traffic.overload.rate=13Mbit/s"}},
	"periodic-loss":      {{"links.one-in-100.loss.every=110", "links.one-in-1000.loss.every=1100"}},
	"pie-target":         {{"links.overload.queue.target=20ms"}},
	"probe-timeout-doubling": {
		{"links.access.delay=60ms"},
	},
	"quic-handshake-time": {{"links.access.delay=20010us"}},
	"random-loss":         {{"links.one-in-100.loss.p=0.015", "links.one-in-1000.loss.p=0.002"}},
	"rtt-unfairness":      {{"links.near.loss.p=0.01"}, {"links.far.loss.p=0.01"}},
	"session-setup-time":  {{"links.access.delay=26ms"}},
	"slow-start-doubling": {{"links.access-2MB.delay=55ms", "links.access-8MB.delay=55ms"}},
	"step-marking":        {{"links.access.queue.limit=20KB"}, {"links.access.queue.mark=100KB"}},
	"token-bucket": {
		{"links.policed.policer.rate=50Mbit/s", "links.shaped.rate=50Mbit/s"},
	},
}

func TestEveryLawHoldsAndIsBrokenByOtherPhysics(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the laws take a minute of simulation")
	}
	files, err := filepath.Glob("*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scenarios (%v)", len(files), err)
	}
	for name := range physics {
		if !slices.Contains(files, name+".toml") {
			t.Errorf("there is no law %s", name)
		}
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".toml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			law := &simulation{file: file, out: t.TempDir()}
			verdicts := law.judge(t)
			for _, v := range verdicts {
				if !v.OK() {
					t.Errorf("seed %d: %s: %s", v.Seed, v, describe(v))
				}
			}
			broken := make([]bool, len(verdicts))
			for _, overrides := range physics[name] {
				for i, v := range law.judge(t, overrides...) {
					switch {
					case v.Why != "":
						t.Errorf("seed %d: with %q %s fails without numbers: %s", v.Seed, overrides, v, v.Why)
					case !v.OK():
						broken[i] = true
					default:
						t.Logf("seed %d: with %q %s holds: %s", v.Seed, overrides, v, describe(v))
					}
				}
			}
			for i, b := range broken {
				if !b {
					t.Errorf("%s holds whatever the physics: %q", verdicts[i], physics[name])
				}
			}
		})
	}
}

func describe(v expect.Verdict) string {
	w := v.Words()
	return fmt.Sprintf("%s, measured %s, expected %s %s", w.Status, w.Measured, w.Expected, w.Note)
}

// simulation runs a scenario.
type simulation struct {
	file, out string
	law       *record.Run // of the first run, without overrides
	seeds     uint64      // that its expectations take
}

// judge runs the scenario with overrides, and judges by the expectations of the
// scenario without them.
func (s *simulation) judge(t *testing.T, overrides ...string) []expect.Verdict {
	t.Helper()
	runs := []expect.Run{s.run(t, 1, overrides)}
	for seed := uint64(2); seed <= s.seeds; seed++ {
		runs = append(runs, s.run(t, seed, overrides))
	}
	verdicts, err := expect.Judge(s.law, runs)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

func (s *simulation) run(t *testing.T, seed uint64, overrides []string) expect.Run {
	t.Helper()
	result, err := run.Do(t.Context(), run.Request{Scenario: s.file, Overrides: overrides, Seed: &seed, Out: s.out}, nil)
	if err != nil {
		t.Fatalf("seed %d with %q: %v", seed, overrides, err)
	}
	recording, err := record.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.law == nil {
		s.law = &result.Run
		expectations, err := expect.Read(s.law)
		if err != nil || len(expectations) == 0 {
			t.Fatalf("%d expectations (%v)", len(expectations), err)
		}
		for _, e := range expectations {
			s.seeds = max(s.seeds, uint64(e.Seeds))
		}
	}
	recording.Run.Scenario = s.law.Scenario // the windows of its expectations
	measured, err := expect.Measure(recording)
	if err != nil {
		t.Fatalf("seed %d with %q: %v", seed, overrides, err)
	}
	if err := os.RemoveAll(result.Dir); err != nil {
		t.Fatal(err)
	}
	return measured
}
