package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// groupRows is the number of rows of a row group: what a table holds in
// memory before it is written.
const groupRows = 16 << 10

const parquetMagic = "PAR1"

// The keys of metadata in a table: the version of the recording's format, and the
// checksum of a column chunk, headers of pages included. A checksum of the metadata
// stands before it, where Parquet knows of nothing. So a reader can trust all lengths
// that it finds.
const (
	schemaKey   = "wtsim.schema"
	checksumKey = "wtsim.crc32"
)

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
	chunks  []chunk // of all row groups, each with all columns
	page    []byte  // the encoded page, reused
	headers headerWriter

	csv     *bufio.Writer // nil without CSV
	csvFile *os.File
	line    []byte

	err error // the first error; nothing is written after it
}

// chunk is what the footer has to know of a column of a row group.
type chunk struct {
	begin, data, end int64 // offsets of the dictionary, if there is one, of the data, and behind it
	checksum         uint32
}

// headerWriter encodes the structures of Parquet's metadata.
type headerWriter struct {
	encoder *thrift.Encoder
	buffer  bytes.Buffer
}

// encode returns the text of v, which is good until the next call.
func (h *headerWriter) encode(v any) ([]byte, error) {
	if h.encoder == nil {
		h.encoder = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&h.buffer))
	}
	h.buffer.Reset()
	err := h.encoder.Encode(v)
	return h.buffer.Bytes(), err
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
	for _, c := range t.columns {
		if t.err = t.writeColumn(c, n); t.err != nil {
			t.err = fmt.Errorf("column %s: %w", c.name(), t.err)
			return
		}
		c.next()
	}
}

// writeColumn writes the chunk of one column: its dictionary, if it has one,
// and one page with all values.
func (t *table) writeColumn(c column, n int) error {
	written := chunk{begin: t.offset}
	if names := c.dictionary(); names != nil {
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
		if err := t.writePage(&header, &written); err != nil {
			return err
		}
	}
	written.data = t.offset
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
	if err := t.writePage(&header, &written); err != nil {
		return err
	}
	written.end = t.offset
	t.chunks = append(t.chunks, written)
	return nil
}

// writePage writes a page of a chunk, whose content is in t.page.
func (t *table) writePage(header *format.PageHeader, of *chunk) error {
	header.UncompressedPageSize = int32(len(t.page))
	header.CompressedPageSize = int32(len(t.page))
	header.CRC = int32(crc32.ChecksumIEEE(t.page))
	head, err := t.headers.encode(header)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{head, t.page} {
		of.checksum = crc32.Update(of.checksum, crc32.IEEETable, part)
		t.offset += int64(len(part))
		if _, err := t.out.Write(part); err != nil {
			return err
		}
	}
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
	about := thrift.Slice[format.KeyValue]{{Key: schemaKey, Value: fmt.Sprint(SchemaVersion)}}
	schema := thrift.Slice[format.SchemaElement]{{
		Name:        string(t.name),
		NumChildren: thrift.New(int32(len(t.columns))),
	}}
	for _, c := range t.columns {
		schema = append(schema, c.schema())
		about = append(about, format.KeyValue{Key: "column." + c.name(), Value: c.about()})
	}
	footer, err := t.headers.encode(&format.FileMetaData{
		Version:          2,
		Schema:           schema,
		NumRows:          t.total,
		RowGroups:        t.rowGroups(),
		KeyValueMetadata: about,
		CreatedBy:        "wtsim",
	})
	if err != nil {
		return err
	}
	var end []byte
	end = binary.LittleEndian.AppendUint32(end, crc32.ChecksumIEEE(footer))
	end = append(end, footer...)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(footer)))
	t.out.Write(append(end, parquetMagic...))
	return t.out.Flush()
}

// rowGroups describes the chunks as Parquet does.
func (t *table) rowGroups() thrift.Slice[format.RowGroup] {
	var groups thrift.Slice[format.RowGroup]
	left := t.total
	for chunks := range slices.Chunk(t.chunks, len(t.columns)) {
		n := min(left, groupRows)
		left -= n
		group := format.RowGroup{
			NumRows:       n,
			FileOffset:    chunks[0].begin,
			Ordinal:       int16(len(groups)),
			TotalByteSize: chunks[len(chunks)-1].end - chunks[0].begin,
		}
		group.TotalCompressedSize = group.TotalByteSize
		for i, c := range chunks {
			group.Columns = append(group.Columns, format.ColumnChunk{MetaData: c.metadata(t.columns[i], n)})
		}
		groups = append(groups, group)
	}
	return groups
}

func (c chunk) metadata(of column, n int64) format.ColumnMetaData {
	meta := format.ColumnMetaData{
		Type:                  of.schema().Type.V,
		Encoding:              thrift.Slice[format.Encoding]{of.encoding()},
		PathInSchema:          thrift.Slice[string]{of.name()},
		NumValues:             n,
		TotalUncompressedSize: c.end - c.begin,
		TotalCompressedSize:   c.end - c.begin,
		DataPageOffset:        c.data,
		KeyValueMetadata: thrift.Slice[format.KeyValue]{
			{Key: checksumKey, Value: checksumText(c.checksum)},
		},
	}
	if c.begin < c.data {
		meta.Encoding = append(meta.Encoding, format.Plain)
		meta.DictionaryPageOffset = c.begin
	}
	return meta
}

func checksumText(sum uint32) string { return fmt.Sprintf("%08x", sum) }

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
