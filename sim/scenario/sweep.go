package scenario

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Sweep is the study that a scenario is the centre of: what varies, how often each
// variant is run, and what is shown of it. It means nothing to a run by itself.
type Sweep struct {
	Seeds   int           `toml:"seeds" default:"1" range:"1..10000" doc:"seeds of each cell: the scenario's and those that follow"`
	Metrics Words         `toml:"metrics" doc:"what the figures show, in order; default: what a change is judged by"`
	Wall    time.Duration `toml:"wall" default:"0s" range:"0s..24h" doc:"wall-clock time after which a run is stopped and counts as failed; 0 is no limit"`
	Memory  netem.Bytes   `toml:"memory" default:"0B" range:"0B..1000GB" doc:"memory beyond which a run is stopped and counts as failed; 0 is no limit"`
	Samples int           `toml:"samples" default:"0" range:"0..1000000" doc:"how many points the keys of [sweep.sample] are drawn for"`
	Method  string        `toml:"method" default:"latin_hypercube" oneof:"latin_hypercube random" doc:"how they are drawn: latin_hypercube, one of each of as many equal parts of every range; random, independently, so that more samples keep those that were there"`
	Seed    uint64        `toml:"seed" default:"1" doc:"seed of the drawing"`
	Grid    Axes          `toml:"grid" doc:"keys of which every combination is a cell"`
	Zip     []Axes        `toml:"zip" doc:"keys whose values go together"`
	Sample  Axes          `toml:"sample" doc:"keys that are drawn"`
}

// Axes are keys of the scenario with the values that they take, in the order of
// the file, where those of one table stay together.
type Axes []Axis

// Axis is a key of the scenario with the values that it takes.
type Axis struct {
	Path   string   // as overrides name it, such as "links.access.rate"
	Values []string // as overrides write them, or ranges of them; see package sweep
}

// Words is a list of strings.
type Words []string

// IsZero reports whether the scenario asks for no study.
func (s *Sweep) IsZero() bool {
	fresh := Sweep{}
	if reflect.DeepEqual(*s, fresh) {
		return true
	}
	setDefaults(reflect.ValueOf(&fresh).Elem())
	return reflect.DeepEqual(*s, fresh)
}

// Resolved returns what [Explain] does, without what is not about a run: the study.
func (s *Scenario) Resolved() []byte {
	run := *s
	run.Sweep = Sweep{}
	return Explain(&run)
}

// Kind returns the name of the type, one of those that [Types] describes, of the key
// that the last override sets. An override that cannot be read is an [*Error].
func Kind(name string, data []byte, overrides ...string) (string, error) {
	root, err := parseTree(name, data)
	if err != nil {
		return "", err
	}
	var last *node
	for _, o := range overrides {
		if last, err = override(root, o); err != nil {
			return "", err
		}
	}
	if err := decode(&Scenario{}, root); err != nil {
		return "", err
	}
	return last.typ, nil
}

// Line returns the line on which a file has the value at a path, or else the last of
// its tables that there is; 0 if it has none of them.
func Line(data []byte, path string) int {
	root, err := parseTree("", data)
	if err != nil {
		return 0
	}
	n, _ := (&checker{root: root}).find(strings.Split(path, "."))
	return n.at.line
}

// decodeAxes reads keys of the scenario, which stand in tables as they do in the
// scenario.
func decodeAxes(axes *Axes, n *node) error {
	if n.kind != tableNode {
		return n.fail("%s; expected keys of the scenario with lists of values", n.describe())
	}
	*axes = nil
	return axes.add(n, "")
}

func (axes *Axes) add(n *node, prefix string) error {
	for _, name := range n.names {
		child := n.child[name]
		if strings.ContainsRune(name, '.') || name == "" {
			return child.fail("%q is not a name; expected keys with dots between them, and no quotes", name)
		}
		path := name
		if prefix != "" {
			path = prefix + "." + name
		}
		switch child.kind {
		case tableNode:
			if err := axes.add(child, path); err != nil {
				return err
			}
			continue
		case listNode:
			axis := Axis{Path: path, Values: []string{}}
			for _, item := range child.items {
				axis.Values = append(axis.Values, item.value())
			}
			*axes = append(*axes, axis)
		default:
			*axes = append(*axes, Axis{path, []string{child.value()}})
		}
	}
	return nil
}

// decodeZips reads tables of axes.
func decodeZips(list *[]Axes, n *node) error {
	if n.kind != listNode {
		return n.fail("%s; expected tables [[%s]]", n.describe(), n.path)
	}
	*list = nil
	for _, item := range n.items {
		var axes Axes
		if err := decodeAxes(&axes, item); err != nil {
			return err
		}
		*list = append(*list, axes)
	}
	return nil
}

// decodeWords reads a list of strings.
func decodeWords(words *Words, n *node) error {
	if n.kind != listNode {
		return n.fail("%s; expected %s", n.describe(), expected(reflect.TypeFor[Words]()))
	}
	*words = nil
	for _, item := range n.items {
		if item.kind != stringNode {
			return item.fail("%s; expected a string", item.describe())
		}
		*words = append(*words, item.text)
	}
	return nil
}

// value returns a value as an override writes it: strings without quotes where that
// is the same.
func (n *node) value() string {
	switch n.kind {
	case stringNode:
		if isTOML(n.text) {
			return quote(n.text)
		}
		return n.text
	case tableNode, listNode:
		return n.inline()
	}
	return n.text
}

// inline returns a value as TOML in one line.
func (n *node) inline() string {
	var parts []string
	switch n.kind {
	case stringNode:
		return quote(n.text)
	case listNode:
		for _, item := range n.items {
			parts = append(parts, item.inline())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case tableNode:
		for _, name := range n.names {
			parts = append(parts, joinPath("", name)+" = "+n.child[name].inline())
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return n.text
}

// isTOML reports whether a text is a value in TOML, rather than a string that an
// override needs no quotes for.
func isTOML(text string) bool {
	n, err := overrideValue(text, "", origin{})
	return err != nil || n.kind != stringNode || n.text != text || strings.TrimSpace(text) == ""
}

// sweep writes a study.
func (e *explainer) sweep(s *Sweep) {
	if s.IsZero() {
		return
	}
	e.keys("[sweep]", "sweep", leaves(reflect.ValueOf(s).Elem(), ""))
	e.axes("[sweep.grid]", s.Grid)
	for _, axes := range s.Zip {
		e.axes("[[sweep.zip]]", axes)
	}
	e.axes("[sweep.sample]", s.Sample)
}

func (e *explainer) axes(header string, axes Axes) {
	if len(axes) == 0 && header != "[[sweep.zip]]" {
		return
	}
	e.out.WriteString(header + "\n")
	for _, axis := range axes {
		values := make([]string, len(axis.Values))
		for i, v := range axis.Values {
			if values[i] = v; !isTOML(v) {
				values[i] = quote(v)
			}
		}
		parts := strings.Split(axis.Path, ".")
		for i, part := range parts {
			parts[i] = joinPath("", part)
		}
		e.out.WriteString(strings.Join(parts, ".") + " = [" + strings.Join(values, ", ") + "]\n")
	}
	e.out.WriteString("\n")
}

// isSweep reports whether a type is of a table of a study's, which is written by
// itself.
func isSweep(t reflect.Type) bool {
	return slices.Contains([]reflect.Type{reflect.TypeFor[Sweep](), reflect.TypeFor[Axes](), reflect.TypeFor[[]Axes]()}, t)
}
