package law

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// GilbertElliott returns the share of packets that the Gilbert–Elliott model
// loses: p is the probability to go from the good state to the bad one, r that to
// come back, h the share that arrives in the bad state and k that in the good one
// (Gilbert 1960 with k = 1, Elliott 1963; the letters are those of tc-netem(8),
// where 1-h and 1-k are given).
func GilbertElliott(p, r, h, k float64) float64 {
	return ((1-h)*p + (1-k)*r) / (p + r)
}

// GilbertElliottBurst returns the mean number of packets of one stay in the bad
// state that is left with probability r after each packet.
func GilbertElliottBurst(r float64) float64 { return 1 / r }

// TokenBucket returns the most bytes that a token bucket of a rate and a burst
// lets pass within any stretch of time of the given length (RFC 2697 section 3;
// Linux tc-tbf(8)).
func TokenBucket(burst netem.Bytes, rate netem.BitRate, over time.Duration) netem.Bytes {
	return burst + netem.Bytes(float64(rate)/8*over.Seconds())
}

// Serialisation returns the time that a link of a rate needs to send so many
// bytes.
func Serialisation(size netem.Bytes, rate netem.BitRate) time.Duration {
	return seconds(8 * float64(size) / float64(rate))
}
