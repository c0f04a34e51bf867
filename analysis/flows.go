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
	runDatagramsEntered = define(ofRun, "run.datagrams", "packets", "datagrams that entered the network", "run.json")
)

// flowTotals is what is added up for a flow.
type flowTotals struct {
	started, ended       time.Duration
	hasStarted, hasEnded bool
	complete             bool
	delivered            float64
	throughput           *bins
	seconds              perSecond
	streams              int64
	opened               map[int64]time.Duration // streams without a first byte
	firstByte            distribution
	sent, got, failed    int64
	reached              reached
	delay, rtt           distribution
	jitter               jitter
}

func (f *flowTotals) sample(s record.Sample, bin, end time.Duration) {
	switch s.Name {
	case record.SeriesDelivered:
		if f.throughput == nil {
			f.throughput = &bins{width: bin, end: end}
		}
		f.throughput.add(s.Time, 8*(s.Value-f.delivered))
		f.seconds.add(s.Time, s.Value-f.delivered)
		f.reached.add(s.Time, s.Value)
		f.delivered = s.Value
	case record.SeriesOneWayDelay:
		f.delay.addSeconds(s.Value)
		f.jitter.add(s.Value)
	case record.SeriesMessageRTT:
		f.rtt.addSeconds(s.Value)
	}
}

func (f *flowTotals) event(e record.Event) {
	switch e.Kind {
	case record.EventFlowStarted:
		f.started, f.hasStarted = e.Time, true
	case record.EventFlowFinished:
		f.ended, f.hasEnded, f.complete = e.Time, true, true
		f.delivered = max(f.delivered, float64(e.Value))
	case record.EventFlowFailed:
		f.ended, f.hasEnded = e.Time, true
	case record.EventStreamOpened:
		if f.opened == nil {
			f.opened = map[int64]time.Duration{}
		}
		f.opened[e.Value] = e.Time
		f.streams++
	case record.EventFirstByte:
		if at, ok := f.opened[e.Value]; ok {
			f.firstByte.addDuration(e.Time - at)
			delete(f.opened, e.Value)
		}
	case record.EventMessageSent:
		f.sent++
	case record.EventMessageGot:
		f.got++
	case record.EventMessageFailed:
		f.failed++
	}
}

// completion returns how long the flow took, and whether it was complete.
func (f *flowTotals) completion() (time.Duration, bool) {
	return f.ended - f.started, f.complete && f.hasStarted
}

// goodput returns the flow's goodput in bit/s, and whether it has one.
func (f *flowTotals) goodput(run time.Duration) (float64, bool) {
	end := run
	if f.hasEnded {
		end = f.ended
	}
	if !f.hasStarted || end <= f.started {
		return math.NaN(), false
	}
	return 8 * f.delivered / (end - f.started).Seconds(), true
}

func (f *flowTotals) metrics(m *Metrics, entity string, run time.Duration) {
	if goodput, ok := f.goodput(run); ok {
		m.put(flowGoodput, entity, goodput)
	}
	if f.throughput != nil {
		m.put(flowPeak, entity, f.throughput.max())
	}
	if took, ok := f.completion(); ok {
		m.put(flowCompletion, entity, took.Seconds())
	}
	if f.hasStarted {
		for i, at := range f.reached {
			m.put(flowTimeTo[i].metric, entity, (at - f.started).Seconds())
		}
	}
	m.put(flowBytes, entity, f.delivered)
	if f.streams > 0 {
		m.put(flowStreams, entity, float64(f.streams))
	}
	m.putSummary(flowFirstByte, entity, &f.firstByte)
	if f.sent+f.got+f.failed > 0 {
		m.put(flowMessagesSent, entity, float64(f.sent))
		m.put(flowMessagesGot, entity, float64(f.got))
		m.put(flowMessagesFailed, entity, float64(f.failed))
		m.put(flowMessageLoss, entity, 1-float64(f.got)/float64(f.sent))
	}
	m.putSummary(flowMessageDelay, entity, &f.delay)
	if f.delay.count > 0 {
		m.put(flowMessageJitter, entity, f.jitter.mean())
	}
	m.putSummary(flowMessageRTT, entity, &f.rtt)
}

// jitter is the mean change of the delay from one arrival to the next.
type jitter struct {
	sum, last float64
	arrivals  int
}

func (j *jitter) add(delay float64) {
	if j.arrivals > 0 {
		j.sum += math.Abs(delay - j.last)
	}
	j.last = delay
	j.arrivals++
}

func (j *jitter) mean() float64 {
	if j.arrivals < 2 {
		return 0
	}
	return j.sum / float64(j.arrivals-1)
}
