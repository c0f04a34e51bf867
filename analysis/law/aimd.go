package law

import (
	"math"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// AIMD is a congestion control that adds Increase packets to its window in each
// round trip and multiplies it by Decrease at a loss (RFC 5681 section 3.1:
// 1 and 0.5).
type AIMD struct {
	Increase float64 // packets a round trip
	Decrease float64 // in (0, 1)
}

// Reno is the congestion control of RFC 5681 and RFC 9002 section 7.
var Reno = AIMD{Increase: 1, Decrease: 0.5}

// QUICGo is quic-go's "Reno": the decrease of CUBIC (RFC 9438 section 4.6) with
// the increase of Reno.
var QUICGo = AIMD{Increase: 1, Decrease: 0.7}

// RandomLoss returns the goodput of a flow that loses each of its packets, which
// carry so many bytes, with probability p and independently, and that nothing
// else limits: C·mss/(rtt·√p).
//
// Between losses half the square of the window grows by Increase with each
// packet, and a loss multiplies it by Decrease². Seen by packets it is
// therefore a sum of independent exponential variables with the means
// Increase·Decrease²ᵏ/p, k = 0, 1, …, and the goodput is the inverse of the mean
// of rtt/window under it (Ott, Kemperman and Mathis 1996, "The stationary
// behavior of ideal TCP congestion avoidance", whose C of Reno is 1.31). It is the
// limit for small p: the round trip of a recovery and the growth in steps, which
// [AIMD.PeriodicLoss] counts, and the lost packets take some 6 % off it at p = 0.01.
func (c AIMD) RandomLoss(p float64, rtt time.Duration, mss netem.Bytes) netem.BitRate {
	return bitRate(c.randomLossConstant() / math.Sqrt(p) * perRoundTrip(rtt, mss))
}

func (c AIMD) randomLossConstant() float64 {
	const terms = 60 // the rest is below 1e-9 up to a decrease of 0.85
	q := c.Decrease * c.Decrease
	sum := 0.0
	for k := range terms {
		weight := 1.0
		for j := range terms {
			if j != k {
				weight /= 1 - math.Pow(q, float64(j-k))
			}
		}
		sum += weight * math.Pow(c.Decrease, -float64(k))
	}
	return math.Sqrt(2*c.Increase/math.Pi) / sum
}

// PeriodicLoss returns the goodput of a flow that loses every k-th of its
// packets, which carry so many bytes, and that nothing else limits. Its window
// falls from W to w = Decrease·W when the loss is detected, and stays there for the
// round trip of the recovery. Then it grows by Increase at the end of each round
// trip, until the next loss. That falls anywhere in a round trip, so that on average half a
// growth is still to come: there are x = (W-w)/Increase + 1/2 round trips after the
// recovery. With the average over all parts of a round trip that the last one may be,
//
//	k = w·(1+x) + Increase·(x² - x + 1/6)/2
//
// packets are sent in 1+x round trips, and one of them does not arrive (Mathis,
// Semke, Mahdavi and Ott 1997, "The macroscopic behavior of the TCP congestion avoidance
// algorithm", has k = (W²-w²)/2: no steps, no recovery, and the lost packet counted in, which for every 100th
// packet gives a sixth more than this).
func (c AIMD) PeriodicLoss(k int, rtt time.Duration, mss netem.Bytes) netem.BitRate {
	// In terms of g = (W-w)/Increase: w = slope·g and x = g + 1/2, so that
	// k = slope·g·(g + 3/2) + Increase·(g² - 1/12)/2.
	slope := c.Increase * c.Decrease / (1 - c.Decrease)
	a2, a1, a0 := slope+c.Increase/2, 1.5*slope, -c.Increase/24-float64(k)
	growth := (-a1 + math.Sqrt(a1*a1-4*a2*a0)) / (2 * a2)
	return bitRate(float64(k-1) / (growth + 1.5) * perRoundTrip(rtt, mss))
}

// Utilisation returns the share of a link's rate that one flow uses whose
// bottleneck has a buffer of so many bandwidth-delay products and drops the
// tail. The window falls from (1+buffer) of them to w = Decrease·(1+buffer);
// below 1 the link has gaps, above it the queue stretches the round trip
// (Appenzeller, Keslassy and McKeown 2004, "Sizing router buffers", section 2,
// for any decrease).
func (c AIMD) Utilisation(buffer float64) float64 {
	top := 1 + buffer
	low := c.Decrease * top
	if low >= 1 {
		return 1
	}
	queued := (top*top - 1) / 2
	return ((1-low*low)/2 + queued) / ((1 - low) + queued)
}

// perRoundTrip is one packet of so many bytes a round trip, in bit/s.
func perRoundTrip(rtt time.Duration, mss netem.Bytes) float64 {
	return 8 * float64(mss) / rtt.Seconds()
}

func bitRate(bitsPerSecond float64) netem.BitRate { return netem.BitRate(math.Round(bitsPerSecond)) }
