package netem

import (
	"math/big"
	"time"
)

// Profile is what a link could do over time: its rate, its delay and the
// probability that it loses a packet, or some of these. It is not an [Element]:
// who runs a link configures a [Rate], a [Delay] and a [Bernoulli] by the row
// that holds, at the beginning and at each change:
//
//	for at, ok := time.Duration(0), true; ok; at, ok = profile.Next(at) {
//		row := profile.At(at) // holds from at on
//	}
//
// [ParseProfileCSV] and [ParseProfileColumns] read it from a file, and
// [Profile.WriteCSV] writes one.
type Profile struct {
	HasRate, HasDelay, HasLoss bool // which values of the rows count

	Rows   []ProfileRow  // by ascending times, the first at 0
	Period time.Duration // after which they begin again; later than the last row, at most 24 hours
	Once   bool          // they do not begin again: the last row holds for ever
}

// ProfileRow is what holds from a time on.
type ProfileRow struct {
	At    time.Duration // since the beginning of the period
	Rate  BitRate       // at least [Stopped], at most 1 Tbit/s
	Delay time.Duration // one way, 0 to 24 hours
	Loss  float64       // probability, 0 to 1
}

// Stopped is the rate of a link that sends nothing for a while, as 0 is no
// limit in a [Rate]: what is in transmission stays there, for a packet needs
// minutes or hours. A queue with a limit in time takes no packet meanwhile.
const Stopped = BitPerSecond

// At returns the row that holds at a time since the beginning of the profile,
// and the zero row if there is none.
func (p Profile) At(elapsed time.Duration) ProfileRow {
	if len(p.Rows) == 0 {
		return ProfileRow{}
	}
	return p.Rows[max(0, p.after(elapsed-p.begin(elapsed))-1)]
}

// Next returns the first time later than elapsed from which on another row
// holds, both since the beginning of the profile, or false if there is none.
func (p Profile) Next(elapsed time.Duration) (time.Duration, bool) {
	begin := p.begin(elapsed)
	switch i := p.after(elapsed - begin); {
	case i < len(p.Rows):
		return begin + p.Rows[i].At, true
	case p.Once || p.Period <= 0 || len(p.Rows) < 2:
		return 0, false
	}
	return begin + p.Period, true
}

// begin returns when the period began that elapsed is in.
func (p Profile) begin(elapsed time.Duration) time.Duration {
	if p.Once || p.Period <= 0 || elapsed < 0 {
		return 0
	}
	return elapsed / p.Period * p.Period
}

// after returns the index of the first row later than a time in the period.
func (p Profile) after(t time.Duration) int {
	low, high := 0, len(p.Rows)
	for low < high {
		if mid := (low + high) / 2; p.Rows[mid].At <= t {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// length returns how long a row holds in a period.
func (p Profile) length(i int) time.Duration {
	end := p.Period
	if i+1 < len(p.Rows) {
		end = p.Rows[i+1].At
	}
	return end - p.Rows[i].At
}

// Rates returns the least rate of a period, the mean over time, rounded down,
// and the largest rate.
func (p Profile) Rates() (least, mean, most BitRate) {
	l, m, h := p.spread(func(r ProfileRow) int64 { return int64(r.Rate) })
	return BitRate(l), BitRate(m), BitRate(h)
}

// Delays returns the least delay of a period, the mean over time, rounded down,
// and the largest delay.
func (p Profile) Delays() (least, mean, most time.Duration) {
	l, m, h := p.spread(func(r ProfileRow) int64 { return int64(r.Delay) })
	return time.Duration(l), time.Duration(m), time.Duration(h)
}

func (p Profile) spread(value func(ProfileRow) int64) (least, mean, most int64) {
	if len(p.Rows) == 0 || p.Period <= 0 {
		return 0, 0, 0
	}
	sum, product := new(big.Int), new(big.Int)
	least = value(p.Rows[0])
	for i, row := range p.Rows {
		v := value(row)
		least, most = min(least, v), max(most, v)
		sum.Add(sum, product.Mul(big.NewInt(v), big.NewInt(int64(p.length(i)))))
	}
	return least, sum.Div(sum, big.NewInt(int64(p.Period))).Int64(), most
}

// Losses returns the least probability of loss in a period, the mean over time,
// and the largest.
func (p Profile) Losses() (least, mean, most float64) {
	if len(p.Rows) == 0 || p.Period <= 0 {
		return 0, 0, 0
	}
	least = p.Rows[0].Loss
	for i, row := range p.Rows {
		least, most = min(least, row.Loss), max(most, row.Loss)
		mean += float64(row.Loss * float64(p.length(i))) // the conversion keeps processors from fusing the two operations
	}
	return least, mean / float64(p.Period), most
}
