package wt

import (
	"testing"
	"time"
)

// The peer has spent credit on streams that were rejected before their session
// was there. It gets it back with the session, or when their final sizes are known.
func TestStreamsRejectedAheadOfTheirSessionGiveTheirCreditBack(t *testing.T) {
	for name, test := range map[string]struct {
		wait     time.Duration // between the streams and the request
		capsules []uint64
	}{
		"the request comes later":      {time.Second, []uint64{capsuleMaxData, 1600, capsuleMaxStreams, 6}},
		"the request comes right then": {oneWay / 2, []uint64{capsuleMaxStreams, 6, capsuleMaxData, 1300, capsuleMaxData, 1600}},
	} {
		t.Run(name, func(t *testing.T) {
			server := &Server{
				FlowControl: FlowControl{InitialData: 1000, MaxData: 1000, Streams: 4},
				Limits:      Limits{EarlyStreams: 1},
			}
			server.Handle("/", Application{Serve: func(s *Session) { <-s.Context().Done() }})
			inWorld(t, server, nil, func(w *world) {
				c := w.dialRaw()
				defer c.close()
				p := &flowPeer{rawClient: c, connect: c.begin()}
				p.id = uint64(p.connect.StreamID())
				for _, n := range []int{300, 300, 300} { // one is held
					c.sendStream(p.id, string(make([]byte, n)))
				}
				time.Sleep(test.wait)
				c.send(p.connect, c.request("/"))
				p.wantCapsules(name, test.capsules...)
			})
		})
	}
}
