package scenario

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// field is one key of a table: what its tags say, and the value it sets.
type field struct {
	key      string
	index    int // of the struct field
	value    reflect.Value
	doc      string
	standard string // what a missing key stands for, in words or as a value
	oneof    []string
	least    string // with most, the range; empty where there is none
	most     string
	inherit  bool
	required bool
	short    bool
	special  bool
}

// fieldsOf returns the keys of a table in the order of its type. It includes
// those of inline fields; an inline interface must hold a pointer to a struct.
func fieldsOf(table reflect.Value) []field {
	tagged := tagsOf(table.Type())
	fields := make([]field, 0, len(tagged))
	for _, f := range tagged {
		f.value = table.Field(f.index)
		if f.key != ",inline" {
			fields = append(fields, f)
			continue
		}
		inner := f.value
		for inner.Kind() == reflect.Interface || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.IsValid() {
			fields = append(fields, fieldsOf(inner)...)
		}
	}
	return fields
}

// tagCache holds what tagsOf returns, by type.
var tagCache sync.Map

// tagsOf returns what a type's tags say, as fields without values.
func tagsOf(t reflect.Type) []field {
	if cached, ok := tagCache.Load(t); ok {
		return cached.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		f := field{
			key: tag.Get("toml"), index: i,
			doc: tag.Get("doc"), standard: tag.Get("default"), oneof: strings.Fields(tag.Get("oneof")),
			inherit: tag.Get("inherit") != "", required: tag.Get("required") != "", short: tag.Get("short") != "",
			special: tag.Get("special") != "",
		}
		f.least, f.most, _ = strings.Cut(tag.Get("range"), "..")
		if kinds, _ := kindsOf(t); f.key == "kind" && kinds != nil {
			f.oneof = namesOf(kinds)
			f.doc += ": " + strings.Join(f.oneof, ", ")
		}
		if f.key != "" && f.key != "-" {
			fields = append(fields, f)
		}
	}
	tagCache.Store(t, fields)
	return fields
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// isTable reports whether values of a type are written as a table.
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isNamed reports whether values of a list type are written as tables with
// names, such as [hosts.client].
func isNamed(t reflect.Type) bool {
	if t.Kind() != reflect.Slice || !isTable(t.Elem()) {
		return false
	}
	name, ok := t.Elem().FieldByName("Name")
	return ok && name.Tag.Get("toml") == "-"
}

// typeWords says what a type's values are called and how one is written.
func typeWords(t reflect.Type) (name, example string) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "time", `"20ms"`
	case reflect.TypeFor[netem.BitRate](), reflect.TypeFor[SendRate]():
		return "rate", `"20Mbit/s"`
	case reflect.TypeFor[netem.Bytes]():
		return "size", `"64KB"`
	case reflect.TypeFor[netem.Limit]():
		return "queue limit", `"64KB", "25packets", "100ms" or "1BDP"`
	case reflect.TypeFor[Frequency]():
		return "frequency", `"50Hz" or "20ms"`
	case reflect.TypeFor[Formula]():
		return "formula", `"0.9 * links.access.rate"`
	case reflect.TypeFor[Claim]():
		return "claim", `"mean" or "p90"`
	case reflect.TypeFor[[2]string]():
		return "pair of names", `["client", "server"]`
	case reflect.TypeFor[Numbers]():
		return "list of whole numbers", `[3, 7]`
	case reflect.TypeFor[Words]():
		return "list of strings", `["flows.bulk.goodput"]`
	case reflect.TypeFor[Points]():
		return "list of points", `[{ size = "10KB", p = 0.5 }, { size = "1MB", p = 1 }]`
	case reflect.TypeFor[Mix]():
		return "mix of sizes", `"imix" or [{ size = "64B", weight = 1 }]`
	case reflect.TypeFor[Netem]():
		return "options of tc-netem", `"delay 20ms 5ms loss 1%"`
	case reflect.TypeFor[Distribution]():
		return "distribution", `"normal" or "measured.dist"`
	}
	switch t.Kind() {
	case reflect.String:
		return "string", `"text"`
	case reflect.Bool:
		return "boolean", "true or false"
	case reflect.Float64:
		return "number", "0.01"
	case reflect.Struct, reflect.Slice:
		return "table", ""
	}
	return "whole number", "1"
}

// expected ends a message about a wrong type.
func expected(t reflect.Type) string {
	name, example := typeWords(t)
	switch name {
	case "boolean":
		return "true or false"
	case "table":
		if t.Kind() == reflect.Slice && !isNamed(t) {
			return "a list of tables"
		}
		return "a table"
	case "string", "whole number", "number":
		return "a " + name
	}
	if strings.HasPrefix(name, "options") {
		return name + " such as " + example
	}
	return "a " + name + " such as " + example
}

// setText sets a value from its text. Text that is no such value is an error,
// whose text a message can use as it is.
func setText(v reflect.Value, text string) error {
	switch x := v.Addr().Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a time such as \"20ms\"; known units: ns, us, ms, s, m, h", text)
		}
		*x = d
		return nil
	case *netem.BitRate:
		if text == unlimited {
			*x = 0
			return nil
		}
		return x.UnmarshalText([]byte(text))
	case encoding.TextUnmarshaler:
		return x.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(text == "true")
	case reflect.Float64:
		n, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		if err != nil {
			return fmt.Errorf("%s is not a number that can be represented", text)
		}
		v.SetFloat(n)
	case reflect.Int, reflect.Int64:
		n, err := parseInteger(text, strconv.ParseInt, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Uint32, reflect.Uint64:
		n, err := parseInteger(text, strconv.ParseUint, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetUint(n)
	}
	return nil
}

// unlimited is the text of a rate without a limit.
const unlimited = "unlimited"

// parseInteger reads a TOML integer. TOML allows no leading zeros, which Go
// would take for octal.
func parseInteger[T int64 | uint64](text string, parse func(string, int, int) (T, error), bits int) (T, error) {
	n, err := parse(strings.TrimPrefix(text, "+"), 0, bits)
	if err != nil {
		if strings.HasPrefix(text, "-") {
			return 0, fmt.Errorf("%s is negative; expected a whole number of at least 0", text)
		}
		return 0, fmt.Errorf("%s is too large", text)
	}
	return n, nil
}

// inRange reports whether a value is within the field's range.
func (f field) inRange(v reflect.Value) bool {
	if f.least == "" {
		return true
	}
	least, most := f.bound(v.Type(), f.least), f.bound(v.Type(), f.most)
	if v.Type() == reflect.TypeFor[Frequency]() { // held as a period: the most events have the least period
		least, most = most, least
	}
	switch v.Kind() {
	case reflect.Float64:
		return v.Float() >= least.Float() && v.Float() <= most.Float()
	case reflect.Uint32, reflect.Uint64:
		return v.Uint() >= least.Uint() && v.Uint() <= most.Uint()
	}
	return v.Int() >= least.Int() && v.Int() <= most.Int()
}

// bound reads one end of the field's range.
func (f field) bound(t reflect.Type, text string) reflect.Value {
	v := reflect.New(t).Elem()
	if err := setText(v, text); err != nil {
		panic(fmt.Sprintf("range of key %q: %v", f.key, err))
	}
	return v
}
