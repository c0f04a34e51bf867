// Package quantity writes metrics for people: with the digits that matter and a
// prefix that fits.
package quantity

import (
	"math"
	"strconv"
	"strings"
)

// Format writes a metric's value for a person: three significant digits and
// a prefix that suits them, such as "20.0 Mbit/s" or "40.1 ms".
func Format(name string, value float64, unit string) string {
	switch unit {
	case "bit/s":
		return prefixed(value, "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
	case "B":
		return prefixed(value, "B", "kB", "MB", "GB", "TB")
	case "s":
		return Duration(value)
	case "packets":
		return Number(value)
	case "1":
		if isShare(name) {
			return Number(100*value) + " %"
		}
		return Number(value)
	}
	return Number(value) + " " + unit
}

// Precise writes a value as [Format] does, with as many digits as it takes to
// see a difference of off, such as "42.0928 ms" for 5 µs.
func Precise(name string, value, off float64, unit string) string {
	shown, one := Scale(name, math.Abs(value), unit)
	coarse := Format(name, value, unit)
	decimals := decimalsOf(off / one)
	number, _, _ := strings.Cut(coarse, " ")
	_, fraction, _ := strings.Cut(number, ".")
	if off <= 0 || decimals <= len(fraction) || value == math.Trunc(value) && (unit == "packets" || shown == "") {
		return coarse
	}
	return strings.TrimSpace(fixed(value/one, decimals) + " " + shown)
}

// Short writes a value as [Format] does, without zeros at the end, such as "5 µs".
func Short(name string, value float64, unit string) string {
	number, shown, _ := strings.Cut(Format(name, value, unit), " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return strings.TrimSpace(number + " " + shown)
}

// prefixed writes a value in the largest unit, each a thousand of the one
// before, that does not exceed it.
func prefixed(value float64, units ...string) string {
	i := 0
	for i < len(units)-1 && math.Abs(value) >= 999.5 {
		value /= 1000
		i++
	}
	if i == 0 {
		return Number(value) + " " + units[i]
	}
	return Significant(value) + " " + units[i]
}

// Duration writes a time, such as "40.1 ms".
func Duration(seconds float64) string {
	switch abs := math.Abs(seconds); {
	case abs == 0:
		return "0 s"
	case abs < 0.9995e-6:
		return Significant(seconds*1e9) + " ns"
	case abs < 0.9995e-3:
		return Significant(seconds*1e6) + " µs"
	case abs < 0.9995:
		return Significant(seconds*1e3) + " ms"
	}
	return Significant(seconds) + " s"
}

// Number writes whole numbers whole and others with three digits.
func Number(value float64) string {
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return Significant(value)
}

// Significant writes three significant digits, and all digits before the
// point.
func Significant(value float64) string {
	rounded := strconv.FormatFloat(value, 'e', 2, 64)
	_, power, _ := strings.Cut(rounded, "e")
	exponent, err := strconv.Atoi(power)
	if err != nil {
		return rounded // not a finite number
	}
	return strconv.FormatFloat(value, 'f', min(max(2-exponent, 0), 12), 64)
}

// Scale returns the unit in which to show values of which this is the largest,
// and how much of the metric's own unit it is.
func Scale(name string, largest float64, unit string) (string, float64) {
	prefixes, factor := []string{unit}, 1000.0
	switch unit {
	case "bit/s":
		prefixes = []string{"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"}
	case "B":
		prefixes = []string{"B", "kB", "MB", "GB", "TB"}
	case "s":
		prefixes = []string{"ns", "µs", "ms", "s"}
	case "packets":
		return "", 1
	case "1":
		if isShare(name) {
			return "%", 0.01
		}
		return "", 1
	}
	one := 1.0
	if unit == "s" {
		one = 1e-9
	}
	i := 0
	for i < len(prefixes)-1 && math.Abs(largest) >= 0.9995*factor*one {
		one *= factor
		i++
	}
	return prefixes[i], one
}

// PlusMinus writes a value and how far it may be off, such as
// "15.43 ± 0.31 Mbit/s": two significant digits of what it may be off, and the
// value to the same decimal.
func PlusMinus(name string, value, half float64, unit string) string {
	if half == 0 {
		return Format(name, value, unit) + " ± 0"
	}
	shown, one := Scale(name, max(math.Abs(value), half), unit)
	decimals := decimalsOf(half / one)
	return strings.TrimSpace(fixed(value/one, decimals) + " ± " + fixed(half/one, decimals) + " " + shown)
}

// Between writes the ends of an interval with their signs, such as "+0.81 to
// +1.64 Mbit/s", and one number if they are equal.
func Between(name string, low, high float64, unit string) string {
	if low == high {
		return Signed(Format(name, low, unit))
	}
	shown, one := Scale(name, max(math.Abs(low), math.Abs(high)), unit)
	decimals := decimalsOf((high - low) / 2 / one)
	return strings.TrimSpace(Signed(fixed(low/one, decimals)) + " to " + Signed(fixed(high/one, decimals)) + " " + shown)
}

// decimalsOf returns the decimals of two significant digits.
func decimalsOf(value float64) int {
	if value == 0 {
		return 0
	}
	return min(max(1-int(math.Floor(math.Log10(value))), 0), 6)
}

func fixed(value float64, decimals int) string {
	return strconv.FormatFloat(value, 'f', decimals, 64)
}

// Signed puts a plus before what is positive, and takes the minus from zero.
func Signed(number string) string {
	if !strings.ContainsAny(number, "123456789") {
		return strings.TrimPrefix(number, "-")
	}
	if strings.HasPrefix(number, "-") {
		return number
	}
	return "+" + number
}

func isShare(name string) bool {
	return strings.Contains(name, "ratio") || strings.Contains(name, "utilisation")
}
