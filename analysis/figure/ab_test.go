package figure

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// csvOf returns the data of a figure.
func csvOf(t *testing.T, f Figure) string {
	t.Helper()
	var b strings.Builder
	if err := f.Render(&b, CSV, TwoColumns); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAForestHasTheLargestDifferencesFirstInPerCent(t *testing.T) {
	f := Forest("x", "X", "goodput", []Effect{
		{Label: "little", Share: -0.02, Low: -0.03, High: -0.01, N: 5},
		{Label: "most", Share: 0.5, Low: 0.25, High: 0.75, Real: true, Better: true, N: 5},
	})
	want := "metric,unit,set,what,seed,value,n\n" +
		"goodput,%,most,difference,,50,5\ngoodput,%,most,interval low,,25,5\ngoodput,%,most,interval high,,75,5\n" +
		"goodput,%,little,difference,,-2,5\ngoodput,%,little,interval low,,-3,5\ngoodput,%,little,interval high,,-1,5\n"
	if got := csvOf(t, f); got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
}

func TestOfManyDifferencesTheRealOnesAreKept(t *testing.T) {
	all := []Effect{{Label: "real", Share: 0.03, Real: true}}
	for i := range 2 * mostEffects {
		all = append(all, Effect{Label: fmt.Sprint("chance ", i), Share: 1})
	}
	f := Forest("x", "X", "goodput", all)
	if got := csvOf(t, f); !strings.Contains(got, ",real,difference,") || strings.Count(got, "difference") != mostEffects {
		t.Errorf("it has %s", got)
	}
	if f := Forest("x", "X", "goodput", nil); len(f.panels) != 0 {
		t.Error("nothing is drawn as something")
	}
}

func TestBothSidesOfARunAreInOneGraph(t *testing.T) {
	side := func(scale float64) Data {
		line := []Point{{0, 1e6 * scale}, {time.Second, 2e6 * scale}}
		return Data{
			Name: "x", End: time.Second,
			Directions: []Direction{{Name: "server → client", Goodput: []Series{{"bulk", line}, {"more", line}, {"most", line}}}},
			Senders:    []Sender{{Name: "main, server", Window: line}, {Name: "main, client"}},
		}
	}
	a, b := side(1), side(2)
	b.Senders[0].Window = append(b.Senders[0].Window, Point{2 * time.Second, 1e6})
	b.End = 2 * time.Second
	figures := Both("suite-x", a, b, "v1", "v2")
	if len(figures) != 2 || figures[0].Name != "suite-x-throughput" || figures[1].Name != "suite-x-cwnd" {
		t.Fatalf("drew %v", figures)
	}
	if got := csvOf(t, figures[0]); !strings.Contains(got, "server → client,goodput,v1,1,6e+06,bit/s\n") || !strings.Contains(got, ",v2,1,1.2e+07,") {
		t.Errorf("the sums of three flows are %s", got)
	}
	if got := csvOf(t, figures[1]); !strings.Contains(got, `"main, server",congestion window,v1,1,2e+06,B`) || !strings.Contains(got, ",v2,2,1e+06,B") || strings.Contains(got, "client") {
		t.Errorf("the windows are %s", got)
	}
	if got := Both("x", Data{}, Data{}, "v1", "v2"); len(got) != 0 {
		t.Errorf("nothing is drawn as %v", got)
	}
}
