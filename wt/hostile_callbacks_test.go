package wt

import (
	"context"
	"io"
	"testing"
	"time"
)

// stuck are callbacks that do not return from their first event of the peer
// before the session is over.
type stuck struct{ NoCallbacks }

func (stuck) StreamOpened(st *EventStream)  { <-st.Session().Context().Done() }
func (stuck) Datagram(s *Session, _ []byte) { <-s.Context().Done() }

// With callbacks that do not return what a peer sends waits in the same bounds.
func TestFloodsOfEventsFillNoMemory(t *testing.T) {
	limits := Limits{Offences: -1}.withDefaults()
	const size = 1 << 10
	for name, callbacks := range map[string]Callbacks{"callbacks that return": NoCallbacks{}, "callbacks that do not return": stuck{}} {
		t.Run(name, func(t *testing.T) {
			configure := func(w *world) {
				w.server.SessionRate = -1
				w.serveQUIC.MaxStreamReceiveWindow, w.serveQUIC.MaxConnectionReceiveWindow = 512<<10, 768<<10
				w.server.Handle("/callbacks", Application{Callbacks: func(*Session) Callbacks { return callbacks }})
			}
			underAttack(t, limits, configure, func(w *world, c *rawClient, _ ends) {
				g := newGauge()
				connect := c.connect("/callbacks")
				id := uint64(connect.StreamID())
				g.each(10_000, func(int) { c.quic.SendDatagram(append(varints(id/4), make([]byte, size)...)) })
				for range 100 {
					connect.Write(capsule(capsuleDatagram, string(make([]byte, size))))
					connect.Write(capsule(capsuleDrain, ""))
				}
				ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
				defer cancel()
				g.each(4_000, func(i int) {
					str, err := c.quic.OpenUniStreamSync(ctx)
					if err != nil {
						return // none is read, so none ends
					}
					str.Write(append(varints(streamTypeWebTransport, id), make([]byte, size)...))
					if i%2 == 0 {
						str.Close()
					} else {
						str.CancelWrite(0)
					}
				})
				connect.Close()
				io.Copy(io.Discard, connect)
				g.each(200, func(i int) { // sessions that end at once
					str := c.connect("/callbacks")
					c.quic.SendDatagram(append(varints(uint64(str.StreamID()/4)), 'x'))
					str.Close()
					io.Copy(io.Discard, str)
				})
				g.check(t, 2*limits.DatagramQueue*size+100*4*size)
			})
		})
	}
}
