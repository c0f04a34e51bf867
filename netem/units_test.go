package netem

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseBitRateReadsDecimalUnitsExactly(t *testing.T) {
	for text, want := range map[string]BitRate{
		"20Mbit/s":                   20_000_000,
		"12.5kbit/s":                 12_500,
		"1Tbit/s":                    1_000_000_000_000,
		"0.000001Mbit/s":             1,
		"9600bit/s":                  9600,
		"20mbit":                     20_000_000,
		"64kbit":                     64_000,
		"2gbit":                      2_000_000_000,
		" 5 Mbit/s ":                 5_000_000,
		"0bit/s":                     0,
		".5Gbit/s":                   500_000_000,
		"9223372036854775807bit/s":   math.MaxInt64,
		"9223372.036854775807Tbit/s": math.MaxInt64,
	} {
		if got, err := ParseBitRate(text); err != nil || got != want {
			t.Errorf("ParseBitRate(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseBytesReadsDecimalAndBinaryUnitsExactly(t *testing.T) {
	for text, want := range map[string]Bytes{
		"1500":                1500,
		"1500B":               1500,
		"64KB":                64_000,
		"64kB":                64_000,
		"64KiB":               65_536,
		"1.5MB":               1_500_000,
		"1.5MiB":              1_572_864,
		"2GB":                 2_000_000_000,
		"2GiB":                2_147_483_648,
		"10 MB":               10_000_000,
		"0.001KB":             1,
		"9223372036854775807": math.MaxInt64,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestUnitsRefuseWhatTheyCannotHold(t *testing.T) {
	const rate, size = `is not a rate such as "20Mbit/s": `, `is not a size such as "64KB": `
	const rates = "Tbit/s, Gbit/s, Mbit/s, kbit/s, bit/s, tbit, gbit, mbit, kbit, bit"
	const sizes = "GB, MB, KB, kB, GiB, MiB, KiB, B"
	parseRate := func(s string) error { _, err := ParseBitRate(s); return err }
	parseSize := func(s string) error { _, err := ParseBytes(s); return err }
	for _, c := range []struct {
		parse func(string) error
		text  string
		want  string
	}{
		{parseRate, "20", rate + "the unit is missing; known units: " + rates},
		{parseRate, "20Mbps", rate + `unknown unit "Mbps"; known units: ` + rates},
		{parseRate, "fast", rate + "it starts with no number"},
		{parseRate, "", rate + "it starts with no number"},
		{parseRate, "-5Mbit/s", rate + "it is negative"},
		{parseRate, "0.5bit/s", rate + "it is not a whole number of bit"},
		{parseRate, "10000000Tbit/s", rate + "it is too large"},
		{parseRate, "1e3bit/s", rate + `unknown unit "e3bit/s"; known units: ` + rates},
		{parseSize, "1.2.3MB", size + `"1.2.3" is not a decimal number of at most 40 digits`},
		{parseSize, ".", size + `"." is not a decimal number of at most 40 digits`},
		{parseSize, "64mb", size + `unknown unit "mb"; known units: ` + sizes},
		{parseSize, "-1", size + "it is negative"},
		{parseSize, "0.5B", size + "it is not a whole number of B"},
		{parseSize, "9223372036854775808", size + "it is too large"},
		{parseSize, strings.Repeat("9", 41), size + `"` + strings.Repeat("9", 41) + `" is not a decimal number of at most 40 digits`},
	} {
		err := c.parse(c.text)
		if err == nil {
			t.Errorf("%q was accepted", c.text)
		} else if want := `"` + c.text + `" ` + c.want; err.Error() != want {
			t.Errorf("%q: error\n  %s\nwant\n  %s", c.text, err, want)
		}
	}
}

func TestAmountsAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, b := range map[string]Bytes{
		"0B": 0, "28B": 28, "1500B": 1500, "1280B": 1280, "9999B": 9999, "12.345KB": 12_345,
		"1KB": 1000, "64KB": 64_000, "1.5MB": 1_500_000, "10MB": 10_000_000, "2GB": 2_000_000_000,
		"1KiB": 1024, "512KiB": 512 << 10, "6MiB": 6 << 20, "1.5MiB": 3 << 19, "4GiB": 4 << 30,
		"12345.678KB": 12_345_678, "9223372036854775.807KB": math.MaxInt64, "-5B": -5,
	} {
		if got := b.String(); got != want {
			t.Errorf("%d bytes are written %q, want %q", int64(b), got, want)
		}
	}
	for want, r := range map[string]BitRate{
		"0bit/s": 0, "1bit/s": 1, "9.6kbit/s": 9600, "20Mbit/s": 20_000_000, "1.5Gbit/s": 1_500_000_000,
		"1Tbit/s": TbitPerSecond, "12345.678kbit/s": 12_345_678, "9223372036854775.807kbit/s": math.MaxInt64,
		"-5bit/s": -5,
	} {
		if got := r.String(); got != want {
			t.Errorf("%d bit/s are written %q, want %q", int64(r), got, want)
		}
	}
}

func TestEveryAmountIsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Min(0).Draw(t, "value")
		for divisor := range 4 { // round values take other units
			v -= v % []int64{1, 1000, 1 << 20, 1e9}[divisor]
			var rate BitRate
			if text, _ := BitRate(v).MarshalText(); rate.UnmarshalText(text) != nil || rate != BitRate(v) {
				t.Fatalf("%d bit/s is written %q and read as %d", v, text, int64(rate))
			}
			var size Bytes
			if text, _ := Bytes(v).MarshalText(); size.UnmarshalText(text) != nil || size != Bytes(v) {
				t.Fatalf("%d bytes is written %q and read as %d", v, text, int64(size))
			}
		}
	})
}

func TestTransmissionTimeIsExactAndRoundedDown(t *testing.T) {
	for _, c := range []struct {
		rate BitRate
		size Bytes
		want time.Duration
	}{
		{10 * MbitPerSecond, 1308, 1_046_400},
		{12 * MbitPerSecond, 1500, time.Millisecond},
		{3 * BitPerSecond, 1, 2_666_666_666},
		{GbitPerSecond, 1, 8},
		{TbitPerSecond, 1, 0},
		{0, 1500, 0},
		{20 * MbitPerSecond, 0, 0},
		{1, math.MaxInt64, math.MaxInt64},
		{100 * GbitPerSecond, 1000 * GB, 80 * time.Second},
	} {
		if got := c.rate.TransmissionTime(c.size); got != c.want {
			t.Errorf("%d bytes at %s take %d ns, want %d", c.size, c.rate, got, c.want)
		}
	}
}

func FuzzParseBitRate(f *testing.F) {
	for _, s := range []string{"20Mbit/s", "1.5gbit", "-1bit", "", "0.001Tbit/s", "5Mbps"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseBitRate(s)
		if err != nil {
			return
		}
		if again, err := ParseBitRate(r.String()); r < 0 || err != nil || again != r {
			t.Fatalf("%q is %d bit/s, written %q, read as %d, %v", s, int64(r), r, int64(again), err)
		}
	})
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"64KB", "1.5MiB", "-1", "", "1500", "0.5B", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		if again, err := ParseBytes(b.String()); b < 0 || err != nil || again != b {
			t.Fatalf("%q is %d bytes, written %q, read as %d, %v", s, int64(b), b, int64(again), err)
		}
	})
}
