package figure

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// swept are runs at rates and with queues, n of each, whose goodput and delay
// grow with the rate and vary from seed to seed, one with the other.
func swept(n int, rates, queues []string) Sweep {
	s := Sweep{
		Name:   "quickstart",
		Varied: []string{"links.access.rate", "links.access.queue.kind"},
		Metrics: []Quantity{
			{"flows.bulk.goodput", "goodput", "bit/s"},
			{"links.access.reverse.queue_delay.p95", "queue_delay.p95", "s"},
		},
	}
	for i, rate := range rates {
		for j, queue := range queues {
			set := RunSet{Label: rate + ", " + queue, Values: []string{rate, queue}}
			for k := range n {
				u, v := math.Sin(float64(17*i+5*j+3*k)), math.Cos(float64(11*i+7*j+13*k))
				goodput := 4.6e6 * float64(int(1)<<i) * (1 - 0.04*float64(j) + 0.09*u)
				delay := 0.040 / float64(1+j) * (1 + 0.1*float64(i) + 0.06*u + 0.15*v)
				set.Runs = append(set.Runs, SeedRun{uint64(k + 1), map[string]float64{
					s.Metrics[0].Name: goodput, s.Metrics[1].Name: delay,
				}})
			}
			s.Sets = append(s.Sets, set)
		}
	}
	return s
}

// gaps is a sweep with a cell that is missing, a set without values, a set of
// one run, and one of a run without goodput.
func gaps() Sweep {
	s := swept(12, []string{"5Mbit/s", "10Mbit/s", "20Mbit/s", "40Mbit/s"}, []string{"fifo", "codel", "fq_codel"})
	s.Sets = append(s.Sets[:4:4], s.Sets[5:]...)
	for i := range s.Sets[2].Runs {
		s.Sets[2].Runs[i].Values = nil
	}
	s.Sets[6].Runs = s.Sets[6].Runs[:1]
	delete(s.Sets[7].Runs[3].Values, "flows.bulk.goodput")
	return s
}

func TestFiguresOverSeveralRunsLookAsTheyDid(t *testing.T) {
	for _, f := range AllOver(gaps()) {
		golden(t, "sweep-"+f.Name+".svg", render(t, f, SVG, TwoColumns))
		golden(t, "sweep-"+f.Name+".csv", render(t, f, CSV, TwoColumns))
		golden(t, "column-"+f.Name+".svg", render(t, f, SVG, OneColumn))
	}
}

// oddSweeps are sets of runs that are rarely seen.
func oddSweeps() map[string]Sweep {
	one := swept(6, []string{"20Mbit/s"}, []string{"fifo"})
	one.Varied = nil
	long := swept(3, []string{strings.Repeat("1", 60) + "Mbit/s", "2Mbit/s"}, []string{strings.Repeat("codel", 60), "\x00<fifo>"})
	long.Name = strings.Repeat("a scenario with a very long name ", 20)
	long.Metrics[0].Unit = "bit/s"
	long.Metrics[1] = Quantity{strings.Repeat("very.long.", 40), strings.Repeat("long.", 40), "s"}
	for i := range long.Sets {
		for j, run := range long.Sets[i].Runs {
			run.Values[long.Metrics[1].Name] = float64(j)
		}
	}
	var many []string
	for i := range 16 {
		many = append(many, fmt.Sprint(i)+"ms")
	}
	same := swept(4, []string{"1", "2"}, []string{"3", "4"})
	zero := swept(4, []string{"1", "2"}, []string{"3", "4"})
	negative := swept(4, []string{"1", "2"}, []string{"3", "4"})
	for i := range same.Sets {
		for j := range same.Sets[i].Runs {
			for _, m := range same.Metrics {
				same.Sets[i].Runs[j].Values[m.Name] = 5e6
				zero.Sets[i].Runs[j].Values[m.Name] = 0
				negative.Sets[i].Runs[j].Values[m.Name] = -1e-9 * float64(i+j)
			}
		}
	}
	strange := swept(5, []string{"1", "2"}, []string{"3", "4"})
	strange.Metrics[0].Unit = "bit/s²"
	return map[string]Sweep{
		"gaps": gaps(), "one set": one, "long names": long, "sixteen by sixteen": swept(2, many, many), "sixteen by two": swept(31, many, many[:2]),
		"the same everywhere": same, "zero": zero, "negative": negative, "a strange unit": strange,
	}
}

func TestNoTextCollidesOverSeveralRuns(t *testing.T) {
	for name, s := range oddSweeps() {
		for which, width := range widths {
			for _, f := range AllOver(s) {
				t.Run(name+"/"+which+"/"+f.Name, func(t *testing.T) {
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

func TestFiguresOverSeveralRunsHaveTheSameBytes(t *testing.T) {
	first, again := AllOver(gaps()), AllOver(gaps())
	if len(first) != len(SweepDefinitions()) {
		t.Fatalf("%d figures", len(first))
	}
	for i, f := range first {
		if f.Name != SweepDefinitions()[i].Name {
			t.Errorf("%s stands where %s should", f.Name, SweepDefinitions()[i].Name)
		}
		for _, format := range Formats() {
			if !bytes.Equal(render(t, f, format, OneColumn), render(t, again[i], format, OneColumn)) {
				t.Errorf("%s as %s differs between two runs", f.Name, format)
			}
		}
	}
}

func TestAFigureThatHasNothingToShowSaysWhy(t *testing.T) {
	sets := func(s Sweep, sets, runs int) Sweep {
		s.Sets = s.Sets[:sets]
		for i := range s.Sets {
			s.Sets[i].Runs = s.Sets[i].Runs[:runs]
		}
		return s
	}
	whole := func() Sweep { return swept(3, []string{"1", "2"}, []string{"3", "4"}) }
	noDelay, apart, twice, three := whole(), whole(), whole(), whole()
	noDelay.Metrics = noDelay.Metrics[:1]
	for i := range apart.Sets {
		for j, run := range apart.Sets[i].Runs {
			delete(run.Values, apart.Metrics[(i+j)%2].Name)
		}
	}
	twice.Sets[1].Values = twice.Sets[0].Values
	three.Varied = append(three.Varied, "seconds")
	for _, c := range []struct {
		name string
		s    Sweep
		says string
	}{
		{"box", sets(whole(), 4, 1), "no figure box: it shows how runs differ that differ in their seeds, and there is one of each"},
		{"intervals", sets(whole(), 1, 1), "it shows means over several runs, and there is one"},
		{"ellipses", sets(whole(), 1, 1), "it compares runs, and there is one"},
		{"ellipses", noDelay, "it shows a metric in bit/s against one in s; name one of each with --metric"},
		{"ellipses", apart, "no run has both links.access.reverse.queue_delay.p95 and flows.bulk.goodput"},
		{"heatmap", Sweep{}, "it shows runs that vary in two values, and these vary in none"},
		{"heatmap", Sweep{Varied: []string{"a"}}, "and these vary in one: a"},
		{"heatmap", three, "and these vary in 3: links.access.rate, links.access.queue.kind, seconds"},
		{"heatmap", twice, "two sets of runs have the same values of links.access.rate and links.access.queue.kind"},
		{"bax", whole(), `no figure over several runs is named "bax"`},
	} {
		if _, err := Over(c.s, c.name); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the error is %v, want that %s", c.name, err, c.says)
		}
	}
	if f, err := Over(whole(), "intervals"); err != nil || f.Name != "intervals" {
		t.Errorf("%s, %v", f.Name, err)
	}
}

// TestNoTextCollidesInAnySweep draws sets of any number, size, names and values.
func TestNoTextCollidesInAnySweep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.RuneFrom([]rune("aµ→.漢 =Ω5Mbit/s")), 0, 40, -1)
		s := Sweep{Name: name.Draw(t, "name"), Varied: []string{"a." + name.Draw(t, "path"), "b"}}
		for i := range rapid.IntRange(1, 4).Draw(t, "metrics") {
			unit := rapid.SampledFrom([]string{"s", "bit/s", "B", "1", "packets", "bit/s²"}).Draw(t, "unit")
			s.Metrics = append(s.Metrics, Quantity{fmt.Sprint(i, name.Draw(t, "metric")), name.Draw(t, "short"), unit})
		}
		scale := math.Pow10(rapid.IntRange(-6, 9).Draw(t, "scale"))
		for i := range rapid.IntRange(1, 10).Draw(t, "sets") {
			set := RunSet{Label: name.Draw(t, "label"), Values: []string{fmt.Sprint(i), name.Draw(t, "value")}}
			for seed := range rapid.Uint64Range(1, 8).Draw(t, "runs") {
				run := SeedRun{seed, map[string]float64{}}
				for _, m := range s.Metrics {
					if rapid.IntRange(0, 4).Draw(t, "has") > 0 {
						run.Values[m.Name] = scale * float64(rapid.IntRange(-50, 1000).Draw(t, "times"))
					}
				}
				set.Runs = append(set.Runs, run)
			}
			s.Sets = append(s.Sets, set)
		}
		for _, f := range AllOver(s) {
			for _, width := range widths {
				checkLayout(t, f, width)
			}
		}
	})
}
