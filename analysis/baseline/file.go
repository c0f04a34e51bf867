package baseline

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
)

// Format is the version of the files that this package writes and reads.
const Format = 1

// File is what runs of a scenario achieved. Of their metrics it has those by which a
// change is judged (see [analysis.Metric.Headline]).
type File struct {
	Suite    string
	Scenario string
	SHA256   string // of the scenario as resolved and of the files that it names, in hexadecimal
	Versions record.Versions
	Runs     []Run    // in order of their seeds
	Metrics  []Metric // in the order of [analysis.Metrics]
}

// Run is a run of the scenario.
type Run struct {
	Seed        uint64 `json:"seed"`
	Fingerprint string `json:"fingerprint"`
}

// Metric is a metric of all runs.
type Metric struct {
	Name   string
	Unit   string
	Better analysis.Better
	Values []float64 // parallel to the runs; NaN where one has no such metric
}

// Achieved is what a run achieved.
type Achieved struct {
	Info    *record.Run
	Metrics analysis.Metrics
}

// From makes the baseline of runs of a scenario that differ in nothing but their
// seeds, of which there is one at least.
func From(suite string, runs []Achieved) (File, error) {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b Achieved) int { return cmp.Compare(a.Info.Seed, b.Info.Seed) })
	first := runs[0].Info
	f := File{Suite: suite, Scenario: first.Name, Versions: first.Versions}
	var err error
	if f.SHA256, err = hash(first); err != nil {
		return f, err
	}
	place := make(map[string]int)
	for i, r := range runs {
		f.Runs = append(f.Runs, Run{r.Info.Seed, r.Info.Fingerprint})
		for _, m := range r.Metrics {
			better, ok := m.Headline()
			if !ok {
				continue
			}
			at, known := place[m.Name]
			if !known {
				at = len(f.Metrics)
				place[m.Name] = at
				f.Metrics = append(f.Metrics, Metric{Name: m.Name, Unit: m.Unit, Better: better, Values: nans(len(runs))})
			}
			f.Metrics[at].Values[i] = m.Value
		}
	}
	return f, nil
}

func nans(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}

// hash covers all that a scenario's results depend on besides the software and the
// seed. What it says about itself and expects changes none of its packets.
func hash(info *record.Run) (string, error) {
	values, err := info.ScenarioValues()
	if err != nil {
		return "", err
	}
	maps.DeleteFunc(values, func(path, value string) bool {
		return path == "seed" || path == "description" || path == "long" || strings.HasPrefix(path, "expect[") || added(path, value)
	})
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(h, "%q=%q\n", path, values[path])
	}
	for _, input := range info.Inputs {
		fmt.Fprintf(h, "%q %s\n", input.Name, input.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// added reports whether a key came to the language after baselines were written, and
// has the value that stands for how it was before: so that those are still of the same scenario.
func added(path, value string) bool {
	switch {
	case strings.HasSuffix(path, "quic.resumption"):
		return value == "none"
	case strings.HasSuffix(path, "loss.burst"), strings.HasSuffix(path, "corrupt.burst"):
		return value == "0"
	}
	return false
}

// set returns those of the runs whose seeds are also among others, as package seeds
// compares them.
func (f *File) set(others []Run) seeds.Set {
	s := seeds.Set{Name: f.Scenario, Versions: f.Versions}
	for i, r := range f.Runs {
		if !slices.ContainsFunc(others, func(o Run) bool { return o.Seed == r.Seed }) {
			continue
		}
		run := seeds.Run{Seed: r.Seed, Fingerprint: r.Fingerprint}
		for _, m := range f.Metrics {
			if v := m.Values[i]; !math.IsNaN(v) {
				run.Metrics = append(run.Metrics, analysis.Metric{Name: m.Name, Value: v, Unit: m.Unit})
			}
		}
		s.Runs = append(s.Runs, run)
	}
	return s
}

// Path returns where the baseline of a suite's scenario is in a folder of baselines.
func Path(folder, suite, scenario string) string {
	return filepath.Join(folder, suite, scenario+".json")
}

// column is a metric as the file has it.
type column struct {
	Unit   string          `json:"unit"`
	Better analysis.Better `json:"better"`
	Values []*float64      `json:"values"`
}

// head is the part of a file before its metrics.
type head struct {
	Format   int             `json:"format"`
	Suite    string          `json:"suite"`
	Scenario string          `json:"scenario"`
	SHA256   string          `json:"scenario_sha256"`
	Versions record.Versions `json:"versions"`
	Runs     []Run           `json:"runs"`
}

// Write writes the file, whole or not at all, and the folder in which it is.
func (f *File) Write(path string) error {
	text, err := f.encode()
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("write a baseline: %w", err)
	}
	_, err = wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("write a baseline: %w", err)
	}
	return nil
}

// encode returns the text of the file, a line for each run and metric.
func (f *File) encode() ([]byte, error) {
	var b bytes.Buffer
	line := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and finite numbers only
		}
		return text
	}
	fmt.Fprintf(&b, "{\n  \"format\": %d,\n  \"suite\": %s,\n  \"scenario\": %s,\n  \"scenario_sha256\": %s,\n  \"versions\": %s,\n  \"runs\": [",
		Format, line(f.Suite), line(f.Scenario), line(f.SHA256), line(f.Versions))
	for i, r := range f.Runs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s", line(r))
	}
	b.WriteString("\n  ],\n  \"metrics\": {")
	for i, m := range f.Metrics {
		if i > 0 {
			b.WriteByte(',')
		}
		c := column{Unit: m.Unit, Better: m.Better, Values: make([]*float64, len(m.Values))}
		for k := range m.Values {
			if v := m.Values[k]; !math.IsNaN(v) {
				c.Values[k] = &v
			}
		}
		fmt.Fprintf(&b, "\n    %s: %s", line(m.Name), line(c))
	}
	b.WriteString("\n  }\n}\n")
	if !json.Valid(b.Bytes()) {
		return nil, errors.New("the text is no JSON")
	}
	return b.Bytes(), nil
}

// Read reads a file. The error of one that is not there is fs.ErrNotExist.
func Read(path string) (File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, err
	}
	if err != nil {
		return File{}, fmt.Errorf("read a baseline: %w", err)
	}
	f, err := parse(text)
	if err != nil {
		return File{}, fmt.Errorf("baseline %s: %w; without the file, 'wtsim check --update' writes it anew", path, err)
	}
	return f, nil
}

func parse(text []byte) (File, error) {
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return File{}, fmt.Errorf("is broken: %w", err)
	}
	switch {
	case h.Format == 0:
		return File{}, errors.New("is no baseline: it has no format")
	case h.Format > Format:
		return File{}, fmt.Errorf("has format %d, of a later version of wtsim; this one reads format %d", h.Format, Format)
	case h.Format < Format:
		return File{}, fmt.Errorf("has format %d, of an earlier version of wtsim; this one reads format %d", h.Format, Format)
	case len(h.Runs) == 0:
		return File{}, errors.New("is broken: it has no runs")
	}
	for i, r := range h.Runs {
		if i > 0 && r.Seed <= h.Runs[i-1].Seed {
			return File{}, fmt.Errorf("is broken: seed %d follows seed %d", r.Seed, h.Runs[i-1].Seed)
		}
	}
	f := File{Suite: h.Suite, Scenario: h.Scenario, SHA256: h.SHA256, Versions: h.Versions, Runs: h.Runs}
	var err error
	f.Metrics, err = parseMetrics(text, len(h.Runs))
	if err != nil {
		return File{}, fmt.Errorf("is broken: %w", err)
	}
	return f, nil
}

// parseMetrics reads the metrics in the order of the file.
func parseMetrics(text []byte, runs int) ([]Metric, error) {
	var body struct {
		Metrics json.RawMessage `json:"metrics"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	if len(body.Metrics) == 0 || body.Metrics[0] != '{' {
		return nil, errors.New("it has no object of metrics")
	}
	decoder := json.NewDecoder(bytes.NewReader(body.Metrics))
	decoder.Token()
	var all []Metric
	seen := make(map[string]bool)
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string) // the keys of an object are strings
		var c column
		if err := decoder.Decode(&c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case seen[name]:
			return nil, fmt.Errorf("%s is there twice", name)
		case len(c.Values) != runs:
			return nil, fmt.Errorf("%s has %d values for %d runs", name, len(c.Values), runs)
		case c.Better != analysis.MoreIsBetter && c.Better != analysis.LessIsBetter:
			return nil, fmt.Errorf("%s: better is %q; expected %q or %q", name, c.Better, analysis.MoreIsBetter, analysis.LessIsBetter)
		}
		seen[name] = true
		m := Metric{Name: name, Unit: c.Unit, Better: c.Better, Values: nans(runs)}
		for i, v := range c.Values {
			if v != nil {
				m.Values[i] = *v
			}
		}
		all = append(all, m)
	}
	return all, nil
}
