package main

import (
	"math"
	"strconv"
	"strings"
)

// quantity writes a metric's value for a person: three significant digits and
// a prefix that suits them, such as "20.0 Mbit/s" or "40.1 ms".
func quantity(name string, value float64, unit string) string {
	switch unit {
	case "bit/s":
		return prefixed(value, "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
	case "B":
		return prefixed(value, "B", "kB", "MB", "GB", "TB")
	case "s":
		return duration(value)
	case "packets":
		return number(value)
	case "1":
		if strings.Contains(name, "ratio") || strings.Contains(name, "utilisation") {
			return number(100*value) + " %"
		}
		return number(value)
	}
	return number(value) + " " + unit
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
		return number(value) + " " + units[i]
	}
	return significant(value) + " " + units[i]
}

func duration(seconds float64) string {
	switch abs := math.Abs(seconds); {
	case abs == 0:
		return "0 s"
	case abs < 0.9995e-6:
		return significant(seconds*1e9) + " ns"
	case abs < 0.9995e-3:
		return significant(seconds*1e6) + " µs"
	case abs < 0.9995:
		return significant(seconds*1e3) + " ms"
	}
	return significant(seconds) + " s"
}

// number writes whole numbers whole and others with three digits.
func number(value float64) string {
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return significant(value)
}

// significant writes three significant digits, and all digits before the
// point.
func significant(value float64) string {
	rounded := strconv.FormatFloat(value, 'e', 2, 64)
	_, power, _ := strings.Cut(rounded, "e")
	exponent, err := strconv.Atoi(power)
	if err != nil {
		return rounded // not a finite number
	}
	return strconv.FormatFloat(value, 'f', min(max(2-exponent, 0), 12), 64)
}
