package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/sim/scenario"
)

// axis is an axis as it was asked for.
type axis struct {
	path   string
	given  []string // values and ranges
	file   string   // where it stands: a scenario's file, or a flag
	key    string   // in the file, such as "sweep.grid.links.access.rate"
	source []byte   // of the file; nil for a flag

	values []string // of a grid or a zip
	span   *span    // that values are drawn from, or that the only range is
}

// fail returns an error about the axis.
func (a *axis) fail(format string, args ...any) error {
	e := &scenario.Error{File: a.file, Key: a.path, Message: fmt.Sprintf(format, args...)}
	if a.source != nil {
		e.Key, e.Line = a.key, scenario.Line(a.source, a.key)
	}
	return e
}

// blame makes an error of the scenario about an override one about where the value of
// the axis was written, if it is about the axis.
func (a *axis) blame(err error) (error, bool) {
	var mistake *scenario.Error
	if !errors.As(err, &mistake) || mistake.File != "--set" || !within(a.path, mistake.Key) && !within(mistake.Key, a.path) {
		return err, false
	}
	moved := *mistake
	if moved.File = a.file; a.source != nil {
		moved.Line = scenario.Line(a.source, a.key)
	}
	return &moved, true
}

// within reports whether a path is another or lies within its table.
func within(path, table string) bool {
	return path == table || strings.HasPrefix(path, table+".")
}

// parseAxis reads "path=a,b,c" of a flag.
func parseAxis(flag, text string) (*axis, error) {
	path, list, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return nil, &scenario.Error{File: flag, Message: fmt.Sprintf("%q names no values; expected path=a,b,c or path=1..100:log10, such as links.access.rate=5Mbit/s,10Mbit/s", text)}
	}
	a := &axis{path: path, file: flag}
	var err error
	if a.given, err = splitList(list); err != nil {
		return nil, a.fail("%v", err)
	}
	return a, nil
}

// splitList splits a list at its commas, but for those within brackets, braces and
// quotes.
func splitList(text string) ([]string, error) {
	var (
		items  []string
		begin  int
		open   []rune // the brackets that are to be closed
		quote  rune
		escape bool
	)
	for i, c := range text {
		switch {
		case escape:
			escape = false
		case quote != 0:
			if escape = c == '\\' && quote == '"'; c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' && strings.TrimSpace(text[begin:i]) == "" || c == '\'' && len(open) > 0:
			quote = c
		case c == '{':
			open = append(open, '}')
		case c == '[':
			open = append(open, ']')
		case c == '}' || c == ']':
			if len(open) == 0 || open[len(open)-1] != c {
				return nil, fmt.Errorf("%q closes what is not open; expected brackets and braces in pairs", string(c))
			}
			open = open[:len(open)-1]
		case c == ',' && len(open) == 0:
			items = append(items, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a quotation mark %c has no end", quote)
	case len(open) > 0:
		return nil, fmt.Errorf("%q is missing; expected brackets and braces in pairs", string(open[len(open)-1]))
	}
	items = append(items, strings.TrimSpace(text[begin:]))
	if i := slices.Index(items, ""); i >= 0 {
		if len(items) == 1 {
			return nil, errors.New("has no values; expected at least one")
		}
		return nil, fmt.Errorf("value %d of the list is empty; expected one, or \"\" for an empty string", i+1)
	}
	return items, nil
}

// notSwept are the keys that are no part of what happens in a run.
var notSwept = map[string]string{
	"seed":        "seeds are swept by [sweep] seeds, or --seeds",
	"name":        "a name changes nothing in a run",
	"description": "a description changes nothing in a run",
	"long":        "it says what 'wtsim check' runs",
	"expect":      "a sweep does not judge; expectations change nothing in a run",
	"sweep":       "a study is not a part of what it studies",
}

// check finds what is wrong with an axis by itself.
func (a *axis) check() error {
	first, _, _ := strings.Cut(a.path, ".")
	if why := notSwept[first]; why != "" {
		return a.fail("cannot be swept: %s", why)
	}
	if len(a.given) == 0 {
		return a.fail("has no values; expected at least one")
	}
	for i, v := range a.given {
		if slices.Contains(a.given[:i], v) {
			return a.fail("has the value %s twice; expected each once", v)
		}
	}
	return nil
}

// first returns a value for the key, to find out its type.
func (a *axis) first() string {
	if s, err := parseSpan(a.given[0]); isSpan(a.given[0]) && err == nil {
		return s.low.text
	}
	return a.given[0]
}

// expand finds the values of the axis; kind returns the type of its key. Where they
// are drawn, a range has no steps.
func (a *axis) expand(drawn bool, kind func() (string, error)) error {
	for _, text := range a.given {
		if !isSpan(text) {
			a.values = append(a.values, text)
			continue
		}
		s, err := parseSpan(text)
		if err != nil {
			return a.fail("%v", err)
		}
		switch {
		case drawn && s.count > 0:
			return a.fail("%q has steps, and is drawn from; expected LOW..HIGH, or LOW..HIGH:log", text)
		case drawn && len(a.given) > 1:
			return a.fail("%q stands in a list; expected a range, or a list of values to draw from", text)
		case !drawn && s.count == 0:
			return a.fail("%q does not say how many values; %s", text, rangeForm)
		}
		of, err := kind()
		if err != nil {
			return err
		}
		switch of {
		case "whole number", "size", "queue limit":
			s.whole = true
		case "time", "rate", "frequency", "number":
		default:
			return a.fail("is a %s, of which there are no ranges; expected a list of values", of)
		}
		if of == "whole number" && (!s.low.number.IsInt() || !s.high.number.IsInt() || s.step != nil && !s.step.IsInt()) {
			return a.fail("%q is not of whole numbers; expected ends and steps that are", text)
		}
		if len(a.given) == 1 {
			a.span = s
		}
		if !drawn {
			a.values = append(a.values, s.expand()...)
		}
	}
	for i, v := range a.values {
		if slices.Contains(a.values[:i], v) && len(a.given) > 1 {
			return a.fail("has the value %s twice; expected each once", v)
		}
	}
	return nil
}
