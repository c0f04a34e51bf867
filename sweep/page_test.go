package sweep

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/internal/pagetest"
)

// show opens the report of a store in Chromium.
func show(t *testing.T, s *Store, width int) *pagetest.View {
	t.Helper()
	_, files, err := s.Write(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	report := files[len(files)-1]
	if filepath.Base(report) != reportFile {
		t.Fatalf("the last file is %s", report)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	return pagetest.Show(t, report, width)
}

func TestTheReportIsAsWideAsItsScreen(t *testing.T) {
	for name, width := range map[string]int{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			s := holed(t)
			s.Study.Metrics = []string{"flows.bulk.goodput", "links.*.queue_delay.p95"}
			v := show(t, s, width)
			var wide float64
			if v.Eval(`document.documentElement.scrollWidth`, &wide); wide > float64(width) {
				t.Errorf("the page is %v pixels wide on a screen of %d", wide, width)
			}
			var drawn int
			if v.Eval(`[...document.querySelectorAll("figure img")].filter((i) => i.complete && i.naturalWidth > 100).length`, &drawn); drawn != 4 {
				t.Errorf("%d pictures; want lines and a heat map of both metrics", drawn)
			}
			v.Picture("sweep-" + name)
			v.Media("", "dark")
			v.Picture("sweep-dark-" + name)
		})
	}
}

func TestTheReportSaysWhatFailedAndHowToRepeatIt(t *testing.T) {
	s := holed(t)
	s.Study.Metrics = []string{"flows.bulk.goodput"}
	v := show(t, s, 1280)
	if got := v.Text(`document.querySelector(".headline").textContent`); got != "12 cells, 3 seeds each: 34 of 36 runs done, 1 failed, 1 missing" {
		t.Errorf("headline: %s", got)
	}
	if got := v.Text(`document.querySelector(".failure .error").textContent`); !strings.HasPrefix(got, "panic: <script>alert(1)</script>\n") {
		t.Errorf("failure: %s", got)
	}
	if got := v.Text(`document.querySelector(".failure .command pre").textContent`); !strings.HasPrefix(got, `wtsim run 'scenarios/it'\''s made.toml' --set `) {
		t.Errorf("command: %s", got)
	}
}

func TestCellsAreSortedByTheirValues(t *testing.T) {
	s := opened(t, gridOf(3, Axis{Path: "links.access.rate", Values: []string{"1Gbit/s", "40Mbit/s", "500kbit/s"}}))
	s.Study.Metrics = []string{"flows.bulk.goodput"}
	fill(t, s, all(s.Study)...)
	v := show(t, s, 1280)
	v.Click("thead button", 1)
	rates := `[...document.querySelectorAll("tbody tr")].map((r) => r.cells[1].textContent).join()`
	if got := v.Text(rates); got != "1Gbit/s,40Mbit/s,500kbit/s" {
		t.Errorf("downwards: %s", got)
	}
	v.Click("thead button", 1)
	if got := v.Text(rates); got != "500kbit/s,40Mbit/s,1Gbit/s" {
		t.Errorf("upwards: %s", got)
	}
	if got := v.Text(`document.querySelector("tbody tr:last-child").cells[3].textContent`); !strings.Contains(got, "±") {
		t.Errorf("mean: %s", got)
	}
}

func TestNoTextOfAStudyIsPartOfThePage(t *testing.T) {
	evil := `</script><img src=x onerror="document.title='no'">`
	s := opened(t, gridOf(2, Axis{Path: "name" + evil, Values: []string{evil, "b"}}, rates))
	s.Study.Name, s.Study.Path, s.Study.Overrides, s.Study.Source = evil, "a"+evil, []string{"x=" + evil}, []byte(evil)
	s.Study.Metrics = []string{"flows.bulk.goodput", "nothing" + evil}
	fill(t, s, all(s.Study)...)
	v := show(t, s, 1280)
	if got := v.Text(`document.title`); !strings.HasSuffix(got, "wtsim sweep") {
		t.Errorf("the title is %q", got)
	}
	var images int
	if v.Eval(`document.querySelectorAll("img:not(figure img)").length`, &images); images != 0 {
		t.Errorf("%d images", images)
	}
}

func TestAStudyWithoutResultsHasAReport(t *testing.T) {
	v := show(t, opened(t, gridOf(2, rates)), 1280)
	if got := v.Text(`document.querySelector(".headline").textContent`); got != "4 cells, 2 seeds each: 0 of 8 runs done, 8 missing" {
		t.Errorf("headline: %s", got)
	}
}

func TestAStudyThatIsRunHasTablesFiguresAndAReport(t *testing.T) {
	s := open(t, t.TempDir(), delays(2, "5ms", "10ms", "40ms", "13ms")) // runs with 13ms panic
	if _, err := s.Do(t.Context(), s.Study.All(), 2, nil); err != nil {
		t.Fatal(err)
	}
	s.Study.Metrics = []string{"flows.f.completion_time"}
	sum, files, err := s.Write(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Done != 6 || sum.Failed != 2 || len(sum.Failures) != 2 || !strings.Contains(sum.Failures[0].Why, "a defect") {
		t.Errorf("%s; %+v", sum.Progress(), sum.Failures)
	}
	for i, c := range sum.Cells[:3] {
		took := 0.0
		for _, seed := range s.Study.Seeds {
			result, err := s.Get(Run{Cell: i, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			m, _ := result.Metrics.Get("flows.f.completion_time")
			took += m.Value / 2
		}
		if mean := c.Means[0]; mean.N != 2 || took <= 0 || math.Abs(mean.Value-took) > 1e-12 {
			t.Errorf("cell %d with %s: a download takes %+v; want %v s", i, c.Values[0], mean, took)
		}
	}
	// Three tables, a figure in each format, and the report.
	if len(files) != 3+len(figure.Formats())+1 {
		t.Errorf("files %q", files)
	}
}
