package record

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
)

// Options configures a recording. The zero value is the usual one.
type Options struct {
	Without []Table // tables that are not recorded
	CSV     bool    // also write the tables as CSV: packets.csv, series.csv and events.csv

	// Temporary is the folder that is written into until the recording is
	// complete. It must not exist, and be on the same file system as the
	// recording. Empty means a folder beside the recording, whose name starts
	// with a dot and holds the process's number.
	Temporary string
}

// Writer writes a recording. It starts no goroutine, reads no clock and holds
// at most a few megabytes, however long the run. The bytes that it writes
// depend on the rows alone. Errors are kept and returned by Finish.
//
// The tables, as Parquet and as CSV, have the columns of [Packet], [Sample] and
// [Event]. Times are int64 nanoseconds of virtual time, and names are strings with a
// dictionary. What each column means, with its unit, is in the metadata of a Parquet
// file too, under the key "column." and its name.
type Writer struct {
	dir, temporary string
	fingerprint    Fingerprint

	packets struct {
		table
		id, sent, done, queueDelay                  longColumn
		size, ecn, sentECN                          shortColumn
		link, direction, source, dest, fate, reason stringColumn
	}
	paths cache[pathKey, pathCodes]

	series struct {
		table
		time         longColumn
		name, entity stringColumn
		value        realColumn
	}
	curves cache[curveKey, curveCodes]

	events struct {
		table
		time, value              longColumn
		kind, entity, side, text stringColumn
	}
}

// pathKey is what the datagrams of one flow of packets have in common.
type pathKey struct {
	link         string
	source, dest netip.AddrPort
}

// pathCodes holds the dictionary indexes of a pathKey.
type pathCodes struct{ link, source, dest int32 }

// curveKey identifies a time series.
type curveKey struct{ name, entity string }

// curveCodes holds the dictionary indexes of a curveKey.
type curveCodes struct{ name, entity int32 }

// Create begins a recording that will be the folder dir once Close is called;
// until then it is written elsewhere (see [Options]). It refuses to replace a
// folder that is not a recording.
func Create(dir string, opts Options) (*Writer, error) {
	dir = filepath.Clean(dir)
	if err := replaceable(dir); err != nil {
		return nil, err
	}
	parent, base := filepath.Split(dir)
	w := &Writer{dir: dir, temporary: opts.Temporary}
	if w.temporary == "" {
		w.temporary = filepath.Join(parent, fmt.Sprintf(".%s.%d.tmp", base, os.Getpid()))
	}
	if err := os.MkdirAll(filepath.Clean(parent+"."), 0o777); err != nil {
		return nil, fmt.Errorf("create recording %s: %w", dir, err)
	}
	if err := os.Mkdir(w.temporary, 0o777); err != nil {
		return nil, fmt.Errorf("create recording %s: %w", dir, err)
	}
	if err := w.open(opts); err != nil {
		w.Abort()
		return nil, fmt.Errorf("create recording %s: %w", dir, err)
	}
	return w, nil
}

// replaceable reports why a recording may not be put at dir, or nil.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("create recording: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, runFile)); err != nil {
		return fmt.Errorf("create recording: %s holds other files, and no recording that could be replaced", dir)
	}
	return nil
}

func (w *Writer) open(opts Options) error {
	long := func(c *longColumn, title, meaning string) column {
		c.title, c.meaning = title, meaning
		return c
	}
	short := func(c *shortColumn, title, meaning string) column {
		c.title, c.meaning = title, meaning
		return c
	}
	text := func(c *stringColumn, title, meaning string, values ...string) column {
		c.title, c.meaning = title, meaning
		for _, v := range values {
			c.code(v)
		}
		return c
	}
	var first error
	open := func(t *table, name Table, columns ...column) {
		if !slices.Contains(opts.Without, name) && first == nil {
			first = t.open(w.temporary, name, opts.CSV, columns...)
		}
	}
	p := &w.packets
	open(&p.table, TablePackets,
		long(&p.id, "id", "counts the datagrams of a run from 1, in order of entry into the network"),
		long(&p.sent, "sent", "ns of virtual time: when it entered the link"),
		long(&p.done, "done", "ns of virtual time: when it left the link or was dropped; rows are in this order"),
		text(&p.link, "link", "the link's name in the scenario"),
		text(&p.direction, "direction", "forward or reverse", directions[:]...),
		text(&p.source, "source", "the sender's address and port"),
		text(&p.dest, "dest", "the receiver's address and port"),
		short(&p.size, "size", "B: UDP payload, without IP and UDP headers"),
		short(&p.ecn, "ecn", "the ECN codepoint as it left the link: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE"),
		short(&p.sentECN, "sent_ecn", "the ECN codepoint as it entered the link"),
		text(&p.fate, "fate", "delivered, dropped or in_transit", fates[:]...),
		text(&p.reason, "reason", "of a dropped one: the kind of the element that dropped it, such as queue or loss"),
		long(&p.queueDelay, "queue_delay", "ns that it waited in the link's queue"))
	s := &w.series
	s.value.title, s.value.meaning = "value", "in the unit of the quantity: B, s, bit/s or 1"
	open(&s.table, TableSeries,
		long(&s.time, "time", "ns of virtual time: when the value was taken"),
		text(&s.name, "name", "which quantity, such as conn.cwnd"),
		text(&s.entity, "entity", "whose value it is, such as connections.main.client"),
		&s.value)
	e := &w.events
	open(&e.table, TableEvents,
		long(&e.time, "time", "ns of virtual time: when it happened"),
		text(&e.kind, "kind", "what happened, such as session.established"),
		text(&e.entity, "entity", "to whom, such as sessions.main"),
		text(&e.side, "side", "client or server; empty where there is only one"),
		long(&e.value, "value", "a number that the kind explains"),
		text(&e.text, "text", "words that the kind explains"))
	e.text.fresh = true
	return first
}

// Dir returns the folder that is written into, for files that belong to the
// recording.
func (w *Writer) Dir() string { return w.temporary }

// Fingerprint returns the fingerprint of the packets so far.
func (w *Writer) Fingerprint() string { return w.fingerprint.Sum() }

// Packet adds a row to the table of packets.
func (w *Writer) Packet(p *Packet) {
	w.fingerprint.Packet(p)
	if !w.packets.wanted {
		return
	}
	path := w.paths.get(pathKey{p.Link, p.Source, p.Dest},
		uint32(p.Source.Port())*31+uint32(p.Dest.Port())+nameHint(p.Link)*7, w.newPath)
	t := &w.packets
	i := t.rows
	t.id.values[i] = int64(p.ID)
	t.sent.values[i] = int64(p.Sent)
	t.done.values[i] = int64(p.Done)
	t.link.values[i] = path.link
	t.direction.values[i] = int32(p.Direction)
	t.source.values[i] = path.source
	t.dest.values[i] = path.dest
	t.size.values[i] = int32(p.Size)
	t.ecn.values[i] = int32(p.ECN)
	t.sentECN.values[i] = int32(p.SentECN)
	t.fate.values[i] = int32(p.Fate)
	t.reason.values[i] = t.reason.code(p.Reason)
	t.queueDelay.values[i] = int64(p.QueueDelay)
	t.added()
}

func (w *Writer) newPath(k pathKey) *pathCodes {
	return &pathCodes{
		link:   w.packets.link.code(k.link),
		source: w.packets.source.code(addressText(k.source)),
		dest:   w.packets.dest.code(addressText(k.dest)),
	}
}

func addressText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// Sample adds a row to the table of time series.
func (w *Writer) Sample(s Sample) {
	if !w.series.wanted {
		return
	}
	curve := w.curves.get(curveKey{s.Name, s.Entity}, nameHint(s.Name)+nameHint(s.Entity)*31, w.newCurve)
	t := &w.series
	i := t.rows
	t.time.values[i] = int64(s.Time)
	t.name.values[i] = curve.name
	t.entity.values[i] = curve.entity
	t.value.values[i] = s.Value
	t.added()
}

func (w *Writer) newCurve(k curveKey) *curveCodes {
	return &curveCodes{w.series.name.code(k.name), w.series.entity.code(k.entity)}
}

// Event adds a row to the table of events.
func (w *Writer) Event(e Event) {
	t := &w.events
	if !t.wanted {
		return
	}
	i := t.rows
	t.time.values[i] = int64(e.Time)
	t.kind.values[i] = t.kind.code(e.Kind)
	t.entity.values[i] = t.entity.code(e.Entity)
	t.side.values[i] = t.side.code(e.Side)
	t.value.values[i] = e.Value
	t.text.values[i] = t.text.code(e.Text)
	t.added()
}

// Finish completes the files in the temporary folder, which [Open] can then
// read, and leaves it there for [Publish]. It sets Schema, Fingerprint and
// Rows of info. On an error it removes the folder.
func (w *Writer) Finish(info *Run) error {
	info.Rows = make(map[Table]int64)
	var err error
	for _, t := range w.tables() {
		err = firstError(err, t.close())
		if t.wanted {
			info.Rows[t.name] = t.total
		}
	}
	if err == nil {
		info.Schema = SchemaVersion
		info.Fingerprint = w.Fingerprint()
		err = writeRun(w.temporary, *info)
	}
	if err != nil {
		os.RemoveAll(w.temporary)
		return fmt.Errorf("recording %s: %w", w.dir, err)
	}
	return nil
}

// Close finishes the recording and puts it into its place. On an error
// nothing is left of it, and an older recording stays.
func (w *Writer) Close(info Run) error {
	if err := w.Finish(&info); err != nil {
		return err
	}
	return Publish(w.temporary, w.dir)
}

// Err returns the first error of writing so far, after which nothing more is
// written of that table. Finish returns it too.
func (w *Writer) Err() error {
	for _, t := range w.tables() {
		if t.err != nil {
			return t.err
		}
	}
	return nil
}

func (w *Writer) tables() []*table {
	return []*table{&w.packets.table, &w.series.table, &w.events.table}
}

// Abort removes what was written.
func (w *Writer) Abort() {
	for _, t := range w.tables() {
		t.abort()
	}
	os.RemoveAll(w.temporary)
}

// Publish renames the finished recording in the folder temporary to dir,
// in place of an older recording there. On an error it removes temporary, and
// the older recording stays.
func Publish(temporary, dir string) error {
	if err := publish(temporary, filepath.Clean(dir)); err != nil {
		os.RemoveAll(temporary)
		return fmt.Errorf("put recording into place: %w", err)
	}
	return nil
}

func publish(temporary, dir string) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	parent, base := filepath.Split(dir)
	old := filepath.Join(parent, fmt.Sprintf(".%s.%d.old", base, os.Getpid()))
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	replaced := err == nil
	if err := os.Rename(temporary, dir); err != nil {
		if replaced {
			err = errors.Join(err, os.Rename(old, dir))
		}
		return err
	}
	return os.RemoveAll(old)
}

var (
	directions = [...]string{Forward: "forward", Reverse: "reverse"}
	fates      = [...]string{Delivered: "delivered", Dropped: "dropped", InTransit: "in_transit"}
)

// String returns "forward" or "reverse".
func (d Direction) String() string { return directions[d] }

// String returns "delivered", "dropped" or "in_transit".
func (f Fate) String() string { return fates[f] }

// nameHint spreads names over a cache by what usually tells them apart: their
// length, their end, and the digits or words before it.
func nameHint(s string) uint32 {
	n := len(s)
	if n < 8 {
		return uint32(n)
	}
	return uint32(n) + uint32(s[n-1])*13 + uint32(s[n-2])*29 + uint32(s[n-6])*5 + uint32(s[n-8])*17
}
