package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRangesHaveTheirEndsExactlyAndRoundedValuesBetweenThem(t *testing.T) {
	for _, c := range []struct {
		text  string
		whole bool
		want  string
	}{
		{"1..9:lin5", false, "1 3 5 7 9"},
		{"0.001..0.1:log5", false, "0.001 0.003162 0.01 0.03162 0.1"},
		{"1..100:log10", true, "1 2 3 5 8 13 22 36 60 100"},
		{"1..10:log20", true, "1 2 3 4 5 6 7 8 9 10"},
		{"1..10:step3", true, "1 4 7 10"},
		{"0.1..0.4:step0.1", false, "0.1 0.2 0.3 0.4"},
		{"5..100Mbit/s:log3", false, "5Mbit/s 22.36Mbit/s 100Mbit/s"},
		{"1Mbit/s..1Gbit/s:log4", false, "1Mbit/s 10Mbit/s 100Mbit/s 1Gbit/s"},
		{"1ms..2s:log4", false, "1ms 12.6ms 158.7ms 2s"},
		{"1us..1m:lin3", false, "1us 30s 1m"},
		{"1KiB..1MiB:log3", true, "1KiB 32KiB 1MiB"},
		{"1000..2000KiB:lin4", true, "1000KiB 1333KiB 1667KiB 2000KiB"},
		{"1..2KiB:lin4", true, "1KiB 1365B 1707B 2KiB"},
		{"1500B..1600B:lin4", true, "1500B 1533B 1567B 1600B"},
		{"0.25..4BDP:log5", true, "0.25BDP 0.5BDP 1BDP 2BDP 4BDP"},
		{"10packets..1000packets:log4", true, "10packets 46packets 215packets 1000packets"},
		{"10..60Hz:step25", false, "10Hz 35Hz 60Hz"},
		{"1000..1001:lin5", false, "1000 1000.2 1000.5 1000.8 1001"},
		{"-4..4:lin3", false, "-4 0 4"},
		{"12345678..12345688:step5", true, "12345678 12345683 12345688"},
		{" 1ms .. 3ms:lin3", false, "1ms 2ms 3ms"},
	} {
		s, err := parseSpan(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		s.whole = c.whole
		if got := strings.Join(s.expand(), " "); got != c.want {
			t.Errorf("%s is %s, want %s", c.text, got, c.want)
		}
	}
}

func TestRangesAreMonotoneAndHaveTheirEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"", "ms", "Mbit/s", "KB", "KiB", "us", "packets", "Hz"}).Draw(t, "unit")
		low := rapid.IntRange(1, 100_000).Draw(t, "low")
		high := low + rapid.IntRange(1, 1_000_000).Draw(t, "width")
		n := rapid.IntRange(2, 50).Draw(t, "n")
		ends := []string{strconv.Itoa(low) + unit, strconv.Itoa(high) + unit}
		text := ends[0] + ".." + ends[1] + ":" + rapid.SampledFrom([]string{"lin", "log"}).Draw(t, "how") + strconv.Itoa(n)
		s, err := parseSpan(text)
		if err != nil {
			t.Fatal(err)
		}
		s.whole = unit == "packets" || unit == "KB" || unit == "KiB"
		values := s.expand()
		if values[0] != ends[0] || values[len(values)-1] != ends[1] {
			t.Fatalf("%s is %q", text, values)
		}
		if len(values) > n || len(values) < n && unit != "packets" {
			t.Fatalf("%s has %d values: %q", text, len(values), values)
		}
		for i := range values[1:] {
			if baseOf(t, values[i]).Cmp(baseOf(t, values[i+1])) >= 0 {
				t.Fatalf("%s is %q", text, values)
			}
		}
	})
}

func TestListsAreSplitAtCommasThatStandByThemselves(t *testing.T) {
	for text, want := range map[string][]string{
		"a,b, c ":                 {"a", "b", "c"},
		`{ a = 1, b = [2, 3] },x`: {`{ a = 1, b = [2, 3] }`, "x"},
		`"a,b",'c,d'`:             {`"a,b"`, `'c,d'`},
		`"a\",b",c`:               {`"a\",b"`, "c"},
		"it's,fine":               {"it's", "fine"},
		`{ why = "}," }`:          {`{ why = "}," }`},
		"1..5:lin5":               {"1..5:lin5"},
	} {
		if got, err := splitList(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is split into %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestALatinHypercubeHasEachPartOfEachAxisOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		for i, text := range []string{"1ms..200ms:log", "5..100Mbit/s", "0.001..0.1:log", "0..1"} {
			s, err := parseSpan(text)
			if err != nil {
				t.Fatal(err)
			}
			hits := make([]int, n)
			for _, v := range (&axis{path: fmt.Sprint(i), span: s}).draw(n, seed, true) {
				f, _ := baseOf(t, v).Float64()
				hits[int(math.Floor(s.share(f)*float64(n)))]++
			}
			for part, hit := range hits {
				if hit != 1 {
					t.Fatalf("%s, seed %d: part %d of %d has %d values", text, seed, part, n, hit)
				}
			}
		}
	})
}

func TestListsAreDrawnEvenlyInALatinHypercube(t *testing.T) {
	a := &axis{path: "p", values: []string{"a", "b", "c"}}
	got := map[string]int{}
	for _, v := range a.draw(9, 5, true) {
		got[v]++
	}
	if got["a"] != 3 || got["b"] != 3 || got["c"] != 3 {
		t.Errorf("of nine draws there are %v", got)
	}
}

func TestDrawsDependOnTheSeedAndTheKeyAlone(t *testing.T) {
	s, err := parseSpan("1ms..200ms:log")
	if err != nil {
		t.Fatal(err)
	}
	draw := func(path string, seed uint64, n int) []string {
		return (&axis{path: path, span: s}).draw(n, seed, false)
	}
	if a, b := draw("a", 1, 5), draw("a", 1, 10); !slices.Equal(a, b[:5]) {
		t.Errorf("five draws are %q, and ten %q", a, b)
	}
	if slices.Equal(draw("a", 1, 5), draw("a", 2, 5)) || slices.Equal(draw("a", 1, 5), draw("b", 1, 5)) {
		t.Error("another seed, or another key, has the same draws")
	}
	for _, v := range draw("a", 1, 1000) {
		if f, _ := baseOf(t, v).Float64(); f < 1e6 || f > 200e6 {
			t.Errorf("%s is not between the ends", v)
		}
	}
}

func FuzzRange(f *testing.F) {
	for _, text := range []string{"1..100:log10", "5..100Mbit/s:lin3", "1ms..2s:log", "1..10:step3", "-1..1:lin5", "1e3..1e4:log4", "..", "1..2:", "0.25..4BDP:log5", "1KiB..1MB:lin7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSpan(text)
		if err != nil || s.count == 0 || s.count > 100 {
			return
		}
		for _, s.whole = range []bool{false, true} {
			values := s.expand()
			if values[0] != s.low.text || values[len(values)-1] != s.high.text || len(values) > s.count {
				t.Fatalf("%q is %q", text, values)
			}
		}
	})
}

func FuzzList(f *testing.F) {
	for _, text := range []string{"a,b,c", `{a=1,b=2},"x,y"`, "[1,[2,3]]", "'", `"\"`, ",", "}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, err := splitList(text)
		if err != nil {
			return
		}
		again, err := splitList(strings.Join(items, ","))
		if err != nil || !slices.Equal(items, again) {
			t.Fatalf("%q is %q, and that is %q (%v)", text, items, again, err)
		}
	})
}
