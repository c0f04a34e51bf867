package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// cascadePlan is where the parts of a cascade go: across in points from the
// left end of the panel, down in points from the top of the time axis.
type cascadePlan struct {
	axis    warp
	lanes   [2]vg.Length
	labels  [2][]laneLabel
	flights []Flight // those that would run together made one
}

// laneLabel is the label of an event beside a lane.
type laneLabel struct {
	event     Event
	words     string
	at, label vg.Length // of the event and of its words
}

// plan lays the panel out.
func (p *cascade) plan(width Width, left vg.Length) cascadePlan {
	out := cascadePlan{axis: p.timeAxis()}
	inner := width.points() - 2*pageMargin
	// The lanes keep some distance whatever the labels.
	room := (inner - left - leastLanes) / 2
	var widest [2]vg.Length
	var places [2][]vg.Length
	for _, e := range p.Events {
		words := shorten(flagText, p.words(e, width), room-leaderLength-flagOffset)
		at := out.axis.place(e.Time)
		out.labels[e.Side] = append(out.labels[e.Side], laneLabel{event: e, words: words, at: at})
		places[e.Side] = append(places[e.Side], at)
		widest[e.Side] = max(widest[e.Side], flagText.Width(words))
	}
	for side := range out.labels {
		for i, y := range apart(places[side], flagRow, flagRow/2, out.axis.height()-flagRow/2) {
			out.labels[side][i].label = y
		}
		head := laneText.Width(shorten(laneText, p.head(Side(side)), 2*room)) / 2
		widest[side] = min(room, max(widest[side]+flagOffset+leaderLength, head))
	}
	out.lanes = [2]vg.Length{left + widest[0], inner - widest[1]}
	out.flights = merge(p.Flights, func(f, g *Flight) bool {
		y := out.axis.place
		return y(p.shown(g.Sent[0]))-y(p.shown(f.Sent[1])) < sameArrow && math.Abs(float64(y(g.Done[0])-y(f.Done[1]))) < sameArrow.Points()
	})
	return out
}

// head is what stands above a lane.
func (p *cascade) head(side Side) string {
	if host := p.Hosts[side]; host != "" && host != side.String() {
		return fmt.Sprintf("%v (%s)", side, host)
	}
	return side.String()
}

func (p *cascade) left(Width) vg.Length {
	var widest vg.Length
	for _, t := range p.timeAxis().ticks(p.zero.Time) {
		widest = max(widest, tickText.Width(t.label))
	}
	return axisText.Height("0") + gap + widest + gap + tickLength + 2*gap
}

func (p *cascade) height(width Width, left vg.Length) vg.Length {
	return p.headHeight(width) + p.timeAxis().height()
}

// headHeight is what stands above the time axis: name, legend, and the names of
// the ends and links.
func (p *cascade) headHeight(width Width) vg.Length {
	h := nameRow + nameRow + flagRow
	if p.legend {
		_, rows := arrange(p.entries(), width.points()-2*pageMargin)
		h += legendRow * vg.Length(rows)
	}
	return h
}

func (p *cascade) entries() []entry { return append(layerEntries(), waterfallEntries...) }

func (p *cascade) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	plan := p.plan(width, left)
	inner := where.Max.X - where.Min.X
	y := where.Max.Y
	s.write(nameText, vg.Point{X: where.Min.X, Y: y - nameRow/2}, fmt.Sprintf("%s, from %.3f s on", p.Part, p.zero.Time.Seconds()))
	y -= nameRow
	if p.legend {
		s.drawLegend(p.entries(), vg.Point{X: where.Min.X, Y: y}, inner)
		_, rows := arrange(p.entries(), inner)
		y -= legendRow * vg.Length(rows)
	}
	p.drawHeads(s, plan, where, y)
	y -= nameRow + flagRow

	top := func(down vg.Length) vg.Length { return y - down }
	p.drawAxis(s, plan, where.Min.X, where.Min.X+left, top)
	lanes := [2]vg.Length{where.Min.X + plan.lanes[0], where.Min.X + plan.lanes[1]}
	texts := p.drawLanes(s, plan, lanes, top)
	p.drawFlights(s, plan, lanes, top, texts)
	for side, labels := range plan.labels {
		out := vg.Length(2*side - 1) // away from the other lane
		style := flagText
		if side == int(Client) {
			style.XAlign = draw.XRight
		}
		for _, l := range labels {
			x := lanes[side]
			tip := vg.Point{X: x + out*leaderLength, Y: top(l.label)}
			s.line(draw.LineStyle{Color: leaderInk, Width: 0.6}, x, top(l.at), tip.X, tip.Y)
			s.mark(momentLook, vg.Point{X: x, Y: top(l.at)})
			s.mark(layerOf(l.event.Step).look, tip)
			s.write(style, vg.Point{X: tip.X + out*flagOffset, Y: tip.Y}, l.words)
		}
	}
}

// drawHeads writes who is at the lanes, and which links are between them.
func (p *cascade) drawHeads(s *sheet, plan cascadePlan, where vg.Rectangle, y vg.Length) {
	centred := laneText
	centred.XAlign = draw.XCenter
	distance := plan.lanes[1] - plan.lanes[0]
	for side, x := range plan.lanes {
		free := 2 * min(x, where.Max.X-where.Min.X-x, distance/2-gap)
		s.write(centred, vg.Point{X: where.Min.X + x, Y: y - nameRow/2}, shorten(centred, p.head(Side(side)), free))
	}
	centred = sizeText
	centred.XAlign = draw.XCenter
	hop := distance / vg.Length(max(len(p.Links), 1))
	for i, link := range p.Links {
		if hop > 4*gap {
			x := where.Min.X + plan.lanes[0] + hop*(vg.Length(i)+0.5)
			s.write(centred, vg.Point{X: x, Y: y - nameRow - flagRow/2}, shorten(centred, link, hop-2*gap))
		}
	}
}

// drawAxis draws the time axis at the left.
func (p *cascade) drawAxis(s *sheet, plan cascadePlan, from, at vg.Length, top func(vg.Length) vg.Length) {
	at -= 2 * gap
	style := draw.LineStyle{Color: ink, Width: axisWidth}
	for _, t := range plan.axis.stretches {
		s.line(style, at, top(t.top), at, top(t.bottom))
	}
	labels := tickText
	labels.XAlign = draw.XRight
	for _, t := range plan.axis.ticks(p.zero.Time) {
		s.line(style, at-tickLength, top(t.at), at, top(t.at))
		s.write(labels, vg.Point{X: at - tickLength - gap, Y: top(t.at)}, t.label)
	}
	turned := axisText
	turned.Rotation = math.Pi / 2
	turned.XAlign = draw.XCenter
	turned.YAlign = draw.YTop
	height := plan.axis.height()
	what := fmt.Sprintf("time since %v (%s)", p.zero.Step, plan.axis.axis.scale.unit)
	s.write(turned, vg.Point{X: from, Y: top(height / 2)}, shorten(axisText, what, height))
}

// drawLanes draws the lanes, the places between the links, and the breaks of
// time, and returns the boxes of what it wrote.
func (p *cascade) drawLanes(s *sheet, plan cascadePlan, lanes [2]vg.Length, top func(vg.Length) vg.Length) (texts []vg.Rectangle) {
	centred := sizeText
	centred.XAlign = draw.XCenter
	hop := (lanes[1] - lanes[0]) / vg.Length(max(len(p.Links), 1))
	for i, t := range plan.axis.stretches {
		for _, x := range lanes {
			s.line(draw.LineStyle{Color: ink, Width: 1}, x, top(t.top), x, top(t.bottom))
		}
		for n := 1; n < len(p.Links); n++ {
			x := lanes[0] + hop*vg.Length(n)
			s.line(draw.LineStyle{Color: leaderInk, Width: 0.5, Dashes: []vg.Length{1, 2}}, x, top(t.top), x, top(t.bottom))
		}
		if i == 0 {
			continue
		}
		before := plan.axis.stretches[i-1]
		pass := (t.from - before.until).Seconds()
		middle := vg.Point{X: (lanes[0] + lanes[1]) / 2, Y: top((before.bottom + t.top) / 2)}
		words := shorten(centred, inWords(times, pass, pass)+" pass", lanes[1]-lanes[0]-2*gap)
		s.write(centred, middle, words)
		texts = append(texts, centred.Rectangle(words).Add(middle))
		for _, x := range lanes {
			s.line(draw.LineStyle{Color: ink, Width: 1, Dashes: []vg.Length{1, 2}}, x, top(before.bottom), x, top(t.top))
		}
	}
	return texts
}

// segment is a straight line on the page.
type segment struct{ a, b vg.Point }

// drawFlights draws the arrows and bands, and writes what they are where there
// is room.
func (p *cascade) drawFlights(s *sheet, plan cascadePlan, lanes [2]vg.Length, top func(vg.Length) vg.Length, texts []vg.Rectangle) {
	edges := make([][2]segment, len(plan.flights)) // of the first and the last datagram
	var all []segment
	for i := range plan.flights {
		f := &plan.flights[i]
		from, to := lanes[f.From], lanes[1-f.From]
		if f.Fate != "" {
			// In the middle of the link that dropped it.
			links := max(len(p.Links), f.Hop, 1)
			to = from + (to-from)*vg.Length((float64(f.Hop)-0.5)/float64(links))
		}
		for n := range 2 {
			begin, passed := p.shown(f.Sent[n]), 0.0
			if begin > f.Sent[n] {
				passed = float64(begin-f.Sent[n]) / float64(max(f.Done[n]-f.Sent[n], 1))
			}
			edges[i][n] = segment{
				vg.Point{X: from + vg.Length(passed)*(to-from), Y: top(plan.axis.place(begin))},
				vg.Point{X: to, Y: top(plan.axis.place(f.Done[n]))},
			}
		}
		all = append(all, edges[i][0])
		if f.Count > 1 {
			all = append(all, edges[i][1])
		}
	}
	for i, e := range edges {
		if plan.flights[i].Count > 1 {
			s.FillPolygon(bandLooks[plan.flights[i].From].Color, []vg.Point{e[0].a, e[0].b, e[1].b, e[1].a})
		}
	}
	for i, e := range edges {
		f, style := &plan.flights[i], arrowLook
		switch {
		case f.Fate == "" && f.Key:
			style = keyLook
		case f.Fate == "":
		case f.Fate == underway:
			style.Dashes = []vg.Length{2, 1.5}
		default:
			style = lostLook
		}
		for n := range min(f.Count, 2) {
			if f.Fate == "" {
				s.arrow(style, e[n].a, e[n].b)
				continue
			}
			s.line(style.LineStyle, e[n].a.X, e[n].a.Y, e[n].b.X, e[n].b.Y)
			if f.Fate != underway {
				r := vg.Point{X: lossLook.radius, Y: lossLook.radius}
				s.mark(lossLook, e[n].b)
				texts = append(texts, vg.Rectangle{Min: e[n].b.Sub(r), Max: e[n].b.Add(r)})
			}
		}
	}
	data := vg.Rectangle{Min: vg.Point{X: lanes[0] + 1, Y: top(plan.axis.height())}, Max: vg.Point{X: lanes[1] - 1, Y: top(0)}}
	// What was lost is named first.
	for _, lost := range []bool{true, false} {
		for i, e := range edges {
			if f := &plan.flights[i]; (f.Fate != "") == lost {
				texts = append(texts, s.nameFlight(f, p.labels(f), e, data, all, texts)...)
			}
		}
	}
}

// nameFlight writes what a flight is beside it, if there is room, and returns
// the box of the words.
func (s *sheet) nameFlight(f *Flight, labels []string, e [2]segment, data vg.Rectangle, all []segment, texts []vg.Rectangle) []vg.Rectangle {
	for _, words := range labels {
		for _, c := range besideFlight(f, e) {
			box := c.style.Rectangle(words).Add(c.at)
			if free(box, data, all, texts) {
				s.write(c.style, c.at, words)
				return []vg.Rectangle{box}
			}
		}
	}
	return nil
}

// free reports whether a box is within the data and on nothing else.
func free(box, data vg.Rectangle, all []segment, texts []vg.Rectangle) bool {
	if box.Min.X < data.Min.X || box.Max.X > data.Max.X || box.Min.Y < data.Min.Y || box.Max.Y > data.Max.Y {
		return false
	}
	for _, other := range texts {
		if overlap(box, other) {
			return false
		}
	}
	for _, other := range all {
		if crosses(other.a, other.b, box) {
			return false
		}
	}
	return true
}

// besideFlight returns places for the name of a flight, the best first.
func besideFlight(f *Flight, e [2]segment) []anchor {
	style := func(x text.XAlignment, y text.YAlignment) text.Style {
		t := sizeText
		t.XAlign, t.YAlign = x, y
		return t
	}
	// A box to the left of a point ends there.
	const left, right, above, below = draw.XRight, draw.XLeft, draw.YBottom, draw.YTop
	var out []anchor
	if f.Fate != "" {
		// Beyond the cross, then above and below it.
		end := e[1].b
		beyond, way := style(right, draw.YCenter), vg.Length(4)
		if f.From == Server {
			beyond, way = style(left, draw.YCenter), -4
		}
		out = append(out, anchor{beyond, end.Add(vg.Point{X: way})},
			anchor{style(draw.XCenter, above), e[0].b.Add(vg.Point{Y: 3})}, anchor{style(draw.XCenter, below), end.Add(vg.Point{Y: -3})})
	}
	on := func(g segment, share vg.Length) vg.Point {
		return vg.Point{X: g.a.X + share*(g.b.X-g.a.X), Y: g.a.Y + share*(g.b.Y-g.a.Y)}
	}
	shares := []vg.Length{0.5, 0.3, 0.7, 0.15, 0.85}
	if f.Count > 1 { // inside the band
		for _, share := range shares {
			a, b := on(e[0], share), on(e[1], share)
			out = append(out, anchor{style(draw.XCenter, draw.YCenter), vg.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}})
		}
	}
	// Above the first and below the last, on the side to which they lean.
	over, under := style(right, above), style(left, below)
	if e[0].b.X < e[0].a.X {
		over, under = style(left, above), style(right, below)
	}
	lift := func(t text.Style, y vg.Length) vg.Point { return vg.Point{X: 3*vg.Length(t.XAlign) + 1.5, Y: y} }
	for _, share := range shares {
		out = append(out, anchor{over, on(e[0], share).Add(lift(over, 1))}, anchor{under, on(e[1], share).Add(lift(under, -1))})
	}
	return out
}
