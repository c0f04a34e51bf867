package figure

import (
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// life is a panel that shows what befell a session from its dial to its end: a row
// for the session, one for its path, and one for each link to which something
// happened.
type life struct {
	session     string
	from, until time.Duration
	phases      []Incident // of the session, named by their text
	rows        []lifeRow
	others      int // links whose rows are left out
}

// lifeRow is what happened to one subject.
type lifeRow struct {
	name      string
	incidents []Incident
}

// maxLifeRows is how many links have a row.
const maxLifeRows = 6

// newLife returns the panel of a session; ok is false if nothing befell it.
func newLife(s Session, links []Incident, end time.Duration) (p *life, ok bool) {
	if len(s.Events) == 0 {
		return nil, false
	}
	p = &life{session: s.Name, from: s.Events[0].Time, until: end}
	gone := map[Side]time.Duration{}
	var open, closing time.Duration = -1, -1
	for _, e := range s.Events {
		switch {
		case e.Step == Gone:
			gone[e.Side] = e.Time
		case e.Step == Established && e.Side == Client:
			open = e.Time
		case (e.Step == CloseCalled || e.Step == CloseNotified) && closing < 0:
			closing = e.Time
		}
	}
	if len(gone) == 2 {
		p.until = max(gone[Client], gone[Server])
	}
	phase := func(text string, from, until time.Duration) {
		if from >= 0 && until > from {
			p.phases = append(p.phases, Incident{From: from, Until: until, Text: text})
		}
	}
	stop := p.until
	if closing >= 0 {
		stop = closing
	}
	if open >= 0 {
		phase("set-up", p.from, open)
	} else {
		phase("set-up", p.from, stop)
	}
	phase("open", open, stop)
	phase("teardown", closing, p.until)

	if moves := within(s.Moves, p.from, p.until); len(moves) > 0 {
		p.rows = append(p.rows, lifeRow{"path", moves})
	}
	named := map[string]bool{}
	for _, i := range within(links, p.from, p.until) {
		n := slices.IndexFunc(p.rows, func(r lifeRow) bool { return r.name == i.Of && r.incidents[0].Of != "" })
		if n < 0 {
			if named[i.Of] = true; len(named) > maxLifeRows {
				continue
			}
			n = len(p.rows)
			p.rows = append(p.rows, lifeRow{name: i.Of})
		}
		p.rows[n].incidents = append(p.rows[n].incidents, i)
	}
	p.others = max(len(named)-maxLifeRows, 0)
	return p, len(p.rows) > 0 && p.until > p.from
}

// lifeLooks are those of the incidents.
var lifeLooks = [...]look{
	Outage:      {LineStyle: draw.LineStyle{Color: tint(alarm, 0.2)}},
	Hold:        {LineStyle: draw.LineStyle{Color: tint(palette[1], 0.3)}},
	LinkChange:  {LineStyle: draw.LineStyle{Color: limitInk}, marker: draw.BoxGlyph{}, radius: 2.4},
	Migration:   {LineStyle: draw.LineStyle{Color: palette[0]}, marker: draw.PyramidGlyph{}, radius: 2.8},
	NoMigration: {LineStyle: draw.LineStyle{Color: alarm}, marker: draw.CrossGlyph{}, radius: 2.4},
}

// phaseLook is the look of a session's phases.
var phaseLook = look{LineStyle: draw.LineStyle{Color: tint(palette[4], 0.7)}}

func (p *life) entries() []entry {
	var out []entry
	for kind, l := range lifeLooks {
		has := func(i Incident) bool { return int(i.Kind) == kind }
		if slices.ContainsFunc(p.rows, func(r lifeRow) bool { return slices.ContainsFunc(r.incidents, has) }) {
			out = append(out, entry{label: IncidentKind(kind).String(), look: l, fill: l.marker == nil})
		}
	}
	return out
}

func (p *life) left(width Width) vg.Length {
	widest := laneText.Width("session")
	for _, r := range p.rows {
		widest = max(widest, laneText.Width(shorten(laneText, r.name, width.points()/5)))
	}
	return widest + 2*gap
}

func (p *life) head(width Width) vg.Length {
	_, rows := arrange(p.entries(), width.points()-2*pageMargin)
	return nameRow + legendRow*vg.Length(rows) + gap
}

func (p *life) height(width Width, left vg.Length) vg.Length {
	return p.head(width) + lifeRowHeight*vg.Length(len(p.rows)+1) + (&lanes{}).footHeight()
}

func (p *life) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	inner := where.Max.X - where.Min.X
	name := "From dial to end"
	if p.others > 0 {
		name += ", " + strconv.Itoa(p.others) + " more links with changes"
	}
	s.write(nameText, vg.Point{X: where.Min.X, Y: where.Max.Y - nameRow/2}, shorten(nameText, name, inner))
	s.drawLegend(p.entries(), vg.Point{X: where.Min.X, Y: where.Max.Y - nameRow}, inner)

	lines := vg.Rectangle{Min: vg.Point{X: where.Min.X + left}, Max: vg.Point{X: where.Max.X, Y: where.Max.Y - p.head(width)}}
	lines.Min.Y = lines.Max.Y - lifeRowHeight*vg.Length(len(p.rows)+1)
	axis := newWideAxis(times, p.from.Seconds(), p.until.Seconds(), lines.Max.X-lines.Min.X)
	place := func(t time.Duration) vg.Length {
		return axis.place(min(max(t, p.from), p.until).Seconds(), lines.Min.X, lines.Max.X)
	}
	for n, r := range append([]lifeRow{{"session", nil}}, p.rows...) {
		y := lines.Max.Y - lifeRowHeight*(vg.Length(n)+0.5)
		s.write(laneText, vg.Point{X: where.Min.X, Y: y}, shorten(laneText, r.name, left-2*gap))
		s.line(draw.LineStyle{Color: gridInk, Width: axisWidth}, lines.Min.X, y, lines.Max.X, y)
		if n == 0 {
			p.drawPhases(s, place, y)
			continue
		}
		r.draw(s, place, lines.Max.X, y)
	}
	style := draw.LineStyle{Color: ink, Width: axisWidth}
	s.line(style, lines.Min.X, lines.Min.Y, lines.Max.X, lines.Min.Y)
	s.drawTicksBelow(axis, lines, true)
	s.labelBelow("time", axis, lines, where.Min.Y)
}

// bar draws a time in a row.
func (s *sheet) bar(l look, from, to, y vg.Length) {
	const half = lifeRowHeight/2 - 2
	to = max(to, from+0.7)
	s.FillPolygon(l.Color, []vg.Point{{X: from, Y: y - half}, {X: to, Y: y - half}, {X: to, Y: y + half}, {X: from, Y: y + half}})
}

func (p *life) drawPhases(s *sheet, place func(time.Duration) vg.Length, y vg.Length) {
	centred := flagText
	centred.XAlign = draw.XCenter
	for i, phase := range p.phases {
		from, to := place(phase.From), place(phase.Until)
		s.bar(phaseLook, from, to, y)
		if i > 0 {
			s.line(draw.LineStyle{Color: ink, Width: axisWidth}, from, y-lifeRowHeight/2, from, y+lifeRowHeight/2)
		}
		if centred.Width(phase.Text)+2*gap < to-from {
			s.write(centred, vg.Point{X: (from + to) / 2, Y: y}, phase.Text)
		}
	}
}

// draw draws the incidents of the row, with words where there is room until the
// next one.
func (r lifeRow) draw(s *sheet, place func(time.Duration) vg.Length, end, y vg.Length) {
	for n, i := range r.incidents {
		from, to, l := place(i.From), place(i.Until), lifeLooks[i.Kind]
		if l.marker == nil {
			s.bar(l, from, to, y)
			continue
		}
		if to > from {
			s.bar(look{LineStyle: draw.LineStyle{Color: gridInk}}, from, to, y)
		}
		s.mark(l, vg.Point{X: to, Y: y})
		next := end
		for _, later := range r.incidents[n+1:] {
			next = min(next, place(later.From)-flagOffset)
		}
		if at := to + flagOffset; at+flagText.Width(i.Text) <= next {
			s.write(flagText, vg.Point{X: at, Y: y}, clean(i.Text))
		}
	}
}

// table returns the incidents as rows of a CSV file.
func (p *life) table() [][]string {
	var rows [][]string
	add := func(side, what string, i Incident) {
		rows = append(rows, []string{p.session, "From dial to end", side, what, seconds(i.From), seconds(i.Until)})
	}
	for _, phase := range p.phases {
		add("", phase.Text, phase)
	}
	for _, r := range p.rows {
		for _, i := range r.incidents {
			what := i.Kind.String()
			if i.Text != "" {
				what += ": " + i.Text
			}
			add(r.name, what, i)
		}
	}
	return rows
}
