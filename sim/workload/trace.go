package workload

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/sim/record"
)

// trace takes quic-go's typed qlog events of one end of a connection: it records
// what the analysis knows, and passes everything on to a qlog file if there is
// one.
type trace struct {
	recorder *recorder
	entity   string // connections.NAME.SIDE, for series
	name     string // connections.NAME, for events
	side     string

	log *qlogFile // nil if there is none

	mu       sync.Mutex
	replaced bool // by the trace of another connection at this end
	current  qlog.MetricsUpdated
	updated  time.Duration // when current came up
	recorded qlog.MetricsUpdated
	last     time.Duration // when recorded came up
	sent     uint64        // ack-eliciting packets, without probes of the MTU
	resets   map[qlog.StreamID]bool
	follows  bool // the data of streams:
	incoming incoming
	outgoing outgoing
}

// newTrace returns the trace of one end of a connection, for quic-go.
func (w *Workload) newTrace(c *connection, side string, id quic.ConnectionID) qlogwriter.Trace {
	t := &trace{
		recorder: w.recorder,
		entity:   c.entity + "." + side,
		name:     c.entity,
		side:     side,
		last:     -sampleInterval,
	}
	total := &c.fromClient
	if side == "server" {
		total = &c.fromServer
	}
	t.follows = !w.options.WithoutSeries
	t.incoming = incoming{owners: &c.owners, others: &total.others}
	t.outgoing.total = total
	if before := w.addTrace(t, id); before != nil {
		before.replace()
	}
	return t
}

// addTrace adds a trace to those of the workload, and returns the one before it
// at this end: a server may see several connections where the client made one,
// such as when it gives up on a handshake before the client does, or when a
// packet comes so late that it has forgotten the connection.
func (w *Workload) addTrace(t *trace, id quic.ConnectionID) (before *trace) {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	before = w.latest[t.entity]
	w.latest[t.entity] = t
	if w.options.QLog != nil {
		entity := t.entity
		if n := w.ends[entity] + 1; n > 1 {
			entity = fmt.Sprintf("%s-%d", entity, n)
		}
		w.ends[t.entity]++
		t.log = w.newQLogFile(entity, t.side, id)
	}
	w.traces = append(w.traces, t)
	return before
}

// allTraces returns the traces that there are now.
func (w *Workload) allTraces() []*trace {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	return slices.Clone(w.traces)
}

// AddProducer implements qlogwriter.Trace. http3 has producers of its own.
func (t *trace) AddProducer() qlogwriter.Recorder { return t }

// Close implements qlogwriter.Recorder.
func (t *trace) Close() error { return nil }

// RecordEvent implements qlogwriter.Recorder. quic-go calls it for every packet
// and every change of its timer, at both ends, which is when it is about to
// decide something.
func (t *trace) RecordEvent(e qlogwriter.Event) {
	t.recorder.happened(t.entity, e)
	t.take(e)
	if t.log != nil {
		t.recorder.log(t.log, e)
	}
	t.recorder.world.Reseed() // last, because what is recorded may draw too
}

func (t *trace) take(e qlogwriter.Event) {
	switch e := e.(type) {
	case qlog.MetricsUpdated:
		t.update(e, t.recorder.world.Now())
	case qlog.PacketLost:
		if !lostProbe.of(&e) {
			t.event(record.EventPacketLost, int64(e.Header.PacketNumber), string(e.Trigger))
		}
	case qlog.PacketSent:
		t.packet(&e)
	case qlog.PacketReceived:
		t.received(&e, t.recorder.world.Now())
	case qlog.SpuriousLoss:
		t.event(record.EventSpuriousLoss, int64(e.PacketNumber), "")
	case qlog.PTOCountUpdated:
		if e.PTOCount > 0 {
			t.event(record.EventPTO, int64(e.PTOCount), "")
		}
	case qlog.CongestionStateUpdated:
		t.event(record.EventCongestionState, 0, e.State.String())
	case qlog.ECNStateUpdated:
		t.event(record.EventECNState, 0, fmt.Sprint(e.State))
	case qlog.MTUUpdated:
		t.event(record.EventMTU, int64(e.Value), "")
	}
}

// packet takes a packet that was sent: it counts it if it is ack-eliciting (RFC
// 9002, section 2), and follows the streams in it.
func (t *trace) packet(e *qlog.PacketSent) {
	elicits := false
	now := t.recorder.world.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range e.Frames {
		switch f := f.Frame.(type) {
		case *qlog.AckFrame, *qlog.ConnectionCloseFrame:
			continue
		case *qlog.ResetStreamFrame:
			t.reset(f)
		}
		elicits = true
		if t.follows {
			t.follow(f.Frame, now)
		}
	}
	total := t.outgoing.total
	total.bytes.add(e.Raw.Length, now)
	if elicits && !sentProbe.of(e) {
		t.sent++
		total.packets.add(1, now)
	}
}

// follow follows the streams in a frame that was sent.
func (t *trace) follow(frame any, now time.Duration) {
	switch f := frame.(type) {
	case *qlog.StreamFrame:
		t.outgoing.frame(f.StreamID, f.Offset, f.Length, f.Fin, now)
	case *qlog.ResetStreamFrame:
		t.outgoing.reset(f.StreamID, int64(f.ReliableSize))
	case *qlog.StopSendingFrame:
		t.incoming.stop(f.StreamID)
	}
}

// received follows the streams in a packet that arrived.
func (t *trace) received(e *qlog.PacketReceived, now time.Duration) {
	if !t.follows {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range e.Frames {
		switch f := f.Frame.(type) {
		case *qlog.StreamFrame:
			t.incoming.frame(f.StreamID, f.Offset, f.Length, f.Fin, now)
		case *qlog.ResetStreamFrame:
			t.incoming.reset(f.StreamID, int64(f.ReliableSize))
		}
	}
}

// reset records the first reset of a stream; the others were sent because that
// was lost.
func (t *trace) reset(f *qlog.ResetStreamFrame) {
	if t.resets[f.StreamID] {
		return
	}
	if t.resets == nil {
		t.resets = map[qlog.StreamID]bool{}
	}
	t.resets[f.StreamID] = true
	t.event(record.EventStreamReset, int64(f.StreamID), fmt.Sprintf("%#x", uint64(f.ErrorCode)))
}

func (t *trace) event(kind string, value int64, text string) {
	t.recorder.event(record.Event{Kind: kind, Entity: t.name, Side: t.side, Value: value, Text: text})
}

// replace ends the series of the trace.
func (t *trace) replace() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sample()
	t.replaced = true
}

func (t *trace) update(e qlog.MetricsUpdated, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.replaced {
		return
	}
	if now-t.updated >= sampleInterval {
		t.sample()
	}
	t.current, t.updated = e, now
	if now-t.last >= sampleInterval {
		t.sample()
	}
}

// flush records what has not been recorded of the series.
func (t *trace) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sample()
}

// sample records the values that have changed.
func (t *trace) sample() {
	if t.replaced {
		return
	}
	was, is := &t.recorded, &t.current
	t.value(record.SeriesCwnd, float64(was.CongestionWindow), float64(is.CongestionWindow))
	t.value(record.SeriesBytesInFlight, float64(was.BytesInFlight), float64(is.BytesInFlight))
	t.roundTrip(record.SeriesSmoothedRTT, was.SmoothedRTT, is.SmoothedRTT)
	t.roundTrip(record.SeriesLatestRTT, was.LatestRTT, is.LatestRTT)
	t.roundTrip(record.SeriesMinRTT, was.MinRTT, is.MinRTT)
	t.last, t.recorded = t.updated, t.current
}

// roundTrip records a time that is known. It is 0 where quic-go has forgotten
// what it measured, as the peer has another address (RFC 9000, section 9.4).
func (t *trace) roundTrip(name string, was, is time.Duration) {
	if is > 0 {
		t.value(name, was.Seconds(), is.Seconds())
	}
}

func (t *trace) value(name string, was, is float64) {
	if was != is {
		t.recorder.sample(record.Sample{Time: t.updated, Name: name, Entity: t.entity, Value: is})
	}
}
