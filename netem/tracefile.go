package netem

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// TraceFormat is a format of files that hold traces.
type TraceFormat string

// The formats of traces.
const (
	FormatMahimahi TraceFormat = "mahimahi" // [ParseMahimahi]
	FormatColumns  TraceFormat = "columns"  // [ParseProfileColumns]
	FormatCSV      TraceFormat = "csv"      // [ParseProfileCSV]
)

// TraceFile is what a file of a trace holds: a Trace if it is of mahimahi, and
// otherwise a Profile.
type TraceFile struct {
	Format  TraceFormat
	Trace   Trace
	Profile Profile
}

// ParseTraceFile reads a trace in any format. The first line that is neither
// empty nor a comment tells which: a whole number alone is mahimahi's, numbers
// are columns, and all else is the header of a CSV file.
func ParseTraceFile(r io.Reader) (TraceFile, error) {
	const window = 1 << 16
	buffered := bufio.NewReaderSize(r, window)
	begin, err := buffered.Peek(window)
	if err != nil && err != io.EOF {
		return TraceFile{}, err
	}
	f := TraceFile{Format: traceFormat(string(begin))}
	switch f.Format {
	case FormatMahimahi:
		f.Trace, err = ParseMahimahi(buffered)
	case FormatColumns:
		f.Profile, err = ParseProfileColumns(buffered)
	default:
		f.Profile, err = ParseProfileCSV(buffered)
	}
	return f, err
}

func traceFormat(begin string) TraceFormat {
	for line := range strings.Lines(begin) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.Trim(line, "0123456789") == "":
			return FormatMahimahi
		case strings.IndexByte("+-.0123456789", line[0]) >= 0:
			return FormatColumns
		default:
			return FormatCSV
		}
	}
	return FormatCSV
}

// WriteMahimahi writes the trace so that [ParseMahimahi] reads it again. The
// format knows only opportunities of [MahimahiBytes] at whole milliseconds, the
// last of them at the end of the period; other traces are errors.
func (t Trace) WriteMahimahi(w io.Writer) error {
	switch {
	case len(t.Opportunities) == 0 || t.Opportunities[len(t.Opportunities)-1] != t.Period:
		return errors.New("a trace of mahimahi has an opportunity at the end of its period, and this has none")
	case t.bytes() != MahimahiBytes:
		return fmt.Errorf("an opportunity takes %s; in a trace of mahimahi %s", t.bytes(), MahimahiBytes)
	}
	out := bufio.NewWriter(w)
	for _, o := range t.Opportunities {
		if o%time.Millisecond != 0 {
			return fmt.Errorf("an opportunity at %s; in a trace of mahimahi they are at whole milliseconds", o)
		}
		out.WriteString(strconv.FormatInt(o.Milliseconds(), 10))
		out.WriteByte('\n')
	}
	return out.Flush()
}

// Trace returns the opportunities of [MahimahiBytes] that make the rate of the
// profile: each at the first whole millisecond by which the link could have
// sent all of them up to it. The last is at the end of the period, as mahimahi
// has it, and may be one that the rate had not yet earned. Delay and loss are
// not in it. A profile without a rate, and one with more opportunities than a
// file can have, are errors.
func (p Profile) Trace() (Trace, error) {
	if err := p.check(); err != nil {
		return Trace{}, err
	}
	if !p.HasRate {
		return Trace{}, errors.New("the profile has no rate")
	}
	_, mean, _ := p.Rates()
	if n := int64(mean) * int64(p.Period/time.Second+1) / int64(8*MahimahiBytes); n >= maxTraceLines {
		return Trace{}, fmt.Errorf("%d opportunities; a trace has at most %d", n, maxTraceLines)
	}
	const need = int64(MahimahiBytes) * 8 * int64(time.Second) // bits times 10^9, of which the link does rate a nanosecond
	t := Trace{Period: ceilMillisecond(p.Period), Once: p.Once}
	done := int64(0) // for the next opportunity
	for i, row := range p.Rows {
		rate, now, end := int64(row.Rate), row.At, row.At+p.length(i)
		for {
			wait := (need - done + rate - 1) / rate
			if time.Duration(wait) > end-now {
				break
			}
			now += time.Duration(wait)
			done += rate*wait - need
			t.Opportunities = append(t.Opportunities, ceilMillisecond(now))
		}
		done += rate * int64(end-now)
	}
	if n := len(t.Opportunities); n == 0 || t.Opportunities[n-1] != t.Period {
		t.Opportunities = append(t.Opportunities, t.Period)
	}
	return t, nil
}

func ceilMillisecond(t time.Duration) time.Duration {
	return (t + time.Millisecond - 1) / time.Millisecond * time.Millisecond
}

// Profile returns the mean rate of the trace in each window: what is at the end
// of a window belongs to it, and what is at 0 to the first. The last window is
// cut where the period ends. Windows are at least a millisecond long.
func (t Trace) Profile(window time.Duration) Profile {
	window = max(window, time.Millisecond)
	p := Profile{HasRate: true, Period: t.Period, Once: t.Once}
	next := 0
	for begin := time.Duration(0); begin < t.Period; begin += window {
		end := min(begin+window, t.Period)
		first := next
		for next < len(t.Opportunities) && t.Opportunities[next] <= end {
			next++
		}
		part := Trace{Opportunities: t.Opportunities[first:next], Period: end - begin, Bytes: t.Bytes}
		p.Rows = append(p.Rows, ProfileRow{At: begin, Rate: max(Stopped, part.Rate())})
	}
	return p
}
