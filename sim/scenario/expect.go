package scenario

import (
	"github.com/wtsim/wtsim/internal/claim"
	"github.com/wtsim/wtsim/internal/formula"
)

// Expect is what a metric is expected to be, as written: its formulas are for the
// analysis to evaluate.
type Expect struct {
	Metric string  `toml:"metric" required:"true" doc:"the metric"`
	From   Formula `toml:"from" doc:"start of the time over which the metric is taken"`
	To     Formula `toml:"to" doc:"end of the time over which the metric is taken"`
	Min    Formula `toml:"min" doc:"smallest value expected"`
	Max    Formula `toml:"max" doc:"largest value expected"`
	Equals Formula `toml:"equals" doc:"value expected"`
	Within Formula `toml:"within" doc:"largest distance from 'equals'; a percentage is of that value"`
	Over   Claim   `toml:"over" default:"each" doc:"of what of several seeds it is expected: each; mean; median; a quantile such as p90; confidence, all of the 95 % confidence interval of the mean (confidence99: 99 %)"`
	Seeds  int     `toml:"seeds" default:"1" range:"1..10000" doc:"how many seeds it takes to judge"`
	Known  string  `toml:"known" doc:"why the expectation is known not to be met; when it is met, that is a failure"`
}

// Formula is the text of a number, a quantity or an expression such as
// "0.9 * links.access.rate"; see package formula for the syntax.
type Formula string

// UnmarshalText implements encoding.TextUnmarshaler. It checks the syntax.
func (f *Formula) UnmarshalText(text []byte) error {
	if len(text) > 0 {
		if _, err := formula.Parse(string(text)); err != nil {
			return err
		}
	}
	*f = Formula(text)
	return nil
}

// Claim says of what of several seeds something is expected; see package claim.
type Claim string

// UnmarshalText implements encoding.TextUnmarshaler. It checks the word.
func (c *Claim) UnmarshalText(text []byte) error {
	_, err := claim.Parse(string(text))
	*c = Claim(text)
	return err
}

// checkExpect finds bounds that do not go together.
func (c *checker) checkExpect(i int) error {
	e := c.Expect[i]
	at := func(key string) *node { return c.root.child["expect"].items[i].child[key] }
	switch {
	case e.Equals != "" && e.Min != "":
		return at("min").fail("stands beside 'equals'; expected one or the other")
	case e.Equals != "" && e.Max != "":
		return at("max").fail("stands beside 'equals'; expected one or the other")
	case e.Within != "" && e.Equals == "":
		return at("within").fail("stands without 'equals'")
	case e.Equals == "" && e.Min == "" && e.Max == "":
		return c.root.child["expect"].items[i].fail("no bound for %s; expected 'min', 'max', or 'equals' with 'within'", e.Metric)
	}
	return nil
}
