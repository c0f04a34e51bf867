package scenario

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decode fills a scenario from a tree, defaults first.
func decode(s *Scenario, root *node) error {
	v := reflect.ValueOf(s).Elem()
	setDefaults(v)
	if err := decodeTable(v, root); err != nil {
		return err
	}
	s.QUIC.set = 0
	if s.Sweep.IsZero() {
		s.Sweep = Sweep{}
	}
	return nil
}

// setDefaults sets every key of a table to its default, as far as that is a
// value.
func setDefaults(table reflect.Value) {
	if kinds, _ := kindsOf(table.Type()); kinds != nil {
		for _, f := range tagsOf(table.Type()) {
			if f.key == "kind" && f.standard != "" {
				chooseKind(table, f.standard)
			}
		}
	}
	for _, f := range fieldsOf(table) {
		switch {
		case f.inherit:
		case isTable(f.value.Type()):
			setDefaults(f.value)
		case f.standard != "":
			if setText(f.value, f.standard) != nil {
				f.value.SetZero()
			}
		}
	}
}

// decodeTable sets the keys that a node has.
func decodeTable(table reflect.Value, n *node) error {
	if n.short != nil {
		if err := decodeTable(table, n.short); err != nil {
			return err
		}
	}
	fresh := decodeKind(table, n)
	if n.kind != tableNode {
		return decodeShort(table, n)
	}
	if l, ok := table.Addr().Interface().(*Link); ok {
		return decodeLink(l, n)
	}
	fields := fieldsOf(table)
	if err := decodeFields(table, fields, n); err != nil || !fresh {
		return err
	}
	return requireKeys(fields, n)
}

// decodeFields sets the fields that a node has keys for.
func decodeFields(table reflect.Value, fields []field, n *node) error {
	names := n.names
	if kinds, _ := kindsOf(table.Type()); kinds != nil && n.child["kind"] != nil { // a wrong kind first: what keys there are depends on it
		names = append([]string{"kind"}, names...)
	}
	for _, name := range names {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == name })
		if i < 0 {
			if other := otherKinds(table, name); other != "" {
				return n.child[name].fail("%s", other)
			}
			return n.child[name].fail("unknown key%s", suggest(name, keysOf(fields)))
		}
		if err := decodeField(fields[i], n.child[name]); err != nil {
			return err
		}
		if q, ok := table.Addr().Interface().(*QUIC); ok {
			q.set |= 1 << fields[i].index
		}
	}
	return nil
}

func requireKeys(fields []field, n *node) error {
	for _, f := range fields {
		if f.required && n.child[f.key] == nil {
			want := expected(f.value.Type())
			if len(f.oneof) > 0 {
				want = "one of " + strings.Join(f.oneof, ", ")
			}
			return failAt(n.at, n.join(f.key), "missing; expected %s", want)
		}
	}
	return nil
}

// decodeShort reads a table's short form, such as mtu = "1400B".
func decodeShort(table reflect.Value, n *node) error {
	for _, f := range fieldsOf(table) {
		if f.short && n.kind != listNode {
			return decodeField(f, n)
		}
	}
	return n.fail("%s; expected a table", n.describe())
}

func decodeField(f field, n *node) error {
	v := f.value
	switch {
	case v.Type() == reflect.TypeFor[Numbers]():
		return decodeNumbers(v, n)
	case v.Type() == reflect.TypeFor[Words]():
		return decodeWords(v.Addr().Interface().(*Words), n)
	case v.Type() == reflect.TypeFor[Axes]():
		return decodeAxes(v.Addr().Interface().(*Axes), n)
	case v.Type() == reflect.TypeFor[[]Axes]():
		return decodeZips(v.Addr().Interface().(*[]Axes), n)
	case v.Type() == reflect.TypeFor[Mix]() && n.kind == listNode:
		return decodeMix(v.Addr().Interface().(*Mix), n)
	case isTable(v.Type()):
		return decodeTable(v, n)
	case isNamed(v.Type()):
		return decodeNamed(v, n)
	case v.Kind() == reflect.Slice:
		return decodeList(v, n)
	case v.Kind() == reflect.Array:
		return decodePair(v, n)
	}
	return decodeScalar(f, v, n)
}

// decodeNamed reads the tables [hosts.NAME] in order.
func decodeNamed(list reflect.Value, n *node) error {
	if n.kind != tableNode {
		return n.fail("%s; expected tables [%s.NAME]", n.describe(), n.path)
	}
	for _, name := range n.names {
		child := n.child[name]
		if !validName.MatchString(name) {
			return child.fail("%q is not a name; expected letters, digits, - and _", name)
		}
		item := reflect.New(list.Type().Elem()).Elem()
		item.FieldByName("Name").SetString(name)
		setDefaults(item)
		if err := decodeTable(item, child); err != nil {
			return err
		}
		list.Set(reflect.Append(list, item))
	}
	return nil
}

// decodeList reads a list of tables.
func decodeList(list reflect.Value, n *node) error {
	if n.kind != listNode {
		return n.fail("%s; expected tables [[%s]]", n.describe(), n.path)
	}
	for _, child := range n.items {
		item := reflect.New(list.Type().Elem()).Elem()
		setDefaults(item)
		if err := decodeTable(item, child); err != nil {
			return err
		}
		list.Set(reflect.Append(list, item))
	}
	return nil
}

// decodeNumbers reads a list of whole numbers.
func decodeNumbers(list reflect.Value, n *node) error {
	if n.kind != listNode {
		return n.fail("%s; expected %s", n.describe(), expected(list.Type()))
	}
	numbers := make(Numbers, len(n.items))
	for i, item := range n.items {
		if err := decodeScalar(field{least: "1", most: "1000000000000"}, reflect.ValueOf(&numbers[i]).Elem(), item); err != nil {
			return err
		}
	}
	list.Set(reflect.ValueOf(numbers))
	return nil
}

// decodePair reads a list of as many strings as the array has.
func decodePair(array reflect.Value, n *node) error {
	if n.kind != listNode || len(n.items) != array.Len() {
		what := n.describe()
		if n.kind == listNode {
			what = "this list has " + strconv.Itoa(len(n.items)) + " elements"
		}
		return n.fail("%s; expected %s", what, expected(array.Type()))
	}
	for i, item := range n.items {
		if err := decodeScalar(field{}, array.Index(i), item); err != nil {
			return err
		}
	}
	return nil
}

func decodeScalar(f field, v reflect.Value, n *node) error {
	n.typ, _ = typeWords(v.Type())
	if !accepts(v, n) {
		return n.fail("%s; expected %s", n.describe(), expected(v.Type()))
	}
	if err := setText(v, n.text); err != nil {
		return n.fail("%v", err)
	}
	if len(f.oneof) > 0 && !slices.Contains(f.oneof, n.text) {
		return n.fail("unknown value %q%s", n.text, suggest(n.text, f.oneof))
	}
	if n.text != unlimited && !f.inRange(v) {
		return n.fail("%s is out of range; expected %s to %s", strings.TrimSpace(n.text), f.least, f.most)
	}
	return nil
}

// accepts reports whether a node has the right kind for a value.
func accepts(v reflect.Value, n *node) bool {
	name, _ := typeWords(v.Type())
	switch {
	case n.kind == tableNode || n.kind == listNode:
		return false
	case name == "boolean":
		return n.kind == booleanNode
	case name == "whole number":
		return n.kind == integerNode
	case name == "number":
		return n.kind == integerNode || n.kind == floatNode
	case name == "formula", name == "size" && n.kind == integerNode:
		return n.kind != booleanNode && n.kind != dateNode
	}
	return n.kind == stringNode || n.override
}

// decodeLink reads the link's own keys, then what its other direction changes.
func decodeLink(l *Link, n *node) error {
	fields := fieldsOf(reflect.ValueOf(l).Elem())
	own := *n
	own.names = slices.DeleteFunc(slices.Clone(n.names), func(name string) bool { return name == "reverse" || name == "changes" })
	if err := decodeFields(reflect.ValueOf(l).Elem(), fields, &own); err != nil {
		return err
	}
	l.Reverse = l.Forward.Clone()
	if reverse := n.child["reverse"]; reverse != nil {
		if err := decodeTable(reflect.ValueOf(&l.Reverse).Elem(), reverse); err != nil {
			return err
		}
	}
	if changes := n.child["changes"]; changes != nil {
		if err := decodeChanges(l, changes); err != nil {
			return err
		}
	}
	return requireKeys(fields, n)
}
