package record

import (
	"fmt"
	"iter"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Recording is a finished recording that is read. It keeps no file open; each
// iteration reads its table from the start and holds one row group of it.
type Recording struct {
	Run Run
	dir string
}

// Open opens the recording in the folder dir. It refuses a folder that is not
// a recording, one of another schema version, and one whose tables are
// missing, truncated, or not as long as run.json says. A table that was not
// recorded is not missing: see [Run.Has].
func Open(dir string) (*Recording, error) {
	info, err := ReadRun(dir)
	if err != nil {
		return nil, err
	}
	for _, table := range Tables() {
		if !info.Has(table) {
			continue
		}
		t, err := openTable(filepath.Join(dir, table.file()), columnsOf(table))
		if err != nil {
			return nil, err
		}
		found := t.rows()
		t.close()
		if expected := info.Rows[table]; found != expected {
			return nil, fmt.Errorf("%s has %d rows, and %s says %d: it belongs to another recording; run the scenario again", filepath.Join(dir, table.file()), found, runFile, expected)
		}
	}
	return &Recording{Run: info, dir: dir}, nil
}

// Dir returns the recording's folder.
func (r *Recording) Dir() string { return r.dir }

// Packets returns the rows of the table packets, in order: none if it was not
// recorded. An error ends the iteration.
func (r *Recording) Packets() iter.Seq2[Packet, error] {
	return read(r, TablePackets, func() rowReader[Packet] { return new(packetReader) })
}

// Samples returns the rows of the table series, in order: none if it was not
// recorded. An error ends the iteration.
func (r *Recording) Samples() iter.Seq2[Sample, error] {
	return read(r, TableSeries, func() rowReader[Sample] { return new(sampleReader) })
}

// Events returns the rows of the table events, in order: none if it was not
// recorded. An error ends the iteration.
func (r *Recording) Events() iter.Seq2[Event, error] {
	return read(r, TableEvents, func() rowReader[Event] { return new(eventReader) })
}

// columnsOf returns the columns that a table must have.
func columnsOf(t Table) []readColumn {
	switch t {
	case TablePackets:
		return new(packetReader).columns()
	case TableSeries:
		return new(sampleReader).columns()
	}
	return new(eventReader).columns()
}

// A rowReader makes rows of the columns of a row group.
type rowReader[T any] interface {
	columns() []readColumn
	row(i int) (T, error)
}

// read iterates over the rows of a table, row group by row group.
func read[T any](r *Recording, table Table, newReader func() rowReader[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if !r.Run.Has(table) {
			return
		}
		var zero T
		reader := newReader()
		columns := reader.columns()
		t, err := openTable(filepath.Join(r.dir, table.file()), columns)
		if err != nil {
			yield(zero, err)
			return
		}
		defer t.close()
		for g := range t.groups() {
			n, err := t.readGroup(g, columns)
			if err != nil {
				yield(zero, err)
				return
			}
			for i := range n {
				row, err := reader.row(i)
				if err != nil {
					yield(zero, fmt.Errorf("%s is broken: row group %d, row %d: %w", t.path, g, i, err))
					return
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

type packetReader struct {
	id, sent, done, queueDelay                  longs
	size, ecn, sentECN                          shorts
	link, direction, source, dest, fate, reason texts

	sources, dests []netip.AddrPort // the addresses of the dictionaries
}

func (r *packetReader) columns() []readColumn {
	return []readColumn{
		{"id", &r.id}, {"sent", &r.sent}, {"done", &r.done}, {"link", &r.link},
		{"direction", &r.direction}, {"source", &r.source}, {"dest", &r.dest},
		{"size", &r.size}, {"ecn", &r.ecn}, {"sent_ecn", &r.sentECN},
		{"fate", &r.fate}, {"reason", &r.reason}, {"queue_delay", &r.queueDelay},
	}
}

func (r *packetReader) row(i int) (Packet, error) {
	if i == 0 {
		var err error
		if r.sources, err = parseAddresses(r.sources, &r.source); err != nil {
			return Packet{}, err
		}
		if r.dests, err = parseAddresses(r.dests, &r.dest); err != nil {
			return Packet{}, err
		}
	}
	direction, err := codeOf(directions[:], r.direction.at(i), "direction")
	if err != nil {
		return Packet{}, err
	}
	fate, err := codeOf(fates[:], r.fate.at(i), "fate")
	if err != nil {
		return Packet{}, err
	}
	return Packet{
		ID:         uint64(r.id.values[i]),
		Sent:       time.Duration(r.sent.values[i]),
		Done:       time.Duration(r.done.values[i]),
		Link:       r.link.at(i),
		Direction:  Direction(direction),
		Source:     r.sources[r.source.codes[i]],
		Dest:       r.dests[r.dest.codes[i]],
		Size:       netem.Bytes(r.size.values[i]),
		ECN:        uint8(r.ecn.values[i]),
		SentECN:    uint8(r.sentECN.values[i]),
		Fate:       Fate(fate),
		Reason:     r.reason.at(i),
		QueueDelay: time.Duration(r.queueDelay.values[i]),
	}, nil
}

// parseAddresses parses the names of a column, of which those that it has kept
// are known.
func parseAddresses(known []netip.AddrPort, column *texts) ([]netip.AddrPort, error) {
	known = known[:column.kept]
	for _, name := range column.names[column.kept:] {
		var a netip.AddrPort
		if name != "" {
			var err error
			if a, err = netip.ParseAddrPort(name); err != nil {
				return nil, err
			}
		}
		known = append(known, a)
	}
	return known, nil
}

// codeOf returns the index of a name.
func codeOf(names []string, name, what string) (int, error) {
	if i := slices.Index(names, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%q is not a %s", name, what)
}

type sampleReader struct {
	time         longs
	name, entity texts
	value        reals
}

func (r *sampleReader) columns() []readColumn {
	return []readColumn{{"time", &r.time}, {"name", &r.name}, {"entity", &r.entity}, {"value", &r.value}}
}

func (r *sampleReader) row(i int) (Sample, error) {
	return Sample{
		Time:   time.Duration(r.time.values[i]),
		Name:   r.name.at(i),
		Entity: r.entity.at(i),
		Value:  r.value.values[i],
	}, nil
}

type eventReader struct {
	time, value              longs
	kind, entity, side, text texts
}

func (r *eventReader) columns() []readColumn {
	return []readColumn{
		{"time", &r.time}, {"kind", &r.kind}, {"entity", &r.entity},
		{"side", &r.side}, {"value", &r.value}, {"text", &r.text},
	}
}

func (r *eventReader) row(i int) (Event, error) {
	return Event{
		Time:   time.Duration(r.time.values[i]),
		Kind:   r.kind.at(i),
		Entity: r.entity.at(i),
		Side:   r.side.at(i),
		Value:  r.value.values[i],
		Text:   r.text.at(i),
	}, nil
}
