package wt

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// The tests of this file show what the package cannot do because http3 does
// not let it, as its documentation says. One that fails is good news.

func draft16Settings() []byte { return settingsFrame(settingH3Datagram, 1, settingWebTransport, 1) }

func TestWebTransportHeaderInsideARequestStreamIsSkipped(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dialWire(draft16Settings())
		defer c.close()
		connect := c.request(connectHeaders(protocolH3, "/echo"), frame(frameWebTransport, []byte("misplaced")))
		c.accepted(connect)
		c.echoes(connect.StreamID())
	})
}

func TestSchemeOfARequestIsNotKnown(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dialWire(draft16Settings())
		defer c.close()
		c.accepted(c.request(headers(
			":method", "CONNECT", ":protocol", protocolH3, ":scheme", "http", ":authority", "server", ":path", "/echo")))
	})
}

func TestHandlersDoNotLearnOfSettings(t *testing.T) {
	server := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		select {
		case <-w.(http3.Settingser).ReceivedSettings():
			io.WriteString(w, "received")
		default:
			io.WriteString(w, "not received")
		}
	})}
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/", nil)
		response, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); string(body) != "not received" {
			t.Errorf("SETTINGS were %s", body)
		}
		c.Close()
	})
}

func TestGoAwayIsNotSent(t *testing.T) {
	server := echoServer()
	inWorld(t, server, nil, func(w *world) {
		c := w.dialWire(draft16Settings())
		connect := c.request(connectHeaders(protocolH3, "/echo"))
		c.accepted(connect)
		control, err := c.quic.AcceptUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		r := quicvarint.NewReader(control)
		quicvarint.Read(r) // its type
		readFrame(t, r)    // SETTINGS
		go server.Shutdown(w.ctx)
		control.SetReadDeadline(time.Now().Add(time.Second))
		if rest, err := io.ReadAll(control); len(rest) > 0 {
			t.Errorf("the control stream goes on with %x, %v", rest, err)
		}
		c.close()
	})
}

// http3 itself would not accept early data from clients that know of a setting of
// an extension, and so of WebTransport.
func TestHTTP3RefusesEarlyDataOnceItHasOtherSettings(t *testing.T) {
	for _, test := range []struct {
		settings map[uint64]uint64
		accepted bool
	}{{nil, true}, {map[uint64]uint64{settingWebTransport: 1}, false}} {
		testCert()
		synctest.Test(t, func(t *testing.T) {
			clientNet, serverNet := newPipe(oneWay)
			server := &http3.Server{TLSConfig: serverTLS(), EnableDatagrams: true, AdditionalSettings: test.settings}
			served := make(chan error, 1)
			go func() { served <- server.Serve(serverNet) }()
			dialer := &quic.Transport{Conn: clientNet}
			config := clientTLS()
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			for _, accepted := range []bool{false, test.accepted} {
				qc, err := dialer.DialEarly(t.Context(), serverNet.addr, config, QUICConfig(nil))
				if err != nil {
					t.Fatal(err)
				}
				str, err := qc.OpenUniStream()
				if err != nil {
					t.Fatal(err)
				}
				str.Write(varints(streamTypeControl))
				<-qc.HandshakeComplete()
				time.Sleep(2 * rtt) // for the session ticket
				if got := qc.ConnectionState().Used0RTT; got != accepted {
					t.Errorf("settings %v: early data was accepted: %v, want %v", test.settings, got, accepted)
				}
				qc.CloseWithError(h3NoError, "")
			}
			server.Close()
			<-served
			dialer.Close()
			clientNet.Close()
			serverNet.Close()
		})
	}
}

// A listener that is configured otherwise may accept it; a session waits for the handshake then.
func TestNoSessionBeginsInEarlyData(t *testing.T) {
	var events []EventType
	var times []time.Duration
	var start time.Time
	server := echoServer()
	server.Trace = func(e Event) {
		if e.Type == ConnectReceived || e.Type == Established {
			events = append(events, e.Type)
			times = append(times, time.Since(start))
		}
	}
	configure := func(w *world) {
		w.earlyData = true
		w.serveQUIC.Allow0RTT = true
	}
	inWorld(t, server, configure, func(w *world) {
		config := clientTLS()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		dial := func() *quic.Conn {
			qc, err := w.dialer.DialEarly(w.ctx, w.serverNet.addr, config, w.clientQUIC)
			if err != nil {
				t.Fatal(err)
			}
			return qc
		}
		first := dial()
		<-first.HandshakeComplete()
		time.Sleep(2 * rtt) // for the session ticket
		first.CloseWithError(h3NoError, "")

		start = time.Now()
		qc := dial()
		c := &wireClient{w: w, quic: qc}
		control, err := qc.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		control.Write(append(varints(streamTypeControl), draft16Settings()...))
		connect := c.request(connectHeaders(protocolH3, "/echo"))
		c.accepted(connect)
		if !qc.ConnectionState().Used0RTT {
			t.Error("no early data was sent")
		}
		c.close()
		synctest.Wait() // as the server reports its events on goroutines of its own
		if want := []EventType{ConnectReceived, Established}; !slices.Equal(events, want) {
			t.Fatalf("events %v, want %v", events, want)
		}
		// The client's part of the handshake arrives a round trip after its early data.
		if want := []time.Duration{oneWay, oneWay + rtt}; !slices.Equal(times, want) {
			t.Errorf("events after %v, want %v", times, want)
		}
	})
}

// http3 gives no access to the control stream of a raw connection, and its own
// Shutdown does not know of the connection: no GOAWAY can be sent.
func TestHTTP3SendsNoGoAwayOnARawConnection(t *testing.T) {
	testCert()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		clientNet, serverNet := newPipe(oneWay)
		dialer, listener := &quic.Transport{Conn: clientNet}, &quic.Transport{Conn: serverNet}
		ln, err := listener.Listen(serverTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		h3 := &http3.Server{}
		go func() {
			qc, err := ln.Accept(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := h3.NewRawServerConn(qc); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if err := h3.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			qc.CloseWithError(h3NoError, "")
		}()
		qc, err := dialer.Dial(ctx, serverNet.addr, clientTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		control, err := qc.AcceptUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var log controlLog
		if _, _, err := readVarint(control); err != nil {
			t.Fatal(err)
		}
		err = readControl(control, false, &log)
		if e, ok := errors.AsType[*quic.ApplicationError](err); !ok || e.ErrorCode != h3NoError {
			t.Errorf("the control stream ended with %v", err)
		}
		if len(log.settings) != 1 || len(log.goAways) != 0 {
			t.Errorf("the server sent %d SETTINGS and %d GOAWAY, want 1 and 0", len(log.settings), len(log.goAways))
		}
		ln.Close()
		dialer.Close()
		listener.Close()
		clientNet.Close()
		serverNet.Close()
	})
}
