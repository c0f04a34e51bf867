package workload

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// filler is the data of bulk transfers.
var filler [64 << 10]byte

// bulk is a download or an upload.
//
// A download on unidirectional streams is pushed by the server. On
// bidirectional ones the client asks with an empty request on each. An upload
// ends for the client when the server confirms it: on bidirectional streams
// by ending its direction, otherwise by an empty stream of its own.
type bulk struct {
	passive
	flow     *flow
	config   *scenario.Bulk
	received atomic.Int64 // streams that arrived whole
	answered atomic.Int64 // streams of an upload that the server confirmed
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
	if b.bidi() && e.side == "server" || !b.bidi() && e.side != b.sender() {
		return // the peer opens the streams
	}
	var streams sync.WaitGroup
	for n := range b.config.Streams {
		streams.Go(func() { b.runStream(e, n) })
	}
	streams.Wait()
}

// share is the part of the size that the n-th stream carries.
func (b *bulk) share(n int) int64 {
	streams := int64(b.config.Streams)
	share := int64(b.config.Size) / streams
	if int64(n) < int64(b.config.Size)%streams {
		share++
	}
	return share
}

func (b *bulk) runStream(e *end, n int) {
	ctx := e.session.Context()
	if !b.bidi() {
		s, err := e.session.OpenUniStream(ctx)
		if err == nil {
			b.flow.record(record.EventStreamOpened, int64(s.StreamID()), "")
			err = b.send(s, b.flow.header(), n)
		}
		if err != nil {
			b.flow.failUnlessEnded(err)
		}
		return
	}
	s, err := e.session.OpenStream(ctx)
	if err != nil {
		b.flow.failUnlessEnded(err)
		return
	}
	b.flow.record(record.EventStreamOpened, int64(s.StreamID()), "")
	if b.config.Upload {
		if err = b.send(s, b.flow.header(), n); err == nil {
			_, err = io.Copy(io.Discard, s)
		}
		if err == nil && b.answered.Add(1) == int64(b.config.Streams) {
			b.flow.finish()
		}
	} else {
		if _, err = s.Write(b.request(n)); err == nil {
			err = s.Close()
		}
		if err == nil {
			err = b.receive(e, s, int64(s.StreamID()))
		}
	}
	if err != nil {
		b.flow.failUnlessEnded(err)
	}
}

// request asks for the n-th stream of a download.
func (b *bulk) request(n int) []byte {
	m := make([]byte, messageHeader)
	message{flow: b.flow.index, seq: int64(n)}.put(m)
	return append(b.flow.header(), m...)
}

// sendStream is the sending direction of a stream.
type sendStream interface {
	io.WriteCloser
	SetWriteDeadline(time.Time) error
}

// send sends the n-th stream's data after a header, and ends the stream.
func (b *bulk) send(s sendStream, header []byte, n int) error {
	left := b.share(n)
	if b.config.Duration > 0 {
		left = 1<<63 - 1
		s.SetWriteDeadline(time.Now().Add(b.config.Duration))
	}
	// The header goes out with the first data.
	first := append(header, filler[:min(left, 1200)]...)
	written, err := s.Write(first)
	left -= int64(written - len(header))
	for err == nil && left > 0 {
		written, err = s.Write(filler[:min(left, int64(len(filler)))])
		left -= int64(written)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.SetWriteDeadline(time.Time{})
		err = nil
	}
	if err != nil {
		return err
	}
	return s.Close()
}

// receive reads a stream to its end, and ends the flow with its last one.
func (b *bulk) receive(e *end, r io.Reader, id int64) error {
	buf := make([]byte, 32<<10)
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
	if b.received.Add(1) < int64(b.config.Streams) {
		return nil
	}
	b.flow.meter.flush(b.flow.now())
	if b.config.Upload && !b.bidi() {
		return b.confirm(e)
	}
	if !b.config.Upload {
		b.flow.finish()
	}
	return nil
}

// confirm tells the client that its upload on unidirectional streams arrived.
func (b *bulk) confirm(e *end) error {
	s, err := e.session.OpenUniStream(e.session.Context())
	if err != nil {
		return err
	}
	if _, err := s.Write(b.flow.header()); err != nil {
		return err
	}
	return s.Close()
}

// uniStream takes the data, or the confirmation of an upload.
func (b *bulk) uniStream(e *end, s *wt.ReceiveStream) {
	var err error
	if e.side == b.sender() {
		if _, err = io.Copy(io.Discard, s); err == nil {
			b.flow.finish()
		}
	} else {
		err = b.receive(e, s, int64(s.StreamID()))
	}
	if err != nil {
		b.flow.failUnlessEnded(err)
	}
}

// stream takes the data of an upload, or the request of a download.
func (b *bulk) stream(e *end, s *wt.Stream) {
	var err error
	if b.config.Upload {
		if err = b.receive(e, s, int64(s.StreamID())); err == nil {
			err = s.Close()
		}
	} else {
		var request []byte
		if request, err = io.ReadAll(io.LimitReader(s, messageHeader)); err == nil {
			m, _ := parseMessage(request)
			err = b.send(s, nil, int(m.seq))
		}
	}
	if err != nil {
		b.flow.failUnlessEnded(err)
	}
}
