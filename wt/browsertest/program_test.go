package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wtsim/wtsim/internal/chromium"
)

// built is the folder of the program that wtsim has built; empty: none.
var built string

// wtsim builds the program, once, and returns its path.
var wtsim = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "browsertest"); err != nil {
		return "", err
	}
	program := filepath.Join(built, "wtsim")
	out, err := exec.Command("go", "build", "-o", program, "github.com/wtsim/wtsim/cmd/wtsim").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return program, nil
})

// start runs a command of wtsim until the end of the test, and reads the file that it
// writes when it is ready into ready. Interrupted at the end, it has to end in order.
func start(t *testing.T, ready any, args ...string) {
	t.Helper()
	program, err := wtsim()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ready.json")
	var output chromium.Output
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, append(args, "--ready-file", file)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var end error
	go func() {
		end = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if !errors.Is(end, context.Canceled) {
			t.Errorf("%s ended with %v", cmd, end)
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd, &output)
		}
	})
	var text []byte
	eventually(t, func() bool {
		select {
		case <-ended:
			return true
		default:
			text, err = os.ReadFile(file)
			return err == nil
		}
	})
	if err := json.Unmarshal(text, ready); err != nil {
		t.Fatalf("%s is ready with %q: %v", cmd, text, err)
	}
}
