package analysis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
)

// metricsFile is the file with the metrics in the folder of a recording.
const metricsFile = "metrics.json"

// fingerprintKey is the key in it of the fingerprint of the run; no metric has that name.
const fingerprintKey = "fingerprint"

// WriteMetrics adds metrics to the recording in dir, as metrics.json, with the
// fingerprint of the run that they are of, which may be empty.
func WriteMetrics(dir, fingerprint string, m Metrics) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", metricsFile, err)
	}
	if fingerprint != "" {
		rest := text[1:]
		if len(m) > 0 {
			rest = append([]byte{','}, rest...)
		}
		text = append(fmt.Appendf(nil, "{%q:%q", fingerprintKey, fingerprint), rest...)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return fmt.Errorf("encode %s: %w", metricsFile, err)
	}
	b.WriteByte('\n')
	_, err = wholefile.Write(filepath.Join(dir, metricsFile), func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// ReadMetrics reads the metrics.json of the recording in dir that run
// describes. It refuses one that is broken, has the fingerprint of another run, or
// has metrics of what run does not describe; one without a fingerprint is read.
// Metrics that this version of wtsim does not define have the zero [Definition].
func ReadMetrics(dir string, run record.Run) (Metrics, error) {
	path := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the recording %s has no %s: run the scenario again", dir, metricsFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	m, err := ParseMetrics(text, run)
	if errors.Is(err, errOtherRun) {
		return nil, fmt.Errorf("%s %w; run the scenario again", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is broken: %w", path, err)
	}
	return m, nil
}

// ParseMetrics reads the metrics of a run as [WriteMetrics] and [Metrics.MarshalJSON] write
// them. Those that this version of wtsim does not define have the zero [Definition].
func ParseMetrics(text []byte, run record.Run) (Metrics, error) {
	kinds, groups := entityKinds(run), groupsOf(run)
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.Join(errors.New("it is not an object of metrics"), err)
	}
	var all Metrics
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, truncated(err)
		}
		name := key.(string) // the keys of an object are strings
		if name == fingerprintKey {
			var fingerprint string
			if err := decoder.Decode(&fingerprint); err != nil {
				return nil, fmt.Errorf("%s: %w", name, truncated(err))
			}
			if fingerprint != run.Fingerprint {
				return nil, fmt.Errorf("%w: its fingerprint is %q, that of run.json is %q", errOtherRun, fingerprint, run.Fingerprint)
			}
			continue
		}
		var number struct {
			Value *float64 `json:"value"`
			Unit  *string  `json:"unit"`
		}
		switch err := decoder.Decode(&number); {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, truncated(err))
		case number.Value == nil || number.Unit == nil:
			return nil, fmt.Errorf("%s: expected an object with a value and a unit", name)
		case seen[name]:
			return nil, fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
		m := Metric{Name: name, Value: *number.Value, Unit: *number.Unit}
		var ok bool
		if m.Entity, m.definition, ok = identify(name, kinds); !ok {
			return nil, fmt.Errorf("%s is the metric of nothing that run.json describes", name)
		}
		_, m.Member = groups[m.Entity]
		all = append(all, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, truncated(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the object of metrics")
	}
	return all, nil
}

// errOtherRun says that metrics and run do not belong together.
var errOtherRun = errors.New("has the metrics of another run")

// truncated says what the end of a text in its middle means.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends too early: %w", err)
	}
	return err
}

// entityKinds returns the entities of a run and its groups, each with the
// pattern that definitions have for it.
func entityKinds(run record.Run) map[string]string {
	kinds := map[string]string{}
	put := func(kind string, entities ...string) {
		for _, entity := range entities {
			kinds[entity] = kind
		}
	}
	for _, f := range run.Flows {
		put(ofFlow, f.Entity, f.Group)
	}
	for _, s := range run.Sessions {
		put(ofSession, s.Entity, s.Group)
		for _, connection := range []string{s.Connection, connectionOf(s.Group)} {
			put(ofConnection, connection+".client", connection+".server")
		}
	}
	for _, t := range run.Traffic {
		put(ofTraffic, t.Entity, t.Group)
	}
	for _, l := range run.Links {
		put(ofLink, linkEntity(l.Name, record.Forward), linkEntity(l.Name, record.Reverse))
	}
	delete(kinds, "") // what belongs to no group
	return kinds
}

// identify returns the entity and the definition of the metric of a name,
// nil if it has none, and whether it is the metric of anything.
func identify(name string, kinds map[string]string) (string, *Definition, bool) {
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if kind, ok := kinds[name[:end]]; ok {
			return name[:end], definitionOf(kind, name[end:]), true
		}
	}
	d := definitionOf(ofRun, "."+name)
	return ofRun, d, d != nil
}

// definitionOf returns the definition of a metric by what its name has after
// the entity's, nil if there is none.
func definitionOf(kind, suffix string) *Definition {
	group := suffix
	for _, statistic := range groupStatistics {
		if before, ok := strings.CutSuffix(suffix, "."+statistic.name); ok {
			group = before
		}
	}
	var ofGroup *Definition
	for _, d := range registry {
		switch {
		case d.entity != kind:
		case d.suffix == suffix, strings.HasSuffix(d.Pattern, ".REASON") && strings.HasPrefix(suffix, d.suffix+"."):
			return d
		case d.Grouped && d.suffix == group:
			ofGroup = d
		}
	}
	return ofGroup
}
