package sweep

import (
	"testing"
	"time"
)

// BenchmarkTwoCoresAgainstOne runs a study on one core and on two, in turns, and tells
// how many times more runs a second two do.
func BenchmarkTwoCoresAgainstOne(b *testing.B) {
	study := delays(10, "5ms", "50ms")
	study.Overrides = []string{"sessions.s.close.at=5s", "sessions.s.flows.f.size=5MB", "time_limit=10s"}
	took := make(map[int]time.Duration)
	for b.Loop() {
		for _, jobs := range []int{1, 2} {
			store, err := Open(b.TempDir(), study)
			if err != nil {
				b.Fatal(err)
			}
			outcome, err := store.Do(b.Context(), study.All(), jobs, nil)
			if err != nil || outcome.Done != study.Runs() {
				b.Fatalf("outcome %+v, %v", outcome, err)
			}
			took[jobs] += outcome.Wall
		}
	}
	b.ReportMetric(took[1].Seconds()/took[2].Seconds(), "times")
}
