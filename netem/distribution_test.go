package netem

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// moments returns the mean and the standard deviation of a table, in
// deviations.
func moments(d *Distribution) (mean, deviation float64) {
	squares := 0.0
	for _, v := range d.table {
		x := float64(v) / distScale
		mean += x / float64(len(d.table))
		squares += x * x / float64(len(d.table))
	}
	return mean, math.Sqrt(squares - mean*mean)
}

// Each value x is the rounded quantile: (4k+1/2)/16384 lies between the
// probabilities of x ± 1/2.
func TestNormalIsTheQuantileOfTheNormalDistribution(t *testing.T) {
	phi := func(v float64) float64 { return math.Erfc(-v/distScale/math.Sqrt2) / 2 }
	for k, v := range Normal().table {
		p := (4*float64(k) + 0.5) / 16384
		if k > 0 && phi(float64(v)-0.5001) > p || phi(float64(v)+0.5001) < p {
			t.Fatalf("value %d is %d, whose probability is not %v", k, v, p)
		}
	}
	if first := Normal().table[0]; first != math.MinInt16 {
		t.Errorf("value 0 is %d, want -32768: it is cut off", first)
	}
}

func TestParetoIsTheQuantileOfTheParetoDistribution(t *testing.T) {
	for k, v := range Pareto().table {
		want := min(math.MaxInt16, math.Round((1/math.Cbrt(1-float64(k)/4096)-1.5)*4/3*distScale))
		if float64(v) != want {
			t.Fatalf("value %d is %d, want %v", k, v, want)
		}
	}
}

// The values are rounded one by one, and that of the normal quantile 0, which
// is below its table, is not cut off.
func TestParetoNormalIsAQuarterNormalAndThreeQuartersPareto(t *testing.T) {
	normal, pareto := Normal().table, Pareto().table
	for k, v := range ParetoNormal().table[1:] {
		if want := (int(normal[k+1]) + 3*int(pareto[k+1])) / 4; int(v) != want {
			t.Fatalf("value %d is %d, want %d", k+1, v, want)
		}
	}
	if first := ParetoNormal().table[0]; first != -12305 {
		t.Errorf("value 0 is %d, want -12305", first)
	}
}

// The moments of the continuous distributions, cut off where the tables are.
// Those of Pareto are of u^(−1/3) for u from 0 to 1, at most c = 4.5: the part
// 1/c³ of u is cut. Tables are left Riemann sums, whose error is at most the
// range, of the values or of their squares (4 and 16), over 4096.
func TestMomentsOfTheTables(t *testing.T) {
	const c = 1.5 + 0.75*math.MaxInt16/distScale
	cut := math.Pow(c, -3)
	mean := 1.5*(1-math.Pow(cut, 2.0/3)) + c*cut
	squares := 3*(1-math.Cbrt(cut)) + c*c*cut
	for _, d := range []struct {
		name            string
		d               *Distribution
		mean, deviation float64
	}{
		{"normal", Normal(), 0, 1},
		{"pareto", Pareto(), (mean - 1.5) * 4 / 3, math.Sqrt(squares-mean*mean) * 4 / 3},
	} {
		mean, deviation := moments(d.d)
		if math.Abs(mean-d.mean) > 4./4096 || math.Abs(deviation*deviation-d.deviation*d.deviation) > 16./4096 {
			t.Errorf("%s: mean %.4f and deviation %.4f, want %.4f and %.4f", d.name, mean, deviation, d.mean, d.deviation)
		}
	}
}

func TestDistributionsAreSortedTables(t *testing.T) {
	for name, d := range map[string]*Distribution{"normal": Normal(), "pareto": Pareto(), "paretonormal": ParetoNormal()} {
		if len(d.table) != 4096 || !slices.IsSorted(d.table) || d.least != d.table[0] {
			t.Errorf("%s: %d values, sorted: %v", name, len(d.table), slices.IsSorted(d.table))
		}
	}
}

func TestParseDistribution(t *testing.T) {
	d, err := ParseDistribution("# a comment 7\n 1 -2\t3\n\n-32768\r\n#8\n32767")
	if err != nil {
		t.Fatal(err)
	}
	if want := []int16{1, -2, 3, -32768, 32767}; !slices.Equal(d.table, want) || d.least != -32768 {
		t.Errorf("the table is %d, and %d the least; want %d", d.table, d.least, want)
	}
}

func TestParseDistributionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "a distribution without values",
		"# 1\n":                       "a distribution without values",
		"1\n2 x":                      `line 2 of a distribution: strconv.ParseInt: parsing "x": invalid syntax`,
		"32768":                       `line 1 of a distribution: strconv.ParseInt: parsing "32768": value out of range`,
		"1 # 2":                       `line 1 of a distribution: strconv.ParseInt: parsing "#": invalid syntax`,
		strings.Repeat("1 ", 1+16384): "line 1 of a distribution: more than 16384 values",
	} {
		if _, err := ParseDistribution(text); err == nil || err.Error() != want {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}

// What is accepted is a table of the right size that means the same when it is
// written and read again.
func FuzzParseDistribution(f *testing.F) {
	for _, text := range []string{"# normal\n -32768 -28307\n", "1 2\n\n3", "0x10", "-", strings.Repeat("0 ", 16385)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDistribution(text)
		if err != nil {
			return
		}
		if len(d.table) == 0 || len(d.table) > maxDistribution {
			t.Fatalf("%d values", len(d.table))
		}
		again, err := ParseDistribution(strings.Trim(fmt.Sprint(d.table), "[]"))
		if err != nil || !slices.Equal(again.table, d.table) || again.least != d.least {
			t.Fatalf("%v became %v (%v)", d, again, err)
		}
	})
}
