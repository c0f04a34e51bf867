package seeds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Collect reads folders, each as [Read] does or one whose folders Read can read, such
// as results/runs/NAME, and returns the sets of runs that they hold, in the
// order of the folders. Runs that differ in nothing but their seeds are one set,
// wherever they are.
func Collect(dirs ...string) ([]Set, error) {
	var all []Set
	for _, dir := range dirs {
		folders := []string{dir}
		// What is wrong with a folder is for Read to say.
		if _, sets, err := recordings(dir); err == nil && len(sets) > 0 {
			folders = sets
		}
		for _, folder := range folders {
			set, err := Read(folder)
			if err != nil {
				return nil, err
			}
			if all, err = merge(all, set); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// merge adds a set to others, or its runs to the one that they belong to.
func merge(all []Set, set Set) ([]Set, error) {
	i := slices.IndexFunc(all, func(other Set) bool { return other.equal(set) })
	if i < 0 {
		return append(all, set), nil
	}
	known := &all[i]
	for _, run := range set.Runs {
		if j := slices.IndexFunc(known.Runs, func(other Run) bool { return other.Seed == run.Seed }); j >= 0 {
			return nil, fmt.Errorf("%s and %s have the same seed %d", known.Runs[j].Dir, run.Dir, run.Seed)
		}
	}
	known.Runs = append(known.Runs, set.Runs...)
	known.sort()
	return all, nil
}

// equal reports whether the runs of two sets differ in nothing but their seeds.
func (s Set) equal(other Set) bool {
	return s.Name == other.Name && s.Manner == other.Manner && slices.Equal(s.Overrides, other.Overrides) && maps.Equal(s.scenario, other.scenario) &&
		slices.Equal(s.inputs, other.inputs) && s.Versions == other.Versions
}

// Value returns the value that the scenario of the runs has at a path, as
// resolved if that is one value, or as an override gives it; empty if there is
// none.
func (s Set) Value(path string) string {
	if value, ok := s.scenario[path]; ok {
		return value
	}
	given := ""
	for _, override := range s.Overrides {
		if name, value, ok := strings.Cut(override, "="); ok && strings.TrimSpace(name) == path {
			given = strings.TrimSpace(value) // the last one counts
		}
	}
	return given
}

// Varied returns the paths of the values in which the sets differ: of those that
// overrides name, in their order, or if there are none such, of all, sorted.
func Varied(sets []Set) []string {
	if len(sets) < 2 {
		return nil
	}
	differs := func(path string) bool {
		return slices.ContainsFunc(sets[1:], func(s Set) bool { return s.Value(path) != sets[0].Value(path) })
	}
	var named []string
	for _, s := range sets {
		for _, override := range s.Overrides {
			name, _, _ := strings.Cut(override, "=")
			if path := strings.TrimSpace(name); !slices.Contains(named, path) && differs(path) {
				named = append(named, path)
			}
		}
	}
	if len(named) > 0 {
		return named
	}
	var all []string
	for _, s := range sets[1:] {
		for _, change := range Changes(sets[0], s) {
			all = append(all, change.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
