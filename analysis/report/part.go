package report

import (
	"fmt"
	"html/template"
	"path/filepath"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/internal/shell"
	"github.com/wtsim/wtsim/sim/record"
)

// part is what the page shows of a set of runs. Of several seeds, figures and
// tables are of the first.
type part struct {
	ID           string // begins the IDs of its elements
	Letter       string // of several sets
	Path         string
	Name         string
	Description  string
	Overrides    []string
	Seeds        string
	Shown        string // which run is shown, of several
	Verdict      verdict
	Expectations *table // what became of them; nil if the scenario has none
	Facts        []fact
	First, More  []picture // the figures that matter most, and all others
	Topology     template.HTML
	Network      string // the topology in words
	Tables       []table
	LeftOut      []string  // names of figures for which there was no room
	OverSeeds    *table    // of several seeds
	Over         []picture // of several seeds
	Metrics      table
	Scenario     []token
	FileName     string // of the scenario
	Command      string // that repeats the run
	Details      []detail
	Inputs       []record.Input
	Runs         *table // of several seeds
}

// detail is a fact about how a run came about.
type detail struct{ Name, Value string }

// newPart reads what the page shows of a set of runs.
func newPart(s seeds.Set, i int, several bool, o Options, r *room) (part, error) {
	rec, err := record.Open(s.Runs[0].Dir)
	if err != nil {
		return part{}, err
	}
	text, scenario, err := scenarioOf(rec.Run)
	if err != nil {
		return part{}, fmt.Errorf("%s: %w", rec.Dir(), err)
	}
	p := part{
		ID: strings.ToLower(letterOf(i)), Path: pathOf(s), Name: s.Name, Overrides: s.Overrides,
		Description: strings.TrimSpace(scenario.text("description")),
		Seeds:       seedsOf(s),
		FileName:    fileName(s.Name),
		Scenario:    highlight(text),
		Inputs:      rec.Run.Inputs,
	}
	if several {
		p.Letter = letterOf(i)
	}
	outcomes, err := outcomesOf(s)
	if err != nil {
		return part{}, err
	}
	p.Verdict = judgeAll(outcomes)
	verdicts, err := verdictsOn(outcomes)
	if err != nil {
		return part{}, fmt.Errorf("%s: %w", rec.Dir(), err)
	}
	p.Verdict.add(verdicts)
	p.Expectations = expectations(verdicts, p.ID)
	metrics := s.Runs[0].Metrics
	p.Facts = facts(rec.Run, metrics)
	if len(s.Runs) > 1 {
		over, err := summaryTable(s, o)
		if err != nil {
			return part{}, err
		}
		over.ID = p.ID + "-" + over.ID
		p.OverSeeds = &over
		p.Shown = fmt.Sprintf("seed %d, the first of %d", rec.Run.Seed, len(s.Runs))
		p.Runs = runsTable(outcomes, p.ID)
	}
	if err := p.draw(rec, metrics, r); err != nil {
		return part{}, err
	}
	n := networkOf(rec.Run, scenario)
	p.Topology, p.Network = drawTopology(n), describeNetwork(n)
	p.Tables = tablesOf(rec.Run, metrics)
	for i := range p.Tables {
		p.Tables[i].ID = p.ID + "-" + p.Tables[i].ID
	}
	p.Metrics = allMetrics(metrics)
	p.Metrics.ID = p.ID + "-" + p.Metrics.ID
	p.Command = command(rec.Run)
	p.Details = details(rec.Run)
	return p, nil
}

// draw makes the figures of the run, those that matter most apart, with a
// sentence each.
func (p *part) draw(rec *record.Recording, metrics analysis.Metrics, r *room) error {
	data, err := figure.FromRecording(rec)
	if err != nil {
		return err
	}
	sentences := map[string]string{
		"throughput": throughputSentence(rec.Run, metrics),
		"delay":      delaySentence(rec.Run, metrics),
		"timeline":   timelineSentence(metrics),
	}
	about := aboutOf(figure.Definitions())
	for _, f := range figure.All(data) {
		f.Title = strings.TrimSuffix(f.Title, ": "+data.Name)
		words, first := sentences[f.Name]
		if !first {
			words = about[f.Name]
		}
		pic, err := pictureOf(f, p.ID+"-"+f.Name, words)
		if err != nil {
			return err
		}
		switch {
		case !r.take(&pic):
			p.LeftOut = append(p.LeftOut, f.Name)
		case first:
			p.First = append(p.First, pic)
		default:
			p.More = append(p.More, pic)
		}
	}
	return nil
}

// outcomesOf reads how the runs of a set ended.
func outcomesOf(s seeds.Set) ([]outcome, error) {
	var all []outcome
	for _, r := range s.Runs {
		rec, err := record.Open(r.Dir)
		if err != nil {
			return nil, err
		}
		o := outcome{run: rec.Run}
		if o.failures, o.failed, err = analysis.Failures(rec, mostLines); err != nil {
			return nil, err
		}
		// What nothing is expected of need not be read again.
		wanted, err := expect.Read(&rec.Run)
		if err == nil && len(wanted) > 0 {
			o.judged, err = expect.Measure(rec)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Dir, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// verdictsOn judges the runs of a set.
func verdictsOn(all []outcome) ([]expect.Verdict, error) {
	runs := make([]expect.Run, len(all))
	for i, o := range all {
		runs[i] = o.judged
	}
	return expect.Judge(&all[0].run, runs)
}

// pathOf returns the folder of the recording, or that of several.
func pathOf(s seeds.Set) string {
	if len(s.Runs) == 1 {
		return s.Runs[0].Dir
	}
	return filepath.Dir(s.Runs[0].Dir)
}

// seedsOf names the seeds of a set, and says if they were not simulated.
func seedsOf(s seeds.Set) string {
	first, last := s.Runs[0].Seed, s.Runs[len(s.Runs)-1].Seed
	text := fmt.Sprintf("seed %d", first)
	if first != last {
		text = fmt.Sprintf("%d seeds, %d to %d", len(s.Runs), first, last)
	}
	if s.Manner != record.MannerSimulated {
		text += ", " + s.Manner.InWords()
	}
	return text
}

// runsTable lists the runs of a set.
func runsTable(all []outcome, id string) *table {
	t := &table{ID: id + "-runs", Title: "Runs", Columns: []header{
		{Title: "seed"}, {Title: "ended", Text: true}, {Title: "failures"}, {Title: clockOf(all[0].run)}, {Title: "datagrams"}, {Title: "sealed", Text: true}, {Title: "fingerprint", Text: true},
	}}
	for _, o := range all {
		if len(t.Rows) == mostRows {
			t.More++
			continue
		}
		r := o.run
		ended := strings.ReplaceAll(string(r.Ended), "_", " ")
		t.Rows = append(t.Rows, row{fmt.Sprint(r.Seed), []cell{
			{Text: ended, Key: ended, Class: "text"},
			{Text: fmt.Sprint(o.failed), Key: fmt.Sprint(o.failed)},
			{Text: quantity.Duration(r.Virtual.Seconds()), Key: key(r.Virtual.Seconds())},
			{Text: fmt.Sprint(r.Datagrams), Key: fmt.Sprint(r.Datagrams)},
			{Text: strings.ReplaceAll(string(r.Determinism), "_", " "), Key: string(r.Determinism), Class: "text"},
			{Text: r.Fingerprint, Key: r.Fingerprint, Class: "hash"},
		}})
	}
	return t
}

// details says what made a run, and what tells it from others.
func details(run record.Run) []detail {
	v, clock := run.Versions, clockOf(run)
	out := []detail{
		{"Fingerprint", run.Fingerprint},
		{"Determinism", sealInWords(run)},
		{"Seed", fmt.Sprint(run.Seed)},
		{"wtsim", v.Wtsim},
		{"quic-go", v.QUICGo},
		{"Go", v.Go},
		{"System", strings.Trim(v.OS+"/"+v.Arch, "/")},
		{strings.ToUpper(clock[:1]) + clock[1:], quantity.Duration(run.Virtual.Seconds())},
	}
	if run.Wall > 0 {
		out = append(out, detail{"Wall-clock time", quantity.Duration(run.Wall.Seconds())})
	}
	out = append(out, detail{"Datagrams", fmt.Sprint(run.Datagrams)})
	for _, remark := range analysis.RealTimeRemarks(run.RealTime) {
		out = append(out, detail{remark.About, remark.Text})
	}
	return out
}

// command returns the command that repeats a run.
func command(run record.Run) string {
	verb := "run"
	if run.Manner() == record.MannerEmulated {
		verb = "emulate"
	}
	words := []string{"wtsim", verb, shell.Quote(fileName(run.Name)), "--seed", fmt.Sprint(run.Seed)}
	switch run.Manner() {
	case record.MannerRealTime:
		words = append(words, "--real-time")
	case record.MannerEmulated:
		words = append(words, "--upstream", "ADDRESS:PORT")
	}
	for _, o := range run.Overrides {
		words = append(words, "--set", shell.Quote(o))
	}
	return strings.Join(words, " ")
}

// fileName returns a name for the file of a scenario.
func fileName(scenario string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r == 0x7f {
			return '-'
		}
		return r
	}, scenario)
	if strings.Trim(clean, "-.") == "" {
		clean = "scenario"
	}
	return clean + ".toml"
}
