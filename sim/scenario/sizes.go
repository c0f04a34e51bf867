package scenario

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/internal/variate"
	"github.com/wtsim/wtsim/netem"
)

// Sizes is the distribution of a bulk flow's size, of which the flow of each
// session of a group has one value. Kind selects the type of Config.
type Sizes struct {
	Kind   string      `toml:"kind" default:"none" doc:"the distribution of the flow's size, drawn for each session of a group"`
	Most   netem.Bytes `toml:"most" range:"1B..1000GB" doc:"where the distribution is cut off: the sizes have it on the condition that they are no larger; default: nowhere"`
	Config SizesConfig `toml:",inline"`
}

// SizesConfig is the configuration of one distribution of sizes.
type SizesConfig interface {
	// of returns the size that belongs to one of 2^64 equally likely numbers: the
	// larger r, the smaller it is.
	of(r uint64) int64
}

// sizeKinds are the distributions of sizes, in the order in which they are listed.
var sizeKinds = []kind{
	{name: "none", doc: "the flow has the size that 'size' says, or a duration", config: func() any { return &NoSizes{} }},
	{
		name: "exponential", doc: "an exponential distribution", config: func() any { return &ExponentialSizes{} },
		example: `
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "exponential", mean = "100KB" }`,
	},
	{
		name: "pareto", doc: "a Pareto distribution: many small flows, and a few that carry most of the bytes; with 'most' a bounded one", config: func() any { return &ParetoSizes{} },
		example: `
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "pareto", mean = "70KB", shape = 1.2, most = "10MB" }`,
	},
	{
		name: "cdf", doc: "a measured distribution, as points of its distribution function", config: func() any { return &MeasuredSizes{} },
		example: `
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "cdf", points = [{ size = "1KB", p = 0.2 }, { size = "20KB", p = 0.9 }, { size = "1MB", p = 1.0 }] }`,
	},
	{
		name: "web_search", doc: "flows of a web search cluster, 1.7 MB on average and at most 29.2 MB: M. Alizadeh et al., Data Center TCP, SIGCOMM 2010, in packets of 1460 bytes as in the simulations since pFabric, SIGCOMM 2013", config: func() any { return &WebSearchSizes{} },
		example: `
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "web_search" }`,
	},
	{
		name: "data_mining", doc: "flows of a data mining cluster, 7.5 MB on average, half of one packet, at most 973 MB: A. Greenberg et al., VL2, SIGCOMM 2009, in packets of 1460 bytes as in the simulations since pFabric", config: func() any { return &DataMiningSizes{} },
		example: `
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "data_mining", most = "100MB" }`,
	},
}

// NoSizes is kind none.
type NoSizes struct{}

// ExponentialSizes is kind exponential.
type ExponentialSizes struct {
	Mean netem.Bytes `toml:"mean" required:"true" range:"1B..1000GB" doc:"mean of the sizes, before they are cut off"`
}

// ParetoSizes is kind pareto. The least size is Mean·(Shape−1)/Shape.
type ParetoSizes struct {
	Mean  netem.Bytes `toml:"mean" required:"true" range:"1B..1000GB" doc:"mean of the sizes, before they are cut off; the least is mean·(shape−1)/shape"`
	Shape float64     `toml:"shape" required:"true" range:"1.01..1000" doc:"the shape; the variance is infinite up to 2, and the tail of files on the web has some 1.1 (M. Crovella and A. Bestavros, IEEE/ACM Transactions on Networking 5(6), 1997)"`
}

// MeasuredSizes is kind cdf.
type MeasuredSizes struct {
	Points Points `toml:"points" required:"true" doc:"points { size, p } in ascending order: the share p of the flows is no larger than size. Between two points all sizes are equally likely; the p of the first have just its size, and that of the last is 1"`
}

// WebSearchSizes is kind web_search.
type WebSearchSizes struct{}

// DataMiningSizes is kind data_mining.
type DataMiningSizes struct{}

func (*NoSizes) of(uint64) int64              { return 0 }
func (e *ExponentialSizes) of(r uint64) int64 { return variate.Exponential(int64(e.Mean)).Of(r) }
func (p *ParetoSizes) of(r uint64) int64      { return variate.Pareto(int64(p.Mean), p.Shape).Of(r) }
func (m *MeasuredSizes) of(r uint64) int64    { return m.Points.of(r) }
func (*WebSearchSizes) of(r uint64) int64     { return webSearch.of(r) }
func (*DataMiningSizes) of(r uint64) int64    { return dataMining.of(r) }

// Points is a distribution function.
type Points []Point

// Point says which share of the sizes is no larger than one.
type Point struct {
	Size netem.Bytes `toml:"size" required:"true" range:"1B..1000GB" doc:"a size"`
	P    float64     `toml:"p" required:"true" range:"0..1" doc:"share of the flows that are no larger"`
}

// webSearch and dataMining are the tables that simulations of data centres use,
// in packets of 1460 bytes: their means are known as 1138 and 5117 packets.
var (
	webSearch = packets(Points{
		{6, 0.15}, {13, 0.2}, {19, 0.3}, {33, 0.4}, {53, 0.53}, {133, 0.6},
		{667, 0.7}, {1333, 0.8}, {3333, 0.9}, {6667, 0.97}, {20_000, 1},
	})
	dataMining = packets(Points{
		{1, 0.5}, {2, 0.6}, {3, 0.7}, {7, 0.8}, {267, 0.9}, {2107, 0.95}, {66_667, 0.99}, {666_667, 1},
	})
)

func packets(p Points) Points {
	for i := range p {
		p[i].Size *= 1460
	}
	return p
}

// share returns p in units of 2^-64, at most one less than 1.
func (p Point) share() uint64 {
	if p.P >= 1 {
		return math.MaxUint64
	}
	return uint64(p.P*(1<<63)) << 1
}

func (p Points) of(r uint64) int64 {
	q := ^r
	i, _ := slices.BinarySearchFunc(p, q, func(p Point, q uint64) int {
		if p.share() < q {
			return -1
		}
		return 1
	})
	if i == 0 {
		return int64(p[0].Size)
	}
	low, high := p[i-1], p[i]
	hi, lo := bits.Mul64(uint64(high.Size-low.Size), q-low.share())
	above, _ := bits.Div64(hi, lo, high.share()-low.share())
	return int64(low.Size) + int64(above)
}

// text returns the points as TOML.
func (p Points) text() string {
	points := make([]string, len(p))
	for i, x := range p {
		points[i] = fmt.Sprintf("{ size = %s, p = %v }", quote(x.Size.String()), x.P)
	}
	return "[" + strings.Join(points, ", ") + "]"
}

// draw returns the size that belongs to r. The numbers from floor on have sizes
// up to Most, to which all are mapped.
func (s *Sizes) draw(r uint64) netem.Bytes {
	if s.Most == 0 {
		return netem.Bytes(s.Config.of(r))
	}
	if floor := s.floor(); floor > 0 {
		above, _ := bits.Mul64(r, -floor) // of 2^64 − floor
		r = floor + above
	}
	return min(netem.Bytes(s.Config.of(r)), s.Most)
}

// floor returns the least number whose size is at most Most.
func (s *Sizes) floor() uint64 {
	low, high := uint64(0), uint64(math.MaxUint64)
	for low < high {
		if middle := low + (high-low)/2; netem.Bytes(s.Config.of(middle)) <= s.Most {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// SizeOf returns how many bytes a bulk flow of a session moves, at least one on
// each stream, and 0 for one that has a duration. A drawn size belongs to the
// scenario's seed and the names of the session and the flow.
func (s *Scenario) SizeOf(in Instance, flow *Flow) netem.Bytes {
	b, ok := flow.Config.(*Bulk)
	switch {
	case !ok:
		return 0
	case b.Sizes.drawn():
		random := netem.NewRand(s.Seed, "sessions."+in.Name+".flows."+flow.Name+"/size")
		return max(b.Sizes.draw(random.Uint64()), netem.Bytes(b.Streams))
	}
	return b.Size
}

// drawn reports whether there is a distribution.
func (s *Sizes) drawn() bool {
	_, none := s.Config.(*NoSizes)
	return s.Config != nil && !none
}

// SizeKinds describes the distributions of a bulk flow's size, each with the keys
// of its own.
func SizeKinds() []Table {
	var tables []Table
	for _, k := range sizeKinds[1:] {
		tables = append(tables, k.describe("sizes"))
	}
	return append(tables, describe("sizes.points", "a distribution function; a list of { size, p }", &Point{}).example(`
[sessions.main.flows.page]
kind = "download"
sizes = { kind = "cdf", points = [{ size = "10KB", p = 0.0 }, { size = "100KB", p = 1.0 }] }`))
}
