// Package formula evaluates formulas over quantities, such as
// "0.9 * links.access.rate - 2Mbit/s". Their syntax is that of Go expressions
// with + - * / and parentheses, function calls, names that may have dots,
// hyphens and indices ("flows.main-1.goodput", "links.access.changes[1].rate"),
// and numbers with units ("20ms", "5Mbit/s", "5%"). A hyphen with no space
// around it belongs to a name: a difference of names is written "a - b".
//
// Quantities know their dimension: seconds are not added to bits.
package formula

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Formula is a formula that was read.
type Formula struct {
	text  string
	words []string // names and numbers, in order
	names []string
	value node
}

// node computes the value of a part of a formula.
type node func(*Scope) (Quantity, error)

// Scope is what the names of a formula mean.
type Scope struct {
	Value     func(name string) (Quantity, error)
	Functions map[string]Function // besides min, max, abs and sqrt
}

// Function is a function that formulas can call.
type Function struct {
	Parameters []Parameter
	Call       func(arguments []Quantity) (Quantity, error)
}

// Parameter is what a function takes.
type Parameter struct {
	Name      string
	Dimension Dimension
}

// word matches a name or a number with its unit.
var word = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+|\[\d+\])*|\d[\d.]*(?:[eE][+-]?\d+)?(?:[A-Za-zµ%][A-Za-zµ%0-9.]*)?(?:/s\b²?)?`)

const (
	mostBytes   = 1000 // of a formula
	placeholder = 'ǀ'  // begins the identifiers that stand for words; a letter to Go
)

// Parse reads a formula.
func Parse(text string) (*Formula, error) {
	if len(text) > mostBytes {
		return nil, fmt.Errorf("the formula has %d bytes; expected at most %d", len(text), mostBytes)
	}
	f := &Formula{text: text}
	if strings.ContainsRune(text, placeholder) || strings.ContainsAny(text, "\n\r\"'`{};") {
		return nil, fmt.Errorf("%q is no formula: it has characters that no formula has", text)
	}
	// Go's parser reads what is left when words have become identifiers.
	root, err := parser.ParseExpr(word.ReplaceAllStringFunc(text, func(w string) string {
		f.words = append(f.words, w)
		return fmt.Sprintf("%c%d", placeholder, len(f.words)-1)
	}))
	if err != nil {
		return nil, fmt.Errorf("%q is no formula: %s", text, f.explain(err))
	}
	if f.value, err = f.compile(root); err != nil {
		return nil, err
	}
	return f, nil
}

// explain returns what the first of Go's syntax errors says, with the words of
// the formula.
func (f *Formula) explain(err error) string {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		err = errors.New(list[0].Msg)
	}
	return strings.ReplaceAll(identifier.ReplaceAllStringFunc(err.Error(), f.word), "'EOF'", "its end")
}

var identifier = regexp.MustCompile(string(placeholder) + `\d+`)

// word returns what an identifier stands for.
func (f *Formula) word(id string) string {
	i, err := strconv.Atoi(strings.TrimPrefix(id, string(placeholder)))
	if err != nil || i >= len(f.words) {
		return id
	}
	return f.words[i]
}

func (f *Formula) compile(e ast.Expr) (node, error) {
	switch e := e.(type) {
	case *ast.Ident:
		return f.operand(f.word(e.Name))
	case *ast.ParenExpr:
		return f.compile(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.SUB {
			return f.operation(&ast.BinaryExpr{X: nil, Op: token.SUB, Y: e.X})
		}
	case *ast.BinaryExpr:
		return f.operation(e)
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && !e.Ellipsis.IsValid() {
			return f.call(f.word(id.Name), e.Args)
		}
	}
	return nil, fmt.Errorf("%q is no formula of names, quantities, + - * /, parentheses and functions", f.text)
}

// operand compiles a name or a number.
func (f *Formula) operand(w string) (node, error) {
	if w[0] < '0' || w[0] > '9' {
		if !slices.Contains(f.names, w) {
			f.names = append(f.names, w)
		}
		return func(s *Scope) (Quantity, error) { return s.Value(w) }, nil
	}
	q, ok := ParseQuantity(w)
	if !ok {
		return nil, fmt.Errorf("%q is neither a number nor a quantity such as 20ms, 5Mbit/s, 64KB, 10packets or 5%%", w)
	}
	return func(*Scope) (Quantity, error) { return q, nil }, nil
}

func (f *Formula) operation(e *ast.BinaryExpr) (node, error) {
	x := node(nil) // of a sign
	var err error
	if e.X != nil {
		if x, err = f.compile(e.X); err != nil {
			return nil, err
		}
	}
	y, err := f.compile(e.Y)
	if err != nil {
		return nil, err
	}
	apply := map[token.Token]func(a, b Quantity) (Quantity, error){
		token.ADD: func(a, b Quantity) (Quantity, error) { return a.plus(b, 1) },
		token.SUB: func(a, b Quantity) (Quantity, error) { return a.plus(b, -1) },
		token.MUL: func(a, b Quantity) (Quantity, error) { return a.times(b), nil },
		token.QUO: func(a, b Quantity) (Quantity, error) { return a.times(b.inverse()), nil },
	}[e.Op]
	if apply == nil {
		return nil, fmt.Errorf("%q: a formula has no operator %s; expected +, -, * or /", f.text, e.Op)
	}
	return func(s *Scope) (Quantity, error) {
		var a Quantity
		if x != nil {
			var err error
			if a, err = x(s); err != nil {
				return Quantity{}, err
			}
		}
		b, err := y(s)
		if err != nil {
			return Quantity{}, err
		}
		if x == nil {
			a.Dimension = b.Dimension
		}
		return apply(a, b)
	}, nil
}

func (f *Formula) call(name string, arguments []ast.Expr) (node, error) {
	nodes := make([]node, len(arguments))
	for i, a := range arguments {
		var err error
		if nodes[i], err = f.compile(a); err != nil {
			return nil, err
		}
	}
	return func(s *Scope) (Quantity, error) {
		values := make([]Quantity, len(nodes))
		for i, n := range nodes {
			var err error
			if values[i], err = n(s); err != nil {
				return Quantity{}, err
			}
		}
		return s.call(name, values)
	}, nil
}

// Percentage reports whether the formula is one number in per cent, such as "5%".
func (f *Formula) Percentage() bool {
	return len(f.words) == 1 && strings.TrimSpace(f.text) == f.words[0] && strings.HasSuffix(f.words[0], "%")
}

// String returns the formula as it was written.
func (f *Formula) String() string { return f.text }

// Names returns the names in the formula, those of functions not among them, in
// order, each once.
func (f *Formula) Names() []string { return f.names }

// Eval returns the value of the formula. It fails if a name or a function is not
// in the scope, if units do not fit, and if the value is not a finite number.
func (f *Formula) Eval(s *Scope) (Quantity, error) {
	q, err := f.value(s)
	if err == nil && (math.IsNaN(q.Value) || math.IsInf(q.Value, 0)) {
		err = errors.New("its value is not a finite number")
	}
	if err != nil {
		return Quantity{}, fmt.Errorf("formula %q: %w", f.text, err)
	}
	return q, nil
}
