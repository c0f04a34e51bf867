package netem

import (
	"errors"
	"strconv"
	"strings"
)

// String returns the options in the syntax of tc, those that differ from its
// defaults and the limit. [ParseNetem] reads them back to an equal value, except
// that Header has no option.
func (n Netem) String() string {
	w := tcWriter{"limit", strconv.Itoa(n.limit())}
	if n.Delay != 0 || n.Jitter != 0 || n.Correlation != 0 {
		w.add("delay", formatTC(int64(n.Delay), tcTimes))
		if n.Jitter != 0 || n.Correlation != 0 {
			w.add(formatTC(int64(n.Jitter), tcTimes))
		}
		w.correlation(n.Correlation)
	}
	if n.Distribution != nil {
		w.add("distribution", n.Distribution.label())
	}
	w.loss(n.Loss)
	if n.ECN {
		w.add("ecn")
	}
	w.chance("corrupt", n.Corrupt)
	w.chance("duplicate", n.Duplicate)
	w.chance("reorder", n.Reorder)
	if n.Gap != 0 {
		w.add("gap", strconv.Itoa(n.Gap))
	}
	w.rate(n.Rate)
	w.slot(n.Slot)
	return strings.Join(w, " ")
}

// MarshalText implements encoding.TextMarshaler. A distribution that ParseNetem
// could not name has no text.
func (n Netem) MarshalText() ([]byte, error) {
	for _, d := range []*Distribution{n.Distribution, n.Slot.Distribution} {
		if d != nil && d.name == "" {
			return nil, errors.New("a distribution has no name")
		}
	}
	return []byte(n.String()), nil
}

// tcWriter is words of the syntax of tc.
type tcWriter []string

func (w *tcWriter) add(words ...string) { *w = append(*w, words...) }

// percents adds the first probabilities.
func (w *tcWriter) percents(option string, n int, p ...float64) {
	w.add(option)
	for _, p := range p[:n] {
		w.add(formatTCPercent(p))
	}
}

func (w *tcWriter) correlation(c float64) {
	if c != 0 {
		w.add(formatTCPercent(c))
	}
}

func (w *tcWriter) chance(option string, c NetemChance) {
	if c != (NetemChance{}) {
		w.add(option, formatTCPercent(c.P))
		w.correlation(c.Correlation)
	}
}

// loss leaves out what tc would take for it.
func (w *tcWriter) loss(l Loss) {
	switch l := l.(type) {
	case Bernoulli:
		w.add("loss", formatTCPercent(l.P))
		w.correlation(l.Correlation)
	case GilbertElliott:
		n := 1
		switch {
		case l.Good != 0:
			n = 4
		case l.Bad != 1:
			n = 3
		case l.R != 1-l.P:
			n = 2
		}
		w.percents("loss gemodel", n, l.P, l.R, l.Bad, l.Good)
	case Markov:
		n := 1
		switch {
		case l.P14 != 0:
			n = 5
		case l.P23 != 1:
			n = 4
		case l.P32 != 0:
			n = 3
		case l.P31 != 1-l.P13:
			n = 2
		}
		w.percents("loss state", n, l.P13, l.P31, l.P32, l.P23, l.P14)
	}
}

func (w *tcWriter) rate(r NetemRate) {
	if r == (NetemRate{}) {
		return
	}
	w.add("rate", formatTC(int64(r.Rate/8*8), tcRates))
	rest := []Bytes{r.PacketOverhead, r.CellSize, r.CellOverhead}
	for len(rest) > 0 && rest[len(rest)-1] == 0 {
		rest = rest[:len(rest)-1]
	}
	for _, b := range rest {
		w.add(strconv.FormatInt(int64(b), 10))
	}
}

func (w *tcWriter) slot(s NetemSlot) {
	switch {
	case s == NetemSlot{}:
		return
	case s.Jitter != 0:
		w.add("slot distribution", s.Distribution.label(), formatTC(int64(s.Delay), tcTimes), formatTC(int64(s.Jitter), tcTimes))
	default:
		w.add("slot", formatTC(int64(s.Min), tcTimes))
		if s.Max > s.Min {
			w.add(formatTC(int64(s.Max), tcTimes))
		}
	}
	if s.Packets != 0 {
		w.add("packets", strconv.Itoa(s.Packets))
	}
	if s.Bytes != 0 {
		w.add("bytes", strconv.FormatInt(int64(s.Bytes), 10))
	}
}

// label returns the name by which a distribution is written.
func (d *Distribution) label() string {
	switch {
	case d == nil:
		return "uniform"
	case d.name == "":
		return "unnamed"
	}
	return d.name
}
