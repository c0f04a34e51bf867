package netem

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

// BitRate is a rate of transmission in bits per second. The zero value means
// "no limit" wherever a rate may be left out.
//
// Its text form is a decimal number and a unit: bit/s, kbit/s, Mbit/s, Gbit/s
// or Tbit/s (powers of 1000, as in Linux tc), for example "20Mbit/s". Linux
// tc's own spelling ("20mbit", "64kbit") is read as well.
type BitRate int64

// The units of BitRate.
const (
	BitPerSecond  BitRate = 1
	KbitPerSecond         = 1000 * BitPerSecond
	MbitPerSecond         = 1000 * KbitPerSecond
	GbitPerSecond         = 1000 * MbitPerSecond
	TbitPerSecond         = 1000 * GbitPerSecond
)

// Bytes is an amount of data in bytes.
//
// Its text form is a decimal number and a unit: B, KB, MB, GB (powers of 1000)
// or KiB, MiB, GiB (powers of 1024), for example "10MB". A bare number is
// bytes.
type Bytes int64

// The units of Bytes.
const (
	Byte Bytes = 1
	KB         = 1000 * Byte
	MB         = 1000 * KB
	GB         = 1000 * MB
	KiB        = 1024 * Byte
	MiB        = 1024 * KiB
	GiB        = 1024 * MiB
)

// unit is one spelling of a unit and its size in the base unit.
type unit struct {
	name string
	size int64
}

// Longer spellings come first where one is the end of another, and the first
// spelling of a size is the one that String writes.
var bitRateUnits = []unit{
	{"Tbit/s", int64(TbitPerSecond)}, {"Gbit/s", int64(GbitPerSecond)}, {"Mbit/s", int64(MbitPerSecond)},
	{"kbit/s", int64(KbitPerSecond)}, {"bit/s", int64(BitPerSecond)},
	{"tbit", int64(TbitPerSecond)}, {"gbit", int64(GbitPerSecond)}, {"mbit", int64(MbitPerSecond)},
	{"kbit", int64(KbitPerSecond)}, {"bit", int64(BitPerSecond)},
}

var bytesUnits = []unit{
	{"GB", int64(GB)}, {"MB", int64(MB)}, {"KB", int64(KB)}, {"kB", int64(KB)},
	{"GiB", int64(GiB)}, {"MiB", int64(MiB)}, {"KiB", int64(KiB)},
	{"B", int64(Byte)},
}

// ParseBitRate reads the text form of a BitRate. It refuses negative values,
// fractions of a bit per second and values beyond 2^63−1.
func ParseBitRate(s string) (BitRate, error) {
	v, err := parseQuantity(s, bitRateUnits, false)
	if err != nil {
		return 0, fmt.Errorf("%q is not a rate such as \"20Mbit/s\": %w", s, err)
	}
	return BitRate(v), nil
}

// ParseBytes reads the text form of a Bytes. It refuses negative values,
// fractions of a byte and values beyond 2^63−1.
func ParseBytes(s string) (Bytes, error) {
	v, err := parseQuantity(s, bytesUnits, true)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as \"64KB\": %w", s, err)
	}
	return Bytes(v), nil
}

// parseQuantity reads "12.5Unit" exactly, without floating point.
func parseQuantity(s string, units []unit, bare bool) (int64, error) {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && s[end] == '-') {
		end++
	}
	number, name := s[:end], strings.TrimSpace(s[end:])
	if number == "" {
		return 0, errors.New("it starts with no number")
	}
	value, err := parseDecimal(number)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	if name == "" && bare {
		size = 1
	}
	for _, u := range units {
		if u.name == name {
			size = u.size
			break
		}
	}
	if size == 0 {
		known := make([]string, len(units))
		for i, u := range units {
			known[i] = u.name
		}
		if name == "" {
			return 0, fmt.Errorf("the unit is missing; known units: %s", strings.Join(known, ", "))
		}
		return 0, fmt.Errorf("unknown unit %q; known units: %s", name, strings.Join(known, ", "))
	}
	value.Mul(value, new(big.Rat).SetInt64(size))
	switch {
	case value.Sign() < 0:
		return 0, errors.New("it is negative")
	case !value.IsInt():
		return 0, fmt.Errorf("it is not a whole number of %s", units[len(units)-1].name)
	case !value.Num().IsInt64():
		return 0, errors.New("it is too large")
	}
	return value.Num().Int64(), nil
}

// parseDecimal reads a number such as "-12.5" exactly. It refuses exponents and
// very long numbers, whose value could take forever to compute.
func parseDecimal(s string) (*big.Rat, error) {
	if len(s) <= 40 && strings.Trim(s, "-.0123456789") == "" {
		if value, ok := new(big.Rat).SetString(s); ok {
			return value, nil
		}
	}
	return nil, fmt.Errorf("%q is not a decimal number of at most 40 digits", s)
}

// formatQuantity writes v in the largest unit that keeps at most three
// decimals, and in the smallest unit otherwise.
func formatQuantity(v int64, units []unit) string {
	for _, u := range units {
		if v >= u.size && v%u.size*1000%u.size == 0 || v == 0 && u.size == 1 {
			whole, thousandths := v/u.size, v%u.size*1000/u.size
			s := fmt.Sprintf("%d.%03d", whole, thousandths)
			return strings.TrimRight(strings.TrimRight(s, "0"), ".") + u.name
		}
	}
	return fmt.Sprintf("%d%s", v, units[len(units)-1].name)
}

// String returns the text form, for example "20Mbit/s".
func (r BitRate) String() string { return formatQuantity(int64(r), bitRateUnits[:5]) }

// MarshalText implements encoding.TextMarshaler.
func (r BitRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *BitRate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseBitRate(string(text))
	return err
}

// TransmissionTime returns how long the rate needs to send n bytes, rounded
// down to a nanosecond and at most 2^63−1 ns, and 0 for the rate 0 (no limit).
func (r BitRate) TransmissionTime(n Bytes) time.Duration {
	if r <= 0 {
		return 0
	}
	ns := new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(8*int64(time.Second)))
	if ns.Div(ns, big.NewInt(int64(r))); !ns.IsInt64() {
		return math.MaxInt64
	}
	return time.Duration(ns.Int64())
}

// String returns the text form in the units that people use for such amounts,
// and always exactly: "1500B", "64KB", "512KiB", "10MB".
func (b Bytes) String() string {
	units := bytesUnits[:3] // GB, MB, KB
	switch {
	case b%KB == 0:
	case b%KiB == 0:
		units = bytesUnits[4:7] // GiB, MiB, KiB
	case b < 10*KB:
		units = nil
	}
	return formatQuantity(int64(b), append(units[:len(units):len(units)], bytesUnits[7]))
}

// MarshalText implements encoding.TextMarshaler.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}
