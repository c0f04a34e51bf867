package wt

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// earlyPackets counts the 0-RTT packets of a datagram (RFC 9000, sections 12.2 and 17.2).
func earlyPackets(t *testing.T, datagram []byte) int {
	early := 0
	next := func(n uint64) { datagram = datagram[min(n, uint64(len(datagram))):] }
	number := func() uint64 {
		v, n, err := quicvarint.Parse(datagram)
		if err != nil {
			t.Error(err)
		}
		next(uint64(n))
		return v
	}
	for len(datagram) > 0 && datagram[0]&0x80 != 0 { // a long header
		const initial, zeroRTT = 0, 1
		kind := datagram[0] >> 4 & 3
		if kind == zeroRTT {
			early++
		}
		next(1 + 4)   // version
		for range 2 { // connection IDs
			if len(datagram) > 0 {
				next(1 + uint64(datagram[0]))
			}
		}
		if kind == initial {
			next(number()) // token
		}
		next(number())
	}
	return early
}

// A client that resumes sends its SETTINGS as early data. If that is rejected they are sent
// again, and there is one request for a session in any case.
func TestSettingsOfAResumingClientAreEarlyData(t *testing.T) {
	for _, test := range []struct {
		name     string
		ticket   bool
		lowered  bool // the server allows fewer streams than when it issued the ticket
		tried    bool // in 0-RTT packets
		used     bool
		settings time.Duration // when the server has them
	}{
		{"no ticket", false, false, false, false, rtt + oneWay},
		{"accepted", true, false, true, true, oneWay},
		{"rejected", true, true, true, false, rtt + oneWay},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var start time.Time
			var settings, connects []time.Duration
			server := echoServer()
			server.Trace = func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case start.IsZero():
				case e.Type == SettingsReceived:
					settings = append(settings, time.Since(start))
				case e.Type == ConnectReceived:
					connects = append(connects, time.Since(start))
				}
			}
			streams := int64(20)
			var early atomic.Int64
			configure := func(w *world) {
				w.clientNet.sent = func(b []byte) { early.Add(int64(earlyPackets(t, b))) }
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
				if n := early.Load(); n > 0 {
					t.Errorf("%d 0-RTT packets without a ticket", n)
				}
				mu.Lock()
				start = time.Now()
				mu.Unlock()
				c := dial()
				if n := early.Load(); n > 0 != test.tried {
					t.Errorf("%d 0-RTT packets; want some: %v", n, test.tried)
				}
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
				mu.Lock()
				if len(settings) != 1 || settings[0] != test.settings {
					t.Errorf("the server had SETTINGS after %v, want %v", settings, test.settings)
				}
				if len(connects) != 1 || connects[0] != rtt+oneWay {
					t.Errorf("the server had a CONNECT after %v, want once after %v", connects, rtt+oneWay)
				}
				mu.Unlock()
				s.Close(0, "")
				c.Close()
			})
		})
	}
}
