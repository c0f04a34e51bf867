package formula

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Quantity is a number with its dimension.
type Quantity struct {
	Value     float64 // in seconds, bits and packets
	Dimension Dimension
}

// Dimension holds the exponents of the base units. The zero Dimension is that of
// a bare number.
type Dimension struct{ Second, Bit, Packet int }

// The dimensions of the quantities that scenarios and metrics have.
var (
	Number  = Dimension{}
	Time    = Dimension{Second: 1}
	Data    = Dimension{Bit: 1}
	Rate    = Dimension{Bit: 1, Second: -1}
	Packets = Dimension{Packet: 1}
)

// String returns the unit of the dimension, such as "bit/s", and "1" for a number.
func (d Dimension) String() string {
	var above, below []string
	for _, u := range []struct {
		name     string
		exponent int
	}{{"bit", d.Bit}, {"packets", d.Packet}, {"s", d.Second}} {
		switch {
		case u.exponent > 0:
			above = append(above, u.name+power(u.exponent))
		case u.exponent < 0:
			below = append(below, u.name+power(-u.exponent))
		}
	}
	s := strings.Join(above, "·")
	if s == "" {
		s = "1"
	}
	if len(below) > 0 {
		s += "/" + strings.Join(below, "/")
	}
	return s
}

func power(n int) string {
	switch n {
	case 1:
		return ""
	case 2:
		return "²"
	case 3:
		return "³"
	}
	return "^" + strconv.Itoa(n)
}

// units holds the units of quantities, each with the quantity that it is.
var units = map[string]Quantity{
	"":  {1, Number},
	"1": {1, Number},
	"%": {0.01, Number},

	"ns": {1e-9, Time}, "us": {1e-6, Time}, "µs": {1e-6, Time}, "ms": {1e-3, Time}, "s": {1, Time}, "m": {60, Time}, "min": {60, Time}, "h": {3600, Time},
	"Hz": {1, Dimension{Second: -1}}, "kHz": {1e3, Dimension{Second: -1}},

	"bit": {1, Data}, "kbit": {1e3, Data}, "Mbit": {1e6, Data}, "Gbit": {1e9, Data},
	"B": {8, Data}, "KB": {8e3, Data}, "kB": {8e3, Data}, "MB": {8e6, Data}, "GB": {8e9, Data},
	"KiB": {8 << 10, Data}, "MiB": {8 << 20, Data}, "GiB": {8 << 30, Data},

	"bit/s": {1, Rate}, "kbit/s": {1e3, Rate}, "Mbit/s": {1e6, Rate}, "Gbit/s": {1e9, Rate}, "Tbit/s": {1e12, Rate},
	"bit/s²": {1, Dimension{Bit: 1, Second: -2}},

	"packets": {1, Packets}, "packet": {1, Packets},
}

// Of returns a value in a unit, as metrics and series have theirs. It is not
// possible (false) for an unknown unit.
func Of(value float64, unit string) (Quantity, bool) {
	u, ok := units[unit]
	return Quantity{value * u.Value, u.Dimension}, ok
}

// In returns the value of the quantity in a unit of its dimension.
func (q Quantity) In(unit string) (float64, error) {
	u, ok := units[unit]
	if !ok {
		return 0, fmt.Errorf("unknown unit %q", unit)
	}
	if u.Dimension != q.Dimension {
		return 0, fmt.Errorf("%v is not a quantity in %s", q, unit)
	}
	return q.Value / u.Value, nil
}

// String returns the quantity in base units, such as "9e+06 bit/s".
func (q Quantity) String() string {
	value := strconv.FormatFloat(q.Value, 'g', 6, 64)
	if q.Dimension == Number {
		return value
	}
	return value + " " + q.Dimension.String()
}

// quantity matches a number and what follows it.
var quantity = regexp.MustCompile(`^([+-]?\d[\d.]*(?:[eE][+-]?\d+)?)(.*)$`)

// duration matches the text of a time.Duration, such as "1m30s".
var duration = regexp.MustCompile(`^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$`)

// ParseQuantity reads a number with its unit, as a scenario has it, such as
// "20Mbit/s", "64KB", "15ms", "1m30s", "0.05" or "5%", and reports whether the text is one.
func ParseQuantity(text string) (Quantity, bool) {
	if duration.MatchString(text) {
		sum := Quantity{Dimension: Time}
		for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
			value, _ := strconv.ParseFloat(part[1], 64)
			sum.Value += value * units[part[2]].Value
		}
		return sum, true
	}
	parts := quantity.FindStringSubmatch(text)
	if parts == nil {
		return Quantity{}, false
	}
	value, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return Quantity{}, false
	}
	return Of(value, parts[2])
}

var durationPart = regexp.MustCompile(`(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)`)

func (q Quantity) plus(other Quantity, sign float64) (Quantity, error) {
	if q.Dimension != other.Dimension {
		verb := "add"
		if sign < 0 {
			verb = "subtract"
		}
		return Quantity{}, fmt.Errorf("cannot %s %v and %v: their units differ", verb, q, other)
	}
	return Quantity{q.Value + sign*other.Value, q.Dimension}, nil
}

func (q Quantity) times(other Quantity) Quantity {
	return Quantity{q.Value * other.Value, Dimension{
		q.Dimension.Second + other.Dimension.Second,
		q.Dimension.Bit + other.Dimension.Bit,
		q.Dimension.Packet + other.Dimension.Packet,
	}}
}

func (q Quantity) inverse() Quantity {
	return Quantity{1 / q.Value, Dimension{-q.Dimension.Second, -q.Dimension.Bit, -q.Dimension.Packet}}
}
