package browsertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withChromium{m}) }

// withChromium stops the Chromium of the tests after the last one.
type withChromium struct{ tests *testing.M }

func (w withChromium) Run() int {
	code := w.tests.Run()
	if shared.page == nil {
		return code
	}
	if err := shared.page.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

var shared struct {
	once sync.Once
	page *page
	err  error
}

var errNoChromium = errors.New("no Chromium (Debian: apt-get install chromium)")

// chromium returns the page that all tests share.
func chromium(t *testing.T) *page {
	t.Helper()
	shared.once.Do(func() { shared.page, shared.err = openPage() })
	switch {
	case errors.Is(shared.err, errNoChromium) && os.Getenv("CHROMIUM") == "":
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return shared.page
}

// findChromium returns the path of the program.
func findChromium() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if name := os.Getenv("CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: looked for %q", errNoChromium, names)
}

// browser is a running Chromium.
type browser struct {
	cmd     *exec.Cmd
	profile string
	output  output
}

// startChromium shows a page in a Chromium of its own, with further flags.
func startChromium(url string, flags ...string) (*browser, error) {
	program, err := findChromium()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	b := &browser{profile: profile}
	b.cmd = exec.Command(program, append(flags,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--disable-default-apps", "--disable-domain-reliability", "--disable-breakpad", "--disable-crash-reporter",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
		"--user-data-dir="+profile, "--remote-debugging-port=0", url)...)
	b.cmd.Stdout, b.cmd.Stderr = &b.output, &b.output
	b.cmd.WaitDelay = 10 * time.Second
	inOwnGroup(b.cmd)
	if err := b.cmd.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, err
	}
	return b, nil
}

// kill ends Chromium and its children at once, without a word to any peer.
// Children that live on hold the output open, which is an error.
func (b *browser) kill() error {
	killGroup(b.cmd)
	err := b.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(b.profile))
}

// output keeps the last part of what a program prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.buf.Write(p)
	if excess := o.buf.Len() - 1<<20; excess > 0 {
		o.buf.Next(excess)
	}
	return n, err
}

func (o *output) String() string {
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
