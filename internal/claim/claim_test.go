package claim

import (
	"strings"
	"testing"
)

func TestClaimsAreReadAndSaid(t *testing.T) {
	for text, want := range map[string]struct {
		Claim
		words string
	}{
		"":             {Claim{}, "each"},
		"each":         {Claim{}, "each"},
		"mean":         {Claim{Statistic: Mean}, "mean"},
		"median":       {Claim{Quantile, 0.5}, "median"},
		"p50":          {Claim{Quantile, 0.5}, "median"},
		"p97.5":        {Claim{Quantile, 0.975}, "p97.5"},
		"confidence":   {Claim{Confidence, 0.95}, "95 % confidence interval"},
		"confidence90": {Claim{Confidence, 0.9}, "90 % confidence interval"},
	} {
		got, err := Parse(text)
		if err != nil || got != want.Claim || got.String() != want.words {
			t.Errorf("%q is %+v, %s (%v), want %+v, %s", text, got, got, err, want.Claim, want.words)
		}
	}
}

func TestOtherWordsAreNoClaims(t *testing.T) {
	for text, want := range map[string]string{
		"maen":          `did you mean "mean"?`,
		"p100":          "expected each, mean, median, a quantile such as p90, or confidence",
		"p0":            "expected each",
		"confidence100": `did you mean "confidence"?`,
		"worst":         "expected each",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %s", text, err, want)
		}
	}
}
