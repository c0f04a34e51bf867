package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// nodeKind is the kind of a TOML value.
type nodeKind uint8

const (
	tableNode nodeKind = iota
	listNode
	stringNode
	integerNode
	floatNode
	booleanNode
	dateNode
)

// origin is where a value was written.
type origin struct {
	file string
	line int // 0 for an override
}

// node is a value of a scenario file. Tables keep the order of the file.
type node struct {
	kind nodeKind
	path string // "links.access.changes.0"
	at   origin

	text     string // of a scalar: a string's value, the token of anything else
	typ      string // of a scalar that was decoded: the name of its type
	override bool   // whether the value was given on the command line, where strings need no quotes

	names []string         // of a table: its keys, in order
	child map[string]*node // of a table
	short *node            // of a table that an override made of its short form
	items []*node          // of a list

	// How the table or list was begun, which decides what may be added to it.
	header bool // by [table], or [[list of tables]]
	dotted bool // by a dotted key
	closed bool // by an inline value
}

func newTable(path string, at origin) *node {
	return &node{kind: tableNode, path: path, at: at, child: map[string]*node{}}
}

// put sets a key of a table.
func (n *node) put(name string, value *node) {
	if _, ok := n.child[name]; !ok {
		n.names = append(n.names, name)
	}
	n.child[name] = value
}

// join returns the path of a key of the table or an element of the list.
func (n *node) join(name string) string { return joinPath(n.path, name) }

func joinPath(path, name string) string {
	if !validName.MatchString(name) {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// describe says what a value is, for messages about wrong types.
func (n *node) describe() string {
	switch n.kind {
	case tableNode:
		if n.short != nil {
			return n.short.describe() + ", which has no keys"
		}
		return "this is a table"
	case listNode:
		return "this is a list"
	case stringNode:
		return fmt.Sprintf("%q is a string", n.text)
	case integerNode:
		return n.text + " is an integer"
	case floatNode:
		return n.text + " is a decimal number"
	case booleanNode:
		return n.text + " is a boolean"
	}
	return n.text + " is a date or time"
}

// reader builds the tree of one TOML text.
type reader struct {
	parser   unstable.Parser
	file     string
	offset   int // up to which lines have been counted
	line     int
	override bool
}

// parseTree reads a TOML text into a tree. The same mistakes as in TOML's
// specification are errors: a key or a table defined twice, a value used as a
// table.
func parseTree(file string, data []byte) (*node, error) {
	if err := checkText(file, data); err != nil {
		return nil, err
	}
	r := &reader{file: file, line: 1}
	r.parser.Reset(data)
	root := newTable("", origin{file: file})
	table := root
	for r.parser.NextExpression() {
		var err error
		switch e := r.parser.Expression(); e.Kind {
		case unstable.Table:
			table, err = r.openTable(root, e)
		case unstable.ArrayTable:
			table, err = r.appendTable(root, e)
		default:
			err = r.setKey(table, e)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.parser.Error(); err != nil {
		return nil, r.syntaxError(err)
	}
	return root, nil
}

// checkText refuses what cannot be a text file.
func checkText(file string, data []byte) error {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 || c == 0 {
			line := 1 + bytes.Count(data[:i], []byte("\n"))
			return &Error{File: file, Line: line, Message: fmt.Sprintf("byte 0x%02x is not text; expected a TOML file in UTF-8", data[i])}
		}
		i += size
	}
	return nil
}

func (r *reader) syntaxError(err error) error {
	at := origin{file: r.file}
	var syntax *unstable.ParserError
	if errors.As(err, &syntax) {
		at.line = 1 + bytes.Count(r.parser.Data()[:r.parser.Range(syntax.Highlight).Offset], []byte("\n"))
	}
	return failAt(at, "", "not valid TOML: %s", strings.TrimPrefix(err.Error(), "toml: "))
}

// origin returns the place of a key. Keys are asked for in order of the file.
func (r *reader) origin(key *unstable.Node) origin {
	if r.override {
		return origin{file: r.file}
	}
	end := int(key.Raw.Offset)
	if end > r.offset {
		r.line += bytes.Count(r.parser.Data()[r.offset:end], []byte("\n"))
		r.offset = end
	}
	return origin{file: r.file, line: r.line}
}

// keys returns the parts of a dotted key and the place of the first.
func (r *reader) keys(e *unstable.Node) (parts []string, at origin) {
	for it := e.Key(); it.Next(); {
		if parts == nil {
			at = r.origin(it.Node())
		}
		parts = append(parts, string(it.Node().Data))
	}
	return parts, at
}

// descend walks from the root to the table in which the last part of a
// header's key stands, and creates tables on the way.
func (r *reader) descend(n *node, parts []string, at origin) (*node, error) {
	for _, part := range parts {
		next := n.child[part]
		switch {
		case next == nil:
			next = newTable(n.join(part), at)
			n.put(part, next)
		case next.kind == listNode && next.header:
			next = next.items[len(next.items)-1]
		case next.kind != tableNode || next.closed:
			return nil, failAt(at, next.path, "already has a value on line %d; expected it to be written in one place", next.at.line)
		}
		n = next
	}
	return n, nil
}

// openTable reads "[a.b]".
func (r *reader) openTable(root *node, e *unstable.Node) (*node, error) {
	parts, at := r.keys(e)
	parent, err := r.descend(root, parts[:len(parts)-1], at)
	if err != nil {
		return nil, err
	}
	name := parts[len(parts)-1]
	table := parent.child[name]
	switch {
	case table == nil:
		table = newTable(parent.join(name), at)
		parent.put(name, table)
	case table.kind != tableNode || table.header || table.dotted || table.closed:
		return nil, twice(table, at)
	default:
		table.at = at
	}
	table.header = true
	return table, nil
}

// appendTable reads "[[a.b]]".
func (r *reader) appendTable(root *node, e *unstable.Node) (*node, error) {
	parts, at := r.keys(e)
	parent, err := r.descend(root, parts[:len(parts)-1], at)
	if err != nil {
		return nil, err
	}
	name := parts[len(parts)-1]
	list := parent.child[name]
	switch {
	case list == nil:
		list = &node{kind: listNode, path: parent.join(name), at: at, header: true}
		parent.put(name, list)
	case list.kind != listNode || !list.header:
		return nil, twice(list, at)
	}
	item := newTable(list.join(strconv.Itoa(len(list.items))), at)
	item.header = true
	list.items = append(list.items, item)
	return item, nil
}

// setKey reads "a.b = value" into a table.
func (r *reader) setKey(table *node, e *unstable.Node) error {
	parts, at := r.keys(e)
	for _, part := range parts[:len(parts)-1] {
		next := table.child[part]
		switch {
		case next == nil:
			next = newTable(table.join(part), at)
			next.dotted = true
			table.put(part, next)
		case next.kind != tableNode || !next.dotted:
			return twice(next, at)
		}
		table = next
	}
	name := parts[len(parts)-1]
	if old := table.child[name]; old != nil {
		return twice(old, at)
	}
	value, err := r.value(e.Value(), table.join(name), at)
	if err != nil {
		return err
	}
	table.put(name, value)
	return nil
}

func twice(first *node, at origin) error {
	if first.at.line == 0 {
		return failAt(at, first.path, "defined twice; expected it once")
	}
	return failAt(at, first.path, "defined twice, first on line %d; expected it once", first.at.line)
}

// value reads the value of a key.
func (r *reader) value(e *unstable.Node, path string, at origin) (*node, error) {
	n := &node{path: path, at: at, text: string(e.Data), override: r.override}
	switch e.Kind {
	case unstable.String:
		n.kind = stringNode
	case unstable.Integer:
		n.kind = integerNode
	case unstable.Float:
		n.kind = floatNode
	case unstable.Bool:
		n.kind = booleanNode
	case unstable.InlineTable:
		n.kind, n.child, n.closed = tableNode, map[string]*node{}, true
		for it := e.Children(); it.Next(); {
			if err := r.setKey(n, it.Node()); err != nil {
				return nil, err
			}
		}
	case unstable.Array:
		n.kind, n.closed = listNode, true
		for it := e.Children(); it.Next(); {
			item, err := r.value(it.Node(), n.join(strconv.Itoa(len(n.items))), at)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	default:
		n.kind = dateNode
	}
	return n, nil
}
