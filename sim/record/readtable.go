package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A readColumn is a column that a reader wants, and where its values go.
type readColumn struct {
	name string
	to   columnValues
}

// columnValues receives the values of one column of a row group.
type columnValues interface {
	kind() format.Type
	// decode takes the values of a column chunk; the result of too few is an
	// error.
	decode(pages, int) error
}

// pages are the contents of the pages of a column chunk.
type pages struct {
	dictionary []byte
	names      int // in the dictionary
	data       []byte
}

// tableReader reads one Parquet file of this package's writer.
type tableReader struct {
	path   string
	file   *os.File
	footer format.FileMetaData
	buffer []byte // a column chunk, reused
}

// openTable opens a table and checks that it has the columns.
func openTable(path string, columns []readColumn) (*tableReader, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the recording %s is incomplete: it has no %s, which %s describes; run the scenario again", filepath.Dir(path), filepath.Base(path), runFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	t := &tableReader{path: path, file: file}
	if err := t.open(columns); err != nil {
		file.Close()
		return nil, err
	}
	return t, nil
}

func (t *tableReader) open(columns []readColumn) error {
	footer, err := t.readFooter()
	if err != nil {
		return fmt.Errorf("%s is broken, truncated or not a table of wtsim: %w; run the scenario again", t.path, err)
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &t.footer); err != nil {
		return fmt.Errorf("%s is broken: %w; run the scenario again", t.path, err)
	}
	if version := valueOf(t.footer.KeyValueMetadata, schemaKey); version != strconv.Itoa(SchemaVersion) {
		return fmt.Errorf("%s was written in format version %s, and %s in version %d: it belongs to another recording; run the scenario again", t.path, version, runFile, SchemaVersion)
	}
	for _, c := range columns {
		if i := t.column(c.name); i < 0 || t.footer.Schema[i+1].Type.V != c.to.kind() {
			return fmt.Errorf("%s has no column %s of type %v: it is another table; run the scenario again", t.path, c.name, c.to.kind())
		}
	}
	return nil
}

// readFooter returns the metadata of a table, if it is whole.
func (t *tableReader) readFooter() ([]byte, error) {
	info, err := t.file.Stat()
	if err != nil {
		return nil, err
	}
	// The checksum, the metadata, its length, and the magic number.
	const around = 4 + 4 + int64(len(parquetMagic))
	end := make([]byte, 8)
	if _, err := t.file.ReadAt(end, info.Size()-int64(len(end))); err != nil || string(end[4:]) != parquetMagic {
		return nil, fmt.Errorf("expected a Parquet file, which ends in %s", parquetMagic)
	}
	length := int64(binary.LittleEndian.Uint32(end))
	if length > info.Size()-around {
		return nil, fmt.Errorf("its metadata has %d bytes, and the file %d", length, info.Size())
	}
	text := make([]byte, 4+length)
	if _, err := t.file.ReadAt(text, info.Size()-length-around); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(text[4:]) != binary.LittleEndian.Uint32(text) {
		return nil, errors.New("the checksum of its metadata is wrong")
	}
	return text[4:], nil
}

func valueOf(pairs thrift.Slice[format.KeyValue], key string) string {
	for _, p := range pairs {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// column returns the place of a column, or -1.
func (t *tableReader) column(name string) int {
	return slices.IndexFunc(t.footer.Schema, func(e format.SchemaElement) bool { return e.Name == name && e.Type.Valid }) - 1
}

func (t *tableReader) close()      { t.file.Close() }
func (t *tableReader) rows() int64 { return t.footer.NumRows }
func (t *tableReader) groups() int { return len(t.footer.RowGroups) }

// readGroup reads the wanted columns of row group g and returns its number of
// rows.
func (t *tableReader) readGroup(g int, columns []readColumn) (n int, err error) {
	group := &t.footer.RowGroups[g]
	for _, c := range columns {
		p, err := t.readChunk(&group.Columns[t.column(c.name)].MetaData)
		if err == nil {
			err = c.to.decode(p, int(group.NumRows))
		}
		if err != nil {
			return 0, fmt.Errorf("%s is broken: row group %d, column %s: %w; run the scenario again", t.path, g, c.name, err)
		}
	}
	return int(group.NumRows), nil
}

// readChunk reads the pages of a column chunk, which are good until the next call.
func (t *tableReader) readChunk(meta *format.ColumnMetaData) (pages, error) {
	begin := meta.DataPageOffset
	if meta.DictionaryPageOffset > 0 {
		begin = meta.DictionaryPageOffset
	}
	t.buffer = slices.Grow(t.buffer[:0], int(meta.TotalCompressedSize))[:meta.TotalCompressedSize]
	if _, err := t.file.ReadAt(t.buffer, begin); err != nil {
		return pages{}, err
	}
	if checksumText(crc32.ChecksumIEEE(t.buffer)) != valueOf(meta.KeyValueMetadata, checksumKey) {
		return pages{}, errors.New("its checksum is wrong")
	}
	var p pages
	for rest := t.buffer; len(rest) > 0; {
		reader := new(thrift.CompactProtocol).NewReaderFromBytes(rest)
		var header format.PageHeader
		if err := thrift.NewDecoder(reader).Decode(&header); err != nil {
			return pages{}, err
		}
		rest = rest[reader.BytesRead():]
		content := rest[:header.CompressedPageSize]
		rest = rest[header.CompressedPageSize:]
		if header.Type == format.DictionaryPage {
			p.dictionary, p.names = content, int(header.DictionaryPageHeader.V.NumValues)
		} else {
			p.data = content
		}
	}
	return p, nil
}

// enough reports that there are fewer values than rows.
func enough(values, rows int) error {
	if values < rows {
		return fmt.Errorf("it has %d values for %d rows", values, rows)
	}
	return nil
}

// longs holds the values of a column of 64-bit integers.
type longs struct {
	values []int64
	coder  delta.BinaryPackedEncoding
}

func (c *longs) kind() format.Type { return format.Int64 }

func (c *longs) decode(p pages, rows int) (err error) {
	if c.values, err = c.coder.DecodeInt64(c.values, p.data); err != nil {
		return err
	}
	return enough(len(c.values), rows)
}

// shorts holds the values of a column of 32-bit integers.
type shorts struct {
	values []int32
	coder  delta.BinaryPackedEncoding
}

func (c *shorts) kind() format.Type { return format.Int32 }

func (c *shorts) decode(p pages, rows int) (err error) {
	if c.values, err = c.coder.DecodeInt32(c.values, p.data); err != nil {
		return err
	}
	return enough(len(c.values), rows)
}

// reals holds the values of a column of floating-point numbers.
type reals struct{ values []float64 }

func (c *reals) kind() format.Type { return format.Double }

func (c *reals) decode(p pages, rows int) error {
	c.values = c.values[:0]
	for data := p.data; len(data) >= 8; data = data[8:] {
		c.values = append(c.values, math.Float64frombits(binary.LittleEndian.Uint64(data)))
	}
	return enough(len(c.values), rows)
}

// texts holds the values of a column of strings as indexes into its
// dictionary.
type texts struct {
	names []string
	codes []int32
	kept  int // how many of the first names are those of the row group before
	coder rle.DictionaryEncoding
}

func (c *texts) kind() format.Type { return format.ByteArray }
func (c *texts) at(i int) string   { return c.names[c.codes[i]] }

func (c *texts) decode(p pages, rows int) (err error) {
	if err := c.read(p.dictionary, p.names); err != nil {
		return err
	}
	if c.codes, err = c.coder.DecodeInt32(c.codes, p.data); err != nil {
		return err
	}
	if err := enough(len(c.codes), rows); err != nil {
		return err
	}
	for _, code := range c.codes[:rows] {
		if code < 0 || int(code) >= len(c.names) {
			return fmt.Errorf("index %d is outside a dictionary of %d", code, len(c.names))
		}
	}
	return nil
}

// read takes the strings of a dictionary, and keeps those that it has, so that
// equal names stay the same string in memory from one row group to the next.
func (c *texts) read(dictionary []byte, n int) error {
	c.kept = 0
	keeping := true
	for i := range n {
		if len(dictionary) < 4 || uint64(len(dictionary)-4) < uint64(binary.LittleEndian.Uint32(dictionary)) {
			return fmt.Errorf("its dictionary ends within name %d", i)
		}
		length := binary.LittleEndian.Uint32(dictionary)
		name := dictionary[4 : 4+length]
		dictionary = dictionary[4+length:]
		if keeping = keeping && i < len(c.names) && c.names[i] == string(name); keeping {
			c.kept++
			continue
		}
		c.names = append(c.names[:i], string(name))
	}
	c.names = c.names[:n]
	return nil
}
