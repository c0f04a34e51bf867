package sweep

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/sim/scenario"
)

// metrics checks the names of the metrics that figures are to show.
func (p *planner) metrics() error {
	p.Metrics = p.base.Sweep.Metrics
	if len(p.options.Metrics) > 0 {
		p.Metrics = p.options.Metrics
	}
	known := metricNames(p.base)
	for i, name := range p.Metrics {
		why := ""
		switch {
		case slices.Contains(p.Metrics[:i], name):
			why = fmt.Sprintf("%s is named twice; expected it once", name)
		case !known.has(name):
			why = fmt.Sprintf("the scenario has no metric %s", name)
			if like := nearest.Word(name, known.examples()); like != "" {
				why += fmt.Sprintf("; did you mean %q?", like)
			} else {
				why += "; 'wtsim list metrics' lists all"
			}
		default:
			continue
		}
		if len(p.options.Metrics) > 0 {
			return &scenario.Error{File: "--metric", Message: why}
		}
		return p.fail("sweep.metrics", "%s", why)
	}
	return nil
}

// nameable are the names that capitals of a metric's pattern can stand for, such as FLOW.
type nameable map[string][]string

func metricNames(s *scenario.Scenario) nameable {
	n := nameable{"SIDE": {"client", "server"}, "DIRECTION": {"forward", "reverse"}}
	for i := range s.Links {
		n["LINK"] = append(n["LINK"], s.Links[i].Name)
	}
	for i := range s.Traffic {
		n["TRAFFIC"] = append(n["TRAFFIC"], s.Traffic[i].Name)
	}
	for i := range s.Sessions {
		session := &s.Sessions[i]
		n["SESSION"] = append(n["SESSION"], session.Name)
		connection := session.Connection
		if connection == "" {
			connection = session.Name
		}
		n["CONNECTION"] = append(n["CONNECTION"], connection)
		for _, f := range session.Flows {
			n["FLOW"] = append(n["FLOW"], f.Name)
		}
	}
	return n
}

// statistics are those of groups.
var statistics = []string{"mean", "p50", "p95", "p99", "max"}

// patterns returns what metrics are called.
func patterns() (all []string) {
	for _, d := range analysis.Definitions() {
		forms := []string{d.Pattern}
		if rest, ok := strings.CutPrefix(d.Pattern, "flows.FLOW."); ok {
			forms = append(forms, "sessions.SESSION.flows.FLOW."+rest)
		}
		all = append(all, forms...)
		if d.Grouped {
			for _, form := range forms {
				for _, s := range statistics {
					all = append(all, form+"."+s)
				}
			}
		}
	}
	return all
}

var member = regexp.MustCompile(`-[0-9]+$`)

// has reports whether a metric can exist: of what the scenario names, or of a member
// of a group of it, whose size a cell may change.
func (n nameable) has(metric string) bool {
	given := strings.Split(metric, ".")
	return slices.ContainsFunc(patterns(), func(pattern string) bool {
		parts := strings.Split(pattern, ".")
		if len(parts) != len(given) {
			return false
		}
		for i, part := range parts {
			switch {
			case part == given[i], part == "REASON":
			case slices.Contains(n[part], given[i]), slices.Contains(n[part], member.ReplaceAllString(given[i], "")):
			default:
				return false
			}
		}
		return true
	})
}

// examples returns the names of metrics of what the scenario names.
func (n nameable) examples() (all []string) {
	for _, pattern := range patterns() {
		expanded := []string{""}
		for _, part := range strings.Split(pattern, ".") {
			words := []string{part}
			if part != "REASON" && part == strings.ToUpper(part) && part != strings.ToLower(part) {
				words = n[part]
			}
			var longer []string
			for _, e := range expanded {
				for _, w := range words {
					longer = append(longer, strings.TrimPrefix(e+"."+w, "."))
				}
			}
			expanded = longer
		}
		all = append(all, expanded...)
	}
	return all
}
