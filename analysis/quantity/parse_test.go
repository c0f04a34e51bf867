package quantity

import (
	"slices"
	"testing"
)

func TestQuantitiesOfScenariosAreReadInTheirBaseUnits(t *testing.T) {
	for _, c := range []struct {
		text  string
		value float64
		unit  string
		ok    bool
	}{
		{"20Mbit/s", 2e7, "bit/s", true}, {"64KB", 64000, "B", true}, {"15ms", 0.015, "s", true}, {"0.005", 0.005, "1", true}, {"-3", -3, "1", true},
		{"2BDP", 2, "BDP", true}, {"1packet", 1, "packets", true}, {"25packets", 25, "packets", true}, {"50Hz", 50, "Hz", true}, {"5%", 5, "%", true},
		{"codel", 0, "", false}, {"", 0, "", false}, {"true", 0, "", false}, {"Inf", 0, "", false}, {"nan", 0, "", false}, {"1.2.3", 0, "", false}, {"2-way", 0, "", false}, {"{ kind = 1 }", 0, "", false},
	} {
		value, unit, ok := Parse(c.text)
		if ok != c.ok || ok && (value != c.value || unit != c.unit) {
			t.Errorf("%q is %v %q %v; want %v %q %v", c.text, value, unit, ok, c.value, c.unit, c.ok)
		}
	}
}

func TestValuesHaveOneUnitOrNone(t *testing.T) {
	for _, c := range []struct {
		texts  []string
		values []float64
		unit   string
		ok     bool
	}{
		{[]string{"5Mbit/s", "1Gbit/s"}, []float64{5e6, 1e9}, "bit/s", true},
		{[]string{"0", "10ms"}, []float64{0, 0.01}, "s", true},
		{[]string{"10ms", "0"}, []float64{0.01, 0}, "s", true},
		{[]string{"1", "10ms"}, nil, "", false},
		{[]string{"10ms", "1BDP"}, nil, "", false},
		{[]string{"1", "codel"}, nil, "", false},
		{nil, nil, "", false},
	} {
		values, unit, ok := ParseAll(c.texts)
		if ok != c.ok || ok && (unit != c.unit || !slices.Equal(values, c.values)) {
			t.Errorf("%q are %v %q %v; want %v %q %v", c.texts, values, unit, ok, c.values, c.unit, c.ok)
		}
	}
}
