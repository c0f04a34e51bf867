package figure

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/recorder"
	"pgregory.net/rapid"
)

var widths = map[string]Width{"two columns": TwoColumns, "one column": OneColumn}

func render(t *testing.T, f Figure, format Format, width Width) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := f.Render(&out, format, width); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheSameDataGivesTheSameBytes(t *testing.T) {
	first, again := All(sample()), All(sample())
	for i := range first {
		for _, format := range Formats() {
			if !bytes.Equal(render(t, first[i], format, TwoColumns), render(t, again[i], format, TwoColumns)) {
				t.Errorf("%s as %s differs between two runs", first[i].Name, format)
			}
		}
	}
}

// oddities are runs that scenarios rarely give.
func oddities() map[string]Data {
	long := sample()
	long.Name = strings.Repeat("a scenario with a very long name ", 20)
	long.Sessions[0].Name = strings.Repeat("x", 500)
	for i := range long.Directions {
		d := &long.Directions[i]
		d.Name = strings.Repeat("very-long-host-name-", 20) + " → client"
		for j := range d.Goodput {
			d.Goodput[j].Name = strings.Repeat("flow-", 100) + fmt.Sprint(j)
		}
	}
	long.Senders[0].Name = strings.Repeat("connection ", 50)

	long.Latencies[0].Name = strings.Repeat("latency ", 60)
	long.Directions[0].Traffic = []Series{{strings.Repeat("web ", 100), long.Directions[0].Goodput[0].Points}}

	eight := crowd(maxLines)
	point := Data{
		End: time.Second, Bin: time.Second,
		Directions: []Direction{{
			Name:    "a → b",
			Rates:   []Series{{"l", []Point{{0, 1e6}}}},
			Goodput: []Series{{"f", []Point{{500 * ms, 1e5}}}},
		}},
		Queues:   []Series{{"l", []Point{{500 * ms, 0.001}}}},
		RTTs:     []RTT{{Name: "c", Smoothed: []Point{{100 * ms, 0.05}}, Latest: []Point{{100 * ms, 0.05}}}},
		Senders:  []Sender{{Name: "c", Window: []Point{{100 * ms, 14000}}, InFlight: []Point{{100 * ms, 1200}}, Losses: []time.Duration{100 * ms}}},
		Sessions: []Session{{Name: "s", Events: []Event{{Dial, Client, 0}}}},

		Latencies: []Distribution{{Name: "f", Count: 100, Points: []XY{{0.05, 1}}}},
		Queueing:  []Distribution{{Name: "l", Count: 100, Points: []XY{{0, 1}}}},
		Teardowns: []Distribution{{Name: "gone", Count: 5, Points: []XY{{0, 0.5}}}},
	}
	instant := point
	instant.End = 0
	fast := sample()
	for i := range fast.Directions {
		fast.Directions[i].Rates = []Series{{"backbone", []Point{{0, 40e9}}}, {"unlimited", []Point{{0, 0}}}}
	}
	late := sample()
	late.Sessions[0].Events = append(late.Sessions[0].Events, Event{Gone, Server, 45 * time.Second})
	late.Sessions[0].Events = append([]Event{{LastStreamEnded, Client, 5 * time.Second}}, late.Sessions[0].Events...)
	odd := sample()
	odd.Name = "<b>\"&\x00\n\xff</b>"
	odd.Sessions[0].Name = "a\tb\u2028漢字"
	odd.Directions[0].Goodput[0].Name = "]]><script>"
	return map[string]Data{
		"sample": sample(), "long names": long, "eight of everything": eight, "nine": crowd(maxLines + 1),
		"one point": point, "no time": instant, "a thousand sessions": crowd(1000),
		"small": small(), "fast links": fast, "late events": late, "odd names": odd, "values of zero": zeros(),
	}
}

// zeros is a run in which nothing moved.
func zeros() Data {
	flat := []Point{{0, 0}, {time.Second, 0}}
	return Data{
		End: time.Second, Bin: 10 * ms,
		Directions: []Direction{{Name: "a → b", Goodput: []Series{{"f", flat}}}},
		Queues:     []Series{{"l", flat}},
		RTTs:       []RTT{{Name: "c", Smoothed: flat}},
		Senders:    []Sender{{Name: "c", Window: flat}},
	}
}

func TestNoTextCollides(t *testing.T) {
	for name, data := range oddities() {
		for which, width := range widths {
			for _, f := range All(data) {
				t.Run(name+"/"+which+"/"+f.Name, func(t *testing.T) { checkLayout(t, f, width) })
			}
		}
	}
}

// checkLayout fails if words leave the page, overlap other words, or stand on
// data.
func checkLayout(t interface{ Errorf(string, ...any) }, f Figure, width Width) {
	s := f.draw(new(recorder.Canvas), width)
	// Fonts have some air above and below the letters that may overlap.
	letters := func(p placed) vg.Rectangle {
		box := p.box
		if size := box.Size(); size.X > size.Y {
			box.Min.Y += 0.15 * size.Y
			box.Max.Y -= 0.15 * size.Y
		}
		return box
	}
	height, _, _ := f.layout(width)
	for i, p := range s.texts {
		box := letters(p)
		if box.Min.X < 0 || box.Max.X > width.points() || box.Min.Y < 0 || box.Max.Y > height {
			t.Errorf("%q leaves the page: %v", p.text, box)
		}
		for _, q := range s.texts[:i] {
			if overlap(box, letters(q)) {
				t.Errorf("%q overlaps %q", p.text, q.text)
			}
		}
		for _, area := range s.areas {
			if overlap(box, area) {
				t.Errorf("%q stands on data", p.text)
			}
		}
	}
}

// TestNoFlagCollides lays out timelines of any events.
func TestNoFlagCollides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []Event
		n := rapid.IntRange(1, 26).Draw(t, "events")
		for range n {
			events = append(events, Event{
				Step: Step(rapid.IntRange(0, int(Gone)).Draw(t, "step")),
				Side: Side(rapid.IntRange(0, 1).Draw(t, "side")),
				Time: time.Duration(rapid.Int64Range(0, int64(rapid.SampledFrom([]time.Duration{1, ms, time.Second, time.Hour}).Draw(t, "scale"))).Draw(t, "time")),
			})
		}
		f := timeline(Data{Sessions: []Session{{Name: "s", Events: events}}})
		for _, width := range widths {
			checkLayout(t, f, width)
			for _, p := range f.panels {
				plan := p.(*lanes).plan(width.points() - 2*pageMargin - p.left(width))
				for side, poles := range plan.poles {
					checkPoles(t, poles, Side(side), plan.rows[side])
				}
			}
		}
	})
}

// checkPoles fails if a pole crosses the words of another.
func checkPoles(t *rapid.T, poles []pole, side Side, rows int) {
	for i, p := range poles {
		for j := range p.flags {
			if row := p.row(j, side); row < 0 || row >= rows {
				t.Errorf("row %d of %d", row, rows)
			}
		}
		for _, later := range poles[i+1:] {
			if later.x < p.end() && later.base+len(later.flags) > p.base {
				t.Errorf("a pole at %v crosses the flags at %v to %v", later.x, p.x, p.end())
			}
		}
	}
}

func TestEveryFormatOfOddRunsIsWellFormed(t *testing.T) {
	for name, data := range oddities() {
		for _, f := range All(data) {
			svg := xml.NewDecoder(bytes.NewReader(render(t, f, SVG, OneColumn)))
			for {
				if _, err := svg.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %s.svg: %v", name, f.Name, err)
				}
			}
			if bytes.Contains(withoutFonts(render(t, f, SVG, TwoColumns)), []byte("NaN")) {
				t.Errorf("%s: %s.svg has a coordinate that is no number", name, f.Name)
			}
			if _, err := csv.NewReader(bytes.NewReader(render(t, f, CSV, OneColumn))).ReadAll(); err != nil {
				t.Errorf("%s: %s.csv: %v", name, f.Name, err)
			}
			// PDFs and bitmaps take long; these are the runs with odd letters and coordinates.
			if name != "odd names" && name != "one point" && name != "no time" && name != "values of zero" {
				continue
			}
			render(t, f, PDF, OneColumn)
			if _, err := png.DecodeConfig(bytes.NewReader(render(t, f, PNG, OneColumn))); err != nil {
				t.Errorf("%s: %s.png: %v", name, f.Name, err)
			}
		}
	}
}

func TestARunWithoutDataHasNoFigures(t *testing.T) {
	for _, d := range []Data{{}, {Name: "empty", End: time.Second, Directions: []Direction{{Name: "a → b"}}, Sessions: []Session{{Name: "s"}}}} {
		if got := All(d); len(got) != 0 {
			t.Errorf("%d figures of a run without data", len(got))
		}
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	err := timeline(sample()).Render(io.Discard, "gif", TwoColumns)
	if err == nil || !strings.Contains(err.Error(), `figure timeline as "gif": unknown format; expected svg, pdf, png or csv`) {
		t.Errorf("got %v", err)
	}
}

func TestFiguresOfLongRunsStaySmall(t *testing.T) {
	d := Data{End: time.Hour}
	var s Sender
	var r RTT
	for i := range 500_000 {
		p := Point{d.End * time.Duration(i) / 500_000, float64(i % 1000)}
		s.Window, s.InFlight, r.Latest, r.Smoothed = append(s.Window, p), append(s.InFlight, p), append(r.Latest, p), append(r.Smoothed, p)
		s.Losses = append(s.Losses, p.T)
	}
	d.Senders, d.RTTs = []Sender{s}, []RTT{r}
	for _, f := range All(d) {
		for _, p := range f.panels {
			for _, c := range p.(*graph).curves {
				if most := 2*buckets + 2; len(c.points) > most {
					t.Errorf("%s: %q has %d points, want at most %d", f.Name, c.label, len(c.points), most)
				}
			}
		}
	}
}

func BenchmarkFigures(b *testing.B) {
	for name, d := range map[string]Data{"one session": sample(), "1000 sessions": crowd(1000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range All(d) {
					for _, format := range []Format{SVG, PNG, CSV} {
						if err := f.Render(io.Discard, format, TwoColumns); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}
