package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wtsim/wtsim/interop/peer"
)

// path is a scenario, from this folder, whose network "wtsim emulate" puts between the
// two ends of each case; empty: nothing is.
var path = os.Getenv("EMULATE")

// relays counts the relays so far. Each loses other datagrams.
var relays atomic.Uint64

// buildRelay builds wtsim if there is a path.
func buildRelay() error {
	if path == "" {
		return nil
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(programs, "wtsim"), "./cmd/wtsim")
	cmd.Dir = ".."
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building wtsim: %w\n%s", err, output)
	}
	return nil
}

// across returns where the server of a test is found at the other end of the path.
func across(ctx context.Context, t *testing.T, server peer.Address) peer.Address {
	t.Helper()
	if path == "" {
		return server
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "wtsim"), "emulate", path, "--listen", "127.0.0.1:0", "--upstream", server.UDP,
		"--seed", strconv.FormatUint(relays.Add(1), 10), "--ready-file", ready, "--record", "none", "--no-figures", "--no-graph", "--out", t.TempDir())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("wtsim emulate: %v", err)
		}
		if t.Failed() {
			t.Logf("the path:\n%s", &output)
		}
	})
	for {
		text, err := os.ReadFile(ready)
		switch {
		case err == nil:
			var relays []struct{ Listen string }
			if err := json.Unmarshal(text, &relays); err != nil {
				t.Fatal(err)
			}
			server.UDP = relays[0].Listen
			return server
		case !errors.Is(err, os.ErrNotExist):
			t.Fatal(err)
		case ctx.Err() != nil:
			t.Fatal("wtsim emulate is not ready")
		}
		time.Sleep(time.Millisecond)
	}
}
