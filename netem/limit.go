package netem

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Limit bounds a queue. At most one field is set; the zero value is no limit.
//
// Its text form is an amount of data ("64KB"), a number of packets
// ("25packets"), a time at the link's current rate ("100ms"), or a multiple of
// the path's bandwidth-delay product ("1BDP", "0.5BDP").
type Limit struct {
	Bytes   Bytes         // bytes on the link, headers included
	Packets int           // datagrams
	Time    time.Duration // bytes that the link's rate at that moment sends in this time
	BDP     MilliBDP      // thousandths of the bandwidth-delay product
}

// MilliBDP is thousandths of a bandwidth-delay product: the rate of the link
// direction times the sum of both directions' propagation delays, all as
// configured at the start. A queue stays as it was built when they change
// later.
type MilliBDP int64

// ParseLimit reads the text form of a Limit.
func ParseLimit(s string) (Limit, error) {
	text := strings.TrimSpace(s)
	wrong := func(err error) (Limit, error) {
		return Limit{}, fmt.Errorf("%q is not a queue limit such as \"64KB\", \"25packets\", \"100ms\" or \"1BDP\": %w", s, err)
	}
	if number, ok := strings.CutSuffix(text, "BDP"); ok {
		v, err := parseDecimal(strings.TrimSpace(number))
		if err != nil || v.Sign() <= 0 {
			return wrong(fmt.Errorf("%q is not a positive number", number))
		}
		v.Mul(v, big.NewRat(1000, 1))
		if !v.IsInt() || !v.Num().IsInt64() || v.Num().Int64() > 1e9 {
			return wrong(fmt.Errorf("%s must be at most 1000000 with at most three decimals", number))
		}
		return Limit{BDP: MilliBDP(v.Num().Int64())}, nil
	}
	for _, suffix := range []string{"packets", "packet"} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil || n <= 0 {
				return wrong(fmt.Errorf("%q is not a positive whole number", number))
			}
			return Limit{Packets: n}, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d <= 0 {
			return wrong(fmt.Errorf("it is not positive"))
		}
		return Limit{Time: d}, nil
	}
	b, err := ParseBytes(text)
	if err != nil {
		return wrong(err)
	}
	if b == 0 {
		return wrong(fmt.Errorf("it is not positive"))
	}
	return Limit{Bytes: b}, nil
}

// String returns the text form, and "unlimited" for the zero value.
func (l Limit) String() string {
	switch {
	case l.Bytes > 0:
		return l.Bytes.String()
	case l.Packets > 0:
		return strconv.Itoa(l.Packets) + "packets"
	case l.Time > 0:
		return l.Time.String()
	case l.BDP > 0:
		s := fmt.Sprintf("%d.%03d", l.BDP/1000, l.BDP%1000)
		return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "BDP"
	}
	return "unlimited"
}

// MarshalText implements encoding.TextMarshaler.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	if string(text) == "unlimited" {
		*l = Limit{}
		return nil
	}
	*l, err = ParseLimit(string(text))
	return err
}

// Bytes returns the product for a rate and a round-trip propagation delay,
// rounded down, and at most 2^63−1.
func (m MilliBDP) Bytes(rate BitRate, roundTrip time.Duration) Bytes {
	n := new(big.Int).Mul(big.NewInt(int64(rate)), big.NewInt(int64(roundTrip)))
	n.Mul(n, big.NewInt(int64(m)))
	n.Div(n, big.NewInt(8*int64(time.Second)*1000))
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return Bytes(n.Int64())
}

// Resolve replaces a limit in BDP by bytes (see [MilliBDP.Bytes]), but not less
// than one packet of 1500 bytes, because a queue that holds nothing is no
// queue. A BDP without a rate is no limit. Other limits stay.
func (l Limit) Resolve(rate BitRate, roundTrip time.Duration) Limit {
	switch {
	case l.BDP == 0:
		return l
	case rate <= 0:
		return Limit{}
	}
	return Limit{Bytes: max(1500, l.BDP.Bytes(rate, roundTrip))}
}
