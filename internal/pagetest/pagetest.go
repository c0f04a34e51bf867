// Package pagetest looks at HTML pages in Chromium, for tests: it opens them as a
// person would, and fails a test when a page complains or asks for anything but itself.
package pagetest

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/internal/chromium"
)

var screenshots = flag.String("screenshots", "", "`folder` for pictures of the pages of the tests in Chromium")

// Main runs the tests of a package, for its TestMain: it ends Chromium after the last
// one, and fails if goroutines are left.
func Main(m *testing.M) { goleak.VerifyTestMain(withTab{m}) }

type withTab struct{ tests *testing.M }

func (w withTab) Run() int {
	code := w.tests.Run()
	if shared.tab == nil {
		return code
	}
	if err := shared.tab.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

var shared struct {
	once sync.Once
	tab  *chromium.Tab
	err  error
}

// View is a page that a test looks at.
type View struct {
	T   *testing.T
	tab *chromium.Tab
	url string
}

// Show loads a page, a file, into the Chromium that all tests share, as wide as a
// screen: phones touch, others have a mouse. When the test ends, the page must
// not have complained, nor asked for anything.
func Show(t *testing.T, file string, width int) *View {
	t.Helper()
	shared.once.Do(func() {
		shared.tab, shared.err = chromium.OpenTab("--allow-file-access-from-files", "--hide-scrollbars")
	})
	switch {
	case chromium.Optional(shared.err):
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	v := &View{T: t, tab: shared.tab, url: "file://" + file}
	phone := width < 600
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		v.Call(domain+".enable", nil)
	}
	v.Call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	v.Media("", "light")
	v.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": phone})
	v.Call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": phone})
	v.Load()
	v.Settle()
	t.Cleanup(v.quiet)
	return v
}

// Load loads the page again.
func (v *View) Load() {
	v.T.Helper()
	v.tab.Forget()
	v.Call("Page.navigate", map[string]any{"url": v.url})
	if err := v.tab.Await("Page.loadEventFired"); err != nil {
		v.T.Fatal(err)
	}
}

// Settle waits until the page has drawn what it had to.
func (v *View) Settle() {
	v.T.Helper()
	v.Eval(`new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))), 60))`, nil)
}

// Call calls a method of the DevTools protocol whose result does not matter.
func (v *View) Call(method string, params map[string]any) {
	v.T.Helper()
	v.Ask(method, params, nil)
}

// Ask calls a method of the DevTools protocol.
func (v *View) Ask(method string, params map[string]any, result any) {
	v.T.Helper()
	if params == nil {
		params = map[string]any{}
	}
	if err := v.tab.Call(method, params, result); err != nil {
		v.T.Fatal(err)
	}
}

// Eval runs a script on the page.
func (v *View) Eval(script string, result any) {
	v.T.Helper()
	if err := v.tab.Eval(script, result); err != nil {
		v.T.Fatalf("%s: %v", script, err)
	}
}

// Text returns what a script says.
func (v *View) Text(script string) string {
	v.T.Helper()
	var s string
	v.Eval(script, &s)
	return s
}

// Media emulates a medium and a colour scheme.
func (v *View) Media(medium, scheme string) {
	v.T.Helper()
	v.Call("Emulation.setEmulatedMedia", map[string]any{"media": medium, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
}

// quiet fails the test if the page complained or asked for anything but itself.
func (v *View) quiet() {
	for _, e := range v.tab.Events() {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			v.T.Errorf("the page complained: %s", e.Params)
		case "Network.requestWillBeSent":
			var sent struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &sent); err != nil {
				v.T.Fatal(err)
			}
			if url := sent.Request.URL; url != v.url && !strings.HasPrefix(url, "data:") {
				v.T.Errorf("the page asked for %s", url)
			}
		}
	}
}

// Box is where an element is.
type Box struct{ X, Y, Width, Height float64 }

// Find scrolls to an element and returns where it then is.
func (v *View) Find(selector string, i int) Box {
	v.T.Helper()
	var b Box
	v.Eval(fmt.Sprintf(`(() => {
		const e = document.querySelectorAll(%q)[%d];
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect();
		return { X: r.x, Y: r.y, Width: r.width, Height: r.height };
	})()`, selector, i), &b)
	v.Settle()
	v.Eval(fmt.Sprintf(`(() => { const r = document.querySelectorAll(%q)[%d].getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }; })()`, selector, i), &b)
	return b
}

// Mouse does to the pointer what the DevTools protocol calls kind.
func (v *View) Mouse(kind string, x, y float64, clicks int) {
	v.T.Helper()
	params := map[string]any{"type": kind, "x": x, "y": y, "clickCount": clicks}
	if kind != "mouseMoved" {
		params["button"] = "left"
	} else if clicks > 0 {
		params["buttons"] = 1
	}
	v.Call("Input.dispatchMouseEvent", params)
}

// Click clicks on the middle of an element.
func (v *View) Click(selector string, i int) {
	v.T.Helper()
	b := v.Find(selector, i)
	v.Mouse("mousePressed", b.X+b.Width/2, b.Y+b.Height/2, 1)
	v.Mouse("mouseReleased", b.X+b.Width/2, b.Y+b.Height/2, 1)
	v.Settle()
}

// Picture keeps a picture of the whole page in the folder that the flag
// -screenshots names, if it does.
func (v *View) Picture(name string) {
	v.T.Helper()
	if *screenshots == "" {
		return
	}
	v.Eval(`scrollTo(0, 0)`, nil)
	v.Settle()
	var shot struct{ Data string }
	v.Ask("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	v.Keep(name+".png", shot.Data)
}

// Keep writes a file, in base64, into that folder.
func (v *View) Keep(name, data string) {
	v.T.Helper()
	if *screenshots == "" {
		return
	}
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		v.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), b, 0o644); err != nil {
		v.T.Fatal(err)
	}
}
