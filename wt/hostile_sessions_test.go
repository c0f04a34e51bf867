package wt

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestStreamsOfThousandsOfEndedSessionsAreGone(t *testing.T) {
	const sessions = 1000
	configure := func(w *world) {
		w.ctx = context.Background()
		w.server.SessionRate = -1
	}
	underAttack(t, Limits{}, configure, func(w *world, c *rawClient, end ends) {
		var ids []uint64
		for range sessions {
			connect := c.connect("/end")
			ids = append(ids, uint64(connect.StreamID()))
			connect.Close()
			<-end
			io.Copy(io.Discard, connect)
		}
		time.Sleep(rtt)
		for i, id := range ids {
			c.quic.SendDatagram(append(varints(id/4), "late"...))
			if i%2 == 0 {
				if code := resetCode(t, c.sendStream(id, "late")); code != codeSessionGone {
					t.Fatalf("stream of the ended session %d reset with %#x", id, code)
				}
				continue
			}
			str := c.sendUniStream(id, "late")
			if code := stopCode(t, str.Context()); code != codeSessionGone {
				t.Fatalf("stream of the ended session %d stopped with %#x", id, code)
			}
			str.Close()
		}
		connect := c.connect("/echo") // nothing of that has harmed the connection
		connect.Write(capsule(capsuleDatagram, "datagram"))
		if got, err := connect.ReceiveDatagram(w.ctx); err != nil || string(got) != "datagram" {
			t.Errorf("echoed %q, %v", got, err)
		}
		connect.CancelRead(0)
		connect.Close()
	})
}

func TestSessionIDsThatNoSessionCanHave(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(*rawClient)
		code uint64
	}{
		"a stream of session 1":               {func(c *rawClient) { c.sendStream(1, "x") }, h3IDError},
		"a stream of session 3":               {func(c *rawClient) { c.sendUniStream(3, "x") }, h3IDError},
		"a stream of session 2^62 - 1":        {func(c *rawClient) { c.sendStream(1<<62-1, "x") }, h3IDError},
		"a datagram of quarter 2^60":          {func(c *rawClient) { c.quic.SendDatagram(varints(1 << 60)) }, h3DatagramError},
		"a datagram of quarter 2^62 - 1":      {func(c *rawClient) { c.quic.SendDatagram(varints(1<<62 - 1)) }, h3DatagramError},
		"a datagram with half of a quarter":   {func(c *rawClient) { c.quic.SendDatagram([]byte{0xc0, 0, 0}) }, h3DatagramError},
		"the last stream, which cannot exist": {func(c *rawClient) { c.sendStream(1<<62-4, "x") }, 0},
		"a datagram of the last stream":       {func(c *rawClient) { c.quic.SendDatagram(varints(1<<60 - 1)) }, 0},
		"a stream of its own":                 {func(c *rawClient) { str := c.sendStream(0, ""); c.sendStream(uint64(str.StreamID()), "x") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{}, nil, func(w *world, c *rawClient, end ends) {
				connect := c.connect("/end")
				test.do(c)
				if test.code != 0 {
					if code := connCode(t, c.quic); code != test.code {
						t.Errorf("connection closed with %#x, want %#x", code, test.code)
					}
					if e := <-end; e.Clean || e.Remote {
						t.Errorf("session ended with %+v", e)
					}
					return
				}
				w.settle()
				if err := context.Cause(c.quic.Context()); err != nil {
					t.Errorf("connection closed with %v", err)
				}
				connect.Close()
				<-end
			})
		})
	}
}

// The client asks for all sessions: what is not one of them never will be.
func TestAClientKnowsWhatIsNoSession(t *testing.T) {
	againstRawServer(t, settings16(settingWebTransport, 1, settingInitialMaxData, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		s, connect := openRaw(t, ctx, c, server)
		ended, endedConnect := openRaw(t, ctx, c, server)
		endedConnect.Close()
		<-ended.Done()
		for name, id := range map[string]quic.StreamID{
			"an ended session": ended.ID(), "a session to come": ended.ID() + 4, "the last stream": 1<<62 - 4,
		} {
			str, err := server.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			str.Write(append(varints(frameWebTransport, uint64(id)), 'x'))
			if code := resetCode(t, str); code != codeSessionGone {
				t.Errorf("%s: stream reset with %#x, want WT_SESSION_GONE", name, code)
			}
			uni, err := server.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			uni.Write(append(varints(streamTypeWebTransport, uint64(id)), 'x'))
			if code := stopCode(t, uni.Context()); code != codeSessionGone {
				t.Errorf("%s: stream stopped with %#x, want WT_SESSION_GONE", name, code)
			}
			server.SendDatagram(append(varints(uint64(id/4)), 'x'))
		}
		server.SendDatagram(append(varints(uint64(connect.StreamID()/4)), "datagram"...))
		if got, err := s.ReceiveDatagram(ctx); err != nil || string(got) != "datagram" {
			t.Errorf("received %q, %v", got, err)
		}
		connect.Close()
		<-s.Done()
		checkForgotten(t, c.conn)
	})
}

// Whatever is left of a session's streams when its peer goes on with them after the
// end is reset, and the peer's credit for streams comes back.
func TestAPeerThatGoesOnAfterTheEndGetsItsCreditBack(t *testing.T) {
	underAttack(t, Limits{}, func(w *world) { w.serveQUIC.MaxIncomingUniStreams = 10 }, func(w *world, c *rawClient, end ends) {
		connect := c.connect("/ignore")
		for range 7 { // and three of HTTP/3's own
			c.sendUniStream(uint64(connect.StreamID()), "x")
		}
		time.Sleep(rtt)
		connect.Close()
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		for i := range 100 {
			str, err := c.quic.OpenUniStreamSync(ctx)
			if err != nil {
				t.Fatalf("stream %d after the end: %v", i, err)
			}
			str.Write(append(varints(streamTypeWebTransport, uint64(connect.StreamID())), 'x'))
		}
	})
}
