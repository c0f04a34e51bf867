package analysis

import (
	"fmt"
	"time"
)

// timeTo is a number of bytes, and the metric that says when a flow had
// delivered them.
type timeTo struct {
	bytes  int64
	metric *Definition
}

// flowTimeTo are 1500·10^n bytes: one packet, the initial window and so on to
// what shows the steady state.
var flowTimeTo = defineTimeTo(1_500, 15_000, 150_000, 1_500_000, 15_000_000, 150_000_000, 1_500_000_000)

func defineTimeTo(bytes ...int64) []timeTo {
	var all []timeTo
	for _, n := range bytes {
		all = append(all, timeTo{n, define(ofFlow, fmt.Sprintf("time_to.%d", n), "s", fmt.Sprintf("time from the flow's start until %d bytes were handed to the receiving application, late by less than the 10 ms between samples", n), "samples flow.delivered")})
	}
	return all
}

// reached holds when a flow had delivered the bytes of flowTimeTo, as far as it
// has.
type reached []time.Duration

func (r *reached) add(at time.Duration, delivered float64) {
	for len(*r) < len(flowTimeTo) && delivered >= float64(flowTimeTo[len(*r)].bytes) {
		*r = append(*r, at)
	}
}
