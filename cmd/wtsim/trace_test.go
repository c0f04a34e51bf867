package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands in the README of the traces make them again, byte for byte, and
// there are no other files.
func TestTheTracesOfTheScenariosAreWhatTheirCommandsMake(t *testing.T) {
	folder, err := filepath.Abs("../../scenarios/traces")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for line := range strings.Lines(string(readme)) {
		arguments, ok := strings.CutPrefix(line, "wtsim ")
		if !ok {
			continue
		}
		root := newRoot()
		root.SetArgs(strings.Fields(arguments))
		if err := root.Execute(); err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	made, err := filepath.Glob("*")
	if err != nil || len(made) == 0 {
		t.Fatalf("the commands made %d files, %v", len(made), err)
	}
	for _, name := range made {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what its command makes (%v); run the commands of %s again", name, err, filepath.Join(folder, "README.md"))
		}
	}
	kept, err := os.ReadDir(folder)
	if err != nil || len(kept) != len(made)+1 {
		t.Errorf("%d files beside the README, want the %d that the commands make; %v", len(kept)-1, len(made), err)
	}
}
