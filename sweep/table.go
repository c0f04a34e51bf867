package sweep

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
)

// The files with what the runs of a study achieved.
const (
	parquetFile = "results.parquet" // a row for each cell, seed and metric
	csvFile     = "results.csv"     // the same
	runsFile    = "runs.csv"        // a row for each run, also for those that have no result
	reportFile  = "report.html"
)

// design are the columns that tell cells apart: of each axis its text, and of one with
// quantities also their sizes in the base unit.
type design struct {
	names []string
	sized []bool      // of each column whether it has sizes
	texts [][]string  // of each cell
	sizes [][]float64 // of each cell; of columns of texts 0
}

// suffixes make the names of the columns of sizes, which programs for tables of data
// take without quotes as far as the paths of scenarios allow.
var suffixes = map[string]string{"1": "number", "bit/s": "bit_per_s", "B": "bytes", "s": "s", "%": "percent"}

func (s *Study) design() design {
	d := design{texts: make([][]string, len(s.Cells)), sizes: make([][]float64, len(s.Cells))}
	for i, axis := range s.Axes {
		d.names, d.sized = append(d.names, axis.Path), append(d.sized, false)
		_, unit, sized := quantity.ParseAll(axis.Values)
		if sized {
			suffix, ok := suffixes[unit]
			if !ok {
				suffix = strings.ToLower(unit)
			}
			d.names, d.sized = append(d.names, axis.Path+"_"+suffix), append(d.sized, true)
		}
		for k, cell := range s.Cells {
			d.texts[k], d.sizes[k] = append(d.texts[k], cell.Values[i]), append(d.sizes[k], 0)
			if sized {
				size, _, _ := quantity.Parse(cell.Values[i])
				d.texts[k], d.sizes[k] = append(d.texts[k], number(size)), append(d.sizes[k], size)
			}
		}
	}
	return d
}

// number writes a value so that it is read again as it was.
func number(v float64) string {
	if size := math.Abs(v); v == 0 || size >= 1e-4 && size < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// results writes the table of all metrics, as Parquet and as CSV, run by run.
type results struct {
	design  design
	parquet *parquet.GenericWriter[any]
	csv     *csv.Writer
	rows    []parquet.Row // reused
	fields  []string      // reused
}

// groupRows is how many rows are in memory before they are written.
const groupRows = 16 << 10

func newResults(d design, to, csvTo io.Writer) (*results, error) {
	names := slices.Concat([]string{"cell"}, d.names, []string{"seed", "fingerprint", "metric", "entity", "unit", "value"})
	text := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	columns := ordered{names: names, Group: parquet.Group{
		"cell": parquet.Encoded(parquet.Int(32), &parquet.RLEDictionary), "seed": parquet.Encoded(parquet.Uint(64), &parquet.RLEDictionary),
		"fingerprint": text, "metric": text, "entity": text, "unit": text, "value": parquet.Leaf(parquet.DoubleType),
	}}
	for i, name := range d.names {
		if _, taken := columns.Group[name]; taken {
			return nil, fmt.Errorf("the table of results has a column %s of its own, which %s cannot have too", name, name)
		}
		columns.Group[name] = text
		if d.sized[i] {
			columns.Group[name] = parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary)
		}
	}
	r := &results{design: d, csv: csv.NewWriter(csvTo)}
	r.parquet = parquet.NewGenericWriter[any](to, parquet.NewSchema("results", columns),
		parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("wtsim", "", ""))
	return r, r.csv.Write(names)
}

// add adds the metrics of a run.
func (r *results) add(of Result) error {
	r.rows = r.rows[:0]
	for _, m := range of.Metrics {
		if err := r.row(of, m); err != nil {
			return err
		}
	}
	_, err := r.parquet.WriteRows(r.rows)
	return err
}

func (r *results) row(of Result, m analysis.Metric) error {
	n := len(r.rows)
	if n < cap(r.rows) {
		r.rows = r.rows[:n+1]
	} else {
		r.rows = append(r.rows, nil)
	}
	row, fields := r.rows[n][:0], r.fields[:0]
	put := func(v parquet.Value, text string) {
		row, fields = append(row, v.Level(0, 0, len(row))), append(fields, text)
	}
	word := func(text string) { put(parquet.ByteArrayValue([]byte(text)), text) }
	put(parquet.Int32Value(int32(of.Cell)), strconv.Itoa(of.Cell))
	for i, sized := range r.design.sized {
		if text := r.design.texts[of.Cell][i]; sized {
			put(parquet.DoubleValue(r.design.sizes[of.Cell][i]), text)
		} else {
			word(text)
		}
	}
	put(parquet.Int64Value(int64(of.Seed)), strconv.FormatUint(of.Seed, 10))
	word(of.Info.Fingerprint)
	word(m.Name)
	word(m.Entity)
	word(m.Unit)
	put(parquet.DoubleValue(m.Value), number(m.Value))
	r.rows[n], r.fields = row, fields
	return r.csv.Write(fields)
}

// close writes what is left.
func (r *results) close() error {
	r.csv.Flush()
	if err := r.csv.Error(); err != nil {
		return err
	}
	return r.parquet.Close()
}

// ordered is a group of columns in the order of their names here, not of the alphabet.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

// runs writes the table of runs.
type runs struct {
	design design
	csv    *csv.Writer
}

func newRuns(d design, to io.Writer) (*runs, error) {
	r := &runs{d, csv.NewWriter(to)}
	return r, r.csv.Write(slices.Concat([]string{"cell"}, d.names,
		[]string{"seed", "state", "fingerprint", "ended", "determinism", "virtual_s", "wall_s", "datagrams", "failure"}))
}

// add adds a run; of one without a result, info is empty.
func (r *runs) add(of visited) error {
	fields := slices.Concat([]string{strconv.Itoa(of.Cell)}, r.design.texts[of.Cell], []string{strconv.FormatUint(of.Seed, 10), string(of.state)})
	if of.state == done {
		i := of.result.Info
		fields = append(fields, i.Fingerprint, string(i.Ended), string(i.Determinism), number(i.Virtual.Seconds()), number(i.Wall.Seconds()), strconv.FormatUint(i.Datagrams, 10), "")
	} else {
		fields = append(fields, "", "", "", "", "", "", of.why)
	}
	return r.csv.Write(fields)
}

func (r *runs) close() error {
	r.csv.Flush()
	return r.csv.Error()
}
