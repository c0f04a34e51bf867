package check

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/sim/scenario"
)

var (
	update = flag.Bool("update", false, "rewrite the expected output in testdata")
	inf    = math.Inf(1)
)

var writers = map[string]func(*Report, io.Writer) error{
	"junit.xml": (*Report).JUnit, "summary.md": (*Report).Markdown, "report.html": (*Report).HTML,
}

// written returns an output of a report.
func written(t *testing.T, r *Report, name string) string {
	t.Helper()
	var b bytes.Buffer
	if err := writers[name](r, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportsAreWrittenAsInTestdata(t *testing.T) {
	for name := range writers {
		got := written(t, made(t), name)
		if name == "report.html" { // what is the same on every page is not kept again
			got = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|sha256-[^&]*`).ReplaceAllString(got, "")
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; go test ./check -update writes it anew:\n%s", file, got)
		}
	}
}

func TestJUnitCountsWhatItHas(t *testing.T) {
	var read junitSuites
	if err := xml.Unmarshal([]byte(written(t, made(t), "junit.xml")), &read); err != nil {
		t.Fatal(err)
	}
	// Seven scenarios with a case for their runs, one left out, six expectations and
	// four baselines, less what the broken one has not.
	if read.junitCounts != (junitCounts{Tests: 7 + 1 + 6 + 4, Failures: 2 + 1 + 1 + 1, Errors: 1, Skipped: 2}) {
		t.Errorf("%+v", read.junitCounts)
	}
	for _, s := range read.Suites {
		var n junitCounts
		for _, c := range s.Cases {
			n.Tests++
			for to, is := range map[*int]*junitMessage{&n.Failures: c.Failure, &n.Errors: c.Error, &n.Skipped: c.Skipped} {
				if is != nil {
					*to++
				}
			}
		}
		if n != s.junitCounts {
			t.Errorf("%s has %+v and says %+v", s.Name, n, s.junitCounts)
		}
	}
	// Runs that were kept from before took no time.
	if got := read.Suites[0].Time; got != "2.250" {
		t.Errorf("the suite took %s s; want 3 · (0.5 + 0.25)", got)
	}
}

const hostile = "</script><img src=x onerror=\"document.title='hit'\">]]>\x01 `` | [a](javascript:b) **bold** &amp; \"\n# title\n"

// foreign is a report whose every text wants to be more than that.
func foreign(t *testing.T) *Report {
	r := made(t)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Scenario = &scenario.Scenario{Name: hostile, Description: hostile}
		s.Suite, s.Path = hostile+s.Suite, hostile+s.Path
		for k := range s.Verdicts {
			s.Verdicts[k].Metric, s.Verdicts[k].Expectation.Known = hostile, hostile
			if s.Verdicts[k].Why != "" {
				s.Verdicts[k].Why = hostile
			}
		}
		for k := range s.Runs {
			if s.Runs[k].Err != nil {
				s.Runs[k].Err = errors.New(hostile + "```\n")
			}
		}
		if s.Baseline != nil {
			s.Baseline.Missing, s.Baseline.New = []string{hostile}, []string{hostile}
			for k := range s.Baseline.Changes {
				s.Baseline.Changes[k].Metric = hostile
			}
		}
	}
	r.LeftOut = []string{hostile}
	r.Versions.Wtsim = hostile
	return r
}

func TestNamesAndErrorsAreTextInXML(t *testing.T) {
	text := written(t, foreign(t), "junit.xml")
	var read junitSuites
	if err := xml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	// XML has no way to write the control character.
	want := strings.ReplaceAll(hostile, "\x01", "\uFFFD")
	if got := read.Suites[0].Cases[0].Class; got != want+"links."+want {
		t.Errorf("the class is %q", got)
	}
}

func TestNamesAndErrorsAreTextInHTML(t *testing.T) {
	text := written(t, foreign(t), "report.html")
	for _, never := range []string{"<img", "</script><", "<b>"} {
		if i := strings.Index(text, never); i >= 0 {
			t.Errorf("the page has %q in %q", never, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	for _, pattern := range []string{`(?i)<(img|iframe|object|embed|audio|video|source)\b`, `(?i)<script[^>]+src`, `(?i)<link[^>]+href="[^d]`, `@import`} {
		if found := regexp.MustCompile(pattern).FindString(text); found != "" {
			t.Errorf("the page has %q, which would load something", found)
		}
	}
}

func TestNamesAndErrorsAreTextInMarkdown(t *testing.T) {
	text := written(t, foreign(t), "summary.md")
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		if fence != "" {
			if line == fence {
				fence = ""
			}
			continue
		}
		if ticks := regexp.MustCompile("^```+").FindString(line); ticks != "" {
			fence = ticks
			continue
		}
		// What stands between backticks is text already.
		rest := regexp.MustCompile("(```+ ?).*?[^`]```+").ReplaceAllString(line, "")
		for _, never := range []string{"<img", "[a](", "**bold", " | [", "</script>"} {
			if at := strings.Index(rest, never); at >= 0 && (at == 0 || rest[at-1] != '\\') {
				t.Errorf("line %d has %q: %s", i+1, never, line)
			}
		}
		if strings.HasPrefix(line, "# ") {
			t.Errorf("line %d is a title: %s", i+1, line)
		}
		if strings.HasPrefix(line, "|") {
			if cells := len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(line, -1)); cells < 5 || cells > 8 {
				t.Errorf("line %d has %d borders of cells: %s", i+1, cells, line)
			}
		}
	}
	if fence != "" {
		t.Errorf("a block that begins with %s has no end", fence)
	}
}

func TestASummaryHasLessThanAMegabyte(t *testing.T) {
	r := made(t)
	failed, changed := r.Scenarios[1], r.Scenarios[4]
	for range 1000 {
		failed.Verdicts = append(failed.Verdicts, failed.Verdicts[0])
		changed.Baseline.Changes = append(changed.Baseline.Changes, changed.Baseline.Changes[0])
	}
	for range 300 {
		r.Scenarios = append(r.Scenarios, failed, changed)
	}
	text := written(t, r, "summary.md")
	if len(text) > 1<<20 {
		t.Errorf("it has %d bytes", len(text))
	}
	// Three failed before, and one changed; of failed's 1002 rows 100 are shown.
	for _, want := range []string{"And 283 more failed", "And 281 more changed", "And 902 more."} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

func TestAReportOfNothingSaysSo(t *testing.T) {
	for name := range writers {
		text := written(t, &Report{Wall: time.Second}, name)
		if name != "junit.xml" && !strings.Contains(text, "No scenario was checked") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestWritersReportThatTheyCouldNotWrite(t *testing.T) {
	for name, write := range writers {
		if err := write(made(t), full{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestBarsShowDifferencesAndTheirIntervals(t *testing.T) {
	c := baseline.Change{}
	c.Base.Mean.Value, c.Now.Mean.Value = 200, 150
	c.Difference.Interval.Low, c.Difference.Interval.High, c.Difference.Interval.Confidence = -75, -25, 0.99
	// The edge is at half of the base: −50 of 200 is half of the way to it.
	if b := barOf(c, 0.5); *b != (bar{At: 30, Low: 15, Wide: 30}) {
		t.Errorf("%+v", *b)
	}
	c.Difference.Interval.Confidence = 0
	if b := barOf(c, 0.5); *b != (bar{At: 30, Low: 30}) {
		t.Errorf("without an interval: %+v", *b)
	}
}

func TestAKnownDeviationThatIsGoneFails(t *testing.T) {
	r := made(t)
	gone := &r.Scenarios[6]
	if gone.Verdicts[0].Status != expect.Gone || gone.result() != "failed" {
		t.Errorf("%s: %s", gone.Verdicts[0].Status, gone.result())
	}
}
