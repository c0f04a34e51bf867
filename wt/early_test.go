package wt

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// A client that resumes sends its SETTINGS as early data. If that is rejected they are sent
// again, and there is one request for a session in any case.
func TestSettingsOfAResumingClientAreEarlyData(t *testing.T) {
	for _, test := range []struct {
		name     string
		ticket   bool
		lowered  bool // the server allows fewer streams than when it issued the ticket
		used     bool
		settings time.Duration // when the server has them
	}{
		{"no ticket", false, false, false, rtt + oneWay},
		{"accepted", true, false, true, oneWay},
		{"rejected", true, true, false, rtt + oneWay},
	} {
		t.Run(test.name, func(t *testing.T) {
			var start time.Time
			var settings, connects []time.Duration
			server := echoServer()
			server.Trace = func(e Event) {
				switch {
				case start.IsZero():
				case e.Type == SettingsReceived:
					settings = append(settings, time.Since(start))
				case e.Type == ConnectReceived:
					connects = append(connects, time.Since(start))
				}
			}
			streams := int64(20)
			configure := func(w *world) {
				w.earlyData = true
				w.serveQUIC.GetConfigForClient = func(*quic.ClientInfo) (*quic.Config, error) {
					return QUICConfig(&quic.Config{Allow0RTT: true, MaxIncomingStreams: streams}), nil
				}
			}
			inWorld(t, server, configure, func(w *world) {
				config := clientTLS()
				config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
				dial := func() *ClientConn {
					qc, err := w.dialer.DialEarly(w.ctx, w.serverNet.addr, config, w.clientQUIC)
					if err != nil {
						t.Fatal(err)
					}
					c, err := NewEarlyClientConn(w.ctx, qc, nil)
					if err != nil {
						t.Fatal(err)
					}
					return c
				}
				if test.ticket {
					first := dial()
					time.Sleep(2 * rtt) // for the session ticket
					first.Close()
				}
				if test.lowered {
					streams = 10
				}
				start = time.Now()
				c := dial()
				if took := time.Since(start); took != rtt {
					t.Errorf("the handshake took %v, want %v", took, rtt)
				}
				if got := c.Conn().ConnectionState().Used0RTT; got != test.used {
					t.Errorf("early data was accepted: %v, want %v", got, test.used)
				}
				s := w.open(c, "/echo")
				if took := time.Since(start); took != 2*rtt {
					t.Errorf("the session is there after %v, want %v", took, 2*rtt)
				}
				if err := s.SendDatagram([]byte("echo")); err != nil {
					t.Fatal(err)
				}
				if b, err := s.ReceiveDatagram(w.ctx); err != nil || string(b) != "echo" {
					t.Errorf("received %q, %v", b, err)
				}
				if len(settings) != 1 || settings[0] != test.settings {
					t.Errorf("the server had SETTINGS after %v, want %v", settings, test.settings)
				}
				if len(connects) != 1 || connects[0] != rtt+oneWay {
					t.Errorf("the server had a CONNECT after %v, want once after %v", connects, rtt+oneWay)
				}
				s.Close(0, "")
				c.Close()
			})
		})
	}
}
