package formula

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// scope has a link, metrics and a law.
var scope = &Scope{
	Value: func(name string) (Quantity, error) {
		switch name {
		case "links.access.rate", "links.access.changes[1].rate":
			return Quantity{20e6, Rate}, nil
		case "links.access.listed[2]":
			return Quantity{7, Number}, nil
		case "links.access.rtt":
			return Quantity{0.04, Time}, nil
		case "flows.main-1.goodput":
			return Quantity{5e6, Rate}, nil
		case "n":
			return Quantity{3, Number}, nil
		}
		return Quantity{}, fmt.Errorf("there is no %s", name)
	},
	Functions: map[string]Function{
		"law.bdp": {
			Parameters: []Parameter{{"rate", Rate}, {"rtt", Time}},
			Call:       func(q []Quantity) (Quantity, error) { return q[0].times(q[1]), nil },
		},
	},
}

func TestFormulasHaveTheValueAndUnitOfTheirParts(t *testing.T) {
	for text, want := range map[string]Quantity{
		"0.9 * links.access.rate":              {18e6, Rate},
		"links.access.rate - 2Mbit/s":          {18e6, Rate},
		"links.access.rate * links.access.rtt": {800e3, Data},
		"(1 + 2) * 3 - -1":                     {10, Number},
		"-n":                                   {-3, Number},
		"5%":                                   {0.05, Number},
		"2*links.access.rtt + 1.5ms":           {0.0815, Time},
		"1m30s":                                {90, Time},
		"1e3":                                  {1000, Number},
		"64KB / 20Mbit/s":                      {0.0256, Time},
		"2 * links.access.changes[1].rate":     {40e6, Rate},
		"2 * links.access.listed[2]":           {14, Number},
		"links.access.rate - flows.main-1.goodput":     {15e6, Rate},
		"law.bdp(links.access.rate, links.access.rtt)": {800e3, Data},
		"min(3, n, 7)":               {3, Number},
		"max(1ms, links.access.rtt)": {0.04, Time},
		"abs(1 - n)":                 {2, Number},
		"sqrt(n * n)":                {3, Number},
		"25packets":                  {25, Packets},
		"1 / 2Hz":                    {0.5, Time},
		"10KiB":                      {81920, Data},
	} {
		f, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := f.Eval(scope)
		if err != nil || got.Dimension != want.Dimension || math.Abs(got.Value-want.Value) > 1e-9*math.Abs(want.Value) {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		"1ms + 5Mbit/s":             "cannot add 0.001 s and 5e+06 bit/s: their units differ",
		"1ms - n":                   "cannot subtract 0.001 s and 3: their units differ",
		"links.acess.rate":          "there is no links.acess.rate",
		"law.bpd(n)":                "there is no function law.bpd; did you mean law.bdp?",
		"law.bdp(n)":                "law.bdp takes 2: (rate, rtt), not 1 arguments",
		"law.bdp(n, n)":             "law.bdp: rate is 3; expected a quantity in bit/s",
		"5parsec":                   `"5parsec" is neither a number nor a quantity`,
		"links.access.rate-2Mbit/s": "there is no links.access.rate-2Mbit",
		"1 +":                       "is no formula: expected operand",
		"":                          "is no formula: expected operand",
		"n > 2":                     "has no operator >",
		"n[2 * 3]":                  "is no formula of names",
		"1 / 0":                     "its value is not a finite number",
		"sqrt(-1)":                  "its value is not a finite number",
		"sqrt(1ms)":                 "sqrt takes one number without a unit",
		"min(1, 1ms)":               "min cannot compare 1 and 0.001 s",
		"abs()":                     "abs takes one quantity, not 0",
		"func() int { return 1 }()": "characters that no formula has",
		strings.Repeat("(", 2000):   "expected at most 1000",
	} {
		f, err := Parse(text)
		if err == nil {
			_, err = f.Eval(scope)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error with %q", text, err, want)
		}
	}
}

func TestNamesAreThoseOfValues(t *testing.T) {
	f, err := Parse("2 * n + law.bdp(links.access.rate, max(n, links.access.rtt))")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Names()); got != "[n links.access.rate links.access.rtt]" {
		t.Error(got)
	}
}

func TestQuantitiesAreGivenInUnits(t *testing.T) {
	if v, err := (Quantity{16e6, Data}).In("MB"); err != nil || v != 2 {
		t.Error(v, err)
	}
	if _, err := (Quantity{1, Time}).In("bit/s"); err == nil || err.Error() != "1 s is not a quantity in bit/s" {
		t.Error(err)
	}
	if _, err := (Quantity{1, Time}).In("furlongs"); err == nil {
		t.Error("a unit that there is not")
	}
	if s := (Quantity{1, Dimension{Bit: 1, Second: -2}}).String(); s != "1 bit/s²" {
		t.Error(s)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"0.9 * links.access.rate", "law.bdp(1Mbit/s, 2ms)", "-(1m30s - n) / 5%", "a[1].b-c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		formula, err := Parse(text)
		if err != nil {
			return
		}
		q, err := formula.Eval(scope)
		if err == nil && (math.IsNaN(q.Value) || math.IsInf(q.Value, 0)) {
			t.Errorf("%q is %v", text, q)
		}
		if _, err := Parse(formula.String()); err != nil {
			t.Errorf("%q is read once only: %v", text, err)
		}
	})
}
