package netem

import (
	"math"
	"slices"
	"time"
)

const (
	// never is the lookahead of a path without quiet steps.
	never time.Duration = math.MaxInt64

	// distant is later than every step, and leaves room for sums.
	distant = never / 2
)

// foresee works out the path's lookahead and that of packets that enter it. An
// element that does not say how it delays packets may not delay them at all. One
// that has called AtQuiet may have calls ahead whatever its configuration is now.
func (p *Path) foresee() {
	p.lookahead = never
	ahead := p.beyond
	for _, stage := range slices.Backward(p.stages) {
		if stage.ahead = ahead; stage.quiet {
			p.lookahead = min(p.lookahead, ahead)
		}
		if r, ok := stage.runner.(prompt); ok {
			ahead = r.lookahead(ahead)
		} else {
			ahead = 0
		}
	}
	p.entry = ahead
}

// Lookahead returns the bound of [Clock.AtQuiet]: the least time that any link
// needs from a quiet step to the next one that cannot be put off, there or on a
// link beyond a router. It changes when links are added, configured and first
// used, and is 0 while no link has had a quiet step.
func (n *Network) Lookahead() time.Duration {
	if n.stale {
		n.stale = false
		n.lookBeyondRouters()
		n.lookahead = never
		for _, l := range n.links {
			n.lookahead = min(n.lookahead, l.Forward.lookahead, l.Reverse.lookahead)
		}
	}
	if n.lookahead == never {
		return 0
	}
	return n.lookahead
}

// lookBeyondRouters gives each path to a router the least time that a packet
// then needs, whichever way it goes on: the shortest of all ways to a step that
// cannot be put off, found by relaxation.
func (n *Network) lookBeyondRouters() {
	for _, r := range n.routers {
		for _, p := range r.exits {
			p.twin.beyond = distant
			p.twin.foresee()
		}
	}
	for changed := true; changed; {
		changed = false
		for _, r := range n.routers {
			least := distant
			for _, p := range r.exits {
				least = min(least, p.entry)
			}
			for _, p := range r.exits {
				if p.twin.beyond > least {
					p.twin.beyond, changed = least, true
					p.twin.foresee()
				}
			}
		}
	}
}

// lookaheadChanged says that the lookahead of a path has changed, or that of
// packets that enter it.
func (n *Network) lookaheadChanged(p *Path, lookahead, entry time.Duration) {
	switch {
	case p.from.router > 0 && p.entry != entry:
		n.stale = true
	case p.lookahead <= n.lookahead:
		n.lookahead = p.lookahead
	case lookahead == n.lookahead:
		n.stale = true
	}
}
