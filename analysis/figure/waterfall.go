package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
)

// waterfall shows the datagrams between the ends of one session at its set-up
// and at its teardown, a panel each.
func waterfall(d Data) Figure {
	f := Figure{Name: "waterfall", header: []string{
		"session", "part", "side", "what", "datagrams", "bytes", "time_s", "last_time_s", "end_s", "last_end_s", "link",
	}}
	for _, x := range d.Exchanges {
		if len(x.Flights) == 0 {
			continue
		}
		f.Title = titled("Datagrams of session "+x.Session+whichOf(x.Session, d.Sessions), d)
		f.panels = append(f.panels, newCascade(x))
	}
	if len(f.panels) > 0 {
		f.panels[0].(*cascade).legend = true
	}
	return f
}

// whichOf says which of how many sessions one is.
func whichOf(name string, all []Session) string {
	i := slices.IndexFunc(all, func(s Session) bool { return s.Name == name })
	if len(all) < 2 || i < 0 {
		return ""
	}
	return fmt.Sprintf(", number %d of %d", i+1, len(all))
}

// cascade is a panel that shows an exchange: a lane for each end, side by side,
// time running downwards, and an arrow for each datagram from where and when it
// was sent to where and when it arrived.
type cascade struct {
	Exchange
	zero   Event // times count from it
	legend bool
}

// newCascade returns the panel of an exchange; times count from the dial or the
// call of close, and from the first event if there is none.
func newCascade(x Exchange) *cascade {
	p := &cascade{Exchange: x}
	p.Events = once(x.Events)
	p.Flights = slices.Clone(x.Flights)
	slices.SortStableFunc(p.Flights, func(f, g Flight) int {
		return cmp.Or(cmp.Compare(f.Sent[0], g.Sent[0]), cmp.Compare(f.Done[0], g.Done[0]))
	})
	p.zero = Event{Time: p.Flights[0].Sent[0]}
	if len(p.Events) > 0 {
		p.zero = p.Events[0]
	}
	for _, e := range p.Events {
		if e.Step == Dial || e.Step == CloseCalled {
			p.zero = e
			break
		}
	}
	return p
}

// once returns the events in order of time, each step of a side once.
func once(events []Event) []Event {
	seen := make([][2]bool, len(stepWords))
	var out []Event
	for _, e := range events {
		if int(e.Step) >= len(seen) || e.Side > Server || seen[e.Step][e.Side] {
			continue // a step happens once an end
		}
		seen[e.Step][e.Side] = true
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
	return out
}

// shortWords are the labels of the steps where there is little room.
var shortWords = map[Step]string{
	HandshakeComplete: "handshake",
	Settings:          "SETTINGS",
	ConnectReceived:   "CONNECT got",
	LastStreamEnded:   "streams end",
	ConnectStreamDone: "CONNECT end",
	Gone:              "gone",
}

// words returns the label of an event.
func (p *cascade) words(e Event, width Width) string {
	if width == OneColumn {
		return cmp.Or(shortWords[e.Step], e.Step.String())
	}
	since := e.Time - p.zero.Time
	return fmt.Sprintf("%v (%s ms)", e.Step, strconv.FormatFloat(float64(since)/float64(time.Millisecond), 'f', 2, 64))
}

// labels returns what can be written beside a flight, the preferred words first.
// The link that dropped it is named if there are others.
func (p *cascade) labels(f *Flight) []string {
	size := fmt.Sprintf("%d B", f.Bytes)
	if f.Bytes >= 10_000 {
		s := scaleFor(amounts, float64(f.Bytes))
		size = fmt.Sprintf("%.3g %s", float64(f.Bytes)/s.size, s.unit)
	}
	number := fmt.Sprintf("%d datagrams", f.Count)
	why := f.Fate
	if f.Fate != "" && f.Fate != underway && len(p.Links) > 1 {
		why = f.Link + ": " + f.Fate
	}
	switch {
	case f.Fate == "" && f.Count == 1:
		return []string{size}
	case f.Fate == "":
		return []string{number + ", " + size, number}
	case f.Count == 1:
		return []string{why + ", " + size, why, f.Fate}
	}
	return []string{why + ", " + number + ", " + size, why + ", " + number, f.Fate + ", " + number, f.Fate}
}

// waterfallEntries is the legend of the arrows.
var waterfallEntries = []entry{
	{label: "datagram", look: arrowLook},
	{label: "at a step", look: keyLook},
	{label: "several from the client", look: bandLooks[Client], fill: true},
	{label: "several from the server", look: bandLooks[Server], fill: true},
	{label: "dropped", look: lossLook},
}

// intervals returns the times in which something happens.
func (p *cascade) intervals() []interval {
	var out []interval
	for _, e := range p.Events {
		out = append(out, interval{e.Time, e.Time})
	}
	for _, f := range p.Flights {
		out = append(out, interval{p.shown(f.Sent[0]), max(p.shown(f.Sent[1]), f.Done[1])})
	}
	return out
}

// shown returns a time, or the begin of the panel if that is later: a datagram that
// was sent long before the first event, and waited in a queue, is drawn from there
// on, so that it does not take the room of what the panel is about.
func (p *cascade) shown(t time.Duration) time.Duration {
	if len(p.Events) == 0 {
		return t
	}
	first, last := p.Events[0].Time, p.Events[len(p.Events)-1].Time
	return max(t, first-(last-first)/4)
}

// timeAxis returns the axis, so long that the labels have room.
func (p *cascade) timeAxis() warp {
	var rows [2]int
	for _, e := range p.Events {
		rows[e.Side]++
	}
	needed := flagRow * vg.Length(max(rows[0], rows[1])+1)
	height := min(max(1.3*needed, flightRow*vg.Length(len(p.Flights)), shortestCascade), max(longestCascade, needed))
	return newWarp(p.intervals(), p.zero.Time, height)
}

// table returns the events and datagrams as rows of a CSV file.
func (p *cascade) table() [][]string {
	var rows [][]string
	for _, e := range p.Events {
		rows = append(rows, []string{p.Session, p.Part, e.Side.String(), e.Step.String(), "", "", seconds(e.Time), "", "", "", ""})
	}
	for _, f := range p.Flights {
		what := cmp.Or(f.Fate, "arrived")
		rows = append(rows, []string{
			p.Session, p.Part, f.From.String(), what, strconv.Itoa(f.Count), strconv.FormatInt(f.Bytes, 10),
			seconds(f.Sent[0]), seconds(f.Sent[1]), seconds(f.Done[0]), seconds(f.Done[1]), f.Link,
		})
	}
	return rows
}
