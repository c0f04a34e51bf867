package quantity

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wtsim/wtsim/netem"
)

// Parse reads a number or a quantity as scenarios have it, in its base unit: "20Mbit/s"
// is 2e7 "bit/s", "64KB" is 64000 "B", "15ms" is 0.015 "s", "2BDP" is 2 "BDP", and a number
// is one of "1". It reports whether the text is one of these.
func Parse(text string) (value float64, unit string, ok bool) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, "1", !math.IsInf(v, 0) && !math.IsNaN(v)
	}
	if v, err := time.ParseDuration(text); err == nil {
		return v.Seconds(), "s", true
	}
	if v, err := netem.ParseBitRate(text); err == nil {
		return float64(v), "bit/s", true
	}
	if v, err := netem.ParseBytes(text); err == nil {
		return float64(v), "B", true
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != '-' })
	if end <= 0 {
		return 0, "", false
	}
	unit = strings.TrimSpace(text[end:])
	if unit == "packet" {
		unit = "packets"
	}
	named := unit == "%" || strings.IndexFunc(unit, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
	v, err := strconv.ParseFloat(text[:end], 64)
	return v, unit, err == nil && named && unit != ""
}

// ParseAll reads values of one quantity. It reports whether all are: a zero without a unit
// has that of the others.
func ParseAll(texts []string) (values []float64, unit string, ok bool) {
	for _, text := range texts {
		v, u, ok := Parse(text)
		switch {
		case !ok:
			return nil, "", false
		case v == 0 && u == "1" && unit != "":
		case unit == "" || u != unit && unit == "1" && allZero(values):
			unit = u
		case u != unit:
			return nil, "", false
		}
		values = append(values, v)
	}
	return values, unit, len(values) > 0
}

func allZero(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return false
		}
	}
	return true
}
