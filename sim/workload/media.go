package workload

import (
	"io"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// media sends frames in one direction, each as a datagram or on a unidirectional
// stream of its own, or all on one.
type media struct {
	passive
	*pace
	from      string
	oneStream bool
}

func newMedia(f *flow, c *scenario.Media) *media {
	return &media{pace: newPace(f, c.Transport, c.Rate, c.Size, c.Duration, c.Count), from: c.From, oneStream: c.Transport == "one-stream"}
}

func (f *media) initiator() string { return f.from }

func (f *media) run(e *end) {
	switch {
	case e.side != f.from:
	case f.datagrams:
		f.send(e, e.session.SendDatagram)
	case f.oneStream:
		f.sendOnOne(e)
	default:
		f.send(e, func(b []byte) error { return f.sendStream(e, b) })
	}
}

// sendOnOne sends all frames on one stream, which it opens for the first.
func (f *media) sendOnOne(e *end) {
	var s *wt.SendStream
	f.send(e, func(b []byte) (err error) {
		if s != nil {
			_, err = s.Write(b)
			return err
		}
		if s, err = e.session.OpenUniStream(e.session.Context()); err != nil {
			return err
		}
		f.flow.opened(s.StreamID())
		_, err = s.Write(append(f.flow.header(), b...))
		return err
	})
	if s != nil {
		s.Close()
	}
}

// sendStream sends a frame on a stream of its own.
func (f *media) sendStream(e *end, b []byte) error {
	s, err := e.session.OpenUniStream(e.session.Context())
	if err != nil {
		return err
	}
	f.flow.owns(s.StreamID())
	if _, err := s.Write(append(f.flow.header(), b...)); err != nil {
		return err
	}
	return s.Close()
}

// uniStream takes a frame, or all. One whose stream is reset is lost.
func (f *media) uniStream(_ *end, s *wt.ReceiveStream) {
	if f.oneStream {
		f.receive(s, int64(s.StreamID()), record.SeriesOneWayDelay)
		return
	}
	if b, err := io.ReadAll(s); err == nil {
		f.take(b, record.SeriesOneWayDelay)
	}
}

func (f *media) datagram(_ *end, b []byte) { f.take(b, record.SeriesOneWayDelay) }
