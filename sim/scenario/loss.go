package scenario

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Loss configures the loss of a link direction. Kind selects the type of
// Config.
type Loss struct {
	Kind   string        `toml:"kind" default:"none" doc:"the model of loss; p alone means bernoulli"`
	Above  netem.Bytes   `toml:"above" default:"0B" range:"0B..65535B" doc:"only datagrams with more UDP payload than that"`
	From   time.Duration `toml:"from" default:"0s" range:"0s..24h" doc:"only from this virtual time on"`
	Until  time.Duration `toml:"until" default:"0s" range:"0s..24h" special:"0" doc:"only until this virtual time; 0 is no end"`
	Burst  uint64        `toml:"burst" default:"0" range:"0..1000000" special:"0" doc:"the most datagrams that are lost in a row, of any kind of loss; 0 is any number"`
	Config LossConfig    `toml:",inline"`
}

// LossConfig is the configuration of one kind of loss.
type LossConfig interface {
	// model returns the link element's configuration, nil for no loss.
	model() netem.Loss
}

// lossKinds are the kinds of loss, in the order in which they are listed.
var lossKinds = []kind{
	{name: "none", doc: "no loss", config: func() any { return &NoLoss{} }},
	{
		name: "bernoulli", doc: "each datagram is lost with probability p", config: func() any { return &Bernoulli{} },
		linux:   "tc-netem: loss random",
		example: `loss = { kind = "bernoulli", p = 0.01 } # or loss = 0.01`,
	},
	{
		name: "gilbert_elliott", doc: "a good and a bad state, each with a probability of loss: bursts", config: func() any { return &GilbertElliott{} },
		linux:   "tc-netem: loss gemodel",
		example: `loss = { kind = "gilbert_elliott", p = 0.002, r = 0.2 } # bursts of 5 datagrams on average, 1 % in all`,
	},
	{
		name: "markov", doc: "the four states of tc-netem's 'loss state'", config: func() any { return &Markov{} },
		linux:   "tc-netem: loss state",
		example: `loss = { kind = "markov", p13 = 0.005, p31 = 0.25, p32 = 0.1 }`,
	},
	{
		name: "periodic", doc: "every k-th datagram is lost", config: func() any { return &Periodic{} },
		linux:   "iptables -m statistic --mode nth",
		example: `loss = { kind = "periodic", every = 100 }`,
	},
	{
		name: "listed", doc: "the datagrams with given numbers are lost", config: func() any { return &ListedLoss{} },
		example: `loss = { kind = "listed", packets = [2, 3, 4, 5, 6, 7] }`,
	},
	{
		name: "mask", doc: "a pattern of 64 datagrams, which repeats", config: func() any { return &LossMask{} },
		example: `loss = { kind = "mask", mask = 0x8001 } # the 1st and the 16th of every 64`,
	},
}

// NoLoss is kind none.
type NoLoss struct{}

// Bernoulli is kind bernoulli. See [netem.Bernoulli].
type Bernoulli struct {
	P           float64 `toml:"p" required:"true" range:"0..1" short:"true" doc:"probability that a datagram is lost"`
	Correlation float64 `toml:"correlation" default:"0" range:"0..1" doc:"how much it depends on the datagram before, as in Linux, where it also changes the share that is lost: see netem.Bernoulli"`
}

// GilbertElliott is kind gilbert_elliott. See [netem.GilbertElliott].
type GilbertElliott struct {
	P    float64 `toml:"p" required:"true" range:"0..1" doc:"probability of going from the good to the bad state, a datagram"`
	R    float64 `toml:"r" required:"true" range:"0..1" doc:"probability of going back; a mean burst is 1/r datagrams long"`
	Bad  float64 `toml:"bad" default:"1" range:"0..1" doc:"probability of loss in the bad state, 1−h"`
	Good float64 `toml:"good" default:"0" range:"0..1" doc:"probability of loss in the good state, 1−k"`
}

// Markov is kind markov. See [netem.Markov].
type Markov struct {
	P13 float64 `toml:"p13" required:"true" range:"0..1" doc:"probability of going from a gap to a burst"`
	P31 float64 `toml:"p31" required:"true" range:"0..1" doc:"probability of going from a burst to a gap"`
	P32 float64 `toml:"p32" default:"0" range:"0..1" doc:"probability of a delivery within a burst"`
	P23 float64 `toml:"p23" default:"1" range:"0..1" doc:"probability of the next loss of the burst after it"`
	P14 float64 `toml:"p14" default:"0" range:"0..1" doc:"probability of a single loss within a gap"`
}

// Periodic is kind periodic. See [netem.Periodic].
type Periodic struct {
	Every uint64 `toml:"every" required:"true" range:"1..1000000000000" doc:"k: datagrams count from 1, and those are lost whose number is a multiple of k"`
}

// ListedLoss is kind listed. See [netem.ListedLoss].
type ListedLoss struct {
	Packets Numbers `toml:"packets" required:"true" doc:"the datagrams that are lost; they count from 1"`
}

// LossMask is kind mask. See [netem.LossMask].
type LossMask struct {
	Mask uint64 `toml:"mask" required:"true" range:"0..0xffffffffffffffff" doc:"datagram n is lost if bit (n−1) mod 64 is set, such as 0x8001"`
}

func (*NoLoss) model() netem.Loss           { return nil }
func (c *Bernoulli) model() netem.Loss      { return netem.Bernoulli{P: c.P, Correlation: c.Correlation} }
func (c *GilbertElliott) model() netem.Loss { return netem.GilbertElliott(*c) }
func (c *Markov) model() netem.Loss         { return netem.Markov(*c) }
func (c *Periodic) model() netem.Loss       { return netem.Periodic{Every: c.Every} }
func (c *ListedLoss) model() netem.Loss     { return netem.ListedLoss{Packets: c.Packets} }
func (c *LossMask) model() netem.Loss       { return netem.LossMask{Mask: c.Mask} }

// Numbers is a list of whole numbers.
type Numbers []uint64
