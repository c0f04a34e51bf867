package netem

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Numbers and units as iproute2 has them, exact in place of its floating point.

// tcUnit is a unit in lower case and its size in the base unit.
type tcUnit struct {
	name string
	size int64
}

// tcTimes is the units of times, in nanoseconds. String writes the first of a
// size.
var tcTimes = []tcUnit{
	{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1},
	{"sec", 1e9}, {"secs", 1e9}, {"msec", 1e6}, {"msecs", 1e6},
	{"usec", 1e3}, {"usecs", 1e3}, {"nsec", 1}, {"nsecs", 1},
}

// tcRates is the units of rates, in bit/s. String writes those up to bit.
var tcRates = []tcUnit{
	{"tbit", 1e12}, {"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1},
	{"tibit", 1 << 40}, {"gibit", 1 << 30}, {"mibit", 1 << 20}, {"kibit", 1 << 10},
	{"tbps", 8e12}, {"gbps", 8e9}, {"mbps", 8e6}, {"kbps", 8e3}, {"bps", 8},
	{"tibps", 8 << 40}, {"gibps", 8 << 30}, {"mibps", 8 << 20}, {"kibps", 8 << 10},
	{"", 1},
}

// tcSizes is the units of sizes and of the limit, in bytes or packets.
var tcSizes = []tcUnit{
	{"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}, {"b", 1},
	{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10},
	{"gbit", 1 << 27}, {"mbit", 1 << 17}, {"kbit", 1 << 7},
	{"", 1},
}

// parseTC reads a number and a unit in any case, in the base unit.
func parseTC(text string, units []tcUnit) (*big.Rat, error) {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(text)
	}
	if end == 0 || text[0] == '.' {
		return nil, errors.New("it starts with no digit")
	}
	value, err := parseDecimal(text[:end])
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(text[end:])
	i := slices.IndexFunc(units, func(u tcUnit) bool { return u.name == name })
	if i < 0 {
		var known []string
		for _, u := range units {
			if u.name != "" {
				known = append(known, u.name)
			}
		}
		if name == "" {
			return nil, fmt.Errorf("it has no unit; known units: %s", strings.Join(known, ", "))
		}
		return nil, fmt.Errorf("unknown unit %q; known units: %s", text[end:], strings.Join(known, ", "))
	}
	return value.Mul(value, new(big.Rat).SetInt64(units[i].size)), nil
}

// wholeTC is parseTC rounded down, and divided before.
func wholeTC(text string, units []tcUnit, divisor int64) (int64, error) {
	value, err := parseTC(text, units)
	if err != nil {
		return 0, err
	}
	value.Quo(value, new(big.Rat).SetInt64(divisor))
	whole := new(big.Int).Div(value.Num(), value.Denom())
	if !whole.IsInt64() {
		return 0, errors.New("it is too large")
	}
	return whole.Int64(), nil
}

// parseTCTime reads a time. One without a unit is refused, but for 0: tc takes
// it for nanoseconds from iproute2 6.9 on, and before, as tc(8) has it, for
// microseconds.
func parseTCTime(text string) (time.Duration, error) {
	if text != "" && strings.Trim(text, "0.") == "" {
		text += "s"
	}
	ns, err := wholeTC(text, tcTimes, 1)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time such as \"20ms\": %w", text, err)
	}
	return time.Duration(ns), nil
}

// parseTCRate reads a rate, in whole bytes per second.
func parseTCRate(text string) (BitRate, error) {
	wrong := func(err error) (BitRate, error) {
		return 0, fmt.Errorf("%q is not a rate such as \"10mbit\": %w", text, err)
	}
	if strings.HasSuffix(text, "%") {
		return wrong(errors.New("a link has no device whose speed it could be a share of"))
	}
	bytes, err := wholeTC(text, tcRates, 8)
	switch {
	case err != nil:
		return wrong(err)
	case bytes > int64(TbitPerSecond)/8:
		return wrong(errors.New("it is more than 1tbit"))
	case bytes == 0 && strings.ContainsAny(text, "123456789"):
		return wrong(errors.New("it is less than a byte per second"))
	}
	return BitRate(8 * bytes), nil
}

// parseTCSize reads a size, or a number of packets.
func parseTCSize(text string) (int64, error) {
	size, err := wholeTC(text, tcSizes, 1)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as \"1000\" or \"64k\": %w", text, err)
	}
	return size, nil
}

// parseTCPercent reads a probability in percent, with the sign or without.
func parseTCPercent(text string) (float64, error) {
	value, err := parseTC(text, []tcUnit{{"%", 1}, {"", 1}})
	if err == nil && value.Cmp(big.NewRat(100, 1)) > 0 {
		err = errors.New("it is above 100%")
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a percentage such as \"25%%\": %w", text, err)
	}
	p, _ := value.Quo(value, big.NewRat(100, 1)).Float64()
	return p, nil
}

// parseTCInteger reads a whole number: decimal, octal after 0, or hexadecimal
// after 0x.
func parseTCInteger(text string) (int64, error) {
	digits, hex := strings.CutPrefix(strings.ToLower(strings.TrimPrefix(text, "-")), "0x")
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil || strings.ContainsAny(digits, "_+") || !hex && strings.ContainsAny(digits, "ob") {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

// formatTC writes a value in the first unit of which it is a multiple.
func formatTC(value int64, units []tcUnit) string {
	for _, u := range units {
		if u.size == 1 || value != 0 && value%u.size == 0 {
			return strconv.FormatInt(value/u.size, 10) + u.name
		}
	}
	panic("no unit is 1")
}

// formatTCPercent writes a probability so that it is read back as it is.
func formatTCPercent(p float64) string {
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(p, 'f', -1, 64))
	if !ok {
		return fmt.Sprint(p) // not a number
	}
	exact.Mul(exact, big.NewRat(100, 1))
	digits, _ := exact.FloatPrec()
	return exact.FloatString(digits) + "%"
}
