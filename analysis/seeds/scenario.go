package seeds

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/sim/record"
)

// resolved returns every value of a run's scenario as resolved but the seed, by
// its path, and none for a run that does not say.
func resolved(info record.Run) (map[string]string, error) {
	values, err := info.ScenarioValues()
	delete(values, "seed")
	return values, err
}

// Change is a value of a scenario that two sets of runs differ in.
type Change struct {
	Path string `json:"path"` // such as "links.access.loss.p"
	A    string `json:"a"`    // empty if A has no such value
	B    string `json:"b"`
}

// String returns the path and both values.
func (c Change) String() string {
	orNone := func(value string) string {
		if value == "" {
			return "none"
		}
		return value
	}
	return fmt.Sprintf("%s: %s → %s", c.Path, orNone(c.A), orNone(c.B))
}

// Changes returns what the scenarios of two sets, as resolved, differ in, in
// order of the paths. Of a set that was emulated only the network counts.
func Changes(a, b Set) []Change {
	network := a.Manner == record.MannerEmulated || b.Manner == record.MannerEmulated
	all := maps.Clone(a.scenario)
	maps.Copy(all, b.scenario)
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if network && !ofNetwork(path) {
			continue
		}
		if x, y := a.scenario[path], b.scenario[path]; x != y {
			changes = append(changes, Change{path, x, y})
		}
	}
	return changes
}

// ofNetwork reports whether an emulation has the value at a path from its scenario: it has
// no sessions, and ends when it is told to.
func ofNetwork(path string) bool {
	table, _, _ := strings.Cut(path, ".")
	table, _, _ = strings.Cut(table, "[")
	return !slices.Contains([]string{"sessions", "expect", "sweep", "time_limit"}, table)
}

// sameBut returns what a run differs in from the runs of a set besides the
// seed, and "" if nothing.
func (s Set) sameBut(info record.Run, scenario map[string]string) string {
	changes := Changes(s, Set{scenario: scenario})
	switch {
	case info.Name != s.Name || !slices.Equal(info.Overrides, s.Overrides):
		return s.Describe() + " → " + describe(info.Name, info.Overrides)
	case info.Manner() != s.Manner:
		return s.Manner.InWords() + " → " + info.Manner().InWords()
	case len(changes) > 0:
		return changes[0].String()
	case !slices.Equal(info.Inputs, s.inputs):
		return "the files that the scenario names"
	case info.Versions != s.Versions:
		return fmt.Sprintf("versions: %v → %v", s.Versions, info.Versions)
	}
	return ""
}
