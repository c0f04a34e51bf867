package record

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A column buffers the values of one column of a row group.
type column interface {
	name() string
	// about returns what the values mean, with their unit.
	about() string
	// allocate makes room for a row group.
	allocate()
	schema() format.SchemaElement
	encoding() format.Encoding
	// encode returns the first n values, encoded, in the memory of dst if it suffices.
	encode(dst []byte, n int) ([]byte, error)
	// dictionary returns the strings that the encoded values point to, or nil.
	dictionary() []string
	// text appends one value as text, for CSV.
	text(dst []byte, i int) []byte
	// next prepares the column for another row group.
	next()
}

// longColumn holds 64-bit integers.
type longColumn struct {
	title, meaning string
	values         []int64
	coder          delta.BinaryPackedEncoding
}

func (c *longColumn) name() string { return c.title }

func (c *longColumn) about() string { return c.meaning }

func (c *longColumn) allocate() { c.values = make([]int64, groupRows) }

func (c *longColumn) schema() format.SchemaElement {
	return required(c.title, format.Int64)
}

func (c *longColumn) encoding() format.Encoding { return format.DeltaBinaryPacked }

func (c *longColumn) encode(dst []byte, n int) ([]byte, error) {
	return c.coder.EncodeInt64(dst, c.values[:n])
}

func (c *longColumn) dictionary() []string { return nil }

func (c *longColumn) text(dst []byte, i int) []byte {
	return strconv.AppendInt(dst, c.values[i], 10)
}

func (c *longColumn) next() {}

// shortColumn holds 32-bit integers.
type shortColumn struct {
	title, meaning string
	values         []int32
	coder          delta.BinaryPackedEncoding
}

func (c *shortColumn) name() string { return c.title }

func (c *shortColumn) about() string { return c.meaning }

func (c *shortColumn) allocate() { c.values = make([]int32, groupRows) }

func (c *shortColumn) schema() format.SchemaElement {
	return required(c.title, format.Int32)
}

func (c *shortColumn) encoding() format.Encoding { return format.DeltaBinaryPacked }

func (c *shortColumn) encode(dst []byte, n int) ([]byte, error) {
	return c.coder.EncodeInt32(dst, c.values[:n])
}

func (c *shortColumn) dictionary() []string { return nil }

func (c *shortColumn) text(dst []byte, i int) []byte {
	return strconv.AppendInt(dst, int64(c.values[i]), 10)
}

func (c *shortColumn) next() {}

// realColumn holds floating-point numbers.
type realColumn struct {
	title, meaning string
	values         []float64
}

func (c *realColumn) name() string { return c.title }

func (c *realColumn) about() string { return c.meaning }

func (c *realColumn) allocate() { c.values = make([]float64, groupRows) }

func (c *realColumn) schema() format.SchemaElement {
	return required(c.title, format.Double)
}

func (c *realColumn) encoding() format.Encoding { return format.Plain }

func (c *realColumn) encode(dst []byte, n int) ([]byte, error) {
	dst = dst[:0]
	for _, v := range c.values[:n] {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst, nil
}

func (c *realColumn) dictionary() []string { return nil }

func (c *realColumn) text(dst []byte, i int) []byte {
	return strconv.AppendFloat(dst, c.values[i], 'g', -1, 64)
}

func (c *realColumn) next() {}

// stringColumn holds strings as indexes into a dictionary, which is written
// with each row group.
type stringColumn struct {
	title, meaning string
	names          index
	values         []int32
	fresh          bool // whether each row group has a dictionary of its own, for strings that seldom repeat
	coder          rle.DictionaryEncoding
}

func (c *stringColumn) name() string { return c.title }

func (c *stringColumn) about() string { return c.meaning }

func (c *stringColumn) allocate() { c.values = make([]int32, groupRows) }

func (c *stringColumn) schema() format.SchemaElement {
	e := required(c.title, format.ByteArray)
	e.ConvertedType = thrift.New(deprecated.UTF8)
	e.LogicalType.Value = &format.StringType{}
	return e
}

func (c *stringColumn) encoding() format.Encoding { return format.RLEDictionary }

func (c *stringColumn) encode(dst []byte, n int) ([]byte, error) {
	return c.coder.EncodeInt32(dst, c.values[:n])
}

func (c *stringColumn) dictionary() []string { return c.names.names }

func (c *stringColumn) text(dst []byte, i int) []byte {
	return appendCSV(dst, c.names.names[c.values[i]])
}

func (c *stringColumn) next() {
	if c.fresh {
		c.names.reset()
	}
}

// code returns the index of a string in the column's dictionary.
func (c *stringColumn) code(s string) int32 {
	i, _ := c.names.of(s)
	return i
}

func required(name string, kind format.Type) format.SchemaElement {
	return format.SchemaElement{
		Name:           name,
		Type:           thrift.New(kind),
		RepetitionType: thrift.New(format.Required),
	}
}
