package browsertest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/internal/chromium"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withChromium{m}) }

// withChromium stops the Chromium of the tests after the last one, and removes the program that they built.
type withChromium struct{ tests *testing.M }

func (w withChromium) Run() int {
	code := w.tests.Run()
	if err := os.RemoveAll(built); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
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

// sharedPage returns the page that all tests share.
func sharedPage(t *testing.T) *page {
	t.Helper()
	shared.once.Do(func() { shared.page, shared.err = openPage() })
	switch {
	case chromium.Optional(shared.err):
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return shared.page
}
