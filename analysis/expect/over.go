package expect

import (
	"slices"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/internal/claim"
)

// margin returns by how much the runs keep a bound, given by how much the value of
// each exceeds it, and whether there are enough runs to say so. It is negative
// for a bound that is not kept.
func margin(c claim.Claim, excess []float64, upper bool) (float64, bool) {
	room := slices.Clone(excess) // towards the bound
	share := c.Share
	if upper {
		share = 1 - share // the largest value has the least room
		for i := range room {
			room[i] = 0 - room[i] // no negative zero
		}
	}
	switch {
	case len(room) == 0:
		return 0, false
	case c.Statistic == claim.Each:
		return slices.Min(room), true
	case c.Statistic == claim.Quantile:
		m, err := stat.Quantile(room, share)
		return m, err == nil
	case c.Statistic == claim.Mean:
		share = 0.95 // of an interval that is not looked at
	default:
		share = c.Share
	}
	e, err := stat.Mean(room, share)
	if c.Statistic == claim.Confidence {
		return e.Interval.Low, err == nil && e.Interval.Exists()
	}
	return e.Value, err == nil
}

// center returns the statistic of values that the claim is about, of a confidence
// interval its middle.
func center(c claim.Claim, values []float64) (float64, error) {
	if c.Statistic == claim.Quantile {
		return stat.Quantile(values, c.Share)
	}
	e, err := stat.Mean(values, 0.95)
	return e.Value, err
}
