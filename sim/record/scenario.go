package record

import (
	"encoding/json"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// ScenarioText returns the scenario as resolved, a TOML text, and "" for a run that
// does not say.
func (r *Run) ScenarioText() (string, error) {
	if len(r.Scenario) == 0 {
		return "", nil
	}
	var text string
	if err := json.Unmarshal(r.Scenario, &text); err != nil {
		return "", fmt.Errorf("the scenario in %s is not a text: %w", runFile, err)
	}
	return text, nil
}

// ScenarioValues returns every value of the scenario as resolved, as text, by its
// path, such as "links.access.rate"; the members of an array count from 1, as in
// "links.access.changes[1].rate".
func (r *Run) ScenarioValues() (map[string]string, error) {
	text, err := r.ScenarioText()
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := toml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("the scenario in %s is broken: %w", runFile, err)
	}
	values := map[string]string{}
	flatten(values, "", tree)
	return values, nil
}

// flatten adds the leaves of a tree under their paths.
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
