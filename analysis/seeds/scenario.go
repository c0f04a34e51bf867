package seeds

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/wtsim/wtsim/sim/record"
)

// resolved returns every value of a run's scenario as resolved but the seed, by
// its path, and none for a run that does not say.
func resolved(info record.Run) (map[string]string, error) {
	values := map[string]string{}
	if len(info.Scenario) == 0 {
		return values, nil
	}
	var text string
	if err := json.Unmarshal(info.Scenario, &text); err != nil {
		return nil, fmt.Errorf("the scenario in %s is not a text: %w", runFile, err)
	}
	var tree map[string]any
	if err := toml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("the scenario in %s is broken: %w", runFile, err)
	}
	delete(tree, "seed")
	flatten(values, "", tree)
	return values, nil
}

// flatten adds the leaves of a tree under their paths. The members of an array
// count from 1.
func flatten(values map[string]string, path string, tree any) {
	switch x := tree.(type) {
	case map[string]any:
		for name, branch := range x {
			if path != "" {
				name = path + "." + name
			}
			flatten(values, name, branch)
		}
	case []any:
		for i, branch := range x {
			flatten(values, fmt.Sprintf("%s[%d]", path, i+1), branch)
		}
	default:
		values[path] = fmt.Sprint(x)
	}
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
// order of the paths.
func Changes(a, b Set) []Change {
	all := maps.Clone(a.scenario)
	maps.Copy(all, b.scenario)
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if x, y := a.scenario[path], b.scenario[path]; x != y {
			changes = append(changes, Change{path, x, y})
		}
	}
	return changes
}

// sameBut returns what a run differs in from the runs of a set besides the
// seed, and "" if nothing.
func (s Set) sameBut(info record.Run, scenario map[string]string) string {
	switch {
	case info.Name != s.Name || !slices.Equal(info.Overrides, s.Overrides):
		return s.Describe() + " → " + describe(info.Name, info.Overrides)
	case !maps.Equal(scenario, s.scenario):
		return Changes(s, Set{scenario: scenario})[0].String()
	case !slices.Equal(info.Inputs, s.inputs):
		return "the files that the scenario names"
	case info.Versions != s.Versions:
		return fmt.Sprintf("versions: %v → %v", s.Versions, info.Versions)
	}
	return ""
}
