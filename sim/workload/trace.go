package workload

import (
	"fmt"
	"io"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/sim/record"
)

// sampleInterval is the virtual time that passes at least between two recorded
// values of one quantity, which bounds what a run records of it.
const sampleInterval = 10 * time.Millisecond

// trace takes quic-go's typed qlog events of one end of a connection: it records
// what the analysis knows, and passes everything on to a qlog file if there is
// one.
type trace struct {
	recorder *recorder
	entity   string // connections.NAME.SIDE, for series
	name     string // connections.NAME, for events
	side     string

	log *qlogFile // nil if there is none

	last     time.Duration // when values were recorded last
	recorded qlog.MetricsUpdated
	current  qlog.MetricsUpdated
}

func (b *Workload) newTrace(connection, side string, id quic.ConnectionID) qlogwriter.Trace {
	name := "connections." + connection
	t := &trace{recorder: b.recorder, entity: name + "." + side, name: name, side: side, last: -sampleInterval}
	if open := b.options.QLog; open != nil {
		t.log = &qlogFile{open: func() io.WriteCloser { return open(t.entity) }, side: side, id: id}
	}
	b.recorder.mu.Lock()
	b.traces = append(b.traces, t)
	b.recorder.mu.Unlock()
	return t
}

// AddProducer implements qlogwriter.Trace. http3 has producers of its own.
func (t *trace) AddProducer() qlogwriter.Recorder { return t }

// Close implements qlogwriter.Recorder.
func (t *trace) Close() error { return nil }

// RecordEvent implements qlogwriter.Recorder.
func (t *trace) RecordEvent(e qlogwriter.Event) {
	t.take(e)
	if t.log != nil {
		t.recorder.log(t.log, e)
	}
}

func (t *trace) take(e qlogwriter.Event) {
	switch e := e.(type) {
	case qlog.MetricsUpdated:
		t.current = e
		if now := t.recorder.world.Now(); now-t.last >= sampleInterval {
			t.sample(now)
		}
	case qlog.PacketLost:
		if !e.IsMTUProbePacket {
			t.event(record.EventPacketLost, int64(e.Header.PacketNumber), string(e.Trigger))
		}
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

func (t *trace) event(kind string, value int64, text string) {
	t.recorder.event(record.Event{Kind: kind, Entity: t.name, Side: t.side, Value: value, Text: text})
}

// sample records the values that have changed.
func (t *trace) sample(now time.Duration) {
	was, is := &t.recorded, &t.current
	t.value(now, record.SeriesCwnd, float64(was.CongestionWindow), float64(is.CongestionWindow))
	t.value(now, record.SeriesBytesInFlight, float64(was.BytesInFlight), float64(is.BytesInFlight))
	t.value(now, record.SeriesSmoothedRTT, was.SmoothedRTT.Seconds(), is.SmoothedRTT.Seconds())
	t.value(now, record.SeriesLatestRTT, was.LatestRTT.Seconds(), is.LatestRTT.Seconds())
	t.value(now, record.SeriesMinRTT, was.MinRTT.Seconds(), is.MinRTT.Seconds())
	t.last, t.recorded = now, t.current
}

func (t *trace) value(now time.Duration, name string, was, is float64) {
	if was != is {
		t.recorder.sample(record.Sample{Time: now, Name: name, Entity: t.entity, Value: is})
	}
}

// flush records the last values.
func (t *trace) flush() { t.sample(t.recorder.world.Now()) }
