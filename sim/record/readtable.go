package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// A readColumn is a column that a reader wants, and where its values go.
type readColumn struct {
	name string
	to   columnValues
}

// columnValues receives the values of one column of a row group.
type columnValues interface {
	kind() parquet.Kind
	reset()
	add(parquet.Page) error
	length() int
}

// tableReader reads one Parquet file.
type tableReader struct {
	path string
	file *os.File
	data *parquet.File
}

func openTable(path string) (*tableReader, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the recording %s is incomplete: it has no %s", filepath.Dir(path), filepath.Base(path))
	}
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("read recording: %w", err)
	}
	data, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s is broken, truncated or not Parquet: %w", path, err)
	}
	t := &tableReader{path, file, data}
	if version, ok := data.Lookup(schemaKey); !ok {
		t.close()
		return nil, fmt.Errorf("%s is not a table of a recording: its metadata has no %s", path, schemaKey)
	} else if version != strconv.Itoa(SchemaVersion) {
		t.close()
		return nil, fmt.Errorf("%s has schema version %s; this program reads version %d", path, version, SchemaVersion)
	}
	return t, nil
}

func (t *tableReader) close()      { t.file.Close() }
func (t *tableReader) rows() int64 { return t.data.NumRows() }
func (t *tableReader) groups() int { return len(t.data.RowGroups()) }

// readGroup reads the wanted columns of row group g and returns its number of
// rows.
func (t *tableReader) readGroup(g int, columns []readColumn) (n int, err error) {
	group := t.data.RowGroups()[g]
	// A page's content decides how it is decoded, so a damaged one may make
	// the decoder fail in any way.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s is broken: row group %d: %v", t.path, g, r)
		}
	}()
	for _, c := range columns {
		leaf, ok := t.data.Schema().Lookup(c.name)
		if !ok || leaf.Node.Type().Kind() != c.to.kind() {
			return 0, fmt.Errorf("%s has no column %s of type %v: it was written by another program", t.path, c.name, c.to.kind())
		}
		c.to.reset()
		if err := readPages(group.ColumnChunks()[leaf.ColumnIndex], c.to); err != nil {
			return 0, fmt.Errorf("%s is broken: row group %d, column %s: %w", t.path, g, c.name, err)
		}
		if int64(c.to.length()) != group.NumRows() {
			return 0, fmt.Errorf("%s is broken: row group %d, column %s has %d values for %d rows", t.path, g, c.name, c.to.length(), group.NumRows())
		}
	}
	return int(group.NumRows()), nil
}

func readPages(chunk parquet.ColumnChunk, to columnValues) error {
	pages := chunk.Pages()
	defer pages.Close()
	for to.length() < int(chunk.NumValues()) {
		page, err := pages.ReadPage()
		if err != nil {
			return err
		}
		err = to.add(page)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
	return nil
}

// longs holds the values of a column of 64-bit integers.
type longs struct{ values []int64 }

func (c *longs) kind() parquet.Kind { return parquet.Int64 }
func (c *longs) reset()             { c.values = c.values[:0] }
func (c *longs) length() int        { return len(c.values) }

func (c *longs) add(page parquet.Page) error {
	data := page.Data()
	c.values = append(c.values, data.Int64()...)
	return nil
}

// shorts holds the values of a column of 32-bit integers.
type shorts struct{ values []int32 }

func (c *shorts) kind() parquet.Kind { return parquet.Int32 }
func (c *shorts) reset()             { c.values = c.values[:0] }
func (c *shorts) length() int        { return len(c.values) }

func (c *shorts) add(page parquet.Page) error {
	data := page.Data()
	c.values = append(c.values, data.Int32()...)
	return nil
}

// reals holds the values of a column of floating-point numbers.
type reals struct{ values []float64 }

func (c *reals) kind() parquet.Kind { return parquet.Double }
func (c *reals) reset()             { c.values = c.values[:0] }
func (c *reals) length() int        { return len(c.values) }

func (c *reals) add(page parquet.Page) error {
	data := page.Data()
	c.values = append(c.values, data.Double()...)
	return nil
}

// texts holds the values of a column of strings as indexes into its
// dictionary.
type texts struct {
	names []string
	codes []int32
	kept  int // how many of the first names are those of the row group before
}

func (c *texts) kind() parquet.Kind { return parquet.ByteArray }
func (c *texts) reset()             { c.codes = c.codes[:0] }
func (c *texts) length() int        { return len(c.codes) }
func (c *texts) at(i int) string    { return c.names[c.codes[i]] }

func (c *texts) add(page parquet.Page) error {
	dictionary := page.Dictionary()
	if dictionary == nil {
		return errors.New("it has no dictionary")
	}
	if len(c.codes) == 0 {
		c.read(dictionary)
	}
	codes := page.Data()
	for _, code := range codes.Int32() {
		if code < 0 || int(code) >= len(c.names) {
			return fmt.Errorf("index %d is outside a dictionary of %d", code, len(c.names))
		}
		c.codes = append(c.codes, code)
	}
	return nil
}

// read takes the strings of a dictionary, and keeps those that it has, so that
// equal names stay the same string in memory from one row group to the next.
func (c *texts) read(dictionary parquet.Dictionary) {
	values := dictionary.Page().Data()
	data, offsets := values.ByteArray()
	n := dictionary.Len()
	c.kept = 0
	for c.kept < min(n, len(c.names)) && c.names[c.kept] == string(data[offsets[c.kept]:offsets[c.kept+1]]) {
		c.kept++
	}
	c.names = c.names[:c.kept]
	for i := c.kept; i < n; i++ {
		c.names = append(c.names, string(data[offsets[i]:offsets[i+1]]))
	}
}
