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
	replies chan []byte // datagrams that the server is to send back
}

// echoBacklog is how many datagrams the server holds while it cannot send.
const echoBacklog = 256

func newEcho(f *flow, c *scenario.Echo) *echo {
	return &echo{
		pace:    newPace(f, c.Transport, c.Rate, c.Size, c.Duration, c.Count),
		replies: make(chan []byte, echoBacklog),
	}
}

func (*echo) initiator() string { return "client" }

func (f *echo) run(e *end) {
	switch {
	case e.side == "server" && f.datagrams:
		f.sendBack(e)
	case e.side == "server":
	case f.datagrams:
		f.send(e, e.session.SendDatagram)
	default:
		f.runStream(e)
	}
}

// runStream runs the client's end over a stream.
func (f *echo) runStream(e *end) {
	s, err := e.session.OpenStream(e.session.Context())
	if err != nil {
		f.flow.failUnlessEnded(err)
		return
	}
	f.flow.opened(s.StreamID())
	go f.receive(s, int64(s.StreamID()), record.SeriesMessageRTT)
	header := f.flow.header()
	f.send(e, func(b []byte) error {
		_, err := s.Write(append(header, b...))
		header = nil
		return err
	})
	s.Close()
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
	select {
	case f.replies <- b:
	default: // lost, as in a full buffer of a socket
	}
}

// sendBack sends datagrams back as fast as QUIC takes them, until the flow ends.
// One that cannot be sent is lost.
func (f *echo) sendBack(e *end) {
	for {
		select {
		case b := <-f.replies:
			e.session.SendDatagram(b)
		case <-f.flow.done:
			return
		case <-e.session.Context().Done():
			return
		}
	}
}
