package workload

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/sim/record"
)

// arrivals records the STREAM data that arrives for a flow, at either end, or at
// one end of a connection on the streams that belong to no flow.
type arrivals struct {
	recorder         *recorder
	entity           string
	received, waited meter
}

func newArrivals(r *recorder, entity string) arrivals {
	return arrivals{
		recorder: r, entity: entity,
		received: meter{recorder: r, entity: entity, series: record.SeriesStreamReceived},
		waited:   meter{recorder: r, entity: entity, series: record.SeriesStreamWaited},
	}
}

// released records that bytes can be read which arrived at a time, before others
// of their stream that go ahead of them.
func (a *arrivals) released(bytes int64, arrived, now time.Duration) {
	if now == arrived {
		return
	}
	a.recorder.sample(record.Sample{Time: now, Name: record.SeriesStreamWait, Entity: a.entity, Value: (now - arrived).Seconds()})
	a.waited.add(int(bytes), now)
}

func (a *arrivals) flush() {
	a.received.flush()
	a.waited.flush()
}

// transfer records what one end of a connection sends: its packets, their bytes
// and the STREAM data in them. It also records what arrives there on streams that
// belong to no flow.
type transfer struct {
	packets, bytes meter
	sent, again    meter
	others         arrivals
}

func newTransfer(r *recorder, entity string) transfer {
	return transfer{
		packets: meter{recorder: r, entity: entity, series: record.SeriesSentPackets},
		bytes:   meter{recorder: r, entity: entity, series: record.SeriesSentBytes},

		sent:   meter{recorder: r, entity: entity, series: record.SeriesStreamSent},
		again:  meter{recorder: r, entity: entity, series: record.SeriesStreamResent},
		others: newArrivals(r, entity),
	}
}

func (t *transfer) flush() {
	t.packets.flush()
	t.bytes.flush()
	t.sent.flush()
	t.again.flush()
	t.others.flush()
}

// owners knows the flows to which streams of a connection belong.
type owners struct {
	mu     sync.Mutex
	unused map[quic.StreamID]owner
}

// owner is the flow of a stream, and in how many directions nothing has arrived.
type owner struct {
	flow       *flow
	directions int
}

// opened says that a flow has opened a stream.
func (o *owners) opened(id quic.StreamID, f *flow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	directions := 1
	if id&2 == 0 { // bidirectional (RFC 9000, section 2.1)
		directions = 2
	}
	o.unused[id] = owner{f, directions}
}

// of returns the flow of a stream of which something arrives in one direction, nil
// if it has none. It is to be asked once.
func (o *owners) of(id quic.StreamID) *flow {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.unused[id]
	if !ok {
		return nil
	}
	if known.directions--; known.directions > 0 {
		o.unused[id] = known
	} else {
		delete(o.unused, id)
	}
	return known.flow
}

// incoming follows the STREAM frames that arrive at one end of a connection.
type incoming struct {
	owners  *owners
	others  *arrivals
	streams map[quic.StreamID]*reception
	over    streamSet
}

// frame takes a STREAM frame.
func (in *incoming) frame(id quic.StreamID, offset, length int64, fin bool, now time.Duration) {
	if in.over.has(id) {
		return
	}
	s := in.streams[id]
	if s == nil {
		if offset == 0 && fin { // the whole stream at once
			in.of(id).received.add(int(length), now)
			in.over.add(id)
			return
		}
		s = in.begin(id)
	}
	if fin {
		s.end = min(s.end, offset+length)
	}
	s.arrive(offset, offset+length, now)
	in.check(id, s)
}

// reset takes a RESET_STREAM or RESET_STREAM_AT frame, with the size up to which
// the stream is still to be read.
func (in *incoming) reset(id quic.StreamID, reliable int64) {
	if in.over.has(id) {
		return
	}
	s := in.streams[id]
	if s == nil {
		s = in.begin(id)
	}
	s.end = min(s.end, reliable)
	in.check(id, s)
}

// stop says that this end no longer reads a stream.
func (in *incoming) stop(id quic.StreamID) { in.reset(id, 0) }

func (in *incoming) begin(id quic.StreamID) *reception {
	if in.streams == nil {
		in.streams = make(map[quic.StreamID]*reception)
	}
	s := &reception{arrivals: in.of(id), end: math.MaxInt64}
	in.streams[id] = s
	return s
}

func (in *incoming) of(id quic.StreamID) *arrivals {
	if f := in.owners.of(id); f != nil {
		return &f.arrivals
	}
	return in.others
}

// check forgets a stream of which everything has arrived that is to be read.
func (in *incoming) check(id quic.StreamID, s *reception) {
	if s.next >= s.end {
		delete(in.streams, id)
		in.over.add(id)
	}
}

// reception is the receiving direction of a stream.
type reception struct {
	arrivals *arrivals
	next     int64   // all bytes before it have arrived
	end      int64   // the first byte that will not be read
	beyond   []piece // what has arrived after next, in order and without overlap
}

// piece is a STREAM frame, or what is new of it.
type piece struct {
	from, to int64 // stream offsets
	arrived  time.Duration
}

// arrive takes the bytes of a frame.
func (s *reception) arrive(from, to int64, now time.Duration) {
	if from = max(from, s.next); from >= to {
		return
	}
	if from > s.next {
		s.keep(from, to, now)
		return
	}
	// What has not waited is new where nothing has that covers it.
	fresh := to - from
	released := 0
	for _, p := range s.beyond {
		if p.from > to {
			break
		}
		fresh -= max(0, min(p.to, to)-p.from)
		to = max(to, p.to)
		s.arrivals.released(p.to-p.from, p.arrived, now)
		released++
	}
	s.next = to
	s.beyond = slices.Delete(s.beyond, 0, released)
	s.arrivals.received.add(int(fresh), now)
}

// keep puts what is new of bytes that came too early into its place.
func (s *reception) keep(from, to int64, now time.Duration) {
	i, _ := slices.BinarySearchFunc(s.beyond, from, func(p piece, from int64) int { return cmp.Compare(p.to, from+1) })
	for from < to { // beyond[i] is the first piece that ends after from
		upTo, next := to, to
		if i < len(s.beyond) {
			upTo, next = min(to, s.beyond[i].from), s.beyond[i].to
		}
		if from < upTo {
			s.beyond = slices.Insert(s.beyond, i, piece{from, upTo, now})
			s.arrivals.received.add(int(upTo-from), now)
			i++
		}
		from = max(upTo, next)
		i++
	}
}

// outgoing follows the STREAM frames that one end of a connection sends. It sends
// the data of a stream in order but for what it sends again.
type outgoing struct {
	total   *transfer
	streams map[quic.StreamID]sending
	over    streamSet // streams of which all has been sent
}

// sending is the sending direction of a stream.
type sending struct {
	next int64 // the first byte that has not been sent
	end  int64 // the first byte that will not be sent
}

// frame takes a STREAM frame.
func (out *outgoing) frame(id quic.StreamID, offset, length int64, fin bool, now time.Duration) {
	if length > 0 {
		out.total.sent.add(int(length), now)
	}
	s := sending{next: math.MaxInt64}
	if !out.over.has(id) {
		s = out.of(id)
	}
	if again := min(offset+length, s.next) - offset; again > 0 {
		out.total.again.add(int(again), now)
	}
	if s.next == math.MaxInt64 {
		return
	}
	s.next = max(s.next, offset+length)
	if fin {
		s.end = min(s.end, offset+length)
	}
	out.put(id, s)
}

// reset takes a RESET_STREAM or RESET_STREAM_AT frame.
func (out *outgoing) reset(id quic.StreamID, reliable int64) {
	if !out.over.has(id) {
		s := out.of(id)
		s.end = min(s.end, reliable)
		out.put(id, s)
	}
}

func (out *outgoing) of(id quic.StreamID) sending {
	if s, ok := out.streams[id]; ok {
		return s
	}
	return sending{end: math.MaxInt64}
}

func (out *outgoing) put(id quic.StreamID, s sending) {
	switch {
	case s.next >= s.end:
		delete(out.streams, id)
		out.over.add(id)
		return
	case out.streams == nil:
		out.streams = make(map[quic.StreamID]sending)
	}
	out.streams[id] = s
}

// streamSet is a set of streams, as ranges of the numbers that streams of one type
// have (RFC 9000, section 2.1). It is small as long as streams end about in the
// order in which they begin.
type streamSet [4][]numbers

// numbers are those from the first up to, and without, the last.
type numbers struct{ from, to int64 }

func (s *streamSet) has(id quic.StreamID) bool {
	ranges, n := s[id&3], int64(id>>2)
	i := after(ranges, n)
	return i < len(ranges) && ranges[i].from <= n
}

func (s *streamSet) add(id quic.StreamID) {
	ranges, n := s[id&3], int64(id>>2)
	i := after(ranges, n)
	if i < len(ranges) && ranges[i].from <= n {
		return
	}
	joinsLeft := i > 0 && ranges[i-1].to == n
	joinsRight := i < len(ranges) && ranges[i].from == n+1
	switch {
	case joinsLeft && joinsRight:
		ranges[i-1].to = ranges[i].to
		ranges = slices.Delete(ranges, i, i+1)
	case joinsLeft:
		ranges[i-1].to = n + 1
	case joinsRight:
		ranges[i].from = n
	default:
		ranges = slices.Insert(ranges, i, numbers{n, n + 1})
	}
	s[id&3] = ranges
}

// after returns the index of the first range that ends after n.
func after(ranges []numbers, n int64) int {
	i, _ := slices.BinarySearchFunc(ranges, n+1, func(r numbers, to int64) int { return cmp.Compare(r.to, to) })
	return i
}
