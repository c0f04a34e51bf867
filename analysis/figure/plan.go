package figure

import (
	"slices"

	"gonum.org/v1/plot/vg"
)

// plan is where the parts of a panel of lanes go, in points from the left end of
// the lanes.
type plan struct {
	axis   axis
	poles  [2][]pole // by side, from left to right
	rows   [2]int    // by side, how many rows the flags take
	arrows []arrow
}

// pole carries the flags of the events that happen at one place of a lane, in
// order of time.
type pole struct {
	x     vg.Length
	flags []eventFlag
	base  int // the row of the lowest flag, counted from the lane
}

// eventFlag is the label of an event.
type eventFlag struct {
	event Event
	words string
}

// arrow is a message that crosses from one lane to the other, or several that
// cross side by side.
type arrow struct {
	words    string
	from, to Event
	x1, x2   vg.Length
}

// plan lays the panel out on a width.
func (p *lanes) plan(width vg.Length) plan {
	out := plan{axis: p.timeAxis(width)}
	place := func(e Event) vg.Length { return out.axis.place(p.since(e).Seconds(), 0, width) }
	for _, e := range p.events {
		poles := &out.poles[e.Side]
		f := eventFlag{e, p.words(e)}
		if n := len(*poles); n > 0 && place(e)-(*poles)[n-1].x < sameMoment {
			(*poles)[n-1].flags = append((*poles)[n-1].flags, f)
		} else {
			*poles = append(*poles, pole{x: place(e), flags: []eventFlag{f}})
		}
	}
	for side := range out.poles {
		out.rows[side] = hoist(out.poles[side])
	}
	out.arrows = p.arrows(place)
	return out
}

// timeAxis returns an axis so long that every flag ends within the width.
func (p *lanes) timeAxis(width vg.Length) axis {
	first := p.since(p.events[0]).Seconds()
	length := 0.0 // of the axis in seconds, from the first event on
	for _, e := range p.events {
		// A pole may stand a little to the left of its event, never to the right.
		room := width - laneLead - flagOffset - flagText.Width(p.words(e))
		if t := p.since(e).Seconds() - first; t > 0 && room > 0 {
			length = max(length, t*float64((width-laneLead)/room))
		}
	}
	if length == 0 {
		length = 1e-3
	}
	// The axis begins a little before the first event.
	lead := length * float64(laneLead/(width-laneLead))
	return newWideAxis([]scale{{"ms", 1e-3}}, first-lead, first+length, width)
}

// end returns where the longest flag of the pole ends.
func (p pole) end() vg.Length {
	var longest vg.Length
	for _, f := range p.flags {
		longest = max(longest, flagText.Width(f.words))
	}
	return p.x + flagOffset + longest
}

// row returns the row of the i-th flag on a side. Time runs downwards on both
// sides of the lanes.
func (p pole) row(i int, side Side) int {
	if side == Client {
		return p.base + len(p.flags) - 1 - i
	}
	return p.base + i
}

// hoist gives the flags of each pole the lowest rows at which no other flag or pole
// crosses them, and returns the number of rows. Flags fly to the right, so only
// later poles can be in the way: flags fly above all poles that stand below them.
func hoist(poles []pole) (rows int) {
	for i := len(poles) - 1; i >= 0; i-- {
		poles[i].base = 0
		for _, later := range poles[i+1:] {
			if later.x <= poles[i].end()+flagOffset {
				poles[i].base = max(poles[i].base, later.base+len(later.flags))
			}
		}
		rows = max(rows, poles[i].base+len(poles[i].flags))
	}
	return rows
}

// arrows returns the messages that cross, those that look simultaneous as one.
func (p *lanes) arrows(place func(Event) vg.Length) []arrow {
	find := func(step Step, side Side) (Event, bool) {
		i := slices.IndexFunc(p.events, func(e Event) bool { return e.Step == step && e.Side == side })
		if i < 0 {
			return Event{}, false
		}
		return p.events[i], true
	}
	var out []arrow
	for _, c := range crossings {
		for _, side := range c.senders {
			from, sent := find(c.from, side)
			to, arrived := find(c.to, 1-side)
			if !sent || !arrived || to.Time < from.Time {
				continue
			}
			a := arrow{c.words, from, to, place(from), place(to)}
			same := slices.IndexFunc(out, func(b arrow) bool {
				return a.from.Side == b.from.Side && max(a.x1-b.x1, b.x1-a.x1, a.x2-b.x2, b.x2-a.x2) < sameMoment
			})
			if same >= 0 {
				out[same].words += ", " + c.words
			} else {
				out = append(out, a)
			}
		}
	}
	return out
}
