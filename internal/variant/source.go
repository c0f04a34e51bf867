package variant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// self is the module of wtsim.
const self = "github.com/wtsim/wtsim"

// Source returns the folder of wtsim's source: the given one, or if that is empty the
// module that the current folder is in.
func Source(given string) (string, error) {
	if given != "" {
		if err := isCheckout(given, self); err != nil {
			return "", err
		}
		return filepath.Abs(given)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := here; ; folder = filepath.Dir(folder) {
		if isCheckout(folder, self) == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%s is not in a checkout of %s, whose source is needed to build it", here, self)
		}
	}
}

// run runs a tool in a folder and returns what it prints. Its error is what it prints
// as one.
func run(ctx context.Context, folder string, environment []string, tool string, arguments ...string) (string, error) {
	var out, wrong strings.Builder
	cmd := exec.CommandContext(ctx, tool, arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &out, &wrong
	cmd.Env = append(os.Environ(), append([]string{"GOWORK=off", "LC_ALL=C"}, environment...)...)
	grouped(cmd)
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		killGroup(cmd)
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("the tool %s is needed, and is not there: %w", tool, err)
	case errors.As(err, &exit):
		return out.String(), &toolError{tool + " " + arguments[0], complaint(wrong.String())}
	}
	return out.String(), err
}

// progress matches lines by which the tool go says what it fetches.
var progress = regexp.MustCompile(`(?m)^go: (downloading|finding|extracting) .*\n?`)

// complaint returns what a tool has against its task, of all that it printed.
func complaint(printed string) string {
	if text := strings.TrimSpace(progress.ReplaceAllString(printed, "")); text != "" {
		return text
	}
	return strings.TrimSpace(printed)
}

// toolError says what a tool has against its task.
type toolError struct{ command, message string }

func (e *toolError) Error() string { return e.command + ": " + e.message }

// quicGo is where a version of quic-go is.
type quicGo struct {
	Version string
	Dir     string
	Error   string  // of downloading
	Replace *quicGo // in the go.mod of wtsim
}
