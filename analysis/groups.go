package analysis

import (
	"slices"
	"strings"

	"github.com/wtsim/wtsim/sim/record"
)

// groupMetrics marks the metrics of the members of groups, and returns those
// of the groups: the mean, median, 95th and 99th percentile and maximum over the
// members that have a value. So the completion times of a group's flows are those
// of the flows that were complete.
func groupMetrics(m Metrics, run record.Run) Metrics {
	groups := groupsOf(run)
	if len(groups) == 0 {
		return nil
	}
	type key struct {
		group      string
		definition *Definition
	}
	var order []key
	members := map[key][]float64{}
	for i := range m {
		group, ok := groups[m[i].Entity]
		if !ok {
			continue
		}
		m[i].Member = true
		k := key{group, m[i].definition}
		if members[k] == nil {
			order = append(order, k)
		}
		members[k] = append(members[k], m[i].Value)
	}
	var all Metrics
	for _, k := range order {
		values := members[k]
		slices.Sort(values)
		for _, statistic := range groupStatistics {
			all.putNamed(k.definition, k.group, statistic.name, statistic.of(values))
		}
	}
	return all
}

// groupStatistics are the statistics of groups, of the values of their members
// in order.
var groupStatistics = []struct {
	name string
	of   func(sorted []float64) float64
}{
	{"mean", func(x []float64) float64 {
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		return sum / float64(len(x))
	}},
	{"p50", func(x []float64) float64 { return x[nearestRank(len(x), 50)-1] }},
	{"p95", func(x []float64) float64 { return x[nearestRank(len(x), 95)-1] }},
	{"p99", func(x []float64) float64 { return x[nearestRank(len(x), 99)-1] }},
	{"max", func(x []float64) float64 { return x[len(x)-1] }},
}

// groupsOf returns the group of each entity that belongs to one. A connection
// that several sessions share belongs to none.
func groupsOf(run record.Run) map[string]string {
	groups := map[string]string{}
	users := map[string]int{}
	for _, s := range run.Sessions {
		users[s.Connection]++
	}
	for _, s := range run.Sessions {
		if s.Group == "" {
			continue
		}
		groups[s.Entity] = s.Group
		if users[s.Connection] == 1 {
			connections := "connections." + strings.TrimPrefix(s.Group, "sessions.")
			for _, side := range []string{".client", ".server"} {
				groups[s.Connection+side] = connections + side
			}
		}
	}
	for _, t := range run.Traffic {
		if t.Group != "" {
			groups[t.Entity] = t.Group
		}
	}
	for _, f := range run.Flows {
		if f.Group != "" {
			groups[f.Entity] = f.Group
		}
	}
	return groups
}
