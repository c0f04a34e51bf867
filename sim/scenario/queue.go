package scenario

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Queue configures the queue in front of a link's rate. Kind selects the type
// of Config.
type Queue struct {
	Kind   string      `toml:"kind" default:"fifo" doc:"the discipline; it stays the same for the whole run"`
	Config QueueConfig `toml:",inline"`
}

// QueueConfig is the configuration of one kind of queue.
type QueueConfig interface {
	// queue returns the link element's configuration. The function replaces
	// limits in BDP.
	queue(resolve func(netem.Limit) netem.Limit) netem.Queue

	// limits returns the limits among the keys.
	limits() []queueLimit
}

// queueLimit is a limit among the keys of a queue.
type queueLimit struct {
	key     string
	limit   netem.Limit
	measure string // what it can be measured in: "bytes", "packets", "time" or packets, or "" for anything
}

// queueKinds are the kinds of queues, in the order in which they are listed.
var queueKinds = []kind{
	{
		name: "fifo", doc: "first in first out, with a limit, and step marking", config: func() any { return &FIFO{} },
		linux:   "tc-bfifo, tc-pfifo, tc-pfifo_head_drop",
		example: `queue = { kind = "fifo", limit = "1BDP", drop = "head" } # or queue = "1BDP" for tail drop`,
	},
	{
		name: "red", doc: "Random Early Detection (Floyd and Jacobson 1993), as Linux's red", config: func() any { return &RED{} },
		linux:   "tc-red",
		example: `queue = { kind = "red", limit = "400KB", p = 0.05, ecn = true }`,
	},
	{
		name: "codel", doc: "Controlled Delay (RFC 8289), as Linux's codel", config: func() any { return &CoDel{} },
		linux:   "tc-codel",
		example: `queue = { kind = "codel", target = "5ms", interval = "100ms" }`,
	},
	{
		name: "fq_codel", doc: "flow queues with CoDel (RFC 8290), as Linux's fq_codel", config: func() any { return &FQCoDel{} },
		linux:   "tc-fq_codel",
		example: `queue = { kind = "fq_codel", flows = 256 }`,
	},
	{
		name: "pie", doc: "Proportional Integral controller Enhanced (RFC 8033), as Linux's pie", config: func() any { return &PIE{} },
		linux:   "tc-pie",
		example: `queue = { kind = "pie", target = "20ms", ecn = true }`,
	},
	{
		name: "fq_pie", doc: "flow queues with PIE, as Linux's fq_pie", config: func() any { return &FQPIE{} },
		linux:   "tc-fq_pie",
		example: `queue = { kind = "fq_pie", limit = "5000packets" }`,
	},
	{
		name: "dualpi2", doc: "two coupled queues, of low latency and classic (RFC 9332), as Linux's dualpi2", config: func() any { return &DualPI2{} },
		linux:   "tc-dualpi2",
		example: `queue = { kind = "dualpi2", step = "1ms", any_ect = true }`,
	},
}

// FIFO is kind fifo. See [netem.FIFO].
type FIFO struct {
	Limit netem.Limit `toml:"limit" default:"1BDP" short:"true" doc:"how much the queue holds, the datagram in transmission not counted: bytes, packets, time or BDP"`
	Drop  string      `toml:"drop" default:"tail" oneof:"tail head" doc:"what is dropped when an arrival exceeds the limit: the arrival, or the oldest"`
	Mark  netem.Limit `toml:"mark" default:"unlimited" doc:"step marking: datagrams that make the queue longer than this get CE; as a time: those that waited longer"`
}

// RED is kind red. See [netem.RED].
type RED struct {
	Limit    netem.Limit `toml:"limit" default:"400KB" short:"true" doc:"how much the queue holds: bytes or BDP"`
	Max      netem.Bytes `toml:"max" default:"0B" range:"0B..1GiB" special:"0" doc:"average length from which all arrivals are dropped; 0 is 3·min, or limit/4 without a min"`
	Min      netem.Bytes `toml:"min" default:"0B" range:"0B..1GiB" special:"0" doc:"average length from which some are; 0 is max/3"`
	P        float64     `toml:"p" default:"0.02" range:"0.000001..1" doc:"probability of a drop as the average comes to max"`
	AvPkt    netem.Bytes `toml:"avpkt" default:"1000B" range:"1B..65535B" doc:"size of a packet on average"`
	Burst    int         `toml:"burst" default:"0" range:"0..100000" special:"0" doc:"packets that may arrive at once at an empty queue; 0 is (2·min+max)/(3·avpkt)"`
	ECN      bool        `toml:"ecn" default:"false" doc:"whether ECN-capable datagrams are marked rather than dropped"`
	HardDrop bool        `toml:"hard_drop" default:"false" doc:"whether they are dropped too above max"`
}

// CoDel is kind codel. See [netem.CoDel].
type CoDel struct {
	Limit       netem.Limit   `toml:"limit" default:"1000packets" short:"true" doc:"how much the queue holds, in packets"`
	Target      time.Duration `toml:"target" default:"5ms" range:"1us..1h" doc:"delay that may stand"`
	Interval    time.Duration `toml:"interval" default:"100ms" range:"1us..1h" doc:"time for which it may stand"`
	ECN         bool          `toml:"ecn" default:"false" doc:"whether ECN-capable datagrams are marked rather than dropped"`
	CEThreshold time.Duration `toml:"ce_threshold" default:"0s" range:"0s..1h" special:"0" doc:"ECN-capable datagrams that waited longer get CE; 0 is none"`
}

// FQCoDel is kind fq_codel. See [netem.FQCoDel].
type FQCoDel struct {
	Limit       netem.Limit   `toml:"limit" default:"10240packets" short:"true" doc:"how much all flows hold, in packets"`
	Memory      netem.Bytes   `toml:"memory" default:"32MiB" range:"1B..64GiB" doc:"how much they hold in bytes"`
	Flows       int           `toml:"flows" default:"1024" range:"1..65536" doc:"number of queues, to which flows are hashed"`
	Quantum     netem.Bytes   `toml:"quantum" default:"1514B" range:"1B..1MB" doc:"bytes that a flow sends in its turn"`
	Target      time.Duration `toml:"target" default:"5ms" range:"1us..1h" doc:"delay that may stand"`
	Interval    time.Duration `toml:"interval" default:"100ms" range:"1us..1h" doc:"time for which it may stand"`
	ECN         bool          `toml:"ecn" default:"true" doc:"whether ECN-capable datagrams are marked rather than dropped"`
	CEThreshold time.Duration `toml:"ce_threshold" default:"0s" range:"0s..1h" special:"0" doc:"ECN-capable datagrams that waited longer get CE; 0 is none"`
}

// PIE is kind pie. See [netem.PIE].
type PIE struct {
	Limit    netem.Limit   `toml:"limit" default:"1000packets" short:"true" doc:"how much the queue holds, in packets"`
	Target   time.Duration `toml:"target" default:"15ms" range:"1us..30s" doc:"delay that it is brought to"`
	Update   time.Duration `toml:"update" default:"15ms" range:"100us..1h" doc:"time between changes of the probability"`
	Alpha    int           `toml:"alpha" default:"2" range:"1..32" doc:"weight of the distance from the target, in 1/16 Hz"`
	Beta     int           `toml:"beta" default:"20" range:"1..32" doc:"weight of the delay's change, in 1/16 Hz"`
	MaxBurst time.Duration `toml:"max_burst" default:"150ms" range:"1us..1h" doc:"how long a burst after a time without congestion drops nothing"`
	ECN      bool          `toml:"ecn" default:"false" doc:"whether ECN-capable datagrams are marked rather than dropped, while the probability is at most 10 %"`
	ByteMode bool          `toml:"byte_mode" default:"false" doc:"whether small datagrams are dropped with less probability"`
}

// FQPIE is kind fq_pie. See [netem.FQPIE].
type FQPIE struct {
	Limit    netem.Limit   `toml:"limit" default:"10240packets" short:"true" doc:"how much all flows hold, in packets"`
	Memory   netem.Bytes   `toml:"memory" default:"32MiB" range:"1B..64GiB" doc:"how much they hold in bytes"`
	Flows    int           `toml:"flows" default:"1024" range:"1..65536" doc:"number of queues, to which flows are hashed"`
	Quantum  netem.Bytes   `toml:"quantum" default:"1514B" range:"1B..1MB" doc:"bytes that a flow sends in its turn"`
	Target   time.Duration `toml:"target" default:"15ms" range:"1us..30s" doc:"delay that each flow's queue is brought to"`
	Update   time.Duration `toml:"update" default:"15ms" range:"100us..1h" doc:"time between changes of the probability"`
	Alpha    int           `toml:"alpha" default:"2" range:"1..32" doc:"weight of the distance from the target, in 1/16 Hz"`
	Beta     int           `toml:"beta" default:"20" range:"1..32" doc:"weight of the delay's change, in 1/16 Hz"`
	MaxBurst time.Duration `toml:"max_burst" default:"150ms" range:"1us..1h" doc:"how long a burst after a time without congestion drops nothing"`
	ECN      bool          `toml:"ecn" default:"false" doc:"whether ECN-capable datagrams are marked rather than dropped"`
	ECNProb  int           `toml:"ecn_prob" default:"10" range:"1..100" doc:"as long as the probability is at most so many percent"`
	ByteMode bool          `toml:"byte_mode" default:"false" doc:"whether small datagrams are dropped with less probability"`
}

// DualPI2 is kind dualpi2. See [netem.DualPI2].
type DualPI2 struct {
	Limit             netem.Limit   `toml:"limit" default:"10000packets" short:"true" doc:"how much both queues hold, in packets"`
	Memory            netem.Bytes   `toml:"memory" default:"0B" range:"0B..64GiB" special:"0" doc:"how much they hold in bytes; 0 is 3028 for each packet of the limit"`
	Target            time.Duration `toml:"target" default:"15ms" range:"1us..30s" doc:"delay that the queues are brought to"`
	Update            time.Duration `toml:"update" default:"16ms" range:"100us..1h" doc:"time between changes of the probability"`
	Alpha             float64       `toml:"alpha" default:"0.16" range:"0.004..100000" doc:"weight of the distance from the target, in Hz"`
	Beta              float64       `toml:"beta" default:"3.2" range:"0.004..100000" doc:"weight of the delay's change, in Hz"`
	Coupling          int           `toml:"coupling" default:"2" range:"1..255" doc:"k: marks of low latency for each square root of a classic signal"`
	Step              netem.Limit   `toml:"step" default:"1ms" doc:"beyond which the low-latency queue marks every datagram: a time or packets"`
	ClassicProtection int           `toml:"classic_protection" default:"10" range:"1..100" doc:"least share of the link for the classic queue, in percent"`
	AnyECT            bool          `toml:"any_ect" default:"false" doc:"whether ECT(0) is for the low-latency queue too"`
	DropEarly         bool          `toml:"drop_early" default:"false" doc:"whether a datagram is decided on as it arrives, rather than as it is sent"`
	Overflow          bool          `toml:"overflow" default:"false" doc:"whether the low-latency queue drops at its limit only, even under overload"`
}

func (c *FIFO) queue(resolve func(netem.Limit) netem.Limit) netem.Queue {
	return netem.FIFO{Limit: resolve(c.Limit), Mark: resolve(c.Mark), HeadDrop: c.Drop == "head"}
}

func (c *RED) queue(resolve func(netem.Limit) netem.Limit) netem.Queue {
	return netem.RED{
		Limit: resolve(c.Limit).Bytes, Max: c.Max, Min: c.Min, P: c.P,
		AvPkt: c.AvPkt, Burst: c.Burst, ECN: c.ECN, HardDrop: c.HardDrop,
	}
}

func (c *CoDel) queue(func(netem.Limit) netem.Limit) netem.Queue {
	return netem.CoDel{Limit: c.Limit.Packets, Target: c.Target, Interval: c.Interval, ECN: c.ECN, CEThreshold: c.CEThreshold}
}

func (c *FQCoDel) queue(func(netem.Limit) netem.Limit) netem.Queue {
	return netem.FQCoDel{
		Limit: c.Limit.Packets, Memory: c.Memory, Flows: c.Flows, Quantum: c.Quantum,
		Target: c.Target, Interval: c.Interval, NoECN: !c.ECN, CEThreshold: c.CEThreshold,
	}
}

func (c *PIE) queue(func(netem.Limit) netem.Limit) netem.Queue {
	return netem.PIE{
		Limit: c.Limit.Packets, Target: c.Target, Update: c.Update, MaxBurst: c.MaxBurst,
		Alpha: c.Alpha, Beta: c.Beta, ECN: c.ECN, ByteMode: c.ByteMode,
	}
}

func (c *FQPIE) queue(func(netem.Limit) netem.Limit) netem.Queue {
	return netem.FQPIE{
		Limit: c.Limit.Packets, Memory: c.Memory, Flows: c.Flows, Quantum: c.Quantum,
		Target: c.Target, Update: c.Update, MaxBurst: c.MaxBurst, Alpha: c.Alpha, Beta: c.Beta,
		ECN: c.ECN, ECNProb: c.ECNProb, ByteMode: c.ByteMode,
	}
}

func (c *DualPI2) queue(func(netem.Limit) netem.Limit) netem.Queue {
	return netem.DualPI2{
		Limit: c.Limit.Packets, Memory: c.Memory, Target: c.Target, Update: c.Update, Alpha: c.Alpha, Beta: c.Beta,
		Coupling: c.Coupling, Step: c.Step, ClassicProtection: c.ClassicProtection,
		AnyECT: c.AnyECT, DropEarly: c.DropEarly, Overflow: c.Overflow,
	}
}

func (c *FIFO) limits() []queueLimit {
	return []queueLimit{{"limit", c.Limit, ""}, {"mark", c.Mark, ""}}
}

func (c *RED) limits() []queueLimit     { return []queueLimit{{"limit", c.Limit, "bytes"}} }
func (c *CoDel) limits() []queueLimit   { return []queueLimit{{"limit", c.Limit, "packets"}} }
func (c *FQCoDel) limits() []queueLimit { return []queueLimit{{"limit", c.Limit, "packets"}} }
func (c *PIE) limits() []queueLimit     { return []queueLimit{{"limit", c.Limit, "packets"}} }
func (c *FQPIE) limits() []queueLimit   { return []queueLimit{{"limit", c.Limit, "packets"}} }
func (c *DualPI2) limits() []queueLimit {
	return []queueLimit{{"limit", c.Limit, "packets"}, {"step", c.Step, "time"}}
}
