package netem

import (
	"fmt"
	"time"
)

// little keeps two accounts of an element. The integral over time of the number
// of packets that it holds is the sum of the times that they spend in it, in
// nanoseconds exactly: J. D. C. Little's law, L = λW (Operations Research 9,
// 1961) times the length of the run. The number is kept without regard to which
// packet comes or goes, and the times come from the packets, so that they differ
// if an element hands on a packet twice and forgets another, which conservation
// does not find.
//
// Both sums are modulo 2^64, of which a wrong one would have to be wrong by
// 584 years.
type little struct {
	integral uint64 // of the number up to now, less the number times now
	sojourns uint64 // of packets that have left
}

func (l *little) enter(p *Packet, now time.Duration) {
	l.integral -= uint64(now)
	p.entered = now
}

func (l *little) leave(p *Packet, now time.Duration) {
	l.integral += uint64(now)
	l.sojourns += uint64(now - p.entered)
}

// check compares the accounts at a time, for a number of packets that are held
// now.
func (l *little) check(now time.Duration, number int64, held func(yield func(*Packet))) error {
	integral, sojourns := l.integral+uint64(number)*uint64(now), l.sojourns
	held(func(p *Packet) { sojourns += uint64(now - p.entered) })
	if integral != sojourns {
		return fmt.Errorf("its number of packets over time comes to %s, but they spent %s in it", time.Duration(integral), time.Duration(sojourns))
	}
	return nil
}
