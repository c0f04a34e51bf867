package workload

import (
	"io"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// echo sends messages that the server sends back, all on one bidirectional
// stream, or each as a datagram.
type echo struct {
	passive
	*pace
	config *scenario.Echo
}

func (*echo) initiator() string { return "client" }

func (f *echo) run(e *end) {
	if e.side != "client" {
		return
	}
	ctx := e.session.Context()
	if f.config.Transport == "datagram" {
		f.send(ctx, e.session.SendDatagram)
		f.end(e)
		return
	}
	s, err := e.session.OpenStream(ctx)
	if err != nil {
		f.flow.failUnlessEnded(err)
		return
	}
	f.flow.record(record.EventStreamOpened, int64(s.StreamID()), "")
	go f.receive(s)
	header := f.flow.header()
	f.send(ctx, func(b []byte) error {
		_, err := s.Write(append(header, b...))
		header = nil
		return err
	})
	s.Close()
	f.end(e)
}

// end ends the flow, unless the session has: then that is for run to decide.
func (f *echo) end(e *end) {
	if e.session.Context().Err() == nil {
		f.flow.finish()
	}
}

// receive reads the messages that come back.
func (f *echo) receive(s *wt.Stream) {
	b := make([]byte, f.size)
	for first := true; ; first = false {
		if _, err := io.ReadFull(s, b); err != nil {
			return // the stream's end, or that of the session
		}
		if first {
			f.flow.record(record.EventFirstByte, int64(s.StreamID()), "")
		}
		f.take(b, record.SeriesMessageRTT)
	}
}

// stream sends back what comes, at the server.
func (f *echo) stream(_ *end, s *wt.Stream) {
	if _, err := io.Copy(s, s); err == nil {
		s.Close()
	}
}

func (f *echo) datagram(e *end, b []byte) {
	if e.side == "client" {
		f.take(b, record.SeriesMessageRTT)
		return
	}
	e.session.SendDatagram(b) // one that cannot be sent is lost
}
