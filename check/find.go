package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/sim/scenario"
)

// Case is a scenario that is to be checked.
type Case struct {
	Path      string
	Suite     string   // the name of the folder in which the scenario is
	Overrides []string // "path=value", in order
	*scenario.Scenario

	// Asked is how many seeds the scenario's expectations ask for, at least 1.
	Asked int
}

// Find loads the scenarios that the paths name: files, and folders with all files
// *.toml below them. They are in the order of the paths, and within a folder in
// that of their names; a scenario that is found twice is there once. The first
// mistake in one of them is the error.
func Find(paths ...string) ([]Case, error) {
	var cases []Case
	seen := make(map[string]bool)
	where := make(map[string]string) // the path of a suite's scenario
	for _, path := range paths {
		files, err := scenarioFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			full, err := filepath.Abs(file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if seen[full] {
				continue
			}
			seen[full] = true
			c, err := Load(file)
			if err != nil {
				return nil, err
			}
			if other, twice := where[c.id()]; twice {
				return nil, fmt.Errorf("%s and %s are both scenario %s of suite %s; expected another name for one of them", other, file, c.Name, c.Suite)
			}
			where[c.id()] = file
			cases = append(cases, c)
		}
	}
	return cases, nil
}

func (c Case) id() string { return c.Suite + "/" + c.Name }

// Load loads one scenario, with overrides "path=value" applied in order.
func Load(file string, overrides ...string) (Case, error) {
	full, err := filepath.Abs(file)
	if err != nil {
		return Case{}, fmt.Errorf("%s: %w", file, err)
	}
	s, err := scenario.Load(file, overrides...)
	if err != nil {
		return Case{}, err
	}
	if err := expect.Check(string(scenario.Explain(s))); err != nil {
		return Case{}, fmt.Errorf("%s: %w", file, err)
	}
	c := Case{Path: file, Suite: filepath.Base(filepath.Dir(full)), Overrides: overrides, Scenario: s, Asked: 1}
	for _, e := range s.Expect {
		c.Asked = max(c.Asked, e.Seeds)
	}
	return c, nil
}

// scenarioFiles returns path itself if it is a file, else the scenario files below it,
// of which there is one at least.
func scenarioFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil && errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return []string{path}, nil // scenario.Load has the better words for what is wrong
	}
	if err != nil {
		return nil, err
	}
	var files []string
	// With the separator it is the folder that a symbolic link names.
	err = filepath.WalkDir(path+string(filepath.Separator), func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(file, ".toml") {
			files = append(files, filepath.Clean(file))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no scenarios; expected files *.toml in it or below", path)
	}
	slices.Sort(files)
	return files, nil
}
