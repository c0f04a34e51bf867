package scenario

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Frequency is a number of events per second, held as the period between two
// of them, so that no timing goes through floating point. Its text form is
// "50Hz" or a period such as "20ms".
type Frequency time.Duration

// decimal is a number as people write one: no sign, no exponent.
var decimal = regexp.MustCompile(`^[0-9]{1,30}(\.[0-9]{1,30})?$`)

// ParseFrequency reads the text form of a Frequency. The period of "29.97Hz" is
// the nearest nanosecond, halves rounded up. It refuses frequencies that are not positive,
// and those whose period is not between 1 ns and 2^63−1 ns.
func ParseFrequency(s string) (Frequency, error) {
	wrong := func(why string) (Frequency, error) {
		return 0, fmt.Errorf("%q is not a frequency such as \"50Hz\" or \"20ms\": %w", s, errors.New(why))
	}
	text := strings.TrimSpace(s)
	number, hertz := strings.CutSuffix(text, "Hz")
	if !hertz {
		period, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return wrong("known units: Hz, ns, us, ms, s, m, h")
		case period <= 0:
			return wrong("it is not positive")
		}
		return Frequency(period), nil
	}
	number = strings.TrimSpace(number)
	if !decimal.MatchString(number) {
		return wrong(fmt.Sprintf("%q is not a positive number", number))
	}
	value, ok := new(big.Rat).SetString(number)
	if !ok || value.Sign() <= 0 {
		return wrong("it is not positive")
	}
	// round(1e9/v) = floor((2e9·d + n) / 2n) for v = n/d.
	twice := new(big.Int).Mul(value.Denom(), big.NewInt(2*int64(time.Second)))
	twice.Add(twice, value.Num())
	period := twice.Div(twice, new(big.Int).Lsh(value.Num(), 1))
	switch {
	case period.Sign() == 0:
		return wrong("it is too high")
	case !period.IsInt64():
		return wrong("it is too low")
	}
	return Frequency(period.Int64()), nil
}

// Period returns the time between two events, and 0 for the zero value.
func (f Frequency) Period() time.Duration { return time.Duration(f) }

// String returns the text form: in Hz where at most three decimals say it
// exactly, as a period otherwise.
func (f Frequency) String() string {
	if f <= 0 {
		return "0Hz"
	}
	millihertz := (int64(1e12) + int64(f)/2) / int64(f)
	text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%03d", millihertz/1000, millihertz%1000), "0"), ".") + "Hz"
	if same, err := ParseFrequency(text); err == nil && same == f {
		return text
	}
	return f.Period().String()
}

// MarshalText implements encoding.TextMarshaler.
func (f Frequency) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Frequency) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFrequency(string(text))
	return err
}
