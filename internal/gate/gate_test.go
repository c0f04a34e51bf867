package gate

import (
	"os"
	"testing"
)

func folder(t *testing.T) string {
	if os.Getenv("GATE") == "" {
		t.Skip("builds wtsim four times and takes two minutes; set GATE=1 to run it")
	}
	if dir := os.Getenv("GATE_BUILDS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

func TestBuild(t *testing.T) {
	dir := folder(t)
	build(t, dir, patch{name: "unmodified"})
	for _, p := range patches {
		build(t, dir, p)
	}
}
