package analysis

import "testing"

func TestEveryHeadlineIsAMetric(t *testing.T) {
	known := make(map[string]bool)
	for _, d := range Definitions() {
		known[d.Pattern] = true
	}
	for pattern, better := range headline {
		if !known[pattern] {
			t.Errorf("%s is no metric", pattern)
		}
		if better != MoreIsBetter && better != LessIsBetter {
			t.Errorf("%s: %q is no direction", pattern, better)
		}
	}
}

func TestOfAGroupItsMeanAndTailAreHeadlines(t *testing.T) {
	goodput := registered(t, "flows.FLOW.goodput")
	for _, c := range []struct {
		name   string
		member bool
		want   bool
	}{
		{"flows.bulk.goodput", false, true},
		{"flows.bulk.goodput", true, false},
		{"flows.bulk.goodput.mean", false, true},
		{"flows.bulk.goodput.p95", false, true},
		{"flows.bulk.goodput.max", false, false},
	} {
		m := Metric{Name: c.name, Entity: "flows.bulk", Member: c.member, definition: goodput}
		if better, got := m.Headline(); got != c.want || got && better != MoreIsBetter {
			t.Errorf("%s, member %t: %q, %t", c.name, c.member, better, got)
		}
	}
	if _, ok := (Metric{Name: "flows.bulk.bytes", Entity: "flows.bulk", definition: registered(t, "flows.FLOW.bytes")}).Headline(); ok {
		t.Error("bytes are a headline")
	}
}

func registered(t *testing.T, pattern string) *Definition {
	t.Helper()
	for _, d := range registry {
		if d.Pattern == pattern {
			return d
		}
	}
	t.Fatalf("no definition %s", pattern)
	return nil
}
