package formula

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/internal/nearest"
)

// builtins are the functions of every formula, for quantities of any dimension.
var builtins = map[string]func([]Quantity) (Quantity, error){
	"min": func(q []Quantity) (Quantity, error) { return extreme("min", q, math.Min) },
	"max": func(q []Quantity) (Quantity, error) { return extreme("max", q, math.Max) },
	"abs": func(q []Quantity) (Quantity, error) {
		if len(q) != 1 {
			return Quantity{}, fmt.Errorf("abs takes one quantity, not %d", len(q))
		}
		return Quantity{math.Abs(q[0].Value), q[0].Dimension}, nil
	},
	"sqrt": func(q []Quantity) (Quantity, error) {
		if len(q) != 1 || q[0].Dimension != Number {
			return Quantity{}, fmt.Errorf("sqrt takes one number without a unit")
		}
		return Quantity{Value: math.Sqrt(q[0].Value)}, nil
	},
}

func extreme(name string, q []Quantity, pick func(a, b float64) float64) (Quantity, error) {
	if len(q) == 0 {
		return Quantity{}, fmt.Errorf("%s takes one quantity or more", name)
	}
	out := q[0]
	for _, x := range q[1:] {
		if x.Dimension != out.Dimension {
			return Quantity{}, fmt.Errorf("%s cannot compare %v and %v: their units differ", name, out, x)
		}
		out.Value = pick(out.Value, x.Value)
	}
	return out, nil
}

// call calls a function of the scope.
func (s *Scope) call(name string, arguments []Quantity) (Quantity, error) {
	if f := builtins[name]; f != nil {
		return f(arguments)
	}
	f, ok := s.Functions[name]
	if !ok {
		known := slices.Sorted(maps.Keys(s.Functions))
		known = append(known, slices.Sorted(maps.Keys(builtins))...)
		if like := nearest.Word(name, known); like != "" {
			return Quantity{}, fmt.Errorf("there is no function %s; did you mean %s?", name, like)
		}
		return Quantity{}, fmt.Errorf("there is no function %s; known: %s", name, strings.Join(known, ", "))
	}
	if len(arguments) != len(f.Parameters) {
		return Quantity{}, fmt.Errorf("%s takes %s, not %d arguments", name, f.describe(), len(arguments))
	}
	for i, p := range f.Parameters {
		if arguments[i].Dimension != p.Dimension {
			return Quantity{}, fmt.Errorf("%s: %s is %v; expected a quantity in %v", name, p.Name, arguments[i], p.Dimension)
		}
	}
	return f.Call(arguments)
}

func (f Function) describe() string {
	names := make([]string, len(f.Parameters))
	for i, p := range f.Parameters {
		names[i] = p.Name
	}
	return fmt.Sprintf("%d: (%s)", len(names), strings.Join(names, ", "))
}
