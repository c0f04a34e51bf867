package workload

import (
	"context"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/traffic"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// crossing is cross traffic: a source at one host and a sink at another.
type crossing struct {
	*Workload
	config   *scenario.Traffic
	instance scenario.TrafficInstance
	entity   string
	rate     scenario.SendRate // now
	source   *traffic.Source
	sink     *traffic.Sink
	meter    meter
	heard    time.Duration // when the sink was last reached
}

// buildTraffic starts the scenario's cross traffic.
func (w *Workload) buildTraffic() error {
	for i := range w.scenario.Traffic {
		config := &w.scenario.Traffic[i]
		for _, in := range w.scenario.TrafficOf(config) {
			c := &crossing{Workload: w, config: config, instance: in, entity: "traffic." + in.Name, rate: config.Rate}
			c.meter = meter{recorder: w.recorder, entity: c.entity, series: record.SeriesTrafficDelivered}
			if err := c.start(); err != nil {
				return err
			}
			w.traffic = append(w.traffic, c)
		}
	}
	return nil
}

func (c *crossing) start() error {
	from, to, clock := c.hosts[c.instance.From], c.hosts[c.instance.To], c.world.Clock()
	if from == nil || to == nil {
		return nil // the world keeps the error
	}
	var err error
	if c.sink, err = traffic.NewSink(clock, to.Host, 0, c.arrived); err != nil {
		return err
	}
	// What is due at one instant happens in this order: a change, the stop, a packet.
	c.scheduleChanges()
	if c.config.Stop > 0 {
		clock.At(c.config.Stop, func() { c.event(record.EventTrafficStopped, 0) })
	}
	clock.At(c.config.Start, func() {
		c.event(record.EventTrafficStarted, 0)
		c.sampleRate()
	})
	if c.source, err = traffic.NewSource(clock, from.Host, c.sink.Addr(), c.config.Source(), c.scenario.Seed, c.entity); err != nil {
		return err
	}
	if len(c.scenario.Sessions) == 0 {
		from.Go(c.entity, c.last())
	}
	return nil
}

func (c *crossing) event(kind string, value int64) {
	c.recorder.event(record.Event{Kind: kind, Entity: c.entity, Value: value})
}

func (c *crossing) sampleRate() {
	c.recorder.sample(record.Sample{Time: c.world.Now(), Name: record.SeriesTrafficRate, Entity: c.entity, Value: float64(c.rate)})
}

func (c *crossing) arrived(a traffic.Arrival) {
	now := a.Sent + a.Delay
	c.heard = now
	c.recorder.sample(record.Sample{Time: now, Name: record.SeriesTrafficDelay, Entity: c.entity, Value: a.Delay.Seconds()})
	c.meter.add(int(a.Size+c.config.Overhead), now)
}

// scheduleChanges has the scenario's changes of the rate made.
func (c *crossing) scheduleChanges() {
	for i := range c.config.Changes {
		change := &c.config.Changes[i]
		c.world.Clock().At(change.At, func() { c.step(change, c.rate, 0) })
	}
}

// step brings the rate as far as a change is when elapsed of it has passed.
func (c *crossing) step(change *scenario.TrafficChange, from scenario.SendRate, elapsed time.Duration) {
	if next := change.RateAfter(elapsed, from); next != c.rate {
		c.rate = next
		if err := c.source.SetRate(netem.BitRate(next)); err != nil {
			// The scenario's validation admits no such values.
			panic("workload: a valid change of " + c.entity + " was refused: " + err.Error())
		}
		c.event(record.EventTrafficChanged, int64(next))
		c.sampleRate()
	}
	if elapsed < change.Over {
		next := min(elapsed+change.Step, change.Over)
		c.world.Clock().At(change.At+next, func() { c.step(change, from, next) })
	}
}

// silence is how long a sink may hear nothing before what is missing counts as
// lost.
const silence = time.Second

// last returns a task that ends when the source has stopped, and all it has sent
// has arrived or nothing has for a while.
func (c *crossing) last() func(context.Context) error {
	over := make(chan struct{})
	var look func()
	look = func() {
		sent, _ := c.source.Totals()
		now := c.world.Now()
		if c.sink.Totals().Delivered.Packets >= sent.Packets || now-max(c.heard, c.config.Stop) >= silence {
			close(over)
			return
		}
		c.world.At(now+sampleInterval, look)
	}
	c.world.At(c.config.Stop, look)
	return func(ctx context.Context) error {
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	}
}

// describe returns what the run's description says of the traffic.
func (c *crossing) describe() record.Traffic {
	count := func(n netem.Count) record.Count {
		return record.Count{Packets: uint64(n.Packets), Bytes: uint64(n.Bytes) + uint64(n.Packets)*uint64(c.config.Overhead)}
	}
	sent, refused := c.source.Totals()
	got := c.sink.Totals()
	t := record.Traffic{
		Entity: c.entity, From: c.instance.From, To: c.instance.To, Kind: c.config.Kind,
		Sent: count(sent), Refused: count(refused),
		Delivered: count(got.Delivered), Duplicated: count(got.Duplicated), Corrupted: count(got.Corrupted),
		Reordered: uint64(got.Reordered), Missing: uint64(got.Missing), Bursts: uint64(got.Bursts),
	}
	if c.instance.Name != c.config.Name {
		t.Group = "traffic." + c.config.Name
	}
	return t
}
