package analysis

import (
	"math"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	flowGoodput         = define(ofFlow, "goodput", "bit/s", "bytes handed to the receiving application, per second from the flow's start to its end, or to the end of the run for a flow that did not end", "RFC 5166 section 2.1; samples flow.delivered; events flow.started, flow.finished")
	flowPeak            = define(ofFlow, "throughput.max", "bit/s", "most bytes handed to the receiving application in one bin of time, per second; bins as in the throughput figure", "samples flow.delivered")
	flowCompletion      = define(ofFlow, "completion_time", "s", "time from the flow's start until it was complete; the statistics of a group are over its flows that were", "events flow.started, flow.finished")
	flowArea            = define(ofFlow, "delivery_area", "1", "area under the curve of the bytes handed to the receiving application over the flow's life, divided by these bytes times that time: 1 if all come at once at its start, ½ if evenly, 0 if at its end", "1 less the ByteIndex (Bocchi, De Cicco, Rossi 2016, Measuring the Quality of Experience of Web users) as a share of the time; samples flow.delivered; events flow.started, flow.finished")
	flowPower           = define(ofFlow, "power", "bit/s²", "goodput divided by the mean delay: of media the one-way delay of frames, of a download or an upload the latest RTT at the end of the connection that sends", "Kleinrock 1979, Power and deterministic rules of thumb, ICC; samples flow.delivered, conn.rtt.latest, flow.message.delay; events flow.started, flow.finished")
	flowSlowdown        = define(ofFlow, "slowdown", "1", "completion time divided by the least that the links allow: the longest that a link of its way needs for the flow's size from its start on, at the configured rate with its changes and without headers, and one round trip of propagation delay; of flows that have a size and were complete; below 1 it can be where one way of the round trip is enough", "Alizadeh et al., pFabric, SIGCOMM 2013, section 5.1; run.json; samples link.rate; events flow.started, flow.finished")
	flowBytes           = define(ofFlow, "bytes", "B", "bytes handed to the receiving application", "samples flow.delivered; events flow.finished")
	flowStreams         = define(ofFlow, "streams", "1", "streams that the flow opened", "events flow.stream_opened")
	flowFirstByte       = defineSummary(ofFlow, "first_byte", "s", "the time from the opening of a stream until its first byte reached the receiving application", "events flow.stream_opened, flow.first_byte")
	flowMessagesSent    = define(ofFlow, "messages.sent", "1", "messages, frames or batons that were sent", "events flow.message_sent")
	flowMessagesGot     = define(ofFlow, "messages.received", "1", "messages, frames or batons that arrived (echo: came back)", "events flow.message_got")
	flowMessagesFailed  = define(ofFlow, "messages.failed", "1", "messages or frames that could not be sent", "events flow.message_lost")
	flowMessageLoss     = define(ofFlow, "messages.loss_ratio", "1", "share of the sent messages or frames that had not arrived (echo: come back) at the end of the run", "RFC 7680 section 2; events flow.message_sent, flow.message_got")
	flowMessageDelay    = defineSummary(ofFlow, "messages.delay", "s", "the one-way delay of frames, or of the passes of batons, that arrived", "RFC 7679; samples flow.message.delay")
	flowMessageJitter   = define(ofFlow, "messages.jitter", "s", "mean of |D|, the change of the one-way delay from one arrival to the next, over the whole flow; RFC 3550's estimate follows the same |D| but forgets all but the last arrivals", "RFC 3550 section 6.4.1; RFC 3393")
	flowMessageRTT      = defineSummary(ofFlow, "messages.rtt", "s", "the round-trip time of echo messages", "RFC 2681; samples flow.message.rtt")
	runDuration         = define(ofRun, "run.duration", "s", "virtual time that the run took", "run.json")
	runDatagramsEntered = define(ofRun, "run.datagrams", "packets", "datagrams that entered the network", "packets or run.json")
	runSessionsFailed   = define(ofRun, "run.failures.sessions", "1", "sessions that were not established", "events session.failed")
	runFlowsFailed      = define(ofRun, "run.failures.flows", "1", "flows that ended before they were complete", "events flow.failed")
)

// flowTotals is what is known of a flow, and what is added up for it in each
// window.
type flowTotals struct {
	started, ended       time.Duration
	hasStarted, hasEnded bool
	complete             bool
	delivered            float64 // until now
	throughput           *bins
	seconds              perSecond
	opened               map[int64]time.Duration // streams without a first byte
	reached              reached
	last                 float64 // delay of the last arrival
	arrivals             int
	in                   []flowWindow
}

// flowWindow is what is added up for a flow in a window.
type flowWindow struct {
	bytes             float64
	byteSeconds       float64 // of the bytes, each times when it was delivered
	streams           int64
	firstByte         distribution
	sent, got, failed int64
	messages          cohort // those that were sent
	arrived           int64  // of these
	delay, rtt        distribution
	jitter            mean
}

func (f *flowTotals) sample(windows []span, s record.Sample, bin, end time.Duration) {
	switch s.Name {
	case record.SeriesDelivered:
		if f.throughput == nil {
			f.throughput = &bins{width: bin, end: end}
		}
		f.throughput.add(s.Time, 8*(s.Value-f.delivered))
		f.seconds.add(s.Time, s.Value-f.delivered)
		f.reached.add(s.Time, s.Value)
		f.deliver(windows, s.Time, s.Value)
	case record.SeriesOneWayDelay:
		change := math.Abs(s.Value - f.last)
		f.last = s.Value
		f.arrivals++
		f.each(windows, s.Time, func(in *flowWindow) {
			in.delay.addSeconds(s.Value)
			if f.arrivals > 1 {
				in.jitter.add(change)
			}
		})
	case record.SeriesMessageRTT:
		f.each(windows, s.Time, func(in *flowWindow) { in.rtt.addSeconds(s.Value) })
	}
}

// each calls add for the windows that an instant belongs to.
func (f *flowTotals) each(windows []span, at time.Duration, add func(*flowWindow)) {
	for i := range f.in {
		if windows[i].has(at) {
			add(&f.in[i])
		}
	}
}

// deliver says how many bytes the flow has delivered until a time.
func (f *flowTotals) deliver(windows []span, at time.Duration, total float64) {
	more := total - f.delivered
	f.delivered = total
	f.each(windows, at, func(in *flowWindow) {
		in.bytes += more
		in.byteSeconds += more * at.Seconds()
	})
}

func (f *flowTotals) event(windows []span, e record.Event) {
	switch e.Kind {
	case record.EventFlowStarted:
		f.started, f.hasStarted = e.Time, true
	case record.EventFlowFinished:
		f.ended, f.hasEnded, f.complete = e.Time, true, true
		f.deliver(windows, e.Time, max(f.delivered, float64(e.Value)))
	case record.EventFlowFailed:
		f.ended, f.hasEnded = e.Time, true
	case record.EventStreamOpened:
		if f.opened == nil {
			f.opened = map[int64]time.Duration{}
		}
		f.opened[e.Value] = e.Time
		f.each(windows, e.Time, func(in *flowWindow) { in.streams++ })
	case record.EventFirstByte:
		if at, ok := f.opened[e.Value]; ok {
			delete(f.opened, e.Value)
			f.each(windows, e.Time, func(in *flowWindow) { in.firstByte.addDuration(e.Time - at) })
		}
	case record.EventMessageSent:
		f.each(windows, e.Time, func(in *flowWindow) {
			in.sent++
			in.messages.begin(e.Value)
		})
	case record.EventMessageGot:
		f.each(windows, e.Time, func(in *flowWindow) { in.got++ })
		for i := range f.in {
			if in := &f.in[i]; in.messages.has(e.Value) {
				in.arrived++
			}
		}
	case record.EventMessageFailed:
		f.each(windows, e.Time, func(in *flowWindow) { in.failed++ })
	}
}

// completion returns how long the flow took, and whether it was complete in a
// window.
func (f *flowTotals) completion(w *span) (time.Duration, bool) {
	return f.ended - f.started, f.complete && f.hasStarted && w.has(f.ended)
}

// life returns what a window has of the flow's life, and whether that lasts.
func (f *flowTotals) life(w *span) (from, to time.Duration, ok bool) {
	switch {
	case !f.hasStarted:
		return 0, 0, false
	case f.hasEnded:
		return w.overlap(f.started, f.ended)
	}
	return w.overlap(f.started, w.end)
}

// goodput returns the flow's goodput in a window in bit/s, and whether it has
// one.
func (f *flowTotals) goodput(i int, w *span) (float64, bool) {
	from, to, ok := f.life(w)
	if !ok {
		return math.NaN(), false
	}
	return 8 * f.in[i].bytes / (to - from).Seconds(), true
}

// deliveryArea returns the area under the curve of the bytes delivered, as a
// share of what it would be if all had been delivered at once at the start.
func (f *flowTotals) deliveryArea(i int, w *span) float64 {
	from, to, ok := f.life(w)
	if !ok {
		return math.NaN()
	}
	in := &f.in[i]
	return (in.bytes*to.Seconds() - in.byteSeconds) / (in.bytes * (to - from).Seconds())
}

func (f *flowTotals) metrics(m *Metrics, entity string, i int, w *span) {
	in := &f.in[i]
	if goodput, ok := f.goodput(i, w); ok {
		m.put(flowGoodput, entity, goodput)
	}
	if f.throughput != nil {
		m.put(flowPeak, entity, f.throughput.max(w))
	}
	if took, ok := f.completion(w); ok {
		m.put(flowCompletion, entity, took.Seconds())
	}
	m.put(flowArea, entity, f.deliveryArea(i, w))
	if f.hasStarted {
		for i, at := range f.reached {
			if w.has(at) {
				m.put(flowTimeTo[i].metric, entity, (at - f.started).Seconds())
			}
		}
	}
	m.put(flowBytes, entity, in.bytes)
	if in.streams > 0 {
		m.put(flowStreams, entity, float64(in.streams))
	}
	m.putSummary(flowFirstByte, entity, &in.firstByte)
	if in.sent+in.got+in.failed > 0 {
		m.put(flowMessagesSent, entity, float64(in.sent))
		m.put(flowMessagesGot, entity, float64(in.got))
		m.put(flowMessagesFailed, entity, float64(in.failed))
		m.put(flowMessageLoss, entity, 1-float64(in.arrived)/float64(in.sent))
	}
	m.putSummary(flowMessageDelay, entity, &in.delay)
	if in.delay.count > 0 {
		m.put(flowMessageJitter, entity, in.jitter.orZero())
	}
	m.putSummary(flowMessageRTT, entity, &in.rtt)
}
