package sweep

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// span is what lies between two values of a key: "1..100Mbit/s:log10" on an axis of a
// grid, "1ms..200ms:log" where values are drawn.
type span struct {
	low, high end
	spec      string   // "lin", "log" or "step"; empty: not said
	count     int      // of values; 0: not said
	step      *big.Rat // in the unit of the ends
	decimals  int      // that steps have
	whole     bool     // only whole numbers are values, where there is no unit
}

// end is one of the two values of a span.
type end struct {
	text   string // the value as overrides write it
	number *big.Rat
	unit   unit
	value  float64 // in the smallest unit
}

// unit is a unit of values. Values are whole multiples of the smallest unit of a
// dimension.
type unit struct {
	name      string
	size      int64 // in the smallest unit
	dimension string
}

var units = []unit{
	{"ns", 1, "a time"}, {"us", 1e3, "a time"}, {"ms", 1e6, "a time"}, {"s", 1e9, "a time"}, {"m", 60e9, "a time"}, {"h", 3600e9, "a time"},
	{"bit/s", 1, "a rate"}, {"kbit/s", 1e3, "a rate"}, {"Mbit/s", 1e6, "a rate"}, {"Gbit/s", 1e9, "a rate"}, {"Tbit/s", 1e12, "a rate"},
	{"bit", 1, "a rate"}, {"kbit", 1e3, "a rate"}, {"mbit", 1e6, "a rate"}, {"gbit", 1e9, "a rate"}, {"tbit", 1e12, "a rate"},
	{"B", 1, "a size"}, {"KB", 1e3, "a size"}, {"MB", 1e6, "a size"}, {"GB", 1e9, "a size"}, {"kB", 1e3, "a size"},
	{"KiB", 1 << 10, "a size"}, {"MiB", 1 << 20, "a size"}, {"GiB", 1 << 30, "a size"},
	{"packets", 1, "a number of packets"}, {"packet", 1, "a number of packets"},
	{"BDP", 1e3, "a multiple of the bandwidth-delay product"},
	{"Hz", 1e6, "a frequency"},
	{"", 0, "a number"},
}

// The units between the ends where those have different ones, in ascending order.
var (
	ladders = map[string][]string{
		"a time": {"ns", "us", "ms", "s"},
		"a rate": {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"},
		"a size": {"B", "KB", "MB", "GB"},
	}
	binary = []string{"B", "KiB", "MiB", "GiB"}
)

func unitNamed(name string) (unit, bool) {
	i := slices.IndexFunc(units, func(u unit) bool { return u.name == name })
	if i < 0 {
		return unit{}, false
	}
	return units[i], true
}

// mostValues is how many values a range can have.
const mostValues = 1_000_000

var (
	beginsWithNumber = regexp.MustCompile(`^[+-]?[0-9.]*[0-9]`)
	endsWithSteps    = regexp.MustCompile(`:(lin|log|step)[^:]*$`)
	endForm          = regexp.MustCompile(`^([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)\s*([A-Za-z/]*)$`)
)

const rangeForm = "expected LOW..HIGH:linN, :logN or :stepSIZE, such as 1..100Mbit/s:log10"

// isSpan reports whether a text is meant to be a range.
func isSpan(text string) bool {
	low, _, ok := strings.Cut(text, "..")
	return ok && (beginsWithNumber.MatchString(low) || endsWithSteps.MatchString(text))
}

// parseSpan reads a range.
func parseSpan(text string) (*span, error) {
	ends, spec, said := strings.Cut(strings.TrimSpace(text), ":")
	low, high, ok := strings.Cut(ends, "..")
	if !ok {
		return nil, fmt.Errorf("%q is no range; %s", text, rangeForm)
	}
	s := &span{}
	var err error
	if s.high, err = parseEnd(high, unit{}); err != nil {
		return nil, err
	}
	if s.low, err = parseEnd(low, s.high.unit); err != nil {
		return nil, err
	}
	if a, b := s.low.unit.dimension, s.high.unit.dimension; a != b {
		return nil, fmt.Errorf("%s is %s and %s %s; expected ends of one kind", s.low.text, a, s.high.text, b)
	}
	if s.low.base().Cmp(s.high.base()) >= 0 {
		return nil, fmt.Errorf("the range begins with %s and ends with %s; expected the lower end first", s.low.text, s.high.text)
	}
	if said {
		if err := s.parseSteps(spec); err != nil {
			return nil, err
		}
	}
	if s.spec == "log" && s.low.number.Sign() <= 0 {
		return nil, fmt.Errorf("equal factors do not lead from %s to %s; expected a lower end above 0, or :lin", s.low.text, s.high.text)
	}
	return s, nil
}

// parseEnd reads "12.5Mbit/s"; without a unit it has the other end's.
func parseEnd(text string, other unit) (end, error) {
	text = strings.TrimSpace(text)
	parts := endForm.FindStringSubmatch(text)
	if parts == nil {
		return end{}, fmt.Errorf("%q is not a number with or without a unit; %s", text, rangeForm)
	}
	number, ok := new(big.Rat).SetString(parts[1])
	if !ok {
		return end{}, fmt.Errorf("%q is not a number; %s", parts[1], rangeForm)
	}
	u, ok := unitNamed(parts[2])
	if !ok {
		return end{}, fmt.Errorf("%s has the unknown unit %q; expected one of those of the scenario, such as ms, Mbit/s or KB", text, parts[2])
	}
	if parts[2] == "" && other.name != "" {
		u, text = other, parts[1]+other.name
	}
	e := end{text: text, number: number, unit: u}
	e.value, _ = e.base().Float64()
	return e, nil
}

// base returns the value in the smallest unit.
func (e end) base() *big.Rat {
	return new(big.Rat).Mul(e.number, new(big.Rat).SetInt64(max(e.unit.size, 1)))
}

// parseSteps reads what follows the colon.
func (s *span) parseSteps(spec string) error {
	wrong := func() error { return fmt.Errorf("%q does not say how many values; %s", ":"+spec, rangeForm) }
	for _, word := range []string{"lin", "log", "step"} {
		rest, ok := strings.CutPrefix(spec, word)
		if !ok {
			continue
		}
		s.spec = word
		if word == "step" {
			return s.parseStep(rest)
		}
		if rest == "" {
			return nil
		}
		n, err := strconv.Atoi(rest)
		switch {
		case errors.Is(err, strconv.ErrRange), n > mostValues:
			return fmt.Errorf("%s values are too many; expected at most %d", rest, mostValues)
		case err != nil:
			return wrong()
		case n < 2:
			return fmt.Errorf("a range of %d values has not both its ends; expected at least 2", n)
		}
		s.count = n
		return nil
	}
	return wrong()
}

func (s *span) parseStep(text string) error {
	step, err := parseEnd(text, s.high.unit)
	switch {
	case err != nil:
		return err
	case s.low.unit != s.high.unit || step.unit != s.high.unit:
		return fmt.Errorf("the ends %s and %s and the step %s have different units; expected the same", s.low.text, s.high.text, step.text)
	case step.number.Sign() <= 0:
		return fmt.Errorf("steps of %s lead nowhere; expected more than 0", step.text)
	}
	steps := new(big.Rat).Sub(s.high.number, s.low.number)
	steps.Quo(steps, step.number)
	n := new(big.Int).Quo(steps.Num(), steps.Denom())
	switch {
	case !n.IsInt64() || n.Int64() >= mostValues:
		return fmt.Errorf("steps of %s from %s to %s are too many; expected at most %d values", step.text, s.low.text, s.high.text, mostValues)
	case !steps.IsInt():
		return fmt.Errorf("steps of %s from %s do not end at %s; expected a step that does", step.text, s.low.text, s.high.text)
	}
	s.step, s.count = step.number, int(n.Int64())+1
	for _, x := range []*big.Rat{s.low.number, s.step} {
		decimals, _ := x.FloatPrec()
		s.decimals = max(s.decimals, decimals)
	}
	return nil
}

// expand returns the values of a range on an axis of a grid, in ascending order and
// each once.
func (s *span) expand() []string {
	if s.step != nil {
		return s.steps()
	}
	// Neighbours that would be equal get more digits, as far as that helps.
	var values []string
	for digits := 4; digits <= 15 && len(values) < s.count; digits++ {
		if more := s.between(digits); len(more) > len(values) {
			values = more
		}
	}
	return values
}

// between returns the ends and the values between them with as many digits, those
// that are equal once.
func (s *span) between(digits int) []string {
	values, last := []string{s.low.text}, s.low.value
	for i := 1; i < s.count-1; i++ {
		if text, v := s.text(s.at(float64(i)/float64(s.count-1)), digits); v > last && v < s.high.value {
			values, last = append(values, text), v
		}
	}
	return append(values, s.high.text)
}

func (s *span) steps() []string {
	values := make([]string, s.count)
	for i := range values {
		v := new(big.Rat).Mul(s.step, new(big.Rat).SetInt64(int64(i)))
		values[i] = v.Add(v, s.low.number).FloatString(s.decimals) + s.low.unit.name
	}
	values[0], values[s.count-1] = s.low.text, s.high.text
	return values
}

// at returns the value at a share of the way from the low end to the high one, in the
// smallest unit.
func (s *span) at(share float64) float64 {
	low, high := s.low.value, s.high.value
	if s.spec == "log" {
		return low * math.Pow(high/low, share)
	}
	return low + (high-low)*share
}

// share returns at which share of the way a value is.
func (s *span) share(v float64) float64 {
	low, high := s.low.value, s.high.value
	if s.spec == "log" {
		return math.Log(v/low) / math.Log(high/low)
	}
	return (v - low) / (high - low)
}

// text returns a value between the ends with as many digits, as overrides write it,
// and what it is then.
func (s *span) text(v float64, digits int) (string, float64) {
	u := s.unitOf(v)
	size := float64(max(u.size, 1))
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v/size, 'g', digits, 64), 64)
	if u.size == 0 {
		if s.whole {
			short = math.Round(short)
		}
		return strconv.FormatFloat(short, 'f', -1, 64), short
	}
	text := strconv.FormatFloat(short, 'f', -1, 64)
	if exact, ok := new(big.Rat).SetString(text); ok && exact.Mul(exact, new(big.Rat).SetInt64(u.size)).IsInt() {
		return text + u.name, short * size
	}
	// A fraction of the smallest unit is no value.
	whole := math.Round(short * size)
	for _, smallest := range units {
		if smallest.dimension == u.dimension && smallest.size == 1 {
			return strconv.FormatFloat(whole, 'f', -1, 64) + smallest.name, whole
		}
	}
	return strconv.FormatFloat(whole/size, 'f', -1, 64) + u.name, whole
}

// unitOf returns the unit of a value between the ends: theirs, or the largest that
// the value has one of.
func (s *span) unitOf(v float64) unit {
	if s.low.unit == s.high.unit {
		return s.high.unit
	}
	names := ladders[s.high.unit.dimension]
	if strings.Contains(s.low.unit.name+s.high.unit.name, "i") && s.high.unit.dimension == "a size" {
		names = binary
	}
	if len(names) == 0 {
		return s.high.unit
	}
	best, _ := unitNamed(names[0])
	for _, name := range names {
		if u, _ := unitNamed(name); float64(u.size) <= v {
			best = u
		}
	}
	return best
}
