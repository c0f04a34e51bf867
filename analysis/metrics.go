package analysis

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// Metric is one number about a run.
type Metric struct {
	Name   string  // such as "flows.bulk.goodput"
	Entity string  // whose metric, such as "flows.bulk"; empty for the whole run
	Value  float64 // never NaN or infinite
	Unit   string  // as the definition says

	// Member says that the entity belongs to a group of equal ones, whose
	// metrics a table can show instead.
	Member bool

	definition *Definition
}

// Definition returns what the metric is: the zero Definition for a metric that
// another version of wtsim wrote and this one does not know.
func (m Metric) Definition() Definition {
	if m.definition == nil {
		return Definition{}
	}
	return *m.definition
}

// Metrics are the metrics of a run: of the run itself, then of its flows,
// sessions, connections, cross traffic and links, each in order of its name and then of the
// registry.
type Metrics []Metric

// Get returns the metric of a name, and whether there is one.
func (m Metrics) Get(name string) (Metric, bool) {
	if i := slices.IndexFunc(m, func(x Metric) bool { return x.Name == name }); i >= 0 {
		return m[i], true
	}
	return Metric{}, false
}

// MarshalJSON writes an object, from each name to its value and unit, in
// order.
func (m Metrics) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(struct {
			Value float64 `json:"value"`
			Unit  string  `json:"unit"`
		}{x.Value, x.Unit})
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// put adds a metric, unless its value does not exist.
func (m *Metrics) put(d *Definition, entity string, value float64) {
	m.putNamed(d, entity, "", value)
}

// putNamed adds a metric whose pattern ends in a name, such as REASON.
func (m *Metrics) putNamed(d *Definition, entity, last string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	name := strings.TrimPrefix(entity+d.suffix, ".")
	if last != "" {
		name += "." + last
	}
	*m = append(*m, Metric{Name: name, Entity: entity, Value: value, Unit: d.Unit, definition: d})
}

// putSummary adds the five numbers of a distribution that is not empty. Its
// values are thousand-millionths of the unit.
func (m *Metrics) putSummary(d summaryDefinition, entity string, of *distribution) {
	m.putSummaryOver(d, entity, of, 1)
}

// putSummaryOver is putSummary of the values divided by a base. Divided by 0
// they have no summary.
func (m *Metrics) putSummaryOver(d summaryDefinition, entity string, of *distribution, base float64) {
	if of.count == 0 {
		return
	}
	m.put(d.mean, entity, of.mean()/nano/base)
	m.put(d.p50, entity, float64(of.percentile(50))/nano/base)
	m.put(d.p95, entity, float64(of.percentile(95))/nano/base)
	m.put(d.p99, entity, float64(of.percentile(99))/nano/base)
	m.put(d.max, entity, float64(of.max)/nano/base)
}

const nano = 1e9

// sort puts the metrics into their order.
func (m Metrics) sort() {
	slices.SortStableFunc(m, func(a, b Metric) int {
		return cmp.Or(
			cmp.Compare(section(a.Entity), section(b.Entity)),
			compareEntities(a.Entity, b.Entity),
			cmp.Compare(a.definition.index, b.definition.index),
			compareEntities(a.Name, b.Name),
		)
	})
}

// The kinds of entities, in the order of metrics.
const (
	runSection = iota
	flowSection
	sessionSection
	connectionSection
	trafficSection
	linkSection
)

// section returns the place of an entity's kind in the order of metrics.
func section(entity string) int {
	switch {
	case entity == "":
		return runSection
	case strings.HasPrefix(entity, "flows.") || strings.Contains(entity, ".flows."):
		return flowSection
	case strings.HasPrefix(entity, "sessions."):
		return sessionSection
	case strings.HasPrefix(entity, "connections."):
		return connectionSection
	case strings.HasPrefix(entity, "traffic."):
		return trafficSection
	}
	return linkSection
}
