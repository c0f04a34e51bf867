package expect

import (
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
		formula.Number, "p", formula.Time, "rtt", formula.Data, "payload"),
	"law.periodic_loss": function(
		func(q []formula.Quantity) formula.Quantity {
			return rate(law.QUICGo.PeriodicLoss(int(q[0].Value), duration(q[1]), size(q[2])))
		},
		formula.Number, "k", formula.Time, "rtt", formula.Data, "payload"),
	"law.utilisation": function(
		func(q []formula.Quantity) formula.Quantity { return number(law.QUICGo.Utilisation(q[0].Value)) },
		formula.Number, "buffer"),
	"law.md1": function(
		func(q []formula.Quantity) formula.Quantity { return interval(law.MD1(q[0].Value, duration(q[1]))) },
		formula.Number, "load", formula.Time, "service"),
	"law.mm1": function(
		func(q []formula.Quantity) formula.Quantity { return interval(law.MM1(q[0].Value, duration(q[1]))) },
		formula.Number, "load", formula.Time, "service"),
	"law.blocking": function(
		func(q []formula.Quantity) formula.Quantity { return number(law.Blocking(q[0].Value, int(q[1].Value))) },
		formula.Number, "load", formula.Number, "places"),
	"law.gilbert_elliott": function(
		func(q []formula.Quantity) formula.Quantity {
			return number(law.GilbertElliott(q[0].Value, q[1].Value, q[2].Value, q[3].Value))
		},
		formula.Number, "p", formula.Number, "r", formula.Number, "h", formula.Number, "k"),
	"law.serialisation": function(
		func(q []formula.Quantity) formula.Quantity {
			return interval(law.Serialisation(size(q[0]), netem.BitRate(math.Round(q[1].Value))))
		},
		formula.Data, "size", formula.Rate, "rate"),
	"law.pto": function(
		func(q []formula.Quantity) formula.Quantity {
			return interval(law.PTO(duration(q[0]), duration(q[1]), duration(q[2]), int(q[3].Value)))
		},
		formula.Time, "smoothed", formula.Time, "variation", formula.Time, "max_ack_delay", formula.Number, "expired"),
}

// function returns a function of formulas whose parameters have the dimensions and
// names that follow in pairs.
func function(call func([]formula.Quantity) formula.Quantity, pairs ...any) formula.Function {
	f := formula.Function{Call: func(q []formula.Quantity) (formula.Quantity, error) { return call(q), nil }}
	for i := 0; i < len(pairs); i += 2 {
		f.Parameters = append(f.Parameters, formula.Parameter{Dimension: pairs[i].(formula.Dimension), Name: pairs[i+1].(string)})
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
