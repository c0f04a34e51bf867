package scenario

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Link joins two hosts or routers, with a path of elements in each direction. If
// an end is a group of hosts, it is a group of links, one for each.
type Link struct {
	Name    string        `toml:"-"`
	Between [2]string     `toml:"between" required:"true" doc:"the two hosts or routers; forward is from the first to the second"`
	Forward LinkDirection `toml:",inline"` // the link's own keys
	Reverse LinkDirection `toml:"reverse" inherit:"true" doc:"what differs from the second to the first"`
	NAT     NAT           `toml:"nat" doc:"a network address translator at an end of the link"`
	Rebinds []Rebind      `toml:"rebinds" doc:"rebindings of the NAT, each a table [[links.NAME.rebinds]] with 'at'"`
	Changes []Change      `toml:"changes" doc:"changes of parameters, each a table [[links.NAME.changes]] with 'at'"`
	Outages []Outage      `toml:"outages" doc:"times without transmission, each a table [[links.NAME.outages]] with 'at' and 'for'"`
}

// LinkDirection is what one direction of a link does to datagrams, in this
// order: outage, mtu, policer, ecn, loss, duplicate, corrupt, netem, queue and
// rate or trace, slot, reorder, delay and jitter. What a scenario does not ask
// for at any time is not there, and costs nothing.
type LinkDirection struct {
	Rate      netem.BitRate `toml:"rate" default:"unlimited" range:"1bit/s..1Tbit/s" special:"0" doc:"transmission rate"`
	Burst     netem.Bytes   `toml:"burst" default:"0B" range:"0B..1GB" special:"0" doc:"what the link may send at once after a rest, as tc-tbf's burst; larger datagrams never pass; 0 is no token bucket"`
	Overhead  netem.Bytes   `toml:"overhead" default:"28B" range:"0B..1KB" doc:"bytes added to each datagram on the link: IP and UDP headers"`
	Delay     time.Duration `toml:"delay" default:"0s" range:"0s..1h" doc:"propagation delay, one way"`
	Jitter    Jitter        `toml:"jitter" doc:"variation of the delay"`
	MTU       MTU           `toml:"mtu" doc:"largest IP packet"`
	Queue     Queue         `toml:"queue" doc:"the queue in front of the rate"`
	Loss      Loss          `toml:"loss" doc:"loss"`
	Duplicate Chance        `toml:"duplicate" doc:"duplication, like tc-netem's"`
	Corrupt   Corrupt       `toml:"corrupt" doc:"flipping of one bit of the UDP payload, like tc-netem's"`
	Reorder   Reorder       `toml:"reorder" doc:"reordering, like tc-netem's"`
	Policer   Policer       `toml:"policer" doc:"a token bucket in front of the queue, which drops what exceeds it"`
	Trace     Trace         `toml:"trace" doc:"a recorded link, in place of the rate, or of rate, delay and loss"`
	Slot      Slot          `toml:"slot" doc:"aggregation into bursts, like tc-netem's"`
	Netem     Netem         `toml:"netem" default:"" doc:"a netem of Linux in front of the queue, in the syntax of tc, such as \"delay 20ms 5ms distribution normal loss 1%\""`
	ECN       ECNFault      `toml:"ecn" doc:"wrong treatment of the ECN field"`
}

// MTU configures the largest IP packet of a link direction.
type MTU struct {
	Size  netem.Bytes `toml:"size" default:"1500B" range:"1228B..65535B" short:"true" doc:"largest IP packet, headers included"`
	Error bool        `toml:"error" default:"false" doc:"whether the sending host refuses larger datagrams with EMSGSIZE, instead of the link losing them"`
}

// Jitter configures the variation of a delay. See [netem.Jitter].
type Jitter struct {
	Deviation    time.Duration `toml:"deviation" default:"0s" range:"0s..1h" short:"true" doc:"unit of the distribution; uniform: the delay is at most this shorter or longer"`
	Distribution Distribution  `toml:"distribution" default:"uniform" doc:"uniform, normal, pareto, paretonormal, or a file of tc-netem's such as measured.dist"`
	Correlation  float64       `toml:"correlation" default:"0" range:"0..1" doc:"how much a datagram's delay depends on that of the one before"`
	Reorder      bool          `toml:"reorder" default:"true" doc:"whether datagrams may overtake each other"`
}

// Chance configures something that happens to a datagram with a probability. See [netem.Duplicate].
type Chance struct {
	P           float64 `toml:"p" default:"0" range:"0..1" short:"true" doc:"probability"`
	Correlation float64 `toml:"correlation" default:"0" range:"0..1" doc:"how much a datagram's fate depends on that of the one before, as in Linux: see netem.Bernoulli"`
}

// Corrupt configures flipped bits. See [netem.Corrupt].
type Corrupt struct {
	P           float64 `toml:"p" default:"0" range:"0..1" short:"true" doc:"probability"`
	Correlation float64 `toml:"correlation" default:"0" range:"0..1" doc:"how much a datagram's fate depends on that of the one before, as in Linux: see netem.Bernoulli"`
	Burst       uint64  `toml:"burst" default:"0" range:"0..1000000" special:"0" doc:"the most datagrams that are corrupted in a row; 0 is any number"`
}

// Reorder configures reordering. See [netem.Reorder].
type Reorder struct {
	P           float64       `toml:"p" default:"0" range:"0..1" doc:"probability that a datagram overtakes those that came within the last 'delay'"`
	Correlation float64       `toml:"correlation" default:"0" range:"0..1" doc:"how much it depends on the datagram before"`
	Gap         int           `toml:"gap" default:"1" range:"1..1000000" doc:"only every datagram of this rank may overtake: the others never do"`
	Delay       time.Duration `toml:"delay" default:"0s" range:"0s..1h" doc:"by how much those are held back that do not overtake, in addition to the link's delay"`
}

// Policer configures a token bucket. See [netem.Policer].
type Policer struct {
	Rate  netem.BitRate `toml:"rate" default:"unlimited" range:"1bit/s..1Tbit/s" short:"true" special:"0" doc:"rate at which the bucket fills; unlimited is no policer"`
	Burst netem.Bytes   `toml:"burst" default:"15KB" range:"1B..1GB" doc:"size of the bucket"`
}

// Slot configures aggregation. See [netem.Slot].
type Slot struct {
	Min     time.Duration `toml:"min" default:"0s" range:"0s..1h" short:"true" doc:"least time from a slot to the next one"`
	Max     time.Duration `toml:"max" default:"0s" range:"0s..1h" special:"0" doc:"greatest time; 0 is min, and both 0 is no aggregation"`
	Packets int           `toml:"packets" default:"0" range:"0..1000000" special:"0" doc:"datagrams that a slot lets go; 0 is any number"`
	Bytes   netem.Bytes   `toml:"bytes" default:"0B" range:"0B..1GB" special:"0" doc:"bytes of IP packets that a slot lets go; 0 is any number"`
}

// ECNFault configures wrong treatment of the ECN field. See [netem.ECNFault].
type ECNFault struct {
	Drop   float64 `toml:"drop" default:"0" range:"0..1" doc:"probability that a datagram with an ECN codepoint is dropped"`
	Bleach float64 `toml:"bleach" default:"0" range:"0..1" doc:"probability that the codepoint is cleared"`
	Mangle float64 `toml:"mangle" default:"0" range:"0..1" doc:"probability that the codepoint 'from' becomes 'to'"`
	From   string  `toml:"from" default:"ect0" oneof:"not-ect ect0 ect1 ce" doc:"codepoint that is mangled"`
	To     string  `toml:"to" default:"not-ect" oneof:"not-ect ect0 ect1 ce" doc:"codepoint that it becomes"`
}

// Outage is a time in which a link transmits nothing, once or again and again.
type Outage struct {
	At        time.Duration `toml:"at" required:"true" range:"0s..24h" doc:"virtual time of its beginning"`
	For       time.Duration `toml:"for" required:"true" range:"1us..24h" doc:"how long it lasts"`
	Every     time.Duration `toml:"every" default:"0s" range:"0s..24h" doc:"time from one beginning to the next; 0 is once"`
	Direction string        `toml:"direction" default:"both" oneof:"forward reverse both" doc:"forward, reverse or both"`
	Packets   string        `toml:"packets" default:"drop" oneof:"drop hold" doc:"drop: what enters the link meanwhile is lost; hold: it waits in the queue, up to its limit"`
}

// direction returns the configuration of a direction at the start.
func (l *Link) direction(name string) *LinkDirection {
	if name == "reverse" {
		return &l.Reverse
	}
	return &l.Forward
}

// Applies reports whether an outage concerns a direction.
func (o *Outage) Applies(direction string) bool {
	return o.Direction == "both" || o.Direction == direction
}

// Clone returns a copy that shares nothing that can change with d.
func (d *LinkDirection) Clone() LinkDirection {
	c := *d
	c.Queue.Config = clonePointer(d.Queue.Config)
	c.Loss.Config = clonePointer(d.Loss.Config)
	return c
}
