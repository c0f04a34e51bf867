package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// gridOf returns a study of all combinations of the axes' values.
func gridOf(seeds int, axes ...Axis) *Study {
	s := &Study{Name: "made", Path: "scenarios/it's made.toml", Axes: axes, Overrides: []string{"time_limit=5s"}}
	cells := [][]string{nil}
	for _, a := range axes {
		var next [][]string
		for _, c := range cells {
			for _, v := range a.Values {
				next = append(next, append(slices.Clone(c), v))
			}
		}
		cells = next
	}
	for i, values := range cells {
		s.Cells = append(s.Cells, Cell{Values: values, Digest: fmt.Sprintf("%064x", i)})
	}
	for seed := range seeds {
		s.Seeds = append(s.Seeds, uint64(seed+1))
	}
	return s
}

// rates and queues are two axes.
var (
	rates  = Axis{Path: "links.access.rate", Values: []string{"5Mbit/s", "10Mbit/s", "20Mbit/s", "40Mbit/s"}, Log: true}
	queues = Axis{Path: "links.access.queue.kind", Values: []string{"fifo", "codel", "fq_codel"}}
)

// madeResult is a result with metrics that follow from the run's place.
func madeResult(s *Study, r Run) Result {
	info := record.Run{
		Name: s.Name, Seed: r.Seed, Overrides: s.Of(r.Cell), Fingerprint: fmt.Sprintf("%04x-%d", r.Cell, r.Seed),
		Versions:    record.Versions{Wtsim: "v1", QUICGo: "v0.65.0", Go: "go1.26", OS: "linux", Arch: "amd64"},
		Determinism: record.Sealed, Ended: record.Complete, Virtual: 5 * time.Second, Wall: 40 * time.Millisecond, Datagrams: 1000,
		Flows: []record.Flow{{Entity: "flows.bulk", Kind: "download", Session: "sessions.main"}, {Entity: "flows.ping", Kind: "echo", Session: "sessions.main"}},
		Links: []record.Link{{Name: "access", Between: [2]string{"client", "server"}}},
	}
	u := math.Sin(float64(17*r.Cell + 5*int(r.Seed)))
	return Result{Run: r, Info: info, Metrics: analysis.Metrics{
		{Name: "fairness.jain", Value: 1, Unit: "1"},
		{Name: "flows.bulk.goodput", Entity: "flows.bulk", Value: 1e6 * (float64(r.Cell+1) + 0.1*u), Unit: "bit/s"},
		{Name: "flows.ping.messages.rtt.p95", Entity: "flows.ping", Value: 0.02 * (1 + 0.01*float64(r.Cell) + 0.1*u*u), Unit: "s"},
		{Name: "links.access.forward.queue_delay.p95", Entity: "links.access.forward", Value: 0.01 * float64(r.Seed), Unit: "s"},
		{Name: "links.access.forward.loss_ratio", Entity: "links.access.forward", Value: 0, Unit: "1"},
	}}
}

// opened returns an empty store of a study.
func opened(t testing.TB, s *Study) *Store {
	t.Helper()
	store, err := Open(t.TempDir(), s)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// fill puts the results of runs, by their index, in that order.
func fill(t testing.TB, s *Store, indexes ...int) {
	t.Helper()
	for _, i := range indexes {
		if err := s.Put(madeResult(s.Study, s.Study.Run(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// all are the indexes of all runs.
func all(s *Study) []int {
	out := make([]int, s.Runs())
	for i := range out {
		out[i] = i
	}
	return out
}

// holed is a store in which one run failed, one is missing and one is damaged, and a name
// tries to be part of a page.
func holed(t testing.TB) *Store {
	s := opened(t, gridOf(3, rates, queues))
	for i := range s.Study.Runs() {
		switch r := s.Study.Run(i); i {
		case 4:
			if err := s.PutFailure(r, errors.New("panic: <script>alert(1)</script>\ngoroutine 1 [running]:\n"+strings.Repeat("main.f()\n", 30))); err != nil {
				t.Fatal(err)
			}
		case 9:
		default:
			fill(t, s, i)
		}
	}
	return s
}
