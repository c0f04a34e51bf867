// Package chromium runs a headless Chromium for tests.
package chromium

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// ErrNone is the error where there is no Chromium.
var ErrNone = errors.New("no Chromium (Debian: apt-get install chromium)")

// Optional reports whether an error is that there is no Chromium where there
// need not be one: where the environment variable CHROMIUM does not name it.
func Optional(err error) bool { return errors.Is(err, ErrNone) && os.Getenv("CHROMIUM") == "" }

// find returns the path of the program.
func find() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if name := os.Getenv("CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: looked for %q", ErrNone, names)
}

// Browser is a running Chromium.
type Browser struct {
	Output Output // what it prints

	cmd     *exec.Cmd
	profile string
}

// Start shows a page in a Chromium of its own, with further flags. It fails with
// [ErrNone] where there is no Chromium.
func Start(url string, flags ...string) (*Browser, error) {
	return start(nil, append(flags, "--remote-debugging-port=0", url))
}

// start starts a Chromium that inherits files.
func start(files []*os.File, flags []string) (*Browser, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	b := &Browser{profile: profile}
	b.cmd = exec.Command(program, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--disable-default-apps", "--disable-domain-reliability", "--disable-breakpad", "--disable-crash-reporter",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
		"--user-data-dir=" + profile}, flags...)...)
	b.cmd.Stdout, b.cmd.Stderr = &b.Output, &b.Output
	b.cmd.ExtraFiles = files
	b.cmd.WaitDelay = 10 * time.Second
	inOwnGroup(b.cmd)
	if err := b.cmd.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, err
	}
	return b, nil
}

// Kill ends Chromium and its children at once, without a word to any peer.
// Children that live on hold the output open, which is an error.
func (b *Browser) Kill() error {
	killGroup(b.cmd)
	err := b.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(b.profile))
}

// Output keeps the last part of what a program prints.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*Output)(nil)

// Write adds to the output.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.buf.Write(p)
	if excess := o.buf.Len() - 1<<20; excess > 0 {
		o.buf.Next(excess)
	}
	return n, err
}

// String returns the output, without what Chromium always says.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kept strings.Builder
	for line := range strings.Lines(o.buf.String()) {
		if !strings.Contains(line, "dbus") { // it is always missed, and never needed
			kept.WriteString(line)
		}
	}
	return kept.String()
}
