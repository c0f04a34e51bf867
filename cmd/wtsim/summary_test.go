package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
)

func TestLinksWithARateAreAmongTheRowsOfMany(t *testing.T) {
	var metrics analysis.Metrics
	add := func(entity string, names ...string) {
		for _, name := range names {
			metrics = append(metrics, analysis.Metric{Name: entity + "." + name, Entity: entity, Value: 1})
		}
	}
	for i := range mostRows + 3 {
		add(fmt.Sprintf("links.access%02d.forward", i), "throughput")
	}
	add("links.bottleneck.forward", "throughput", "utilisation")

	var out strings.Builder
	sections[len(sections)-1].print(&out, metrics)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	const header = 2
	for i, want := range map[int]string{
		header:                "bottleneck.forward",
		header + 1:            "access00.forward",
		header + mostRows - 1: fmt.Sprintf("access%02d.forward", mostRows-2),
		header + mostRows:     "… and 4 more in metrics.json",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is not %q in\n%s", i, want, out.String())
		}
	}
}

func TestOfManyLinksTheMostUsedComeFirst(t *testing.T) {
	var metrics analysis.Metrics
	add := func(entity string, utilisation float64) {
		metrics = append(metrics, analysis.Metric{Name: entity + ".utilisation", Entity: entity, Value: utilisation})
	}
	for i := range mostRows + 3 {
		add(fmt.Sprintf("links.access-%d.forward", i), 0.05)
	}
	add("links.core.forward", 0.8)
	add("links.core.reverse", 0.4)

	var out strings.Builder
	sections[len(sections)-1].print(&out, metrics)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	const header = 2
	for i, want := range []string{"core.forward", "core.reverse", "access-0.forward", "access-1.forward"} {
		if len(lines) <= header+i || !strings.HasPrefix(lines[header+i], want) {
			t.Errorf("row %d is not that of %q in\n%s", i, want, out.String())
		}
	}
}
