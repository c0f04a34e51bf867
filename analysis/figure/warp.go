package figure

import (
	"cmp"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"
)

// warp is an axis of time, from the top downwards, that leaves out times in which
// nothing happens and that would squeeze the rest.
type warp struct {
	stretches []stretch
	axis      axis // the unit and the ticks
}

// stretch is a time that is shown without a break.
type stretch struct {
	from, until time.Duration
	top, bottom vg.Length // from the top of the axis; the time takes what is between margins
}

// interval is a time in which something happens.
type interval struct{ from, until time.Duration }

// stretchMargin is what a stretch has before its beginning and after its end.
const stretchMargin vg.Length = 5

// mostBreaks is how many times are left out.
const mostBreaks = 8

// newWarp returns the axis of the times. Its stretches have a height together,
// and a break has breakHeight more. Ticks count from zero.
func newWarp(busy []interval, zero time.Duration, height vg.Length) warp {
	var w warp
	for _, s := range broken(busy) {
		w.stretches = append(w.stretches, stretch{from: s.from, until: s.until})
	}
	var whole time.Duration
	for _, s := range w.stretches {
		whole += s.until - s.from
	}
	n := len(w.stretches)
	inner := height - 2*stretchMargin*vg.Length(n)
	perSecond := float64(inner) / max(whole, 1).Seconds()
	var y vg.Length
	for i := range w.stretches {
		s := &w.stretches[i]
		if i > 0 {
			y += breakHeight
		}
		s.top = y
		y += 2 * stretchMargin
		if whole > 0 {
			y += vg.Length((s.until - s.from).Seconds() * perSecond)
		} else { // there are only instants
			y += inner / vg.Length(n)
		}
		s.bottom = y
	}
	longest := max(w.stretches[n-1].until-zero, zero-w.stretches[0].from, time.Nanosecond)
	w.axis = axis{scale: scaleFor(times, longest.Seconds())}
	w.axis.step = niceStep(max(float64(tickRow)/perSecond, 1e-9) / w.axis.scale.size)
	return w
}

// broken returns the stretches of time that hold the intervals: all of it, but
// for gaps that are longer than an eighth of what is left without them.
func broken(busy []interval) []interval {
	busy = slices.Clone(busy)
	slices.SortFunc(busy, func(a, b interval) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.until, b.until)) })
	all := busy[:1]
	for _, b := range busy[1:] {
		if last := &all[len(all)-1]; b.from <= last.until {
			last.until = max(last.until, b.until)
		} else {
			all = append(all, b)
		}
	}
	left := all[len(all)-1].until - all[0].from
	gaps := make([]int, 0, len(all)-1) // before the i-th interval
	for i := 1; i < len(all); i++ {
		gaps = append(gaps, i)
	}
	length := func(i int) time.Duration { return all[i].from - all[i-1].until }
	slices.SortStableFunc(gaps, func(a, b int) int { return cmp.Compare(length(b), length(a)) })
	cut := map[int]bool{}
	for _, i := range gaps {
		if left -= length(i); length(i) <= left/8 || len(cut) == mostBreaks {
			break
		}
		cut[i] = true
	}
	out := all[:1:1]
	for i := 1; i < len(all); i++ {
		if cut[i] {
			out = append(out, all[i])
		} else {
			out[len(out)-1].until = all[i].until
		}
	}
	return out
}

// height returns the height of the axis.
func (w warp) height() vg.Length { return w.stretches[len(w.stretches)-1].bottom }

// place returns where a time is, from the top. What is left out is at the break.
func (w warp) place(t time.Duration) vg.Length {
	for i, s := range w.stretches {
		if t > s.until && i < len(w.stretches)-1 {
			continue
		}
		inner := s.bottom - s.top - 2*stretchMargin
		share := vg.Length(0)
		if s.until > s.from {
			share = vg.Length(float64(t-s.from) / float64(s.until-s.from))
		}
		return s.top + stretchMargin + min(max(share, 0), 1)*inner
	}
	return 0
}

// tick is one of the ticks of a warped axis.
type tick struct {
	at    vg.Length
	label string
}

// ticks returns the ticks, counted from zero. A stretch between two of them has
// one at its beginning.
func (w warp) ticks(zero time.Duration) []tick {
	var out []tick
	size := w.axis.scale.size
	for _, s := range w.stretches {
		before := len(out)
		low, high := (s.from-zero).Seconds()/size, (s.until-zero).Seconds()/size
		for i := math.Ceil(low/w.axis.step-1e-9) + 0; i*w.axis.step <= high+1e-9*w.axis.step; i++ {
			at := w.place(zero + time.Duration(math.Round(i*w.axis.step*size*1e9)))
			out = append(out, tick{at, w.axis.label(i * w.axis.step)})
		}
		if len(out) == before {
			finer := w.axis
			finer.step /= 100
			out = append(out, tick{w.place(s.from), finer.label(low)})
		}
	}
	return out
}

// apart moves places apart, as little as it takes, so that neighbours have a
// distance and all are between low and high. The places are in order and stay
// in it.
func apart(places []vg.Length, distance, low, high vg.Length) []vg.Length {
	// A block is a run of places at the distance from each other; its first one
	// is where the mean of what its places wish for puts it.
	type block struct {
		first vg.Length
		n     int
	}
	var blocks []block
	for _, p := range places {
		blocks = append(blocks, block{p, 1})
		for n := len(blocks); n > 1; n = len(blocks) {
			a, b := blocks[n-2], blocks[n-1]
			if a.first+vg.Length(a.n)*distance <= b.first {
				break
			}
			wish := (a.first*vg.Length(a.n) + (b.first-vg.Length(a.n)*distance)*vg.Length(b.n)) / vg.Length(a.n+b.n)
			blocks = append(blocks[:n-2], block{wish, a.n + b.n})
		}
	}
	var out []vg.Length
	for _, b := range blocks {
		for i := range b.n {
			out = append(out, b.first+vg.Length(i)*distance)
		}
	}
	floor := low
	for i := range out {
		out[i] = max(out[i], floor)
		floor = out[i] + distance
	}
	ceiling := high
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = min(out[i], ceiling)
		ceiling = out[i] - distance
	}
	return out
}
