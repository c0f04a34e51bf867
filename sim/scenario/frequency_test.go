package scenario

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseFrequencyRoundsThePeriodToTheNearestNanosecond(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"50Hz":        20 * time.Millisecond,
		"29.97Hz":     33_366_700, // 33 366 700.033… ns
		"3Hz":         333_333_333,
		"6Hz":         166_666_667,
		"0.5Hz":       2 * time.Second,
		"1000000Hz":   time.Microsecond,
		"20ms":        20 * time.Millisecond,
		" 10 Hz ":     100 * time.Millisecond,
		"400000000Hz": 3, // 2.5 ns
	} {
		if got, err := ParseFrequency(text); err != nil || got.Period() != want {
			t.Errorf("ParseFrequency(%q) has period %d, %v; want %d", text, got.Period(), err, want)
		}
	}
}

func TestParseFrequencyRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"50":             "known units: Hz, ns, us, ms, s, m, h",
		"fast":           "known units: Hz, ns, us, ms, s, m, h",
		"Hz":             `"" is not a positive number`,
		"-5Hz":           `"-5" is not a positive number`,
		"1e9Hz":          `"1e9" is not a positive number`,
		"0Hz":            "it is not positive",
		"0s":             "it is not positive",
		"-20ms":          "it is not positive",
		"3000000000Hz":   "it is too high",
		"0.0000000001Hz": "it is too low",
	} {
		_, err := ParseFrequency(text)
		if want := `"` + text + `" is not a frequency such as "50Hz" or "20ms": ` + why; err == nil || err.Error() != want {
			t.Errorf("ParseFrequency(%q): error %v, want %s", text, err, want)
		}
	}
}

func TestFrequenciesAreWrittenInHertzWhereThatIsExact(t *testing.T) {
	for want, f := range map[string]Frequency{
		"50Hz": Frequency(20 * time.Millisecond), "29.97Hz": 33_366_700, "0.5Hz": Frequency(2 * time.Second),
		"33.366701ms": 33_366_701, "1h0m0s": Frequency(time.Hour), "0Hz": 0,
	} {
		if got := f.String(); got != want {
			t.Errorf("a period of %d ns is written %q, want %q", int64(f), got, want)
		}
	}
}

func TestEveryFrequencyIsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Frequency(rapid.Int64Range(1, math.MaxInt64).Draw(t, "period"))
		var again Frequency
		if text, _ := f.MarshalText(); again.UnmarshalText(text) != nil || again != f {
			t.Fatalf("a period of %d ns is written %q and read as %d", int64(f), text, int64(again))
		}
	})
}

func FuzzParseFrequency(f *testing.F) {
	for _, s := range []string{"50Hz", "29.97Hz", "20ms", "0Hz", "1e9Hz", "", "-1Hz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseFrequency(s)
		if err != nil {
			return
		}
		if again, err := ParseFrequency(got.String()); got <= 0 || err != nil || again != got {
			t.Fatalf("%q has period %d, is written %q and read as %d, %v", s, int64(got), got, int64(again), err)
		}
	})
}
