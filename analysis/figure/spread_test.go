package figure

import (
	"bytes"
	"encoding/csv"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
)

// rowsOf returns a figure's CSV rows below its header, without the metric and
// its unit.
func rowsOf(t *testing.T, f Figure) []string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(render(t, f, CSV, OneColumn))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, fields := range records[1:] {
		out = append(out, strings.Join(fields[2:], " "))
	}
	return out
}

// ofValues is a set of runs with these values of one metric.
func ofValues(values ...float64) Sweep {
	set := RunSet{Label: "s"}
	for i, v := range values {
		set.Runs = append(set.Runs, SeedRun{uint64(i + 1), map[string]float64{"m": v}})
	}
	return Sweep{Metrics: []Quantity{{"m", "m", "1"}}, Sets: []RunSet{set}}
}

func TestABoxHasQuartilesAndWhiskersThatEndAtValues(t *testing.T) {
	// In order 1 2 3 4 5 6 7 8 20: the quartiles are the third, the fifth and the seventh.
	// One and a half of their distance reach from −3 to 13.
	f, err := Over(ofValues(4, 20, 1, 2, 3, 5, 6, 7, 8), "box")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"s quartile 1  3 9", "s median  5 9", "s quartile 3  7 9", "s whisker low  1 9", "s whisker high  8 9",
		"s run 1 4 9", "s run 2 20 9", "s run 3 1 9", "s run 4 2 9", "s run 5 3 9", "s run 6 5 9", "s run 7 6 9", "s run 8 7 9", "s run 9 8 9"}
	if diff := cmp.Diff(want, rowsOf(t, f)); diff != "" {
		t.Error(diff)
	}
}

func TestAnIntervalIsStudents(t *testing.T) {
	f, err := Over(ofValues(10, 12, 14), "intervals")
	if err != nil {
		t.Fatal(err)
	}
	// t of 2 degrees of freedom is 4.302653 at 0.975; the standard error is 2/√3.
	rows := rowsOf(t, f)
	if len(rows) != 3 || rows[0] != "s mean  12 3" || !strings.HasPrefix(rows[1], "s interval low  7.03172") || !strings.HasPrefix(rows[2], "s interval high  16.9682") {
		t.Errorf("got %q", rows)
	}
}

func TestAnEllipseIsTheContourOfTheLikeliestNormalDistribution(t *testing.T) {
	// About their mean (2, 1) the covariances with the divisor 4 are 1 and 1, and
	// 0 of one with the other: a circle of radius 1.
	circle := spots{x: []float64{1, 1, 3, 3}, y: []float64{0, 2, 0, 2}}
	for _, p := range circle.contour() {
		if r := math.Hypot(p.X-2, p.Y-1); math.Abs(r-1) > 1e-12 {
			t.Errorf("%v is %v from the centre", p, r)
		}
	}
	// Correlated values: each point of the contour is at the Mahalanobis distance 1.
	// About the mean (2, 3) xx = 2, yy = 14/3, xy = 8/3 of 3 values.
	slanted := spots{x: []float64{0, 3, 3}, y: []float64{0, 4, 5}}
	xx, xy, yy := 2.0, 3.0, 14.0/3
	for _, p := range slanted.contour() {
		dx, dy := p.X-2, p.Y-3
		if d := (yy*dx*dx - 2*xy*dx*dy + xx*dy*dy) / (xx*yy - xy*xy); math.Abs(d-1) > 1e-9 {
			t.Errorf("%v is at the distance %v", p, d)
		}
	}
	if got := (spots{x: []float64{1, 2}, y: []float64{1, 2}}).contour(); got != nil {
		t.Errorf("two runs have the ellipse %v", got)
	}
	if got := slanted.median(); got != (XY{3, 4}) {
		t.Errorf("the median is %v", got)
	}
}

func TestAHeatMapIsInTheOrderOfItsValues(t *testing.T) {
	s := swept(2, []string{"10Mbit/s", "400kbit/s", "", "1.5Gbit/s"}, []string{"fifo", "codel"})
	p, err := newMatrix(s, s.Metrics[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "400kbit/s", "10Mbit/s", "1.5Gbit/s"}; !slices.Equal(p.columns, want) {
		t.Errorf("the columns are %q", p.columns)
	}
	if want := []string{"fifo", "codel"}; !slices.Equal(p.rows, want) {
		t.Errorf("the rows are %q", p.rows)
	}
	for _, ordered := range [][]string{{"0.02", "0.1", "1e1"}, {"90ms", "1.5s", "1m"}, {"900B", "64KB", "1MiB"}, {"", "5", "codel"}} {
		for i := range ordered[1:] {
			if compareValues(ordered[i], ordered[i+1]) >= 0 || compareValues(ordered[i+1], ordered[i]) <= 0 {
				t.Errorf("%q is not before %q", ordered[i], ordered[i+1])
			}
		}
	}
}

func TestALargerValueIsDarkerInEqualSteps(t *testing.T) {
	luminance := func(c color.RGBA) float64 {
		linear := func(v uint8) float64 {
			if x := float64(v) / 255; x > 0.04045 {
				return math.Pow((x+0.055)/1.055, 2.4)
			}
			return float64(v) / 255 / 12.92
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	// The lightness of CIELAB, which is another model, falls almost evenly too.
	lightness := func(c color.RGBA) float64 { return 116*math.Cbrt(luminance(c)) - 16 }
	const steps = 20
	whole := lightness(shade(0)) - lightness(shade(1))
	if whole < 60 {
		t.Errorf("from pale to dark it is %v of 100", whole)
	}
	for i := range steps {
		step := lightness(shade(float64(i)/steps)) - lightness(shade(float64(i+1)/steps))
		if step < 0.7*whole/steps || step > 1.3*whole/steps {
			t.Errorf("step %d of %d is %v, the mean is %v", i, steps, step, whole/steps)
		}
	}
	if white := fromOklab(1, 0, 0); white != paper {
		t.Errorf("white is %v", white)
	}
	// Ottosson's page gives these coordinates for the red of sRGB.
	if red := fromOklab(0.627955, 0.224863, 0.125846); red != (color.RGBA{0xff, 0, 0, 0xff}) {
		t.Errorf("red is %v", red)
	}
}

func TestAnAxisOfPointsHasZeroIfThatSqueezesNothing(t *testing.T) {
	for _, c := range []struct {
		values    []float64
		low, high float64
	}{
		{nil, 0, 1},
		{[]float64{0, 0}, 0, 1},
		{[]float64{50, 100}, 0, 103},
		{[]float64{90, 100}, 89.4, 100.6},
		{[]float64{-10, -5}, -10.3, 0},
		{[]float64{-50, 50}, -56, 56},
		{[]float64{20}, 18, 22},
	} {
		low, high := extent(c.values)
		if math.Abs(low-c.low) > 1e-9 || math.Abs(high-c.high) > 1e-9 {
			t.Errorf("%v: from %v to %v, want from %v to %v", c.values, low, high, c.low, c.high)
		}
	}
}

func TestMarksOfEqualValuesStayInTheirRow(t *testing.T) {
	seen := map[vg.Length]bool{}
	for i := range mostDot {
		y := scatter(i)
		if y < -rowHeight/2 || y > rowHeight/2 || seen[y] {
			t.Errorf("mark %d is at %v", i, y)
		}
		seen[y] = true
	}
}
