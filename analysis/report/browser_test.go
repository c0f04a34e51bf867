package report

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
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/internal/chromium"
)

var screenshots = flag.String("screenshots", "", "`folder` for pictures of the pages of the tests in Chromium")

// TestMain ends the Chromium of the tests after the last one.
func TestMain(m *testing.M) { goleak.VerifyTestMain(withTab{m}) }

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

// view is a page that a test looks at.
type view struct {
	t   *testing.T
	tab *chromium.Tab
	url string
}

// show loads a report into the Chromium that all tests share, as wide as a
// screen: phones touch, others have a mouse. When the test ends, the page must
// not have complained, nor asked for anything.
func show(t *testing.T, file string, width int) *view {
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
	v := &view{t: t, tab: shared.tab, url: "file://" + file}
	phone := width < 600
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		v.call(domain+".enable", nil)
	}
	v.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	v.media("", "light")
	v.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": phone})
	v.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": phone})
	v.load()
	v.settle()
	t.Cleanup(v.quiet)
	return v
}

func (v *view) load() {
	v.t.Helper()
	v.tab.Forget()
	v.call("Page.navigate", map[string]any{"url": v.url})
	if err := v.tab.Await("Page.loadEventFired"); err != nil {
		v.t.Fatal(err)
	}
}

// settle waits until the page has drawn what it had to.
func (v *view) settle() {
	v.t.Helper()
	v.eval(`new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))), 60))`, nil)
}

func (v *view) call(method string, params map[string]any) {
	v.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	if err := v.tab.Call(method, params, nil); err != nil {
		v.t.Fatal(err)
	}
}

func (v *view) eval(script string, result any) {
	v.t.Helper()
	if err := v.tab.Eval(script, result); err != nil {
		v.t.Fatalf("%s: %v", script, err)
	}
}

// text returns what a script says.
func (v *view) text(script string) string {
	v.t.Helper()
	var s string
	v.eval(script, &s)
	return s
}

// media emulates a medium and a colour scheme.
func (v *view) media(medium, scheme string) {
	v.t.Helper()
	v.call("Emulation.setEmulatedMedia", map[string]any{"media": medium, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
}

// quiet fails the test if the page complained or asked for anything but itself.
func (v *view) quiet() {
	for _, e := range v.tab.Events() {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			v.t.Errorf("the page complained: %s", e.Params)
		case "Network.requestWillBeSent":
			var sent struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &sent); err != nil {
				v.t.Fatal(err)
			}
			if url := sent.Request.URL; url != v.url && !strings.HasPrefix(url, "data:") {
				v.t.Errorf("the page asked for %s", url)
			}
		}
	}
}

// box is where an element is.
type box struct{ X, Y, Width, Height float64 }

// find scrolls to an element and returns where it then is.
func (v *view) find(selector string, i int) box {
	v.t.Helper()
	var b box
	v.eval(fmt.Sprintf(`(() => {
		const e = document.querySelectorAll(%q)[%d];
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect();
		return { X: r.x, Y: r.y, Width: r.width, Height: r.height };
	})()`, selector, i), &b)
	v.settle()
	v.eval(fmt.Sprintf(`(() => { const r = document.querySelectorAll(%q)[%d].getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }; })()`, selector, i), &b)
	return b
}

func (v *view) mouse(kind string, x, y float64, clicks int) {
	v.t.Helper()
	params := map[string]any{"type": kind, "x": x, "y": y, "clickCount": clicks}
	if kind != "mouseMoved" {
		params["button"] = "left"
	} else if clicks > 0 {
		params["buttons"] = 1
	}
	v.call("Input.dispatchMouseEvent", params)
}

// hover puts the pointer at a share of the width of a plot.
func (v *view) hover(plot int, share float64) string {
	v.t.Helper()
	b := v.find(".u-over", plot)
	v.mouse("mouseMoved", b.X+b.Width/2, b.Y+b.Height/2-5, 0)
	v.mouse("mouseMoved", b.X+share*b.Width, b.Y+b.Height/2, 0)
	v.settle()
	return v.text(fmt.Sprintf(`(() => { const tip = document.querySelectorAll(".graph")[%d].querySelector(".tip"); return tip.hidden ? "" : tip.innerText; })()`, plot))
}

// drag drags over a plot from one share of its width to another.
func (v *view) drag(plot int, from, to float64) {
	v.t.Helper()
	b := v.find(".u-over", plot)
	y := b.Y + b.Height/2
	v.mouse("mouseMoved", b.X+from*b.Width, y, 0)
	v.mouse("mousePressed", b.X+from*b.Width, y, 1)
	for i := 1; i <= 5; i++ {
		v.mouse("mouseMoved", b.X+(from+(to-from)*float64(i)/5)*b.Width, y, 1)
	}
	v.mouse("mouseReleased", b.X+to*b.Width, y, 1)
	v.settle()
}

func (v *view) click(selector string, i int) {
	v.t.Helper()
	b := v.find(selector, i)
	v.mouse("mousePressed", b.X+b.Width/2, b.Y+b.Height/2, 1)
	v.mouse("mouseReleased", b.X+b.Width/2, b.Y+b.Height/2, 1)
	v.settle()
}

// picture keeps a picture of the whole page, if a flag wants it.
func (v *view) picture(name string) {
	v.t.Helper()
	if *screenshots == "" {
		return
	}
	v.eval(`scrollTo(0, 0)`, nil)
	v.settle()
	var shot struct{ Data string }
	if err := v.tab.Call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot); err != nil {
		v.t.Fatal(err)
	}
	v.keep(name+".png", shot.Data)
}

// keep writes a file into the folder of screenshots.
func (v *view) keep(name, data string) {
	v.t.Helper()
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), b, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// secondsOf returns the time that stands in a tip.
func secondsOf(t *testing.T, tip string) time.Duration {
	t.Helper()
	var s float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(tip, "\n", " "), "time %f s", &s); err != nil {
		t.Fatalf("no time in %q: %v", tip, err)
	}
	return time.Duration(s * float64(time.Second))
}
