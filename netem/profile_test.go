package netem

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// steps are the first n changes of a profile, each with the row that holds.
func steps(p Profile, n int) (times []time.Duration, rates []BitRate) {
	for at, ok := time.Duration(0), true; ok && len(times) < n; at, ok = p.Next(at) {
		times, rates = append(times, at), append(rates, p.At(at).Rate)
	}
	return times, rates
}

func TestAProfileBeginsAgainOrKeepsItsLastValues(t *testing.T) {
	rows := []ProfileRow{{At: 0, Rate: 10}, {At: 2 * ms, Rate: 20}, {At: 3 * ms, Rate: 30}}
	for _, c := range []struct {
		name    string
		profile Profile
		times   []time.Duration
		rates   []BitRate
	}{
		{"again", Profile{Rows: rows, Period: 5 * ms}, []time.Duration{0, 2 * ms, 3 * ms, 5 * ms, 7 * ms, 8 * ms, 10 * ms}, []BitRate{10, 20, 30, 10, 20, 30, 10}},
		{"once", Profile{Rows: rows, Period: 5 * ms, Once: true}, []time.Duration{0, 2 * ms, 3 * ms}, []BitRate{10, 20, 30}},
		{"one row", Profile{Rows: rows[:1], Period: 5 * ms}, []time.Duration{0}, []BitRate{10}},
		{"no row", Profile{}, []time.Duration{0}, []BitRate{0}},
	} {
		times, rates := steps(c.profile, 7)
		if !slices.Equal(times, c.times) || !slices.Equal(rates, c.rates) {
			t.Errorf("%s: %v at %v, want %v at %v", c.name, rates, times, c.rates, c.times)
		}
	}
}

func TestWhatHoldsBetweenTheChanges(t *testing.T) {
	p := Profile{Rows: []ProfileRow{{At: 0, Rate: 10}, {At: 2 * ms, Rate: 20}}, Period: 5 * ms}
	for elapsed, want := range map[time.Duration]BitRate{-1: 10, 0: 10, 2*ms - 1: 10, 2 * ms: 20, 5*ms - 1: 20, 5 * ms: 10, 500*ms + 2*ms: 20} {
		if got := p.At(elapsed).Rate; got != want {
			t.Errorf("at %v: %v, want %v", elapsed, got, want)
		}
	}
	p.Once = true
	if got := p.At(time.Hour).Rate; got != 20 {
		t.Errorf("after a profile that ended: %v", got)
	}
}

func TestTheMeanOfAProfileIsOverTime(t *testing.T) {
	p := Profile{Period: 10 * ms, Rows: []ProfileRow{
		{At: 0, Rate: 10 * MbitPerSecond, Delay: 10 * ms, Loss: 0.5},
		{At: 1 * ms, Rate: 20 * MbitPerSecond, Delay: 30 * ms},
	}}
	if least, mean, most := p.Rates(); least != 10*MbitPerSecond || mean != 19*MbitPerSecond || most != 20*MbitPerSecond {
		t.Errorf("rates %v, %v, %v", least, mean, most)
	}
	if least, mean, most := p.Delays(); least != 10*ms || mean != 28*ms || most != 30*ms {
		t.Errorf("delays %v, %v, %v", least, mean, most)
	}
	if least, mean, most := p.Losses(); least != 0 || mean != 0.05 || most != 0.5 {
		t.Errorf("losses %v, %v, %v", least, mean, most)
	}
}

func TestParseProfileColumns(t *testing.T) {
	for _, c := range []struct {
		name, input string
		want        Profile
	}{
		{"two rows", "0 1.5\n0.25\t2\n", Profile{HasRate: true, Period: 500 * ms,
			Rows: []ProfileRow{{At: 0, Rate: 1500 * KbitPerSecond}, {At: 250 * ms, Rate: 2 * MbitPerSecond}}}},
		{"an end, comments and empty lines", "# seconds, Mbit/s\n\n  0   1\r\n 1e0 2E+0\n  1.75\n", Profile{HasRate: true, Period: 1750 * ms,
			Rows: []ProfileRow{{At: 0, Rate: MbitPerSecond}, {At: 1 * time.Second, Rate: 2 * MbitPerSecond}}}},
		{"the first row holds from the beginning", "10 1\n11.5 2\n", Profile{HasRate: true, Period: 13 * time.Second,
			Rows: []ProfileRow{{At: 0, Rate: MbitPerSecond}, {At: 11500 * ms, Rate: 2 * MbitPerSecond}}}},
		{"one row", "0 1\n", Profile{HasRate: true, Period: time.Second, Rows: []ProfileRow{{At: 0, Rate: MbitPerSecond}}}},
		{"numbers are rounded to the nearest", "0 4.03768755221\n1.0000000004 4.0376875\n2.0000000005 0\n", Profile{HasRate: true, Period: 3*time.Second + 2,
			Rows: []ProfileRow{{At: 0, Rate: 4037688}, {At: time.Second, Rate: 4037688}, {At: 2*time.Second + 1, Rate: Stopped}}}},
	} {
		got, err := ParseProfileColumns(strings.NewReader(c.input))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestParseProfileCSV(t *testing.T) {
	for _, c := range []struct {
		name, input string
		want        Profile
	}{
		{"all columns", "time_s,rate_mbps,delay_ms,loss\n0,10,20,0.01\n1,5,40.5,0\n3,,,\n", Profile{HasRate: true, HasDelay: true, HasLoss: true, Period: 3 * time.Second,
			Rows: []ProfileRow{{0, 10 * MbitPerSecond, 20 * ms, 0.01}, {time.Second, 5 * MbitPerSecond, 40500 * time.Microsecond, 0}}}},
		{"any order, other units", "# made by hand\nloss_percent, rtt_ms, time_ms, rate_kbps\n12.5,41,0,1000\n100,0.000001,250,1e3\n", Profile{HasRate: true, HasDelay: true, HasLoss: true, Period: 500 * ms,
			Rows: []ProfileRow{{0, MbitPerSecond, 20500 * time.Microsecond, 0.125}, {250 * ms, MbitPerSecond, 1, 1}}}},
		{"smallest and largest units", "time_us,rate_bps,delay_us\n0,7,3\n4,1000000000000,0.0004\n", Profile{HasRate: true, HasDelay: true, Period: 8 * time.Microsecond,
			Rows: []ProfileRow{{0, 7, 3 * time.Microsecond, 0}, {4 * time.Microsecond, TbitPerSecond, 0, 0}}}},
		{"seconds", "time_s,rate_gbps,rtt_s\n0,1,0.04\n5,,\n", Profile{HasRate: true, HasDelay: true, Period: 5 * time.Second,
			Rows: []ProfileRow{{0, GbitPerSecond, 20 * ms, 0}}}},
		{"delay alone", "\ufefftime_s,delay_s\n0,0.5\n1,0.25\n", Profile{HasDelay: true, Period: 2 * time.Second,
			Rows: []ProfileRow{{0, 0, 500 * ms, 0}, {time.Second, 0, 250 * ms, 0}}}},
		{"what is left out stays", "time_s,rate_mbps,delay_ms\n0,,10\n1,2,\n2,,30\n3,4,\n", Profile{HasRate: true, HasDelay: true, Period: 4 * time.Second,
			Rows: []ProfileRow{{0, 2 * MbitPerSecond, 10 * ms, 0}, {time.Second, 2 * MbitPerSecond, 10 * ms, 0}, {2 * time.Second, 2 * MbitPerSecond, 30 * ms, 0}, {3 * time.Second, 4 * MbitPerSecond, 30 * ms, 0}}}},
	} {
		got, err := ParseProfileCSV(strings.NewReader(c.input))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestProfilesThatCannotBeReadAreErrors(t *testing.T) {
	for input, want := range map[string]string{
		"":                                       "no header",
		"time_s,rate_mbps\n":                     "no row of values",
		"time_s\n0\n":                            "no column beside the time",
		"rate_mbps\n0\n":                         "no column of the time",
		"time_s,rate_mbs\n0,1\n":                 `unknown column "rate_mbs"; did you mean "rate_mbps"?`,
		"time_s,rate\n0,1\n":                     `the column "rate" does not say its unit; expected rate_bps, rate_kbps, rate_mbps, rate_gbps`,
		"time,rate_mbps\n0,1\n":                  `the column "time" does not say its unit; expected time_s, time_ms, time_us`,
		"time_s,temperature\n0,1\n":              `unknown column "temperature"; expected some of time_s, `,
		"time_s,\n0,1\n":                         `unknown column ""; expected some of`,
		"time_s,rtt_ms,delay_ms\n0,1,1\n":        "the columns rtt_ms and delay_ms both set the delay",
		"time_s,rate_mbps\n0\n":                  "wrong number of fields",
		"time_s,rate_mbps\n,1\n":                 `line 2, time_s: "" is not a decimal number`,
		"time_s,rate_mbps\n0,1\n\n1,x\n":         `line 4, rate_mbps: "x" is not a decimal number`,
		"time_s,rate_mbps\n0,-1\n":               `line 2, rate_mbps: "-1" is not between 0 and 1Tbit/s`,
		"time_s,rate_mbps\n0,1000001\n":          `line 2, rate_mbps: "1000001" is not between 0 and 1Tbit/s`,
		"time_s,rate_mbps\n0,1e400\n":            `line 2, rate_mbps: "1e400" is not between`,
		"time_s,rate_mbps\n0,1e99999\n":          `line 2, rate_mbps: "1e99999" is not a decimal number with an exponent`,
		"time_s,rate_mbps\n-1,1\n":               `line 2, time_s: "-1" is not between 0 and 24h`,
		"time_s,rate_mbps\n1453121790.686,1\n":   `line 2, time_s: "1453121790.686" is not between 0 and 24h`,
		"time_s,delay_ms\n0,86400001\n":          `line 2, delay_ms: "86400001" is not between 0 and 24h`,
		"time_s,loss\n0,1.5\n":                   `line 2, loss: "1.5": the probability is not between 0 and 1`,
		"time_s,loss_percent\n0,-1e-300\n":       `line 2, loss_percent: "-1e-300": the probability is not between 0 and 1`,
		"time_s,rate_mbps\n2,1\n1.5,1\n":         "line 3: 1.5 s comes after 2 s; expected ascending times",
		"time_s,rate_mbps\n2,1\n2.0000000001,1":  "line 3: 2 s comes after 2 s; expected ascending times",
		"time_s,rate_mbps,loss\n0,1,\n1,2,\n":    "no row has a value of the loss",
		"time_s,rate_mbps\n0,1\n86400,2\n":       "the period is 48h0m0s; expected at most 24h0m0s",
		"time_s,rate_mbps\n0,\"1\n":              "line 2",
		"time_s,rate_mbps\n0," + longNumber + "": "is not a decimal number of at most 40 digits",
	} {
		if _, err := ParseProfileCSV(strings.NewReader(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", input, err, want)
		}
	}
	for input, want := range map[string]string{
		"":             "no row of values",
		"# nothing\n":  "no row of values",
		"5\n":          "no row has a value of the rate",
		"0 1 2\n":      "line 1: 3 columns; expected seconds and Mbit/s",
		"0 1\n\n1 x\n": `line 3, rate_mbps: "x" is not a decimal number`,
		"0,1\n":        `line 1, time_s: "0,1" is not a decimal number`,
	} {
		if _, err := ParseProfileColumns(strings.NewReader(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", input, err, want)
		}
	}
}

var longNumber = strings.Repeat("1", 41)

// comments is some lines of comments.
var comments = strings.Repeat("#"+strings.Repeat("-", 1000)+"\n", 100)

// endless is a file of comments without end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	n := copy(b, comments)
	return n, nil
}

func TestAFileThatIsTooLongIsAnError(t *testing.T) {
	for name, parse := range map[string]func() error{
		"columns": func() error { _, err := ParseProfileColumns(endless{}); return err },
		"CSV":     func() error { _, err := ParseProfileCSV(endless{}); return err },
	} {
		if err := parse(); err == nil || err.Error() != "longer than 64 MiB" {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := profileBuilder{profile: Profile{Rows: make([]ProfileRow, maxProfileRows)}}
	if err := b.row(7, nil, nil); err == nil || err.Error() != "line 7: more than 1000000 rows" {
		t.Error(err)
	}
}

// anyProfile draws a profile that has something, and zeros where it has nothing.
func anyProfile(r *rapid.T) Profile {
	p := Profile{HasRate: rapid.Bool().Draw(r, "rate"), HasDelay: rapid.Bool().Draw(r, "delay")}
	p.HasLoss = !p.HasRate && !p.HasDelay || rapid.Bool().Draw(r, "loss")
	at := time.Duration(0)
	for range rapid.IntRange(1, 20).Draw(r, "rows") {
		row := ProfileRow{At: at}
		if p.HasRate {
			row.Rate = BitRate(rapid.Int64Range(int64(Stopped), int64(TbitPerSecond)).Draw(r, "rate"))
		}
		if p.HasDelay {
			row.Delay = time.Duration(rapid.Int64Range(0, int64(maxDelay)).Draw(r, "delay"))
		}
		if p.HasLoss {
			row.Loss = rapid.Float64Range(0, 1).Draw(r, "loss")
		}
		p.Rows = append(p.Rows, row)
		at += time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(r, "interval"))
	}
	p.Period = at
	return p
}

func TestAProfileThatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := anyProfile(r)
		var text bytes.Buffer
		if err := p.WriteCSV(&text); err != nil {
			r.Fatal(err)
		}
		if got, err := ParseTraceFile(&text); err != nil || !reflect.DeepEqual(got, TraceFile{Format: FormatCSV, Profile: p}) {
			r.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestProfilesThatCannotBeWrittenAreErrors(t *testing.T) {
	row := ProfileRow{Rate: Stopped}
	for want, p := range map[string]Profile{
		"neither rate nor delay nor loss": {Rows: []ProfileRow{row}, Period: 1},
		"no row at 0":                     {HasRate: true, Period: 1},
		"does not end after its last row": {HasRate: true, Rows: []ProfileRow{row}},
		"is not later than the one":       {HasRate: true, Rows: []ProfileRow{row, row}, Period: 1},
		"the rate of row 0":               {HasRate: true, Rows: []ProfileRow{{}}, Period: 1},
		"the delay of row 0":              {HasDelay: true, Rows: []ProfileRow{{Delay: -1}}, Period: 1},
		"the loss of row 0":               {HasLoss: true, Rows: []ProfileRow{{Loss: 2}}, Period: 1},
	} {
		var text bytes.Buffer
		if err := p.WriteCSV(&text); err == nil || !strings.Contains(err.Error(), want) || text.Len() > 0 {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
}

// What a profile says of a time agrees with its rows laid out one after the other.
func TestEveryChangeOfAProfileIsARowAtItsTime(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := anyProfile(r)
		p.Once = rapid.Bool().Draw(r, "once")
		at, ok := time.Duration(0), true
		for i := range 3 * len(p.Rows) {
			if cycle := time.Duration(i / len(p.Rows)); cycle == 0 || !p.Once && len(p.Rows) > 1 {
				row := p.Rows[i%len(p.Rows)]
				if want := cycle*p.Period + row.At; !ok || at != want || p.At(at) != row {
					r.Fatalf("change %d at %v (%v) to %+v, want %+v in period %d", i, at, ok, p.At(at), row, cycle)
				}
			} else if ok {
				r.Fatalf("change %d at %v", i, at)
			}
			if ok {
				at, ok = p.Next(at)
			}
		}
	})
}

func fuzzProfile(t *testing.T, p Profile) {
	if err := p.check(); err != nil {
		t.Fatalf("%+v was read: %v", p, err)
	}
	var text bytes.Buffer
	if err := p.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	if again, err := ParseProfileCSV(&text); err != nil || !reflect.DeepEqual(again, p) {
		t.Fatalf("%+v was written and read again as %+v, %v", p, again, err)
	}
}

func FuzzProfileCSV(f *testing.F) {
	f.Add("time_s,rate_mbps,delay_ms,loss\n0,10,20,0.01\n1,5,40.5,0\n3,,,\n")
	f.Add("# made by hand\nloss_percent, rtt_ms, time_ms, rate_kbps\n12.5,41,0,1000\n,0.000001,250,1e3\n")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParseProfileCSV(strings.NewReader(s)); err == nil {
			fuzzProfile(t, p)
		}
	})
}

func FuzzProfileColumns(f *testing.F) {
	f.Add("0 4.03768755221\n1.0000000004\t4.03\n\n# end\n2.5\n")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParseProfileColumns(strings.NewReader(s)); err == nil {
			fuzzProfile(t, p)
		}
	})
}

func TestAProfileWithoutPeriodEnds(t *testing.T) {
	p := Profile{HasRate: true, Rows: []ProfileRow{{Rate: 1}, {At: ms, Rate: 2}}}
	if at, ok := p.Next(0); at != ms || !ok {
		t.Errorf("the first change is at %s (%t), want %s", at, ok, ms)
	}
	if at, ok := p.Next(ms); ok {
		t.Errorf("a change follows at %s, want none", at)
	}
}
