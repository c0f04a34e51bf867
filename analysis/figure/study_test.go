package figure

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// studied is a study of all combinations of the axes' values, with n seeds each. Its goodput
// and its delay grow with the place of the first value and vary from seed to seed.
func studied(n int, axes ...StudyAxis) Study {
	s := Study{
		Name: "quickstart", Axes: axes,
		Metrics: []Quantity{{"flows.bulk.goodput", "goodput", "bit/s"}, {"links.access.forward.queue_delay.p95", "queue_delay.p95", "s"}},
		Cells:   []StudyCell{{}},
	}
	for _, a := range axes {
		var next []StudyCell
		for _, c := range s.Cells {
			for _, v := range a.Values {
				next = append(next, StudyCell{Values: append(slices.Clone(c.Values), v)})
			}
		}
		s.Cells = next
	}
	for i := range s.Cells {
		for k := range n {
			s.Cells[i].Runs = append(s.Cells[i].Runs, StudyRun{uint64(k + 1), achieved(s, i, k)})
		}
	}
	return s
}

// achieved returns the metrics of a run, from the places of its values.
func achieved(s Study, cell, seed int) []float64 {
	var at []float64
	for i, a := range s.Axes {
		at = append(at, float64(slices.Index(a.Values, s.Cells[cell].Values[i])))
	}
	at = append(at, 0, 0, 0)
	u, v := math.Sin(float64(17*cell+3*seed)), math.Cos(float64(11*cell+13*seed))
	return []float64{4.6e6 * math.Pow(2, min(at[0], 8)) * math.Pow(0.88, at[1]) * (1 - 0.2*at[2]) * (1 + 0.06*u), 0.040 / (1 + at[1]) * (1 + 0.1*at[0]) * (1 + at[2]/4) * (1 + 0.1*v)}
}

// The axes of studies.
var (
	byRate  = StudyAxis{Path: "links.access.rate", Values: []string{"5Mbit/s", "10Mbit/s", "20Mbit/s", "40Mbit/s", "80Mbit/s"}, Log: true}
	byQueue = StudyAxis{Path: "links.access.queue.kind", Values: []string{"fifo", "codel", "fq_codel"}}
	byDelay = StudyAxis{Path: "links.access.delay", Values: []string{"5ms", "20ms", "50ms", "100ms"}}
	byLoss  = StudyAxis{Path: "links.access.loss.p", Values: []string{"0", "0.01"}}
)

// sampledStudy is one of cells whose rates and delays lie anywhere, for each kind of queue.
func sampledStudy(cells int) Study {
	rates, delays := StudyAxis{Path: "links.access.rate"}, StudyAxis{Path: "links.access.delay"}
	s := studied(0, byQueue)
	s.Cells = nil
	for i := range cells {
		x, y := float64(i)/float64(cells), math.Mod(float64(i)*0.6180339887, 1)
		rate, delay := fmt.Sprintf("%.0fkbit/s", 1000+99000*x), fmt.Sprintf("%.2fms", 1+100*y)
		rates.Values, delays.Values = append(rates.Values, rate), append(delays.Values, delay)
		for j, kind := range byQueue.Values {
			c := StudyCell{Values: []string{rate, delay, kind}}
			for seed := range 3 {
				u := math.Sin(float64(17*i + 3*seed + j))
				c.Runs = append(c.Runs, StudyRun{uint64(seed + 1), []float64{(1e6 + 9e7*x) * (1 - 0.3*y) * (1 + 0.04*u), 0.001 + 0.1*y + 0.01*float64(3-j)*(1+0.3*u)}})
			}
			s.Cells = append(s.Cells, c)
		}
	}
	s.Axes = []StudyAxis{rates, delays, byQueue}
	return s
}

// zipped is a study of two axes whose values go along.
func zipped() Study {
	s := studied(4, byDelay, byQueue)
	s.Axes = append(s.Axes, StudyAxis{Path: "links.access.reverse.delay", Values: []string{"50ms", "10ms", "1ms", "500us"}})
	for i := range s.Cells {
		s.Cells[i].Values = append(s.Cells[i].Values, s.Axes[2].Values[slices.Index(byDelay.Values, s.Cells[i].Values[0])])
	}
	return s
}

// holes is a study with cells without runs, with one run, and without a metric.
func holes() Study {
	s := studied(5, byRate, byQueue)
	s.Cells[4].Runs = nil
	s.Cells[5].Runs = s.Cells[5].Runs[:1]
	for i := range s.Cells[7].Runs {
		s.Cells[7].Runs[i].Values[0] = math.NaN()
	}
	return s
}

func studies() map[string]Study {
	var many StudyAxis
	many.Path = "sessions.main.server"
	for i := range 20 {
		many.Values = append(many.Values, fmt.Sprint("server-", i+1))
	}
	long := studied(3, StudyAxis{Path: strings.Repeat("very.long.", 30) + "path", Values: []string{strings.Repeat("a", 90), "\x00<b>", ""}}, byQueue, byLoss)
	long.Name = strings.Repeat("a scenario with a very long name ", 20)
	long.Metrics[0].Name, long.Metrics[0].Short = strings.Repeat("very.long.", 40), strings.Repeat("long.", 40)
	same := studied(3, byRate, byQueue)
	for _, c := range same.Cells {
		for _, r := range c.Runs {
			r.Values[0], r.Values[1] = 0, -2
		}
	}
	hundred := StudyAxis{Path: "links.access.delay"}
	for i := range 100 {
		hundred.Values = append(hundred.Values, fmt.Sprint(i+1, "ms"))
		hundred.Values[i] = strings.ReplaceAll(hundred.Values[i], " ", "")
	}
	return map[string]Study{
		"line": studied(5, byRate), "lines": studied(5, byRate, byQueue), "words": studied(5, byQueue), "words-lines": studied(5, byQueue, StudyAxis{Path: "sessions.main.flows.bulk.kind", Values: []string{"upload", "download"}}),
		"facets": studied(4, byRate, byQueue, byDelay), "four": studied(2, byRate, byQueue, byDelay, byLoss),
		"one-seed": studied(1, byDelay, byRate), "many-lines": studied(2, byDelay, many), "sampled": sampledStudy(40),
		"zipped": zipped(), "holes": holes(), "long": long, "same": same, "hundred-hundred": studied(1, hundred, StudyAxis{Path: "x", Values: hundred.Values}),
	}
}

func figuresOf(t *testing.T, s Study) []Figure {
	t.Helper()
	out, err := OfStudy(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFiguresOfStudiesLookAsTheyDid(t *testing.T) {
	for _, name := range []string{"line", "lines", "facets", "words-lines", "sampled", "holes"} {
		for _, f := range figuresOf(t, studies()[name]) {
			if strings.HasPrefix(f.Name, "flows.bulk") {
				golden(t, "study-"+name+"-"+f.Name+".svg", render(t, f, SVG, TwoColumns))
			}
		}
	}
	for _, f := range figuresOf(t, holes()) {
		golden(t, "study-holes-"+f.Name+".csv", render(t, f, CSV, TwoColumns))
	}
}

func TestNoTextCollidesInStudies(t *testing.T) {
	for name, s := range studies() {
		for which, width := range widths {
			for _, f := range figuresOf(t, s) {
				t.Run(name+"/"+which+"/"+f.Name[max(0, len(f.Name)-20):], func(t *testing.T) {
					checkLayout(t, f, width)
					svg := withoutFonts(render(t, f, SVG, width))
					if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
						t.Error("a coordinate is no number")
					}
				})
			}
		}
	}
}

func TestAFigureHoldsTheMeanItsIntervalAndEachRun(t *testing.T) {
	s := Study{
		Name: "three", Axes: []StudyAxis{{Path: "links.access.rate", Values: []string{"2Mbit/s", "1000kbit/s"}}}, Metrics: []Quantity{{"flows.bulk.goodput", "goodput", "bit/s"}},
		Cells: []StudyCell{
			{Values: []string{"2Mbit/s"}, Runs: []StudyRun{{7, []float64{10}}, {8, []float64{20}}, {9, []float64{30}}}},
			{Values: []string{"1000kbit/s"}, Runs: []StudyRun{{7, []float64{5}}, {8, []float64{math.NaN()}}}},
		},
	}
	got := string(render(t, figuresOf(t, s)[0], CSV, TwoColumns))
	// 20 ± t·s/√n = 4.302652729911275·10/√3.
	half := 4.302652729911275 * 10 / math.Sqrt(3)
	want := "metric,unit,access.rate,what,seed,value,n\n"
	row := "flows.bulk.goodput,bit/s,2Mbit/s,"
	want += row + "mean,,20,3\n" + row + fmt.Sprintf("interval low,,%.7f", 20-half)
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range []string{row + "run,7,10,3\n", row + "run,9,30,3\n", "flows.bulk.goodput,bit/s,1000kbit/s,mean,,5,1\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
}

func TestHowCellsVaryDecidesWhatIsShown(t *testing.T) {
	for name, want := range map[string]string{
		"line": "access.rate 5", "lines": "access.rate 5, queue.kind 3", "words": "queue.kind 3",
		"zipped": "access.delay with reverse.delay 4, queue.kind 3", "sampled": "access.rate 40 drawn, access.delay 40 drawn, queue.kind 3",
	} {
		var got []string
		for _, d := range studies()[name].dims() {
			text := fmt.Sprint(d.name, " ", len(d.labels))
			if d.drawn {
				text += " drawn"
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q; want %s", name, got, want)
		}
	}
}

func TestWordsThatGoAlongWithQuantitiesAreOneDimension(t *testing.T) {
	s := Study{Axes: []StudyAxis{{Path: "a.rate", Values: []string{"5Mbit/s", "1Mbit/s"}}, {Path: "a.kind", Values: []string{"fifo", "codel"}}}}
	s.Cells = []StudyCell{{Values: []string{"5Mbit/s", "fifo"}}, {Values: []string{"1Mbit/s", "codel"}}}
	dims := s.dims()
	if len(dims) != 1 || !slices.Equal(dims[0].labels, []string{"1Mbit/s, codel", "5Mbit/s, fifo"}) {
		t.Errorf("got %+v", dims)
	}
}

func TestQuantitiesComeFirstAndInOrder(t *testing.T) {
	dims := studied(1, byQueue, StudyAxis{Path: "links.access.rate", Values: []string{"1Gbit/s", "5Mbit/s", "1000Mbit/s"}}).dims()
	if dims[0].name != "access.rate" || !slices.Equal(dims[0].labels, []string{"5Mbit/s", "1Gbit/s"}) {
		t.Errorf("got %+v", dims[0])
	}
}

func TestAStudyIsShownOverTheQuantitiesOfWhichThereAreMost(t *testing.T) {
	few := StudyAxis{Path: "a.rate", Values: []string{"1Mbit/s", "5Mbit/s"}}
	more := StudyAxis{Path: "a.delay", Values: []string{"1ms", "2ms", "3ms"}}
	for _, c := range []struct {
		axes []StudyAxis
		want string
	}{{[]StudyAxis{few, more}, "delay"}, {[]StudyAxis{more, few}, "delay"}, {[]StudyAxis{few, {Path: "a.loss", Values: []string{"0.1", "0.2"}}}, "rate"}} {
		if got := studied(1, c.axes...).dims()[0].name; !strings.HasSuffix(got, c.want) {
			t.Errorf("%v are shown over %s, want %s", c.axes, got, c.want)
		}
	}
}

func TestAStudyInWhichNothingVariesHasNoFigures(t *testing.T) {
	if figures, err := OfStudy(studied(3, StudyAxis{Path: "a.b", Values: []string{"1"}})); err == nil {
		t.Errorf("%d figures", len(figures))
	}
}

func TestWhatHasNoRoomInAStudyIsSaid(t *testing.T) {
	s := studies()["many-lines"]
	svg := string(render(t, figuresOf(t, s)[0], SVG, TwoColumns))
	if !strings.Contains(svg, "8 of 20 values of main.server have a line; the table of results has all.") {
		t.Error("that lines are left out is not said")
	}
	many := studied(1, byRate, byQueue, byDelay, StudyAxis{Path: "x.y", Values: []string{"1", "2", "3", "4"}})
	svg = string(render(t, figuresOf(t, many)[0], SVG, TwoColumns))
	if !strings.Contains(svg, "4 more combinations of access.delay, x.y are in the table of results.") {
		t.Error("that plots are left out is not said")
	}
}
