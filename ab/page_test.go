package ab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wtsim/wtsim/internal/pagetest"
)

func TestMain(m *testing.M) { pagetest.Main(m) }

// show opens the page of a report in Chromium.
func show(t *testing.T, width int) *pagetest.View {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ab.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := made(t)
	if err := r.HTML(file, true, r.Forests()); err != nil {
		t.Fatal(err)
	}
	return pagetest.Show(t, path, width)
}

func TestThePageIsAsWideAsItsScreen(t *testing.T) {
	for name, width := range map[string]int{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			v := show(t, width)
			var wide float64
			if v.Eval(`document.documentElement.scrollWidth`, &wide); wide > float64(width) {
				t.Errorf("the page is %v pixels wide on a screen of %d", wide, width)
			}
			var drawn int
			if v.Eval(`[...document.querySelectorAll("figure img")].filter((i) => i.complete && i.naturalWidth > 100 && i.width <= innerWidth).length`, &drawn); drawn != 1 {
				t.Errorf("%d pictures; want that of goodput", drawn)
			}
			v.Picture("ab-" + name)
			v.Media("", "dark")
			v.Picture("ab-dark-" + name)
		})
	}
}

func TestThePageSaysWhatDiffers(t *testing.T) {
	v := show(t, 1280)
	for script, want := range map[string]string{
		`document.querySelector("h1").textContent`: "<b>.patch differs from v0.64.0 in 1 of 3 scenarios; runs failed in 1",
		`document.title`: "<b>.patch differs from v0.64.0 in 1 of 3 scenarios; runs failed in 1 · wtsim ab",
		`[...document.querySelectorAll("tr.better")].map((r) => r.querySelectorAll("td")[0].textContent).join()`:                                                     "flows.bulk.goodput",
		`[...document.querySelectorAll("h2 + ul li")].map((l) => l.textContent).join().includes("<b>.patch: 5 of 5 runs failed; seed 1: no progress since 2s") + ""`: "true",
		`document.querySelectorAll("b").length + ""`: "0",
	} {
		if got := v.Text(script); got != want {
			t.Errorf("%s is %q, want %q", script, got, want)
		}
	}
}

func TestMetricsAreSortedByHowMuchTheyDiffer(t *testing.T) {
	v := show(t, 1280)
	changes := `[...document.querySelectorAll("table")[0].tBodies[0].rows].map((r) => r.cells[6].textContent.trim()).join("; ")`
	for _, want := range []string{"+19.9 %; 0.00 %; 0.00 %; 0.00 %", "0.00 %; 0.00 %; 0.00 %; +19.9 %"} {
		v.Click(`table:first-of-type thead th:nth-child(7) button`, 0)
		if got := v.Text(changes); got != want {
			t.Errorf("the changes are %s; want %s", got, want)
		}
	}
}
