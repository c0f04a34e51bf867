package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/internal/pagetest"
)

func TestMain(m *testing.M) { pagetest.Main(m) }

// show opens a report in Chromium.
func show(t *testing.T, r *Report, width int) *pagetest.View {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(written(t, r, "report.html")), 0o644); err != nil {
		t.Fatal(err)
	}
	return pagetest.Show(t, file, width)
}

// shown lists the scenarios that a page shows.
const shown = `[...document.querySelectorAll(".scenario")].filter((s) => s.checkVisibility()).map((s) => s.querySelector(".name").textContent).join()`

func TestThePageIsAsWideAsItsScreen(t *testing.T) {
	for name, width := range map[string]int{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			v := show(t, made(t), width)
			var wide float64
			if v.Eval(`document.documentElement.scrollWidth`, &wide); wide > float64(width) {
				t.Errorf("the page is %v pixels wide on a screen of %d", wide, width)
			}
			v.Picture("check-" + name)
		})
	}
}

func TestWhatFailedIsOpen(t *testing.T) {
	v := show(t, made(t), 1280)
	if got := v.Text(`[...document.querySelectorAll(".scenario[open]")].map((s) => s.querySelector(".name").textContent).join()`); got != "loss,it's broken,mended" {
		t.Errorf("open: %s", got)
	}
	v.Media("", "dark")
	v.Picture("check-dark")
}

func TestScenariosAreFilteredByWhatCameOfThem(t *testing.T) {
	v := show(t, made(t), 1280)
	for kind, want := range map[string]string{
		"": "buffers,loss,window,it's broken,shorter,plain,mended", "failed": "loss,it's broken,mended", "changed": "loss,shorter,mended", "known": "window",
	} {
		v.Eval(`{ const show = document.getElementById("show"); show.value = "`+kind+`"; show.dispatchEvent(new Event("change")); }`, nil)
		if got := v.Text(shown); got != want {
			t.Errorf("%q shows %s; want %s", kind, got, want)
		}
	}
}

func TestScenariosAreFilteredByWords(t *testing.T) {
	v := show(t, made(t), 1280)
	for words, want := range map[string]string{"paths/ BETTER": "shorter", "links/": "buffers,loss,window", "nobody": ""} {
		v.Eval(`{ const search = document.getElementById("search"); search.value = "`+words+`"; search.dispatchEvent(new Event("input")); }`, nil)
		if got := v.Text(shown); got != want {
			t.Errorf("%q shows %s; want %s", words, got, want)
		}
		if said := v.Text(`String(document.getElementById("nothing").checkVisibility())`); said != fmt.Sprint(want == "") {
			t.Errorf("%q: that nothing is shown is said: %s", words, said)
		}
	}
}

func TestALinkOpensItsScenario(t *testing.T) {
	v := show(t, made(t), 390)
	v.Eval(`{ const show = document.getElementById("show"); show.value = "known"; show.dispatchEvent(new Event("change")); }`, nil)
	v.Click(`a[href="#s2-2"]`, 0)
	if got := v.Text(`String(document.getElementById("s2-2").open && document.getElementById("s2-2").checkVisibility())`); got != "true" {
		t.Error("the scenario is not open")
	}
}

func TestCommandsAreCopied(t *testing.T) {
	v := show(t, made(t), 1280)
	v.Eval(`window.copied = ""; document.addEventListener("copy", () => { window.copied = getSelection().toString() || document.activeElement.value; });
		Object.defineProperty(navigator, "clipboard", { value: undefined })`, nil)
	v.Click("#s2-1 .command button", 0)
	if got := v.Text(`window.copied`); got != `wtsim run 'scenarios/paths/it'\''s broken.toml' --seed 2` {
		t.Errorf("copied %q", got)
	}
}

func TestOnPaperEverythingIsOpen(t *testing.T) {
	v := show(t, made(t), 1280)
	v.Media("print", "light")
	v.Settle()
	for script, want := range map[string]string{
		`getComputedStyle(document.querySelector(".bar")).display`:                                                     "none",
		`String(document.querySelector("#s1-1 .path").checkVisibility({ contentVisibilityAuto: true }))`:               "true",
		`getComputedStyle(document.querySelector(".command button")).display`:                                          "none",
		`String([...document.querySelectorAll("tbody th")].every((th) => getComputedStyle(th).position !== "sticky"))`: "true",
	} {
		if got := v.Text(script); got != want {
			t.Errorf("%s is %q, want %q", script, got, want)
		}
	}
}

func TestNoScriptOfANameRuns(t *testing.T) {
	v := show(t, foreign(t), 1280)
	if got := v.Text(`document.title`); !strings.HasSuffix(got, "wtsim check") {
		t.Errorf("the title is %q", got)
	}
	if got := v.Text(`String(document.querySelectorAll("img").length)`); got != "0" {
		t.Errorf("the page has %s images", got)
	}
}
