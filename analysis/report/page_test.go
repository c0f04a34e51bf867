package report

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// madeReport writes the report on a run, and returns its path.
func madeReport(t *testing.T, paths ...string) string {
	t.Helper()
	if len(paths) == 0 {
		paths = []string{madeRun(1).write(t, filepath.Join(t.TempDir(), "1"))}
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if _, err := WriteFile(file, paths, Options{}); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestThePageIsAsWideAsItsScreen(t *testing.T) {
	file := madeReport(t)
	for name, width := range map[string]int{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			v := show(t, file, width)
			var wide float64
			if v.Eval(`document.documentElement.scrollWidth`, &wide); wide > float64(width) {
				t.Errorf("the page is %v pixels wide on a screen of %d", wide, width)
			}
			var drawn, charts int
			v.Eval(`document.querySelectorAll(".u-over").length`, &drawn)
			v.Eval(`document.querySelectorAll(".graph").length`, &charts)
			if drawn != charts || charts < 2 {
				t.Errorf("%d of %d charts are drawn, want all of at least 2", drawn, charts)
			}
			v.Picture("made-" + name)
		})
	}
}

func TestHoveringShowsTheValuesOfAllLines(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	tip := strings.ReplaceAll(v.hover(0, 0.5), "\n", " ")
	// The flow delivers 2 MB a second; the link has 20 Mbit/s.
	for _, want := range []string{"time 5.0", "bulk 16.00 Mbit/s", "rate of access 20.00 Mbit/s"} {
		if !strings.Contains(tip, want) {
			t.Errorf("the tip says %q, want %q in it", tip, want)
		}
	}
}

func TestAClickInTheLegendHidesALineAndAnotherShowsIt(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	const canvas = `document.querySelector(".graph canvas").toDataURL()`
	before := v.Text(canvas)
	v.Eval(`[...document.querySelector(".graph .legend").querySelectorAll("button")].forEach((b) => { if (b.innerText === "bulk") b.id = "bulk"; })`, nil)
	v.Click("#bulk", 0)
	if got := v.Text(`document.getElementById("bulk").getAttribute("aria-pressed")`); got != "false" {
		t.Errorf("the button is pressed: %s", got)
	}
	if v.Text(canvas) == before {
		t.Error("the line is still there")
	}
	if tip := v.hover(0, 0.5); strings.Contains(tip, "bulk") || !strings.Contains(tip, "rate of access") {
		t.Errorf("the tip says %q", tip)
	}
	v.Click("#bulk", 0)
	if tip := v.hover(0, 0.5); !strings.Contains(tip, "bulk") {
		t.Errorf("the line did not come back: the tip says %q", tip)
	}
}

func TestDraggingZoomsAllTimeAxesAndADoubleClickShowsAll(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	v.drag(0, 0.2, 0.4)
	for _, plot := range []int{0, 1} {
		if at := secondsOf(t, v.hover(plot, 0.5)); at < 2900*time.Millisecond || at > 3100*time.Millisecond {
			t.Errorf("the middle of chart %d is at %v, want 3s", plot, at)
		}
	}
	b := v.Find(".u-over", 1)
	for clicks := 1; clicks <= 2; clicks++ {
		v.Mouse("mousePressed", b.X+b.Width/2, b.Y+b.Height/2, clicks)
		v.Mouse("mouseReleased", b.X+b.Width/2, b.Y+b.Height/2, clicks)
	}
	v.Settle()
	if at := secondsOf(t, v.hover(0, 0.5)); at < 4900*time.Millisecond || at > 5100*time.Millisecond {
		t.Errorf("after a double click the middle is at %v, want 5s", at)
	}
}

func TestAFingerShowsValuesAndZooms(t *testing.T) {
	v := show(t, madeReport(t), 390)
	touch := func(kind string, x, y float64) {
		points := []map[string]any{{"x": x, "y": y}}
		if kind == "touchEnd" {
			points = []map[string]any{}
		}
		v.Call("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": points})
	}
	const tip = `[...document.querySelectorAll(".tip")].filter((tip) => !tip.hidden).map((tip) => tip.innerText).join()`
	b := v.Find(".u-over", 0)
	y := b.Y + b.Height/2
	touch("touchStart", b.X+b.Width/2, y)
	touch("touchEnd", 0, 0)
	v.Settle()
	if got := v.Text(tip); !strings.Contains(got, "bulk") {
		t.Errorf("after a tap the tip says %q", got)
	}
	touch("touchStart", b.X+0.2*b.Width, y)
	for _, share := range []float64{0.25, 0.3, 0.35, 0.4} {
		touch("touchMove", b.X+share*b.Width, y)
	}
	touch("touchEnd", 0, 0)
	v.Settle()
	if got := v.Text(`String(document.querySelectorAll(".reset:not([hidden])").length)`); got == "0" {
		t.Fatal("dragging with a finger did not zoom")
	}
	touch("touchStart", b.X+b.Width/2, y)
	touch("touchEnd", 0, 0)
	v.Settle()
	if at := secondsOf(t, v.Text(tip)); at < 2900*time.Millisecond || at > 3100*time.Millisecond {
		t.Errorf("the middle is at %v, want 3s", at)
	}
}

func TestKeysShowValuesAndZoom(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	key := func(key string) {
		v.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key})
		v.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key})
		v.Settle()
	}
	v.Eval(`document.querySelector(".graph").focus()`, nil)
	key("ArrowRight")
	const tip = `document.querySelector(".tip").innerText`
	if at := secondsOf(t, v.Text(tip)); at < 5*time.Second || at > 5200*time.Millisecond {
		t.Errorf("one step to the right of the middle is at %v, want about 5.1s", at)
	}
	const zoomed = `String(!document.querySelector(".reset").hidden)`
	if key("+"); v.Text(zoomed) != "true" {
		t.Error("plus does not zoom")
	}
	if key("0"); v.Text(zoomed) != "false" {
		t.Error("0 does not show all")
	}
}

func TestThePageIsDarkWhereThatIsPreferred(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	const background = `getComputedStyle(document.body).backgroundColor`
	const canvas = `document.querySelector(".graph canvas").toDataURL()`
	light, drawn := v.Text(background), v.Text(canvas)
	v.Media("", "dark")
	v.Settle()
	if got := v.Text(background); got == light || got != "rgb(20, 23, 26)" {
		t.Errorf("the background is %s, and in light %s", got, light)
	}
	if v.Text(canvas) == drawn {
		t.Error("the figures are not drawn anew")
	}
	v.Picture("made-dark")
}

func TestOnPaperEverythingIsOpenAndWithoutControls(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	v.Media("print", "dark")
	v.Settle()
	for script, want := range map[string]string{
		`getComputedStyle(document.body).backgroundColor`:                                                "rgb(255, 255, 255)",
		`getComputedStyle(document.querySelector(".bar")).display`:                                       "none",
		`getComputedStyle(document.querySelector("figure[data-charts] .charts")).display`:                "none",
		`getComputedStyle(document.querySelector("figure[data-charts] .picture")).display`:               "block",
		`getComputedStyle(document.querySelector("figure[data-charts] svg")).filter`:                     "none",
		`String(document.querySelector("details pre").checkVisibility({ contentVisibilityAuto: true }))`: "true",
	} {
		if got := v.Text(script); got != want {
			t.Errorf("%s is %q, want %q", script, got, want)
		}
	}
	var printed struct{ Data string }
	v.Ask("Page.printToPDF", map[string]any{"printBackground": true}, &printed)
	if text, err := base64.StdEncoding.DecodeString(printed.Data); err != nil || !strings.HasPrefix(string(text), "%PDF-") {
		t.Errorf("printing gave no PDF: %v", err)
	}
	v.Keep("made.pdf", printed.Data)
}

func TestWithoutScriptsThePageShowsPictures(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	v.Call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	v.Load()
	v.Call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	for script, want := range map[string]string{
		`getComputedStyle(document.querySelector("figure[data-charts] .picture")).display`: "block",
		`getComputedStyle(document.querySelector(".command button")).display`:              "none",
	} {
		if got := v.Text(script); got != want {
			t.Errorf("%s is %q, want %q", script, got, want)
		}
	}
}

func TestTablesAreSortedByTheirHeaders(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	const first = `document.querySelector("#a-metrics tbody th").textContent`
	v.Eval(`document.querySelector("details.all").open = true`, nil)
	v.Click("#a-metrics thead button", 0)
	ascending := v.Text(first)
	v.Click("#a-metrics thead button", 0)
	if descending := v.Text(first); !(ascending < descending) {
		t.Errorf("%q is first, and in the other order %q", ascending, descending)
	}
	if got := v.Text(`document.querySelector("#a-metrics thead th").getAttribute("aria-sort")`); got != "descending" {
		t.Errorf("aria-sort is %q", got)
	}
}

func TestTheCommandIsCopied(t *testing.T) {
	v := show(t, madeReport(t), 1280)
	v.Eval(`window.copied = ""; document.addEventListener("copy", () => { window.copied = getSelection().toString() || document.activeElement.value; });
		Object.defineProperty(navigator, "clipboard", { value: undefined })`, nil)
	v.Click(".command button", 0)
	if got := v.Text(`window.copied`); got != "wtsim run made.toml --seed 1" {
		t.Errorf("copied %q", got)
	}
	v.Eval(`window.later = []; const after = setTimeout; window.setTimeout = (f, ms) => ms > 1000 ? later.push(f) : after(f, ms)`, nil)
	v.Click(".command button", 0)
	v.Click(".command button", 0)
	v.Eval(`later.forEach((f) => f())`, nil)
	if got := v.Text(`document.querySelector(".command button").textContent`); got != "Copy" {
		t.Errorf("after two clicks the button says %q", got)
	}
}

func TestOfSeveralSetsOneIsShown(t *testing.T) {
	dir := t.TempDir()
	before := madeRun(1).write(t, filepath.Join(dir, "before"))
	other := madeRun(2)
	other.Overrides = []string{"links.access.delay=40ms"}
	v := show(t, madeReport(t, before, other.write(t, filepath.Join(dir, "after"))), 390)
	const shown = `[...document.querySelectorAll(".part")].filter((part) => part.checkVisibility()).map((part) => part.id).join()`
	if got := v.Text(shown); got != "part-a" {
		t.Errorf("shown: %s", got)
	}
	v.Eval(`{ const choice = document.getElementById("choice"); choice.value = "part-b"; choice.dispatchEvent(new Event("change")); }`, nil)
	v.Settle()
	if got := v.Text(shown); got != "part-b" {
		t.Errorf("after choosing B, shown: %s", got)
	}
	var wide float64
	if v.Eval(`document.documentElement.scrollWidth`, &wide); wide > 390 {
		t.Errorf("the page is %v pixels wide on a screen of 390", wide)
	}
	var undrawn int
	if v.Eval(`[...document.querySelectorAll("#part-b .graph")].filter((graph) => !graph.querySelector(".u-over")).length`, &undrawn); undrawn > 0 {
		t.Errorf("%d charts of B are not drawn", undrawn)
	}
	v.Picture("made-two")
}

func TestNoScriptOfANameRuns(t *testing.T) {
	m := madeRun(1)
	m.Name = hostile
	v := show(t, madeReport(t, m.write(t, filepath.Join(t.TempDir(), "1"))), 1280)
	if got := v.Text(`document.title`); !strings.HasPrefix(got, hostile) {
		t.Errorf("the title is %q", got)
	}
	if got := v.Text(`String(document.querySelectorAll("img").length)`); got != "0" {
		t.Errorf("the page has %s images", got)
	}
}
