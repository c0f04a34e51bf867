// Package claim holds what can be claimed of the runs of several seeds.
package claim

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/wtsim/wtsim/internal/nearest"
)

// Claim says of what of several runs something is claimed. The zero value claims it
// of each of them.
type Claim struct {
	Statistic Statistic
	Share     float64 // of a quantile or a confidence, between 0 and 1
}

// Statistic is what a claim takes of the runs.
type Statistic uint8

// The statistics of claims.
const (
	Each       Statistic = iota // every run
	Mean                        // the mean
	Quantile                    // a quantile
	Confidence                  // the confidence interval of the mean, all of it
)

var withShare = regexp.MustCompile(`^(p|confidence)(\d+(?:\.\d+)?)$`)

// Parse reads "each" (or ""), "mean", "median", a quantile such as "p90", or
// "confidence" for the mean with all of its 95 % confidence interval
// (Student's t), "confidence99" for that of 99 %.
func Parse(text string) (Claim, error) {
	switch text {
	case "", "each":
		return Claim{}, nil
	case "mean":
		return Claim{Statistic: Mean}, nil
	case "median":
		return Claim{Quantile, 0.5}, nil
	case "confidence":
		return Claim{Confidence, 0.95}, nil
	}
	if m := withShare.FindStringSubmatch(text); m != nil {
		if percent, err := strconv.ParseFloat(m[2], 64); err == nil && percent > 0 && percent < 100 {
			if m[1] == "p" {
				return Claim{Quantile, percent / 100}, nil
			}
			return Claim{Confidence, percent / 100}, nil
		}
	}
	if like := nearest.Word(text, []string{"each", "mean", "median", "confidence"}); like != "" {
		return Claim{}, fmt.Errorf("%q; did you mean %q?", text, like)
	}
	return Claim{}, fmt.Errorf("%q; expected each, mean, median, a quantile such as p90, or confidence", text)
}

// String returns the claim in words.
func (c Claim) String() string {
	percent := strconv.FormatFloat(100*c.Share, 'g', 4, 64)
	switch {
	case c.Statistic == Mean:
		return "mean"
	case c.Statistic == Quantile && c.Share == 0.5:
		return "median"
	case c.Statistic == Quantile:
		return "p" + percent
	case c.Statistic == Confidence:
		return percent + " % confidence interval"
	}
	return "each"
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Claim) UnmarshalText(text []byte) (err error) {
	*c, err = Parse(string(text))
	return err
}
