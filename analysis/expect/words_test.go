package expect

import "testing"

func TestWordsHaveTheDigitsThatTheToleranceAsksFor(t *testing.T) {
	for _, c := range []struct{ text, expected, measured, margin string }{
		{`equals = "12.5Mbit/s"` + "\n" + `within = "7%"`, "12.50 Mbit/s ± 7 %", "12.35 Mbit/s", "+721 kbit/s"},
		{`equals = "12.3456Mbit/s"` + "\n" + `within = "5kbit/s"`, "12.3456 Mbit/s ± 5 kbit/s", "12.3460 Mbit/s", "+4.60 kbit/s"},
		{`equals = "12.346Mbit/s"`, "= 12.3 Mbit/s", "12.3 Mbit/s", "0 bit/s"},
		{`min = "12Mbit/s"` + "\n" + `max = "12.4Mbit/s"`, "12.00 Mbit/s to 12.40 Mbit/s", "12.35 Mbit/s", "+54.0 kbit/s"},
		{`min = "12Mbit/s"`, "≥ 12.0 Mbit/s", "12.3 Mbit/s", "+346 kbit/s"},
		{`max = "13Mbit/s"`, "≤ 13.0 Mbit/s", "12.3 Mbit/s", "+654 kbit/s"},
	} {
		w := verdict(t, "metric = \"flows.bulk.goodput\"\n"+c.text, 12.346).Words()
		if w.Expected != c.expected || w.Measured != c.measured || w.Margin != c.margin {
			t.Errorf("%s: %q, %q, %q; want %q, %q, %q", c.text, w.Expected, w.Measured, w.Margin, c.expected, c.measured, c.margin)
		}
	}
}
