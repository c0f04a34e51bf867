package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// stepWords are the labels of the steps.
var stepWords = [...]string{
	Dial:              "dial",
	HandshakeComplete: "handshake complete",
	Settings:          "SETTINGS received",
	ConnectSent:       "CONNECT sent",
	ConnectReceived:   "CONNECT received",
	Established:       "established",
	Failed:            "failed",
	CloseCalled:       "close called",
	CloseSent:         "CLOSE sent",
	CloseNotified:     "notified",
	LastStreamEnded:   "last stream ended",
	ConnectStreamDone: "CONNECT stream finished",
	Gone:              "state gone",
}

// String returns the label of the step.
func (s Step) String() string {
	if int(s) < len(stepWords) {
		return stepWords[s]
	}
	return "step " + strconv.Itoa(int(s))
}

// String returns "client" or "server".
func (s Side) String() string {
	if s == Server {
		return "server"
	}
	return "client"
}

// timeline shows the set-up and the teardown of one session, a panel each.
func timeline(d Data) Figure {
	f := Figure{Name: "timeline", header: []string{"session", "part", "side", "step", "time_s", "until_s"}}
	session, which := typical(d.Sessions)
	if i := slices.IndexFunc(d.Sessions, func(s Session) bool { return s.Name == d.Chosen }); i >= 0 {
		session, which = d.Sessions[i], whichOf(d.Chosen, d.Sessions)
	}
	f.Title = titled("Set-up and teardown of session "+session.Name+which, d)
	setup, teardown := part(session.Events)
	if len(setup) > 0 {
		f.panels = append(f.panels, newLanes("Set-up", session.Name, setup, Dial))
	}
	if len(f.panels) > 0 {
		f.panels[0].(*lanes).legend = true
	}
	if p, ok := newLife(session, d.Incidents, d.End); ok {
		f.panels = append(f.panels, p)
	}
	if len(teardown) > 0 {
		f.panels = append(f.panels, newLanes("Teardown", session.Name, teardown, CloseCalled))
	}
	if len(setup) == 0 && len(teardown) > 0 {
		f.panels[len(f.panels)-1].(*lanes).legend = true
	}
	return f
}

// typical picks the session to show, and says which of how many it is: the one
// with the median set-up time, and the first one if none was set up.
func typical(sessions []Session) (s Session, which string) {
	type candidate struct {
		index int
		setup time.Duration
	}
	var up []candidate
	for i, s := range sessions {
		for _, e := range s.Events {
			if e.Step == Established && e.Side == Client {
				up = append(up, candidate{i, e.Time - s.Events[0].Time})
				break
			}
		}
	}
	switch {
	case len(sessions) == 0:
		return Session{}, ""
	case len(sessions) == 1:
		return sessions[0], ""
	case len(up) == 0:
		return sessions[0], fmt.Sprintf(", the first of %d", len(sessions))
	}
	slices.SortStableFunc(up, func(a, b candidate) int { return cmp.Compare(a.setup, b.setup) })
	return sessions[up[(len(up)-1)/2].index], fmt.Sprintf(", the median of %d by set-up time", len(up))
}

// lanes is a panel that shows events at both ends of a session: a lane for each
// end, flags on the events, and arrows where a message crosses.
type lanes struct {
	part    string // "Set-up" or "Teardown"
	session string
	zero    Event // times count from it
	events  []Event
	beyond  []Event // so far from the others that they would squeeze them
	legend  bool
}

// newLanes returns the panel of the events; times count from the first event of the
// step, or from the first event if there is none such.
func newLanes(part, session string, events []Event, zero Step) *lanes {
	p := &lanes{part: part, session: session}
	p.events = once(events)
	p.zero = p.events[0]
	if i := slices.IndexFunc(p.events, func(e Event) bool { return e.Step == zero }); i >= 0 {
		p.zero = p.events[i]
	}
	p.events, p.beyond = cutOff(p.events, p.zero.Time)
	return p
}

// cutOff parts the events around zero from those that a gap separates from them
// of more than a second and more than four fifths of the whole time.
func cutOff(events []Event, zero time.Duration) (near, far []Event) {
	for len(events) > 2 {
		whole := events[len(events)-1].Time - events[0].Time
		cut := 0
		for i := 1; i < len(events); i++ {
			if gap := events[i].Time - events[i-1].Time; gap > time.Second && gap > whole/5*4 {
				cut = i
			}
		}
		switch {
		case cut > 1 && events[cut-1].Time >= zero:
			far = append(far, events[cut:]...)
			events = events[:cut]
		case cut > 0 && cut < len(events)-1 && events[cut].Time <= zero:
			far = append(far, events[:cut]...)
			events = events[cut:]
		default:
			return events, far
		}
	}
	return events, far
}

// layer is the part of the protocol to which a step belongs.
type layer struct {
	words string
	look  look
}

// layers are those of QUIC, of the CONNECT stream and of the session.
var layers = []layer{
	{"QUIC connection", look{LineStyle: draw.LineStyle{Color: palette[0]}, marker: draw.CircleGlyph{}, radius: 2.8}},
	{"HTTP/3", look{LineStyle: draw.LineStyle{Color: palette[4]}, marker: draw.BoxGlyph{}, radius: 3}},
	{"WebTransport session", look{LineStyle: draw.LineStyle{Color: palette[5]}, marker: draw.PyramidGlyph{}, radius: 2.8}},
}

// layerOf returns the layer of a step.
func layerOf(s Step) layer {
	switch s {
	case Dial, HandshakeComplete:
		return layers[0]
	case Settings, ConnectSent, ConnectReceived, CloseSent, ConnectStreamDone:
		return layers[1]
	}
	return layers[2]
}

// crossings are the messages whose sending and arrival are both steps.
var crossings = []struct {
	words    string
	from, to Step
	senders  []Side
}{
	{"Finished", HandshakeComplete, HandshakeComplete, []Side{Client}},
	{"CONNECT", ConnectSent, ConnectReceived, []Side{Client}},
	{"2xx", Established, Established, []Side{Server}},
	{"CLOSE", CloseSent, CloseNotified, []Side{Client, Server}},
}

// since returns the time of an event, counted from the panel's zero.
func (p *lanes) since(e Event) time.Duration { return e.Time - p.zero.Time }

// words returns the label of an event.
func (p *lanes) words(e Event) string {
	return e.Step.String() + " (" + p.milliseconds(e) + ")"
}

// milliseconds writes the time of an event with the decimals that the panel's
// length calls for.
func (p *lanes) milliseconds(e Event) string {
	decimals := 2
	if p.events[len(p.events)-1].Time-p.events[0].Time < time.Millisecond {
		decimals = 3
	}
	return strconv.FormatFloat(float64(p.since(e))/float64(time.Millisecond), 'f', decimals, 64)
}

// title returns the words above the panel.
func (p *lanes) title() string {
	return fmt.Sprintf("%s, from %.3f s on", p.part, p.zero.Time.Seconds())
}

// notes returns the lines that name the events that are not drawn.
func (p *lanes) notes(width vg.Length) []string {
	if len(p.beyond) == 0 {
		return nil
	}
	text := "Not drawn: "
	for i, e := range p.beyond {
		if i > 0 {
			text += "; "
		}
		text += e.Side.String() + " " + p.words(e)
	}
	return lines(flagText, text+".", width, 4)
}

// table returns the events as rows of a CSV file.
func (p *lanes) table() [][]string {
	all := slices.Concat(p.events, p.beyond)
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
	var rows [][]string
	for _, e := range all {
		rows = append(rows, []string{p.session, p.part, e.Side.String(), e.Step.String(), seconds(e.Time), ""})
	}
	return rows
}
