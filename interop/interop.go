// Package interop tests package wt against other implementations of
// WebTransport, and measures them side by side:
//
//	go test .          the cases of package peer, both ways; with EMULATE=SCENARIO
//	                   in the environment through its network, by "wtsim emulate"
//	go run ./bench     the measurements, and their ratios
//
// Each implementation is a module of its own, a folder here, because they need
// different versions of quic-go. All of them are linked with package peer.
package interop

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Build builds the program of an implementation.
func Build(ctx context.Context, name, program string) error {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return fmt.Errorf("building %s: the source is not known", name)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join(filepath.Dir(file), name)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", name, err, output)
	}
	return nil
}
