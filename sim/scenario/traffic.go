package scenario

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/traffic"
)

// Traffic is cross traffic without a transport, or a group of equal ones: UDP
// datagrams that one host sends to another, whatever becomes of them. Kind
// selects the type of Config.
type Traffic struct {
	Name     string          `toml:"-"`
	From     string          `toml:"from" required:"true" doc:"the host that sends; a group: each of its hosts"`
	To       string          `toml:"to" required:"true" doc:"the host that receives; a group: its hosts in turn"`
	Kind     string          `toml:"kind" required:"true" doc:"when packets are sent"`
	Rate     SendRate        `toml:"rate" required:"true" range:"0bit/s..1Tbit/s" doc:"mean rate in bytes on the link, that of onoff while it is on; 0bit/s is silence"`
	Config   TrafficConfig   `toml:",inline"`
	Size     netem.Bytes     `toml:"size" default:"1500B, unless there is a mix" range:"12B..66507B" doc:"size of a packet on the link, overhead included"`
	Mix      Mix             `toml:"mix" doc:"sizes of the packets: \"imix\" (7 of 40 bytes, 4 of 576, 1 of 1500), or a list of sizes with weights"`
	Overhead netem.Bytes     `toml:"overhead" default:"28B" range:"0B..1KB" doc:"bytes of a packet's size that are not UDP payload: IP and UDP headers"`
	ECN      string          `toml:"ecn" default:"not-ect" oneof:"not-ect ect0 ect1" doc:"ECN codepoint of the packets, which take no notice of marks"`
	Start    time.Duration   `toml:"start" default:"0s" range:"0s..24h" doc:"virtual time at which the source begins"`
	Stop     time.Duration   `toml:"stop" default:"the end of the run" range:"1ns..24h" doc:"virtual time from which on nothing is sent; no traffic keeps a run going that has sessions"`
	Count    int             `toml:"count" default:"1" range:"1..10000" doc:"how many such sources of each host, each with the rate and with random numbers of its own"`
	Changes  []TrafficChange `toml:"changes" doc:"changes of the rate, each a table [[traffic.NAME.changes]] with 'at' and 'rate'"`
}

// TrafficConfig is the configuration of one kind of traffic.
type TrafficConfig interface {
	// apply completes the configuration of a source.
	apply(*traffic.Config)
}

// trafficKinds are the kinds of traffic, in the order in which they are listed.
var trafficKinds = []kind{
	{
		name: "cbr", doc: "a constant bit rate: after each packet the time that the rate needs for it", config: func() any { return &ConstantRate{} },
		example: `
[traffic.voice]
from = "server"
to = "client"
kind = "cbr"
rate = "64kbit/s"
size = "200B"`,
	},
	{
		name: "poisson", doc: "a Poisson process: exponential times between packets", config: func() any { return &Poisson{} },
		example: `
[traffic.background]
from = "server"
to = "client"
kind = "poisson"
rate = "4Mbit/s"
mix = "imix"`,
	},
	{
		name: "onoff", doc: "a constant bit rate in random on times, and silence in random off times", config: func() any { return &OnOff{} },
		example: `
[traffic.bursts]
from = "server"
to = "client"
kind = "onoff"
rate = "8Mbit/s" # while it is on
on = "200ms"
off = "600ms"
distribution = "pareto"
shape = 1.5`,
	},
}

// ConstantRate is kind cbr.
type ConstantRate struct{}

// Poisson is kind poisson.
type Poisson struct{}

// OnOff is kind onoff. It begins with an on time.
type OnOff struct {
	On           time.Duration `toml:"on" required:"true" range:"1us..24h" doc:"mean on time"`
	Off          time.Duration `toml:"off" required:"true" range:"1us..24h" doc:"mean off time"`
	Distribution string        `toml:"distribution" default:"exponential" oneof:"exponential pareto" doc:"distribution of the on and of the off times"`
	Shape        float64       `toml:"shape" range:"1.01..1000" doc:"pareto: the shape; the variance is infinite up to 2, and many such sources together are self-similar"`
}

func (*ConstantRate) apply(*traffic.Config) {}
func (*Poisson) apply(c *traffic.Config)    { c.Poisson = true }
func (o *OnOff) apply(c *traffic.Config) {
	c.On = traffic.Times{Mean: o.On, Shape: o.Shape}
	c.Off = traffic.Times{Mean: o.Off, Shape: o.Shape}
}

// TrafficChange gives traffic another rate at a virtual time, at once or in a
// ramp.
type TrafficChange struct {
	At   time.Duration `toml:"at" required:"true" range:"0s..24h" doc:"virtual time of the change"`
	Over time.Duration `toml:"over" default:"0s" range:"0s..24h" doc:"time that the rate takes to come to its new value, in steps that are equal in time; 0 is at once"`
	Step time.Duration `toml:"step" default:"100ms" range:"100us..1h" doc:"time between the steps of a ramp"`
	Rate SendRate      `toml:"rate" required:"true" range:"0bit/s..1Tbit/s" doc:"new rate"`
}

// RateAfter returns the rate when elapsed of the change has passed, which began
// at the rate from.
func (ch *TrafficChange) RateAfter(elapsed time.Duration, from SendRate) SendRate {
	if elapsed >= ch.Over {
		return ch.Rate
	}
	return SendRate(between(int64(from), int64(ch.Rate), elapsed, ch.Over))
}

// Source returns the configuration of a source.
func (t *Traffic) Source() traffic.Config {
	c := traffic.Config{
		Rate:     netem.BitRate(t.Rate),
		Sizes:    t.sizes(),
		Overhead: t.Overhead,
		ECN:      codepoints[t.ECN],
		Start:    t.Start,
		Stop:     t.Stop,
	}
	t.Config.apply(&c)
	return c
}

func (t *Traffic) sizes() traffic.Mix {
	switch {
	case t.Mix.Name != "":
		return namedMixes[t.Mix.Name]
	case len(t.Mix.Shares) > 0:
		mix := make(traffic.Mix, len(t.Mix.Shares))
		for i, s := range t.Mix.Shares {
			mix[i] = traffic.Share(s)
		}
		return mix
	case t.Size > 0:
		return traffic.Mix{{Size: t.Size, Weight: 1}}
	}
	return traffic.Mix{{Size: 1500, Weight: 1}}
}

// TrafficInstance is one source of a group, or a source that is alone.
type TrafficInstance struct {
	Traffic  *Traffic
	Name     string // the traffic's name; NAME-1, NAME-2, … in a group
	From, To string // the hosts
}

// TrafficOf returns the sources that a Traffic stands for: those of each host of
// a group that sends, which take turns, and so do hosts of a group that receives.
func (s *Scenario) TrafficOf(t *Traffic) []TrafficInstance {
	from, to := s.hostsNamed(t.From), s.hostsNamed(t.To)
	if len(from) == 0 || len(to) == 0 {
		return nil // which validation does not let pass
	}
	var instances []TrafficInstance
	for i, name := range numbered(t.Name, max(t.Count, 1)*len(from)) {
		instances = append(instances, TrafficInstance{Traffic: t, Name: name, From: from[i%len(from)], To: to[i%len(to)]})
	}
	return instances
}

// SendRate is the rate of a source, for which 0 is silence. Its text form is that
// of a [netem.BitRate].
type SendRate netem.BitRate

// String returns the text form.
func (r SendRate) String() string { return netem.BitRate(r).String() }

// MarshalText implements encoding.TextMarshaler.
func (r SendRate) MarshalText() ([]byte, error) { return netem.BitRate(r).MarshalText() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *SendRate) UnmarshalText(text []byte) error { return (*netem.BitRate)(r).UnmarshalText(text) }

// Mix is the sizes of packets: a mix that has a name, or shares. The zero value
// is no mix.
type Mix struct {
	Name   string
	Shares []Share
}

// Share is one size of a mix.
type Share struct {
	Size   netem.Bytes `toml:"size" required:"true" range:"12B..66507B" doc:"size of a packet on the link"`
	Weight int         `toml:"weight" default:"1" range:"1..1000000" doc:"its share of the packets is the weight divided by the sum of all weights"`
}

var namedMixes = map[string]traffic.Mix{"imix": traffic.IMIX()}

// UnmarshalText implements encoding.TextUnmarshaler for the name of a mix.
func (m *Mix) UnmarshalText(text []byte) error {
	name := string(text)
	if name == "" {
		return errors.New("a mix without a name")
	}
	if namedMixes[name] == nil {
		return fmt.Errorf("unknown value %q; expected \"imix\" or a list such as [{ size = \"64B\", weight = 1 }]", name)
	}
	*m = Mix{Name: name}
	return nil
}

// decodeMix reads a mix that is a list.
func decodeMix(m *Mix, n *node) error {
	if len(n.items) == 0 {
		return n.fail("this list is empty; expected sizes such as { size = \"64B\", weight = 1 }")
	}
	*m = Mix{}
	return decodeList(reflect.ValueOf(&m.Shares).Elem(), n)
}

// text returns the mix as TOML.
func (m Mix) text() string {
	if m.Name != "" {
		return quote(m.Name)
	}
	shares := make([]string, len(m.Shares))
	for i, s := range m.Shares {
		shares[i] = fmt.Sprintf("{ size = %s, weight = %d }", quote(s.Size.String()), s.Weight)
	}
	return "[" + strings.Join(shares, ", ") + "]"
}
