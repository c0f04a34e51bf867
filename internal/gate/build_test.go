package gate

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/internal/variant"
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

// source is the folder of wtsim's source.
func source(t *testing.T) string {
	t.Helper()
	dir, err := variant.Source("")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// quicGo is the folder of quic-go as go.mod names it.
func quicGo(t *testing.T) string {
	t.Helper()
	b := variant.Builder{Source: source(t)}
	dir, err := b.Original(t.Context(), variant.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// build builds wtsim against quic-go with a patch, or as go.mod names it, and
// returns the program.
func build(t *testing.T, folder string, p patch) string {
	t.Helper()
	program, patched := filepath.Join(folder, p.name, "wtsim"), ""
	if len(p.edits) > 0 {
		patched = t.TempDir()
		if err := variant.Copy(patched, quicGo(t)); err != nil {
			t.Fatal(err)
		}
		if err := p.apply(patched); err != nil {
			t.Fatal(err)
		}
	}
	if err := variant.Compile(t.Context(), source(t), patched, program); err != nil {
		t.Fatal(err)
	}
	return program
}
