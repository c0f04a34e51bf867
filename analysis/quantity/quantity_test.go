package quantity

import "testing"

func TestQuantitiesHaveThreeDigitsAndAFittingPrefix(t *testing.T) {
	for _, test := range []struct {
		name  string
		value float64
		unit  string
		want  string
	}{
		{"goodput", 20e6, "bit/s", "20.0 Mbit/s"},
		{"goodput", 999_499, "bit/s", "999 kbit/s"},
		{"goodput", 999_600, "bit/s", "1.00 Mbit/s"},
		{"goodput", 12, "bit/s", "12 bit/s"},
		{"goodput", 2.5e15, "bit/s", "2500 Tbit/s"},
		{"rtt", 0.0401, "s", "40.1 ms"},
		{"rtt", 0.000_009_99, "s", "9.99 µs"},
		{"rtt", 0.999_6, "s", "1.00 s"},
		{"rtt", 0, "s", "0 s"},
		{"rtt", -0.002, "s", "-2.00 ms"},
		{"duration", 123.4, "s", "123 s"},
		{"cwnd", 14_520, "B", "14.5 kB"},
		{"dropped", 12_345, "packets", "12345"},
		{"loss_ratio", 0.0125, "1", "1.25 %"},
		{"utilisation", 0, "1", "0 %"},
		{"fairness.jain", 0.98765, "1", "0.988"},
		{"fairness.jain", 9.996, "1", "10.0"},
	} {
		if got := Format(test.name, test.value, test.unit); got != test.want {
			t.Errorf("%s of %g %s is %q, want %q", test.name, test.value, test.unit, got, test.want)
		}
	}
}

func TestDigitsShowADifference(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Precise("setup", 0.0420928, 5e-6, "s"), "42.0928 ms"},
		{Precise("goodput", 1_446_198, 50_617, "bit/s"), "1.446 Mbit/s"},
		{Precise("goodput", 1_446_198, 506_170, "bit/s"), "1.45 Mbit/s"},
		{Precise("bytes", 87_500_000, 1500, "B"), "87.5000 MB"},
		{Precise("bytes", 500, 100, "B"), "500 B"},
		{Precise("dropped", 27, 1, "packets"), "27"},
		{Precise("loss_burst", 4.987, 0.25, "packets"), "4.99"},
		{Precise("loss_ratio", 0.0468, 0.00024, "1"), "4.680 %"},
		{Precise("rtt", 0.1, 0, "s"), "100 ms"},
		{Precise("rtt", 0, 1e-3, "s"), "0 s"},
		{Short("setup", 5e-6, "s"), "5 µs"},
		{Short("setup", 523.2e-6, "s"), "523 µs"},
		{Short("goodput", 1500, "bit/s"), "1.5 kbit/s"},
		{Short("dropped", 10, "packets"), "10"},
		{Short("rtt", 0.1, "s"), "100 ms"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestIntervalsHaveTwoDigitsOfTheirWidthAndOneUnit(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{PlusMinus("goodput", 15_431_234, 312_345, "bit/s"), "15.43 ± 0.31 Mbit/s"},
		{PlusMinus("rtt", 0.0401, 0.000_012, "s"), "40.100 ± 0.012 ms"},
		{PlusMinus("rtt", 0.0401, 0.25, "s"), "40 ± 250 ms"},
		{PlusMinus("rtt", 2.5, 0, "s"), "2.50 s ± 0"},
		{PlusMinus("cwnd", 999_600, 1000, "B"), "0.9996 ± 0.0010 MB"},
		{PlusMinus("dropped", 189.6, 62.1, "packets"), "190 ± 62"},
		{PlusMinus("loss_ratio", 0.015, 0.0052, "1"), "1.50 ± 0.52 %"},
		{PlusMinus("fairness.jain", 0.98, 0.002, "1"), "0.9800 ± 0.0020"},
		{PlusMinus("goodput", 1e15, 1e12, "bit/s"), "1000.0 ± 1.0 Tbit/s"},
		{Between("goodput", 812_000, 1_641_000, "bit/s"), "+0.81 to +1.64 Mbit/s"},
		{Between("rtt", -0.0105, 0.002, "s"), "-10.5 to +2.0 ms"},
		{Between("rtt", -0.000_000_001, 0.02, "s"), "0 to +20 ms"},
		{Between("dropped", 3, 3, "packets"), "+3"},
		{Between("rtt", 0, 0, "s"), "0 s"},
		{Signed("-1.5 ms"), "-1.5 ms"},
		{Signed("-0.0"), "0.0"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
