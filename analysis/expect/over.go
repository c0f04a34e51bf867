package expect

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/internal/nearest"
)

// Over says what an expectation claims of the runs of several seeds. The zero
// value claims that each of them meets it.
type Over struct {
	statistic statistic
	share     float64 // of a quantile or a confidence
}

type statistic uint8

const (
	each statistic = iota
	mean
	quantile
	confidence
)

var overShare = regexp.MustCompile(`^(p|confidence)(\d+(?:\.\d+)?)$`)

// ParseOver reads "each" (or ""), "mean", "median", a quantile such as "p90", or
// "confidence" for the mean with all of its 95 % confidence interval
// (Student's t), "confidence99" for that of 99 %.
func ParseOver(text string) (Over, error) {
	switch text {
	case "", "each":
		return Over{}, nil
	case "mean":
		return Over{statistic: mean}, nil
	case "median":
		return Over{quantile, 0.5}, nil
	case "confidence":
		return Over{confidence, 0.95}, nil
	}
	if m := overShare.FindStringSubmatch(text); m != nil {
		if percent, err := strconv.ParseFloat(m[2], 64); err == nil && percent > 0 && percent < 100 {
			if m[1] == "p" {
				return Over{quantile, percent / 100}, nil
			}
			return Over{confidence, percent / 100}, nil
		}
	}
	if like := nearest.Word(text, []string{"each", "mean", "median", "confidence"}); like != "" {
		return Over{}, fmt.Errorf("over = %q; did you mean %q?", text, like)
	}
	return Over{}, fmt.Errorf("over = %q; expected each, mean, median, a quantile such as p90, or confidence", text)
}

// String returns the claim in words.
func (o Over) String() string {
	percent := strconv.FormatFloat(100*o.share, 'g', 4, 64)
	switch {
	case o.statistic == mean:
		return "mean"
	case o.statistic == quantile && o.share == 0.5:
		return "median"
	case o.statistic == quantile:
		return "p" + percent
	case o.statistic == confidence:
		return percent + " % confidence interval"
	}
	return "each"
}

// margin returns by how much the runs keep a bound, given by how much the value of
// each exceeds it, and whether there are enough runs to say so. It is negative
// for a bound that is not kept.
func (o Over) margin(excess []float64, upper bool) (float64, bool) {
	room := slices.Clone(excess) // towards the bound
	share := o.share
	if upper {
		share = 1 - share // the largest value has the least room
		for i := range room {
			room[i] = -room[i]
		}
	}
	switch {
	case len(room) == 0:
		return 0, false
	case o.statistic == each:
		return slices.Min(room), true
	case o.statistic == quantile:
		m, err := stat.Quantile(room, share)
		return m, err == nil
	case o.statistic == mean:
		share = 0.95 // of an interval that is not looked at
	default:
		share = o.share
	}
	e, err := stat.Mean(room, share)
	if o.statistic == confidence {
		return e.Interval.Low, err == nil && e.Interval.Exists()
	}
	return e.Value, err == nil
}

// center returns the statistic of values that the claim is about, of a confidence
// interval its middle.
func (o Over) center(values []float64) (float64, error) {
	if o.statistic == quantile {
		return stat.Quantile(values, o.share)
	}
	e, err := stat.Mean(values, 0.95)
	return e.Value, err
}
