package record

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// groupRows is the number of rows of a row group: what a table holds in
// memory before it is written.
const groupRows = 16 << 10

const parquetMagic = "PAR1"

// schemaKey is the key of the schema version in the metadata of a table.
const schemaKey = "wtsim.schema"

// table writes one Parquet file. Rows are put straight into the columns'
// buffers, which are encoded and written when a row group is full: one page a
// column, no compression. parquet-go's own writer moves every value through
// generic code and hashes every string, at several times the cost.
type table struct {
	name    Table
	wanted  bool // whether it is recorded; if not, it has no buffers and no files
	columns []column
	rows    int // in the buffers
	total   int64

	file    *os.File
	out     *bufio.Writer
	offset  int64
	groups  []format.RowGroup
	page    []byte // the encoded page, reused
	headers headerWriter

	csv     *bufio.Writer // nil without CSV
	csvFile *os.File
	line    []byte

	err error // the first error; nothing is written after it
}

// headerWriter encodes the structures of Parquet's metadata.
type headerWriter struct {
	to      io.Writer
	encoder *thrift.Encoder
	size    int64
}

func (h *headerWriter) Write(b []byte) (int, error) {
	n, err := h.to.Write(b)
	h.size += int64(n)
	return n, err
}

// encode writes v and returns its length.
func (h *headerWriter) encode(v any) (int64, error) {
	if h.encoder == nil {
		h.encoder = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(h))
	}
	h.size = 0
	err := h.encoder.Encode(v)
	return h.size, err
}

// open creates the table's file, and its CSV if wanted.
func (t *table) open(dir string, name Table, csv bool, columns ...column) error {
	t.name, t.wanted, t.columns = name, true, columns
	for _, c := range columns {
		c.allocate()
	}
	file, err := os.Create(filepath.Join(dir, name.file()))
	if err != nil {
		return err
	}
	t.file, t.out = file, bufio.NewWriterSize(file, 64<<10)
	t.headers.to = t.out
	t.offset = int64(len(parquetMagic))
	t.out.WriteString(parquetMagic) // a bufio.Writer keeps its error
	if !csv {
		return nil
	}
	t.csvFile, err = os.Create(filepath.Join(dir, string(name)+".csv"))
	if err != nil {
		file.Close()
		return err
	}
	t.csv = bufio.NewWriterSize(t.csvFile, 64<<10)
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.name()
	}
	t.csv.WriteString(strings.Join(titles, ",") + "\n")
	return nil
}

// added says that a row was put into the buffers at index t.rows.
func (t *table) added() {
	t.rows++
	if t.rows == groupRows {
		t.flush()
	}
}

// flush writes the buffered rows as a row group.
func (t *table) flush() {
	n := t.rows
	t.rows = 0
	t.total += int64(n)
	if n == 0 || t.err != nil {
		return
	}
	if t.csv != nil {
		t.writeCSV(n)
	}
	group := format.RowGroup{
		Columns:    make(thrift.Slice[format.ColumnChunk], len(t.columns)),
		NumRows:    int64(n),
		FileOffset: t.offset,
		Ordinal:    int16(len(t.groups)),
	}
	for i, c := range t.columns {
		if t.err = t.writeColumn(&group.Columns[i], c, n); t.err != nil {
			t.err = fmt.Errorf("column %s: %w", c.name(), t.err)
			return
		}
		group.TotalByteSize += group.Columns[i].MetaData.TotalUncompressedSize
		c.next()
	}
	group.TotalCompressedSize = group.TotalByteSize
	t.groups = append(t.groups, group)
}

// writeColumn writes the chunk of one column: its dictionary, if it has one,
// and one page with all values.
func (t *table) writeColumn(chunk *format.ColumnChunk, c column, n int) error {
	start := t.offset
	meta := &chunk.MetaData
	meta.Type = c.schema().Type.V
	meta.PathInSchema = thrift.Slice[string]{c.name()}
	meta.NumValues = int64(n)
	meta.Encoding = thrift.Slice[format.Encoding]{c.encoding()}
	if names := c.dictionary(); names != nil {
		meta.Encoding = append(meta.Encoding, format.Plain)
		meta.DictionaryPageOffset = t.offset
		t.page = t.page[:0]
		for _, s := range names {
			t.page = binary.LittleEndian.AppendUint32(t.page, uint32(len(s)))
			t.page = append(t.page, s...)
		}
		header := format.PageHeader{
			Type: format.DictionaryPage,
			DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{
				NumValues: int32(len(names)),
				Encoding:  format.Plain,
			}),
		}
		if err := t.writePage(&header); err != nil {
			return err
		}
	}
	meta.DataPageOffset = t.offset
	var err error
	if t.page, err = c.encode(t.page, n); err != nil {
		return err
	}
	header := format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues:               int32(n),
			Encoding:                c.encoding(),
			DefinitionLevelEncoding: format.RLE,
			RepetitionLevelEncoding: format.RLE,
		}),
	}
	if err := t.writePage(&header); err != nil {
		return err
	}
	meta.TotalUncompressedSize = t.offset - start
	meta.TotalCompressedSize = meta.TotalUncompressedSize
	return nil
}

// writePage writes a page whose content is in t.page.
func (t *table) writePage(header *format.PageHeader) error {
	header.UncompressedPageSize = int32(len(t.page))
	header.CompressedPageSize = int32(len(t.page))
	header.CRC = int32(crc32.ChecksumIEEE(t.page))
	size, err := t.headers.encode(header)
	if err != nil {
		return err
	}
	if _, err := t.out.Write(t.page); err != nil {
		return err
	}
	t.offset += size + int64(len(t.page))
	return nil
}

// close writes what is left and the footer.
func (t *table) close() error {
	if t.file == nil {
		return nil
	}
	t.flush()
	if t.err == nil {
		t.err = t.writeFooter()
	}
	t.err = firstError(t.err, t.file.Close())
	if t.csv != nil {
		t.err = firstError(t.err, t.csv.Flush(), t.csvFile.Close())
	}
	if t.err != nil {
		return fmt.Errorf("write %s: %w", t.name.file(), t.err)
	}
	return nil
}

func (t *table) writeFooter() error {
	schema := thrift.Slice[format.SchemaElement]{{
		Name:        string(t.name),
		NumChildren: thrift.New(int32(len(t.columns))),
	}}
	for _, c := range t.columns {
		schema = append(schema, c.schema())
	}
	size, err := t.headers.encode(&format.FileMetaData{
		Version:   2,
		Schema:    schema,
		NumRows:   t.total,
		RowGroups: t.groups,
		KeyValueMetadata: thrift.Slice[format.KeyValue]{
			{Key: schemaKey, Value: fmt.Sprint(SchemaVersion)},
		},
		CreatedBy: "wtsim",
	})
	if err != nil {
		return err
	}
	end := binary.LittleEndian.AppendUint32(nil, uint32(size))
	t.out.Write(append(end, parquetMagic...))
	return t.out.Flush()
}

// abort closes the files, whatever is in them.
func (t *table) abort() {
	if t.file != nil {
		t.file.Close()
	}
	if t.csvFile != nil {
		t.csvFile.Close()
	}
}

func (t *table) writeCSV(n int) {
	for i := range n {
		t.line = t.line[:0]
		for k, c := range t.columns {
			if k > 0 {
				t.line = append(t.line, ',')
			}
			t.line = c.text(t.line, i)
		}
		t.csv.Write(append(t.line, '\n')) // a bufio.Writer keeps its error
	}
}

// appendCSV appends a string as one field of RFC 4180.
func appendCSV(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
