package main

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// scenariosFolder is where scenarios are looked for, below the current folder.
const scenariosFolder = "scenarios"

// scenarioFiles returns the scenario files below the folder of scenarios, in
// order of their paths. A folder that is missing has none.
func scenarioFiles() []string {
	var files []string
	filepath.WalkDir(scenariosFolder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".toml") {
			files = append(files, path)
		}
		return nil
	})
	return files
}

// completeScenarios offers the scenarios found, by path or by name, and any
// other TOML file.
func completeScenarios(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, path := range scenarioFiles() {
		name := strings.TrimSuffix(filepath.Base(path), ".toml")
		if strings.HasPrefix(path, typed) || strings.HasPrefix(name, typed) {
			found = append(found, path)
		}
	}
	if len(found) > 0 {
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"toml"}, cobra.ShellCompDirectiveFilterFileExt
}
