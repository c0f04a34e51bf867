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
	config *scenario.Media
}

func (f *media) initiator() string { return f.config.From }

func (f *media) run(e *end) {
	if e.side != f.config.From {
		return
	}
	ctx := e.session.Context()
	if f.config.Transport == "datagram" {
		f.send(ctx, e.session.SendDatagram)
	} else {
		header := f.flow.header()
		f.send(ctx, func(b []byte) error {
			s, err := e.session.OpenUniStream(ctx)
			if err != nil {
				return err
			}
			if _, err := s.Write(append(header[:len(header):len(header)], b...)); err != nil {
				return err
			}
			return s.Close()
		})
	}
	if ctx.Err() == nil {
		f.flow.finish()
	}
}

// uniStream takes a frame. One whose stream is reset is lost.
func (f *media) uniStream(_ *end, s *wt.ReceiveStream) {
	if b, err := io.ReadAll(io.LimitReader(s, int64(f.size))); err == nil && len(b) == f.size {
		f.take(b, record.SeriesOneWayDelay)
	}
}

func (f *media) datagram(_ *end, b []byte) { f.take(b, record.SeriesOneWayDelay) }
