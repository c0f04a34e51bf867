package netem

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestATraceFileTellsItsFormat(t *testing.T) {
	for input, want := range map[string]TraceFormat{
		"0\n5\n":                          FormatMahimahi,
		"0 1.5\n1 2\n":                    FormatColumns,
		"# seconds, Mbit/s\n\n0.0\t1\n":   FormatColumns,
		"time_s,rate_mbps\n0,1\n":         FormatCSV,
		"# a comment\ntime_s,loss\n0,1\n": FormatCSV,
	} {
		f, err := ParseTraceFile(strings.NewReader(input))
		if err != nil || f.Format != want || (f.Trace.Period > 0) != (want == FormatMahimahi) || (f.Profile.Period > 0) == (want == FormatMahimahi) {
			t.Errorf("%q: %+v, %v, want %s", input, f, err, want)
		}
	}
	for input, want := range map[string]string{
		"":        "no header",
		"1\n0\n":  "line 2: 0 comes after 1",
		"-1 1\n":  `line 1, time_s: "-1" is not`,
		"hello\n": `unknown column "hello"`,
	} {
		if _, err := ParseTraceFile(strings.NewReader(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", input, err, want)
		}
	}
}

func TestATraceThatIsWrittenIsReadAgain(t *testing.T) {
	var text bytes.Buffer
	c := Trace{Opportunities: []time.Duration{0, 5 * ms, 5 * ms, 12 * ms}, Period: 12 * ms}
	if err := c.WriteMahimahi(&text); err != nil || text.String() != "0\n5\n5\n12\n" {
		t.Errorf("%q, %v", text.String(), err)
	}
	if got, err := ParseTraceFile(&text); err != nil || !reflect.DeepEqual(got, TraceFile{Format: FormatMahimahi, Trace: c}) {
		t.Errorf("%+v, %v", got, err)
	}
	for want, c := range map[string]Trace{
		"at the end of its period": {Opportunities: []time.Duration{1 * ms}, Period: 2 * ms},
		"an opportunity takes 1B":  {Opportunities: []time.Duration{1 * ms}, Period: 1 * ms, Bytes: 1},
		"at 1.5ms":                 {Opportunities: []time.Duration{1500 * time.Microsecond}, Period: 1500 * time.Microsecond},
	} {
		if err := c.WriteMahimahi(&text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}

func TestTheOpportunitiesOfAProfile(t *testing.T) {
	rate := func(period time.Duration, rows ...ProfileRow) Profile {
		return Profile{HasRate: true, Rows: rows, Period: period}
	}
	for _, c := range []struct {
		name    string
		profile Profile
		want    []int // ms
	}{
		{"one a millisecond", rate(3*ms, ProfileRow{0, 12 * MbitPerSecond, 0, 0}), []int{1, 2, 3}},
		{"rounded up to milliseconds", rate(10*ms, ProfileRow{0, 5 * MbitPerSecond, 0, 0}), []int{3, 5, 8, 10}}, // 2.4, 4.8, 7.2, 9.6
		{"several at a time", rate(2*ms, ProfileRow{0, 24 * MbitPerSecond, 0, 0}), []int{1, 1, 2, 2}},
		{"across a change", rate(4*ms, ProfileRow{0, 6 * MbitPerSecond, 0, 0}, ProfileRow{1 * ms, 18 * MbitPerSecond, 0, 0}), []int{2, 2, 3, 4, 4}}, // 1.333, 2, 2.667, 3.333, 4
		{"an outage", rate(6*ms, ProfileRow{0, 12 * MbitPerSecond, 0, 0}, ProfileRow{2 * ms, Stopped, 0, 0}, ProfileRow{5 * ms, 12 * MbitPerSecond, 0, 0}), []int{1, 2, 6}},
		{"what is not earned by the end", rate(2500*time.Microsecond, ProfileRow{0, 12 * MbitPerSecond, 0, 0}), []int{1, 2, 3}},
		{"no rate to speak of", rate(2*ms, ProfileRow{0, Stopped, 0, 0}), []int{2}},
	} {
		got, err := c.profile.Trace()
		if err != nil {
			t.Fatal(err)
		}
		var want []time.Duration
		for _, at := range c.want {
			want = append(want, time.Duration(at)*ms)
		}
		if !slices.Equal(got.Opportunities, want) {
			t.Errorf("%s: %v, want %v", c.name, got.Opportunities, want)
		}
	}
	for want, p := range map[string]Profile{
		"no rate":       {HasDelay: true, Rows: []ProfileRow{{}}, Period: ms},
		"opportunities": rate(24*time.Hour, ProfileRow{0, TbitPerSecond, 0, 0}),
		"no row at 0":   {HasRate: true},
	} {
		if _, err := p.Trace(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// At every opportunity the profile could have sent all so far, and before it
// not: no more than a millisecond before.
func TestOpportunitiesKeepToTheRateOfTheProfile(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := Profile{HasRate: true}
		for range rapid.IntRange(1, 10).Draw(r, "rows") {
			p.Rows = append(p.Rows, ProfileRow{At: p.Period, Rate: BitRate(rapid.Int64Range(1, 200e6).Draw(r, "rate"))})
			p.Period += time.Duration(rapid.IntRange(1, 30_000).Draw(r, "interval")) * time.Microsecond
		}
		got, err := p.Trace()
		if err != nil {
			r.Fatal(err)
		}
		work := func(until time.Duration) (bits int64) { // times 10^9
			for i, row := range p.Rows {
				bits += int64(row.Rate) * int64(max(0, min(until-row.At, p.length(i))))
			}
			return bits
		}
		const packet = 1500 * 8 * int64(time.Second)
		for i, at := range got.Opportunities {
			last := i == len(got.Opportunities)-1
			if sent := int64(i+1) * packet; work(at) < sent && !last || work(at-ms) >= sent {
				r.Fatalf("opportunity %d at %v", i, at)
			}
		}
		if left := work(p.Period) - int64(len(got.Opportunities))*packet; left >= packet || left < -packet {
			r.Fatalf("%d bits are left", left)
		}
		if err := got.WriteMahimahi(&bytes.Buffer{}); err != nil {
			r.Fatal(err)
		}
	})
}

func TestTheRateOfATraceInWindows(t *testing.T) {
	c := Trace{Opportunities: []time.Duration{0, 1 * ms, 10 * ms, 21 * ms, 25 * ms}, Period: 25 * ms}
	got := c.Profile(10 * ms)
	want := Profile{HasRate: true, Period: 25 * ms, Rows: []ProfileRow{
		{At: 0, Rate: 3600 * KbitPerSecond}, // 3 × 1500 bytes in 10 ms
		{At: 10 * ms, Rate: Stopped},
		{At: 20 * ms, Rate: 4800 * KbitPerSecond}, // 2 in 5 ms
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := len(c.Profile(0).Rows); n != 25 {
		t.Errorf("%d rows of the shortest windows", n)
	}
}

func FuzzTraceFile(f *testing.F) {
	f.Add("0\n5\n")
	f.Add("# Mbit/s\n\n0 1.5\n")
	f.Add("time_s,loss\n0,1\n")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTraceFile(strings.NewReader(s))
		if err != nil {
			return
		}
		var want TraceFile
		switch got.Format {
		case FormatMahimahi:
			want.Trace, err = ParseMahimahi(strings.NewReader(s))
		case FormatColumns:
			want.Profile, err = ParseProfileColumns(strings.NewReader(s))
		case FormatCSV:
			want.Profile, err = ParseProfileCSV(strings.NewReader(s))
		}
		if want.Format = got.Format; err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, but in its format %+v, %v", got, want, err)
		}
	})
}

// A link is reconfigured as a profile says.
func ExampleProfile() {
	profile, err := ParseProfileCSV(strings.NewReader("time_s,rate_mbps,rtt_ms\n0,20,40\n1.5,5,80\n2,,\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for at, ok := time.Duration(0), true; ok && at < 4*time.Second; at, ok = profile.Next(at) {
		row := profile.At(at)
		fmt.Println(at, row.Rate, row.Delay)
	}
	// Output:
	// 0s 20Mbit/s 20ms
	// 1.5s 5Mbit/s 40ms
	// 2s 20Mbit/s 20ms
	// 3.5s 5Mbit/s 40ms
}
