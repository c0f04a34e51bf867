package gate

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs a program in a folder and returns what it prints on stdout.
func command(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	var errors strings.Builder
	c := exec.Command(name, arguments...)
	c.Dir, c.Stderr = dir, &errors
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, errors.String())
	}
	return strings.TrimSpace(string(out))
}

// moduleDir is where the source of a module is.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	dir := command(t, "", "go", "list", "-m", "-f", "{{.Dir}}", module)
	if dir == "" {
		command(t, "", "go", "mod", "download", module)
		dir = command(t, "", "go", "list", "-m", "-f", "{{.Dir}}", module)
	}
	return dir
}

// build builds wtsim against quic-go with a patch, or as go.mod names it, and
// returns the program.
func build(t *testing.T, folder string, p patch) string {
	t.Helper()
	root := moduleDir(t, "github.com/wtsim/wtsim")
	program := filepath.Join(folder, p.name, "wtsim")
	arguments := []string{"build", "-o", program}
	if len(p.edits) > 0 {
		source := t.TempDir()
		if err := os.CopyFS(source, os.DirFS(moduleDir(t, quicGo))); err != nil {
			t.Fatal(err)
		}
		if err := p.apply(source); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "-modfile", replaced(t, root, source))
	}
	command(t, root, "go", append(arguments, "./cmd/wtsim")...)
	return program
}

// replaced writes a go.mod, and its go.sum, in which quic-go is that in a folder.
func replaced(t *testing.T, root, source string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "go.mod")
	command(t, root, "go", "mod", "edit", "-replace", quicGo+"="+source, file)
	return file
}
