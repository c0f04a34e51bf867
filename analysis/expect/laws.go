package expect

import (
	"fmt"
	"math"
	"time"

	"github.com/wtsim/wtsim/analysis/law"
	"github.com/wtsim/wtsim/internal/formula"
	"github.com/wtsim/wtsim/netem"
)

// laws are the functions of formulas: those of package law, with quic-go's
// congestion control where one is meant.
var laws = map[string]formula.Function{
	"law.random_loss": function(
		func(q []formula.Quantity) formula.Quantity {
			return rate(law.QUICGo.RandomLoss(q[0].Value, duration(q[1]), size(q[2])))
		},
		some("p", formula.Number, 1), some("rtt", formula.Time, longest), some("payload", formula.Data, largest)),
	"law.periodic_loss": function(
		func(q []formula.Quantity) formula.Quantity {
			return rate(law.QUICGo.PeriodicLoss(int(q[0].Value), duration(q[1]), size(q[2])))
		},
		whole("k", 1, 1e9), some("rtt", formula.Time, longest), some("payload", formula.Data, largest)),
	"law.utilisation": function(
		func(q []formula.Quantity) formula.Quantity { return number(law.QUICGo.Utilisation(q[0].Value)) },
		upTo("buffer", formula.Number, 1e6)),
	"law.md1": function(
		func(q []formula.Quantity) formula.Quantity { return interval(law.MD1(q[0].Value, duration(q[1]))) },
		upTo("load", formula.Number, below1), upTo("service", formula.Time, 1e3)),
	"law.mm1": function(
		func(q []formula.Quantity) formula.Quantity { return interval(law.MM1(q[0].Value, duration(q[1]))) },
		upTo("load", formula.Number, below1), upTo("service", formula.Time, 1e3)),
	"law.blocking": function(
		func(q []formula.Quantity) formula.Quantity { return number(law.Blocking(q[0].Value, int(q[1].Value))) },
		upTo("load", formula.Number, 1e6), whole("places", 1, 1e6)),
	"law.codel_drops": function(
		func(q []formula.Quantity) formula.Quantity {
			return number(float64(law.CoDelDrops(duration(q[0]), duration(q[1]))))
		},
		parameter{"interval", formula.Time, 1e-3, longest, false}, parameter{"within", formula.Time, -longest, 1000, false}),
	"law.gilbert_elliott": function(
		func(q []formula.Quantity) formula.Quantity {
			return number(law.GilbertElliott(q[0].Value, q[1].Value, q[2].Value, q[3].Value))
		},
		some("p", formula.Number, 1), some("r", formula.Number, 1), upTo("h", formula.Number, 1), upTo("k", formula.Number, 1)),
	"law.burst": function(
		func(q []formula.Quantity) formula.Quantity { return number(law.GilbertElliottBurst(q[0].Value)) },
		some("r", formula.Number, 1)),
	"law.token_bucket": function(
		func(q []formula.Quantity) formula.Quantity {
			most := law.TokenBucket(size(q[0]), netem.BitRate(math.Round(q[1].Value)), duration(q[2]))
			return formula.Quantity{Value: 8 * float64(most), Dimension: formula.Data}
		},
		upTo("burst", formula.Data, 8e12), upTo("rate", formula.Rate, 1e12), upTo("over", formula.Time, longest)),
	"law.idle_timeout": function(
		func(q []formula.Quantity) formula.Quantity {
			return interval(law.IdleTimeout(duration(q[0]), duration(q[1])))
		},
		upTo("client", formula.Time, longest), upTo("server", formula.Time, longest)),
	"law.serialisation": function(
		func(q []formula.Quantity) formula.Quantity {
			return interval(law.Serialisation(size(q[0]), netem.BitRate(math.Round(q[1].Value))))
		},
		upTo("size", formula.Data, 8e12), parameter{"rate", formula.Rate, 1e3, 1e18, false}),
	"law.pto": function(
		func(q []formula.Quantity) formula.Quantity {
			return interval(law.PTO(duration(q[0]), duration(q[1]), duration(q[2]), int(q[3].Value)))
		},
		upTo("smoothed", formula.Time, longest), upTo("variation", formula.Time, longest), upTo("max_ack_delay", formula.Time, longest), whole("expired", 0, 10)),
}

// parameter is what a law takes, with the values for which it holds and its value
// is a time.Duration or a rate: beyond them there is an error.
type parameter struct {
	name      string
	dimension formula.Dimension
	low, high float64 // in base units
	whole     bool
}

const (
	longest = 1e6       // seconds
	largest = 8 * 65535 // bits of a packet
	least   = 1e-6      // of what must not be 0
	below1  = 1 - least
)

func upTo(name string, d formula.Dimension, high float64) parameter {
	return parameter{name, d, 0, high, false}
}

func some(name string, d formula.Dimension, high float64) parameter {
	return parameter{name, d, least, high, false}
}

func whole(name string, low, high float64) parameter {
	return parameter{name, formula.Number, low, high, true}
}

func (p parameter) check(q formula.Quantity) error {
	switch {
	case !(q.Value >= p.low && q.Value <= p.high):
		return fmt.Errorf("%s is %v; expected %v to %v", p.name, q, formula.Quantity{Value: p.low, Dimension: p.dimension}, formula.Quantity{Value: p.high, Dimension: p.dimension})
	case p.whole && q.Value != math.Trunc(q.Value):
		return fmt.Errorf("%s is %v; expected a whole number", p.name, q)
	}
	return nil
}

// function returns a function of formulas.
func function(call func([]formula.Quantity) formula.Quantity, parameters ...parameter) formula.Function {
	f := formula.Function{Call: func(q []formula.Quantity) (formula.Quantity, error) {
		for i, p := range parameters {
			if err := p.check(q[i]); err != nil {
				return formula.Quantity{}, err
			}
		}
		return call(q), nil
	}}
	for _, p := range parameters {
		f.Parameters = append(f.Parameters, formula.Parameter{Name: p.name, Dimension: p.dimension})
	}
	return f
}

func number(v float64) formula.Quantity { return formula.Quantity{Value: v} }

func rate(r netem.BitRate) formula.Quantity {
	return formula.Quantity{Value: float64(r), Dimension: formula.Rate}
}

func interval(d time.Duration) formula.Quantity {
	return formula.Quantity{Value: d.Seconds(), Dimension: formula.Time}
}

func duration(q formula.Quantity) time.Duration {
	return time.Duration(math.Round(q.Value * float64(time.Second)))
}

func size(q formula.Quantity) netem.Bytes { return netem.Bytes(math.Round(q.Value / 8)) }
