package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

func TestAReportSaysHowARunEndedAndWhatItAchieved(t *testing.T) {
	text := pageOfRuns(t, madeRun(1).write(t, filepath.Join(t.TempDir(), "1")))
	for _, want := range []string{
		"<h1>made</h1>",
		"A download over one link.",
		"Complete: every task finished within 10.0\u00a0s of virtual time.",
		"No session and no flow failed.",
		"Sealed: the same scenario and seed give the same fingerprint.",
		"Of 1\u00a0expectation 1\u00a0met.",
		"≥ 10.0 Mbit/s",
		"wtsim run made.toml --seed 1",
		"<dt>quic-go</dt><dd>v0.65.0</dd>",
		`<figure id="a-throughput"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestExpectationsThatAreNotMetShowAtTheTop(t *testing.T) {
	m := madeRun(1)
	m.text += "[[expect]]\nmetric = \"flows.bulk.goodput\"\nmax = \"1Mbit/s\"\nknown = \"the link is fast\"\n"
	text := pageOfRuns(t, m.write(t, filepath.Join(t.TempDir(), "1")))
	for _, want := range []string{"Of 2\u00a0expectations 1\u00a0met, 1\u00a0known not to be.", "known deviation", "the link is fast", `class="verdict good"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	m.text += "[[expect]]\nmetric = \"flows.blk.goodput\"\nmax = \"1Mbit/s\"\n"
	text = pageOfRuns(t, m.write(t, filepath.Join(t.TempDir(), "1")), m.write(t, filepath.Join(t.TempDir(), "2")))
	for _, want := range []string{"Of 3\u00a0expectations 1\u00a0met, 1\u00a0known not to be, 1\u00a0failed.", "the run has no metric flows.blk.goodput", `class="verdict bad"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestTheSameRecordingGivesTheSameBytes(t *testing.T) {
	dir := madeRun(1).write(t, filepath.Join(t.TempDir(), "1"))
	first, second := pageOfRuns(t, dir), pageOfRuns(t, dir)
	if first != second {
		t.Error("two reports on one recording differ")
	}
}

func TestAReportLoadsNothing(t *testing.T) {
	text := pageOfRuns(t, madeRun(1).write(t, filepath.Join(t.TempDir(), "1")))
	for _, pattern := range []string{`(?i)<(img|iframe|object|embed|audio|video|source)\b`, `(?i)<script[^>]+src`, `(?i)<link[^>]+href="[^d]`, `@import`, `url\((?:"|')?http`} {
		if found := regexp.MustCompile(pattern).FindString(text); found != "" {
			t.Errorf("the report has %q, which would load something", found)
		}
	}
	if !strings.Contains(text, `<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;`) {
		t.Error("no policy forbids the report to load anything")
	}
}

const hostile = `</script><img src=x onerror="document.title='hit'">`

func TestNamesAndErrorsAreTextAndNothingElse(t *testing.T) {
	m := madeRun(1)
	m.Name = hostile
	m.Overrides = []string{"name=" + hostile}
	m.text = "description = '''" + hostile + "'''\n[links.access]\nrate = '" + `</script><b>` + "'\n"
	m.Links[0].Between = [2]string{hostile, "<b>"}
	m.Flows[0].From = hostile
	m.Inputs = []record.Input{{Name: hostile, SHA256: hostile}}
	m.events = append(m.events, record.Event{Time: 9 * second, Kind: record.EventFlowFailed, Entity: "flows.bulk", Text: hostile})
	text := pageOfRuns(t, m.write(t, filepath.Join(t.TempDir(), "1")))
	for _, never := range []string{"<img", "</script><", "<b>&", "<b></dd>"} {
		if i := strings.Index(text, never); i >= 0 {
			t.Errorf("the page has %q in %q", never, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	if !strings.Contains(text, "&lt;/script&gt;&lt;img") {
		t.Error("the page does not show the name at all")
	}
	_, rest, _ := strings.Cut(text, `id="charts">`)
	charts, _, _ := strings.Cut(rest, "</script>")
	var parsed map[string][]chart
	if err := json.Unmarshal([]byte(charts), &parsed); err != nil {
		t.Fatalf("the data of the figures is no JSON: %v", err)
	}
	if name := parsed["a-throughput"][0].Name; !strings.HasPrefix(name, hostile) {
		t.Errorf("the graph's name is %q", name)
	}
}

func TestAReportOnSeedsSaysHowManyEndedHow(t *testing.T) {
	dir := t.TempDir()
	for seed := range uint64(3) {
		m := madeRun(seed + 1)
		m.bytes += 1e5 * float64(seed)
		if seed == 2 {
			m.Ended, m.Unfinished = record.TimeLimit, []string{"flow bulk"}
			m.events = append(m.events, record.Event{Time: 9 * second, Kind: record.EventFlowFailed, Entity: "flows.bulk", Text: "no more"})
		}
		m.write(t, filepath.Join(dir, string(rune('1'+seed))))
	}
	text := pageOfRuns(t, dir)
	for _, want := range []string{
		"3\u00a0runs: 2\u00a0complete, 1\u00a0at the time limit.",
		"1\u00a0failure of sessions and flows in 1\u00a0run.",
		"Failed with seed 3, the first such",
		"seed 1, the first of 3",
		"Metrics over 3 seeds",
		"the 95 % confidence interval of the mean",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestAReportOnTwoSetsComparesThem(t *testing.T) {
	dir := t.TempDir()
	for seed := uint64(1); seed <= 3; seed++ {
		name := string(rune('0' + seed))
		madeRun(seed).write(t, filepath.Join(dir, "before", name))
		m := madeRun(seed)
		m.text = strings.Replace(m.text, "20ms", "40ms", 1)
		m.Overrides = []string{"links.access.delay=40ms"}
		m.bytes += 1e5
		m.write(t, filepath.Join(dir, "after", name))
	}
	text := pageOfRuns(t, filepath.Join(dir, "before"), filepath.Join(dir, "after"))
	for _, want := range []string{
		"B against A",
		"links.access.delay: 20ms → 40ms",
		`<option value="part-b">B: made with links.access.delay=40ms, 3 seeds, 1 to 3</option>`,
		`<figure id="b-throughput"`,
		"Differences are B − A with the same seed",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	three := pageOfRuns(t, dir, filepath.Join(dir, "before"))
	if !strings.Contains(three, "Comparison of 3 sets of runs") || !strings.Contains(three, `<th scope="col">C</th>`) {
		t.Error("three sets are not beside each other")
	}
}

func TestARunWithoutTablesHasAReport(t *testing.T) {
	m := madeRun(1)
	m.text, m.events, m.Links, m.Flows, m.Sessions = "", nil, nil, nil, nil
	m.Ended, m.Determinism, m.Unsealed = record.Stalled, record.Unsealed, "it has no seal"
	dir := filepath.Join(t.TempDir(), "1")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(m.Run); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "metrics.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	text := pageOfRuns(t, dir)
	for _, want := range []string{"Stalled after 10.0\u00a0s", "Unsealed, so another run may differ: it has no seal."} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestAReportThatCannotBeWrittenLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := WriteFile(filepath.Join(dir, "report.html"), []string{filepath.Join(dir, "none")}, Options{}); err == nil {
		t.Error("there is a report on nothing")
	}
	if _, err := WriteFile(filepath.Join(dir, "report.html"), nil, Options{}); err == nil {
		t.Error("there is a report on no recording")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
