package scenario

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// overrideFile stands for a file's name in errors about overrides.
const overrideFile = "--set"

// override sets the value at a path to what "path=value" says, and returns it. The
// value is read as TOML if it is valid TOML, and as a string otherwise.
func override(root *node, text string) (*node, error) {
	at := origin{file: overrideFile}
	path, value, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return nil, failAt(at, "", "%q is not an override; expected path=value, such as links.access.rate=5Mbit/s", text)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, failAt(at, "", "%q is not text in UTF-8", text)
	}
	parts := strings.Split(path, ".")
	table := root
	for i, part := range parts[:len(parts)-1] {
		next, err := step(table, part)
		if err != nil {
			return nil, err
		}
		if next == nil {
			if collection(parts[:i]) {
				return nil, failAt(at, table.join(part), "there is no such table%s", suggest(part, table.names))
			}
			next = newTable(table.join(part), at)
			table.put(part, next)
		}
		if next.kind != tableNode && next.kind != listNode && table.kind == tableNode {
			short := next
			next = newTable(short.path, at)
			next.short = short
			table.put(part, next)
		}
		table = next
	}
	name := parts[len(parts)-1]
	old, err := step(table, name)
	if err != nil {
		return nil, err
	}
	where := table.join(name)
	n, err := overrideValue(value, where, at)
	if err != nil {
		return nil, err
	}
	if table.kind == listNode {
		table.items[slices.Index(table.items, old)] = n
		return n, nil
	}
	table.put(name, n)
	return n, nil
}

// step returns the value of a table or list under a name, and nil if a table
// has no such key.
func step(n *node, name string) (*node, error) {
	at := origin{file: overrideFile}
	switch {
	case name == "":
		return nil, failAt(at, n.path, "the path has an empty part; expected names with single dots between them")
	case n.kind == tableNode:
		return n.child[name], nil
	case n.kind == listNode:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(n.items) {
			return nil, failAt(at, n.path, "has no element %q; expected 0 to %d", name, len(n.items)-1)
		}
		return n.items[i], nil
	}
	return nil, failAt(at, n.path, "%s, not a table; expected an override of %s itself", n.describe(), n.path)
}

// collection reports whether a path leads to tables that have names of the
// author's choice.
func collection(path []string) bool {
	switch len(path) {
	case 1:
		return slices.Contains([]string{"hosts", "routers", "links", "traffic", "sessions"}, path[0])
	case 3:
		return path[0] == "sessions" && path[2] == "flows"
	}
	return false
}

// overrideValue reads the value of an override.
func overrideValue(text, path string, at origin) (*node, error) {
	r := &reader{file: overrideFile, override: true}
	r.parser.Reset([]byte("v = " + text))
	if r.parser.NextExpression() {
		e := r.parser.Expression()
		if e.Kind == unstable.KeyValue {
			n, err := r.value(e.Value(), path, at)
			if err != nil {
				return nil, err
			}
			if !r.parser.NextExpression() && r.parser.Error() == nil {
				return n, nil
			}
		}
	}
	return &node{kind: stringNode, path: path, at: at, text: text, override: true}, nil
}
