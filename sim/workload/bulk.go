package workload

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// filler is the data of bulk transfers.
var filler [64 << 10]byte

// bulk is a download or an upload.
//
// A download on unidirectional streams is pushed by the server. On
// bidirectional ones the client asks on each for its part, by number. An upload
// ends for the client when the server confirms it: on bidirectional streams
// by ending its direction, otherwise by an empty stream of its own.
type bulk struct {
	passive
	flow     *flow
	config   *scenario.Bulk
	received atomic.Int64 // streams that arrived whole
	answered atomic.Int64 // streams of an upload that the server confirmed

	clock sync.Once
	until time.Duration // when a flow of limited duration stops sending
}

func (b *bulk) bounded() bool { return true }

// sender is the end that sends the data.
func (b *bulk) sender() string {
	if b.config.Upload {
		return "client"
	}
	return "server"
}

func (b *bulk) initiator() string {
	if b.bidi() {
		return "client"
	}
	return b.sender()
}

func (b *bulk) bidi() bool { return b.config.Direction == "bidi" }

func (b *bulk) run(e *end) {
	if e.side != b.initiator() {
		return // the peer opens the streams
	}
	var streams sync.WaitGroup
	defer streams.Wait()
	for n := range b.config.Streams {
		run, err := b.open(e, n)
		if err != nil {
			b.check(err)
			return
		}
		streams.Go(func() { b.check(run()) })
	}
}

// open opens the stream of the n-th part, and returns what is to be done on it.
func (b *bulk) open(e *end, n int) (run func() error, err error) {
	ctx := e.session.Context()
	var id quic.StreamID
	if b.bidi() {
		s, err := e.session.OpenStream(ctx)
		if err != nil {
			return nil, err
		}
		id, run = s.StreamID(), func() error { return b.download(e, s, n) }
		if b.config.Upload {
			run = func() error { return b.upload(e, s, n) }
		}
	} else {
		s, err := e.session.OpenUniStream(ctx)
		if err != nil {
			return nil, err
		}
		id, run = s.StreamID(), func() error { return b.send(e, s, b.flow.header(), n) }
	}
	b.flow.opened(id)
	return run, nil
}

// check ends the flow if one of its streams failed.
func (b *bulk) check(err error) {
	if err != nil {
		b.flow.failUnlessEnded(err)
	}
}

// upload sends the n-th part on a bidirectional stream, and ends the flow when
// the server has confirmed all parts.
func (b *bulk) upload(e *end, s *wt.Stream, n int) error {
	if err := b.send(e, s, b.flow.header(), n); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if b.answered.Add(1) == int64(b.config.Streams) {
		b.flow.finish()
	}
	return nil
}

// download asks for the n-th part on a bidirectional stream, and takes it.
func (b *bulk) download(e *end, s *wt.Stream, n int) error {
	if _, err := s.Write(quicvarint.Append(b.flow.header(), uint64(n))); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return b.receive(e, s, int64(s.StreamID()))
}

// stream takes the n-th part of an upload, or the request for one of a download.
func (b *bulk) stream(e *end, s *wt.Stream) {
	if b.config.Upload {
		err := b.receive(e, s, int64(s.StreamID()))
		if err == nil {
			err = s.Close()
		}
		b.check(err)
		return
	}
	request, err := io.ReadAll(s)
	if err == nil {
		var n uint64
		if n, _, err = quicvarint.Parse(request); err == nil {
			err = b.send(e, s, nil, int(n))
		}
	}
	b.check(err)
}

// uniStream takes a part, or the confirmation of an upload.
func (b *bulk) uniStream(e *end, s *wt.ReceiveStream) {
	if e.side != b.sender() {
		b.check(b.receive(e, s, int64(s.StreamID())))
		return
	}
	_, err := io.Copy(io.Discard, s)
	if err == nil {
		b.flow.finish()
	}
	b.check(err)
}

// share is the part of the size that the n-th stream carries.
func (b *bulk) share(n int) int64 {
	streams := int64(b.config.Streams)
	share := int64(b.flow.size) / streams
	if int64(n) < int64(b.flow.size)%streams {
		share++
	}
	return share
}

// sendStream is the sending direction of a stream.
type sendStream interface {
	io.WriteCloser
	SetWriteDeadline(time.Time) error
}

// firstData is how much goes out with the header of a stream. QUIC takes that
// much without waiting for credit.
const firstData = 1100

// send sends the n-th part after a header, and ends the stream.
func (b *bulk) send(e *end, s sendStream, header []byte, n int) error {
	left := b.share(n)
	if b.config.Duration > 0 {
		left = math.MaxInt64
		if b.stopAt() <= b.flow.now() {
			left = 0
		}
		stop := b.interrupt(e, s)
		defer stop()
	}
	first := min(left, firstData)
	if _, err := s.Write(append(header, filler[:first]...)); err != nil {
		return err
	}
	left -= first
	for left > 0 {
		n, err := s.Write(filler[:min(left, int64(len(filler)))])
		left -= int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.SetWriteDeadline(time.Time{})
			break
		}
		if err != nil {
			return err
		}
	}
	return s.Close()
}

// stopAt returns when a flow of limited duration stops sending. Its duration
// begins with the first of its streams, so that streams that have to wait for
// others to end have less of it.
func (b *bulk) stopAt() time.Duration {
	b.clock.Do(func() { b.until = b.flow.now() + b.config.Duration })
	return b.until
}

// interrupt ends the writing to a stream when the flow's duration is over.
func (b *bulk) interrupt(e *end, s sendStream) (stop func()) {
	ctx, stop := context.WithCancel(e.session.Context())
	go func() {
		if b.flow.world.SleepUntil(ctx, b.stopAt()) == nil {
			s.SetWriteDeadline(time.Now())
		}
	}()
	return stop
}

// receive reads a stream to its end, and ends the flow with its last one.
func (b *bulk) receive(e *end, r io.Reader, id int64) error {
	buf := make([]byte, 8<<10)
	for first := true; ; {
		n, err := r.Read(buf)
		if n > 0 {
			if first {
				b.flow.record(record.EventFirstByte, id, "")
				first = false
			}
			b.flow.meter.add(n, b.flow.now())
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	switch {
	case b.received.Add(1) < int64(b.config.Streams):
	case !b.config.Upload:
		b.flow.finish()
	case !b.bidi():
		return b.confirm(e)
	}
	return nil
}

// confirm tells the client that its upload on unidirectional streams arrived.
func (b *bulk) confirm(e *end) error {
	s, err := e.session.OpenUniStream(e.session.Context())
	if err != nil {
		return err
	}
	b.flow.owns(s.StreamID())
	if _, err := s.Write(b.flow.header()); err != nil {
		return err
	}
	return s.Close()
}
