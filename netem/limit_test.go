package netem

import (
	"math"
	"testing"
	"time"
)

func TestParseLimitReadsEachForm(t *testing.T) {
	for text, want := range map[string]Limit{
		"64KB":       {Bytes: 64_000},
		"1500":       {Bytes: 1500},
		"25packets":  {Packets: 25},
		"1packet":    {Packets: 1},
		"25 packets": {Packets: 25},
		"100ms":      {Time: 100 * time.Millisecond},
		"5m":         {Time: 5 * time.Minute},
		"1BDP":       {BDP: 1000},
		"0.5BDP":     {BDP: 500},
		"1.428 BDP":  {BDP: 1428},
		"1000000BDP": {BDP: 1_000_000_000},
	} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("ParseLimit(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseLimitRefuses(t *testing.T) {
	const form = `is not a queue limit such as "64KB", "25packets", "100ms" or "1BDP": `
	const size = ` is not a size such as "64KB": `
	for text, want := range map[string]string{
		"0BDP":           `"0" is not a positive number`,
		"-1BDP":          `"-1" is not a positive number`,
		"BDP":            `"" is not a positive number`,
		"1e999999999BDP": `"1e999999999" is not a positive number`,
		"1/3BDP":         `"1/3" is not a positive number`,
		"0.0005BDP":      `0.0005 must be at most 1000000 with at most three decimals`,
		"1000001BDP":     `1000001 must be at most 1000000 with at most three decimals`,
		"0packets":       `"0" is not a positive whole number`,
		"1.5packets":     `"1.5" is not a positive whole number`,
		"0s":             `it is not positive`,
		"-5ms":           `it is not positive`,
		"0B":             `it is not positive`,
		"":               `""` + size + "it starts with no number",
		"64mb":           `"64mb"` + size + `unknown unit "mb"; known units: GB, MB, KB, kB, GiB, MiB, KiB, B`,
	} {
		_, err := ParseLimit(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
		} else if full := `"` + text + `" ` + form + want; err.Error() != full {
			t.Errorf("%q: error\n  %s\nwant\n  %s", text, err, full)
		}
	}
}

func TestUnlimitedIsTheZeroLimit(t *testing.T) {
	limit := Limit{Packets: 5}
	if err := limit.UnmarshalText([]byte("unlimited")); err != nil || limit != (Limit{}) {
		t.Errorf("\"unlimited\" is read as %+v, %v", limit, err)
	}
	if got := (Limit{}).String(); got != "unlimited" {
		t.Errorf("the zero limit is written %q", got)
	}
}

func TestResolveIsRateTimesRoundTripRoundedDown(t *testing.T) {
	for _, c := range []struct {
		limit     Limit
		rate      BitRate
		roundTrip time.Duration
		want      Limit
	}{
		{Limit{BDP: 1000}, 20 * MbitPerSecond, 40 * time.Millisecond, Limit{Bytes: 100_000}},
		{Limit{BDP: 1500}, 20 * MbitPerSecond, 40 * time.Millisecond, Limit{Bytes: 150_000}},
		{Limit{BDP: 1000}, 999_999_999, time.Second, Limit{Bytes: 124_999_999}},
		{Limit{BDP: 1000}, MbitPerSecond, time.Millisecond, Limit{Bytes: 1500}},
		{Limit{BDP: 1000}, 0, time.Second, Limit{}},
		{Limit{BDP: 1_000_000_000}, math.MaxInt64, math.MaxInt64, Limit{Bytes: math.MaxInt64}},
		{Limit{Packets: 3}, MbitPerSecond, time.Second, Limit{Packets: 3}},
		{Limit{}, MbitPerSecond, time.Second, Limit{}},
	} {
		if got := c.limit.Resolve(c.rate, c.roundTrip); got != c.want {
			t.Errorf("%s at %s and %s is %s, want %s", c.limit, c.rate, c.roundTrip, got, c.want)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"64KB", "25packets", "100ms", "1BDP", "0.5BDP", "1e9BDP", "unlimited", "-1", "1h2m3.5s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var limit, again Limit
		if limit.UnmarshalText([]byte(s)) != nil {
			return
		}
		if text, _ := limit.MarshalText(); again.UnmarshalText(text) != nil || again != limit {
			t.Fatalf("%q is %+v, written %q, read as %+v", s, limit, text, again)
		}
	})
}

func TestABDPInBytesIsRoundedDown(t *testing.T) {
	for _, c := range []struct {
		bdp       MilliBDP
		rate      BitRate
		roundTrip time.Duration
		want      Bytes
	}{
		{1000, 20 * MbitPerSecond, 50 * time.Millisecond, 125_000},
		{1000, 5 * MbitPerSecond, 50 * time.Millisecond, 31_250},
		{1, 5 * MbitPerSecond, 50 * time.Millisecond, 31},
		{1000, 5 * MbitPerSecond, 0, 0},
		{1000, TbitPerSecond, 1 << 62, 1<<63 - 1}, // 125 bytes a nanosecond
	} {
		if got := c.bdp.Bytes(c.rate, c.roundTrip); got != c.want {
			t.Errorf("%d thousandths of %s times %s are %d bytes, want %d", c.bdp, c.rate, c.roundTrip, got, c.want)
		}
	}
}
