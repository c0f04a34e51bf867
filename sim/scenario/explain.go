package scenario

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wtsim/wtsim/netem"
)

// Explain returns a scenario as TOML with every default written out and every
// key explained where it first occurs. It loads as an equal Scenario.
func Explain(s *Scenario) []byte {
	e := &explainer{explained: map[string]bool{}}
	e.table("", "scenario", reflect.ValueOf(s).Elem())
	return append(bytes.TrimSpace(e.out.Bytes()), '\n')
}

type explainer struct {
	out       bytes.Buffer
	explained map[string]bool // the keys that have been, by the kinds of their tables
}

// table writes a table and those within it. Tables of one kind have the same
// keys.
func (e *explainer) table(path, kind string, v reflect.Value) {
	header := "[" + path + "]"
	if path == "" {
		header = ""
	}
	e.keys(header, kind, leaves(v, ""))
	for _, f := range fieldsOf(v) {
		inner := joinPath(path, f.key)
		switch x := f.value.Addr().Interface().(type) {
		case *QUIC:
			e.quic(inner, x, f.inherit)
		case *LinkDirection:
			e.reverse(inner, v.Addr().Interface().(*Link))
		case *Sweep:
			e.sweep(x)
		default:
			e.list(inner, f)
		}
	}
}

// list writes the tables of a list, if the field is one.
func (e *explainer) list(path string, f field) {
	if f.value.Kind() != reflect.Slice {
		return
	}
	for i := range f.value.Len() {
		item := f.value.Index(i)
		switch x := item.Addr().Interface().(type) {
		case *Flow:
			e.table(joinPath(path, x.Name), "flow "+x.Kind, item)
		case *Change:
			e.keys("[["+path+"]]", f.key, append(leaves(item, ""), x.leaves()...))
		case *TrafficChange:
			e.keys("[["+path+"]]", "traffic "+f.key, leaves(item, ""))
		default:
			if isNamed(f.value.Type()) {
				e.table(joinPath(path, item.FieldByName("Name").String()), f.key, item)
			} else {
				e.keys("[["+path+"]]", f.key, leaves(item, ""))
			}
		}
	}
}

// quic writes QUIC parameters, and of overrides only those that are set.
func (e *explainer) quic(path string, q *QUIC, override bool) {
	keys := leaves(reflect.ValueOf(q).Elem(), "")
	if override {
		var set []field
		for _, f := range keys {
			if q.isSet(f) {
				set = append(set, f)
			}
		}
		if len(set) == 0 {
			return
		}
		keys = set
	}
	e.keys("["+path+"]", "quic", keys)
}

// reverse writes what differs in a link's other direction.
func (e *explainer) reverse(path string, l *Link) {
	var different []field
	forward := fieldsOf(reflect.ValueOf(&l.Forward).Elem())
	for i, f := range fieldsOf(reflect.ValueOf(&l.Reverse).Elem()) {
		if !reflect.DeepEqual(f.value.Interface(), forward[i].value.Interface()) {
			for _, f := range leavesOf(f, "") {
				f.required = true // and so written even where it is nothing
				different = append(different, f)
			}
		}
	}
	if len(different) > 0 {
		e.keys("["+path+"]", "links", different)
	}
}

// leaves returns the keys of a table that are values, with dotted keys for those
// of inner tables.
func leaves(table reflect.Value, prefix string) []field {
	var all []field
	for _, f := range fieldsOf(table) {
		all = append(all, leavesOf(f, prefix)...)
	}
	return all
}

func leavesOf(f field, prefix string) []field {
	t := f.value.Type()
	f.key = prefix + f.key
	switch {
	case t == reflect.TypeFor[QUIC](), t == reflect.TypeFor[LinkDirection](), isSweep(t), t.Kind() == reflect.Slice && t != reflect.TypeFor[Numbers]() && t != reflect.TypeFor[Points]() && t != reflect.TypeFor[Words]():
		return nil // a table with a header of its own
	case isTable(t):
		return leaves(f.value, f.key+".")
	}
	return []field{f}
}

// keys writes the keys of one table, below its header.
func (e *explainer) keys(header, kind string, fields []field) {
	type line struct{ text, doc string }
	var lines []line
	width := 0
	for _, f := range fields {
		explain := !e.explained[kind+" "+f.key]
		e.explained[kind+" "+f.key] = true
		l := line{}
		if explain {
			l.doc = f.doc
		}
		switch {
		case !f.isUnset():
			l.text = f.key + " = " + valueText(f.value)
		case explain:
			l.text = "#" + f.key + " ="
			if f.standard != "" {
				l.doc += "; default: " + f.standard
			}
		default:
			continue
		}
		lines = append(lines, l)
		width = max(width, min(utf8.RuneCountInString(l.text), 40))
	}
	if header != "" {
		e.out.WriteString(header + "\n")
	}
	for _, l := range lines {
		if l.doc != "" {
			fmt.Fprintf(&e.out, "%-*s  # %s\n", width, l.text, l.doc)
		} else {
			e.out.WriteString(l.text + "\n")
		}
	}
	e.out.WriteString("\n")
}

// isUnset reports whether a value is one that a file writes by leaving the key
// out: zero, where the default is no value.
func (f field) isUnset() bool {
	if !f.value.IsZero() || f.required {
		return false
	}
	return setText(reflect.New(f.value.Type()).Elem(), f.standard) != nil || f.standard == ""
}

// valueText returns a value as TOML.
func valueText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return quote(x.String())
	case netem.BitRate:
		if x == 0 {
			return quote(unlimited)
		}
		return quote(x.String())
	case Mix:
		return x.text()
	case Points:
		return x.text()
	case Words:
		words := make([]string, len(x))
		for i, w := range x {
			words[i] = quote(w)
		}
		return "[" + strings.Join(words, ", ") + "]"
	case Numbers:
		numbers := make([]string, len(x))
		for i, n := range x {
			numbers[i] = strconv.FormatUint(n, 10)
		}
		return "[" + strings.Join(numbers, ", ") + "]"
	case [2]string:
		return "[" + quote(x[0]) + ", " + quote(x[1]) + "]"
	case encoding.TextMarshaler:
		text, _ := x.MarshalText() // those of this package and netem do not fail
		return quote(string(text))
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	if v.Kind() == reflect.String {
		return quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// quote returns a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
