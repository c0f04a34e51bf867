package workload

import (
	"io"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// media sends frames in one direction, each as a datagram or on a
// unidirectional stream of its own.
type media struct {
	passive
	*pace
	from string
}

func newMedia(f *flow, c *scenario.Media) *media {
	return &media{pace: newPace(f, c.Transport, c.Rate, c.Size, c.Duration, c.Count), from: c.From}
}

func (f *media) initiator() string { return f.from }

func (f *media) run(e *end) {
	switch {
	case e.side != f.from:
	case f.datagrams:
		f.send(e, e.session.SendDatagram)
	default:
		f.send(e, func(b []byte) error { return f.sendStream(e, b) })
	}
}

// sendStream sends a frame on a stream of its own.
func (f *media) sendStream(e *end, b []byte) error {
	s, err := e.session.OpenUniStream(e.session.Context())
	if err != nil {
		return err
	}
	if _, err := s.Write(append(f.flow.header(), b...)); err != nil {
		return err
	}
	return s.Close()
}

// uniStream takes a frame. One whose stream is reset is lost.
func (f *media) uniStream(_ *end, s *wt.ReceiveStream) {
	if b, err := io.ReadAll(s); err == nil {
		f.take(b, record.SeriesOneWayDelay)
	}
}

func (f *media) datagram(_ *end, b []byte) { f.take(b, record.SeriesOneWayDelay) }
