package scenario

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// kind is one of the forms of a table that has a key "kind", with keys of its
// own. The table's type has a field Kind, and a field Config for a pointer to
// the type of those keys.
type kind struct {
	name, doc string
	config    func() any
	linux     string // see Table
	example   string // see Table; of a queue, a loss or traffic, as in the reference
}

// kindsOf returns the kinds of a table, in the order in which they are listed,
// and which of them the table's short form means, and its keys too if the first
// kind is in force; "" is the kind in force.
func kindsOf(table reflect.Type) (kinds []kind, short string) {
	switch table {
	case reflect.TypeFor[Flow]():
		return flowKinds, ""
	case reflect.TypeFor[Sizes]():
		return sizeKinds, ""
	case reflect.TypeFor[Traffic]():
		return trafficKinds, ""
	case reflect.TypeFor[Queue]():
		return queueKinds, ""
	case reflect.TypeFor[Loss]():
		return lossKinds, "bernoulli"
	}
	return nil, ""
}

func namesOf(kinds []kind) []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// chooseKind gives a table the configuration of a kind, with its defaults,
// unless it has that kind already. It reports whether it did.
func chooseKind(table reflect.Value, name string) bool {
	kinds, _ := kindsOf(table.Type())
	field, config := table.FieldByName("Kind"), table.FieldByName("Config")
	if field.String() == name && !config.IsNil() {
		return false
	}
	field.SetString(name)
	config.Set(reflect.ValueOf(kindNamed(kinds, name).config()))
	setDefaults(config.Elem().Elem())
	return true
}

// decodeKind chooses the kind of a table that a node names or implies. It
// reports whether the keys that the table requires have no values yet. A kind
// that does not exist is left for the check of its key.
func decodeKind(table reflect.Value, n *node) (fresh bool) {
	kinds, short := kindsOf(table.Type())
	if kinds == nil {
		return true
	}
	switch named := n.child["kind"]; {
	case named != nil && slices.Contains(namesOf(kinds), named.text):
		return chooseKind(table, named.text)
	case named != nil || short == "":
	case n.kind != tableNode, table.FieldByName("Kind").String() == kinds[0].name && n.hasAny(kindNamed(kinds, short).keys()):
		return chooseKind(table, short)
	}
	return table.FieldByName("Config").IsNil()
}

func kindNamed(kinds []kind, name string) kind {
	return kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })]
}

// hasAny reports whether a table has one of the keys.
func (n *node) hasAny(keys []string) bool {
	return slices.ContainsFunc(n.names, func(name string) bool { return slices.Contains(keys, name) })
}

// keys returns the keys of a kind's own.
func (k kind) keys() []string { return keysOf(fieldsOf(reflect.ValueOf(k.config()).Elem())) }

// otherKinds ends a message about a key that a table of this kind does not
// have: with the kinds that have it, if any.
func otherKinds(table reflect.Value, key string) string {
	kinds, _ := kindsOf(table.Type())
	var having []string
	for _, k := range kinds {
		if slices.Contains(k.keys(), key) {
			having = append(having, k.name)
		}
	}
	if len(having) == 0 {
		return ""
	}
	what := "kind " + strconv.Quote(table.FieldByName("Kind").String()) + " has no such key; expected "
	if len(having) == 1 {
		return what + "kind = " + strconv.Quote(having[0])
	}
	return what + "one of the kinds " + strings.Join(having, ", ")
}

// clonePointer returns a pointer of the same type to a copy of what an
// interface points to, and nil for nil.
func clonePointer[T any](config T) T {
	v := reflect.ValueOf(config)
	if !v.IsValid() {
		return config
	}
	c := reflect.New(v.Elem().Type())
	c.Elem().Set(v.Elem())
	return c.Interface().(T)
}
