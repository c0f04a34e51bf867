package workload

import (
	"fmt"
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
// one. quic-go records the events of a connection one at a time.
type trace struct {
	recorder *recorder
	entity   string // connections.NAME.SIDE, for series
	name     string // connections.NAME, for events
	side     string

	last     time.Duration // when values were recorded last
	recorded qlog.MetricsUpdated
	current  qlog.MetricsUpdated
}

func (b *Workload) newTrace(connection, side string, id quic.ConnectionID) qlogwriter.Trace {
	name := "connections." + connection
	t := &trace{recorder: b.recorder, entity: name + "." + side, name: name, side: side, last: -sampleInterval}
	b.recorder.mu.Lock()
	b.traces = append(b.traces, t)
	b.recorder.mu.Unlock()
	if b.options.QLog == nil {
		return tee{trace: t}
	}
	file := qlogwriter.NewConnectionFileSeq(b.options.QLog(t.entity), side == "client", id)
	go file.Run()
	return tee{trace: t, file: file}
}

// tee is a qlog trace whose events go to a trace, and to a qlog file unless it
// is nil.
type tee struct {
	trace *trace
	file  qlogwriter.Trace
}

// AddProducer implements qlogwriter.Trace. Events of http3 come from producers
// of their own.
func (t tee) AddProducer() qlogwriter.Recorder {
	if t.file == nil {
		return producer{trace: t.trace}
	}
	return producer{trace: t.trace, file: t.file.AddProducer()}
}

type producer struct {
	trace *trace
	file  qlogwriter.Recorder // nil without a file
}

// RecordEvent implements qlogwriter.Recorder.
func (p producer) RecordEvent(e qlogwriter.Event) {
	p.trace.take(e)
	if p.file != nil {
		p.file.RecordEvent(e)
	}
}

// Close implements qlogwriter.Recorder.
func (p producer) Close() error {
	if p.file != nil {
		return p.file.Close()
	}
	return nil
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
