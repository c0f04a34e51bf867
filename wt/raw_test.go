package wt

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// rawClient is a client that does as it is told.
type rawClient struct {
	w    *world
	quic *quic.Conn
	h3   *http3.RawClientConn
}

// dialRaw connects with the settings of draft 16, flow control included.
func (w *world) dialRaw() *rawClient {
	w.t.Helper()
	return w.dialRawWith(map[uint64]uint64{
		settingWebTransport: 1, settingInitialMaxData: 1 << 20, settingInitialMaxStreams: 100, settingInitialMaxUniStreams: 100,
	})
}

func (w *world) dialRawWith(settings map[uint64]uint64) *rawClient {
	w.t.Helper()
	qc := w.dialQUIC()
	transport := &http3.Transport{EnableDatagrams: true, AdditionalSettings: settings, DisableCompression: true}
	c := &rawClient{w: w, quic: qc, h3: transport.NewRawClientConn(qc)}
	go func() {
		for {
			str, err := qc.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			if typ := make([]byte, 1); true {
				if _, err := str.Peek(typ); err == nil && typ[0] < 4 {
					c.h3.HandleUnidirectionalStream(str) // returns at the end of the control stream
				}
			}
		}
	}()
	return c
}

func (c *rawClient) request(path string) *http.Request {
	return &http.Request{
		Method: http.MethodConnect, Proto: protocolH3, Host: "server", Header: http.Header{},
		URL: &url.URL{Scheme: "https", Host: "server", Path: path},
	}
}

// begin opens the CONNECT stream without sending the request.
func (c *rawClient) begin() *http3.RequestStream {
	c.w.t.Helper()
	str, err := c.h3.OpenRequestStream(c.w.ctx)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return str
}

// send sends the CONNECT request and returns the status of the response.
func (c *rawClient) send(str *http3.RequestStream, r *http.Request) int {
	c.w.t.Helper()
	if err := str.SendRequestHeader(r); err != nil {
		c.w.t.Fatal(err)
	}
	response, err := str.ReadResponse()
	if err != nil {
		c.w.t.Fatal(err)
	}
	return response.StatusCode
}

// connect opens a session.
func (c *rawClient) connect(path string) *http3.RequestStream {
	c.w.t.Helper()
	str := c.begin()
	if status := c.send(str, c.request(path)); status != http.StatusOK {
		c.w.t.Fatalf("status %d", status)
	}
	return str
}

// sendStream opens a bidirectional stream of a session and writes to it.
func (c *rawClient) sendStream(session uint64, data string) *quic.Stream {
	c.w.t.Helper()
	str, err := c.quic.OpenStreamSync(c.w.ctx)
	if err != nil {
		c.w.t.Fatal(err)
	}
	str.Write(append(varints(frameWebTransport, session), data...))
	return str
}

func (c *rawClient) sendUniStream(session uint64, data string) *quic.SendStream {
	c.w.t.Helper()
	str, err := c.quic.OpenUniStreamSync(c.w.ctx)
	if err != nil {
		c.w.t.Fatal(err)
	}
	str.Write(append(varints(streamTypeWebTransport, session), data...))
	return str
}

func (c *rawClient) close() { c.quic.CloseWithError(h3NoError, "") }

// resetCode returns the code a stream was reset with, by reading it to the end.
func resetCode(t *testing.T, r io.Reader) uint64 {
	t.Helper()
	_, err := io.Copy(io.Discard, r)
	e, ok := errors.AsType[*quic.StreamError](err)
	if !ok {
		t.Fatalf("stream ended with %v, want a reset", err)
	}
	return uint64(e.ErrorCode)
}

// stopCode waits for STOP_SENDING and returns its code.
func stopCode(t *testing.T, ctx context.Context) uint64 {
	t.Helper()
	<-ctx.Done()
	e, ok := errors.AsType[*quic.StreamError](context.Cause(ctx))
	if !ok || !e.Remote {
		t.Fatalf("stream ended with %v, want STOP_SENDING", context.Cause(ctx))
	}
	return uint64(e.ErrorCode)
}

// connCode waits for the connection to be closed and returns the code.
func connCode(t *testing.T, qc *quic.Conn) uint64 {
	t.Helper()
	<-qc.Context().Done()
	e, ok := errors.AsType[*quic.ApplicationError](context.Cause(qc.Context()))
	if !ok {
		t.Fatalf("connection closed with %v, want an application error", context.Cause(qc.Context()))
	}
	return uint64(e.ErrorCode)
}

// ends collects how the sessions of an application end.
type ends chan *SessionError

func (e ends) application() Application {
	return Application{Serve: func(s *Session) {
		<-s.Context().Done()
		end, _ := errors.AsType[*SessionError](context.Cause(s.Context()))
		e <- end
	}}
}

// hostileWorld runs a test with a raw client against a server whose
// application at /end reports the ends of sessions, and at /echo echoes.
func hostileWorld(t *testing.T, limits Limits, test func(*world, *rawClient, ends)) {
	t.Helper()
	var end ends
	server := echoServer()
	server.Limits = limits
	server.Handle("/end", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	inWorld(t, server, func(*world) { end = make(ends, 16) }, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		test(w, c, end)
	})
}

func TestStreamsAndDatagramsAheadOfTheirSessionArrive(t *testing.T) {
	hostileWorld(t, Limits{}, func(w *world, c *rawClient, _ ends) {
		connect := c.begin() // its ID is known, and nothing of it sent
		id := uint64(connect.StreamID())
		early := c.sendStream(id, "early")
		early.Close()
		c.quic.SendDatagram(append(varints(id/4), "early"...))
		time.Sleep(time.Second)
		if status := c.send(connect, c.request("/echo")); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if got, err := io.ReadAll(early); err != nil || string(got) != "early" {
			t.Errorf("early stream echoed %q, %v", got, err)
		}
		if got, err := connect.ReceiveDatagram(w.ctx); err != nil || string(got) != "early" {
			t.Errorf("early datagram echoed %q, %v", got, err)
		}
	})
}

func TestEarlyStreamsBeyondTheLimitAreRejected(t *testing.T) {
	hostileWorld(t, Limits{EarlyStreams: 2}, func(w *world, c *rawClient, _ ends) {
		id := uint64(c.begin().StreamID())
		c.sendStream(id, "1")
		c.sendUniStream(id, "2")
		third, fourth := c.sendStream(id, "3"), c.sendUniStream(id, "4")
		if code := resetCode(t, third); code != codeBufferedStreamRejected {
			t.Errorf("third stream reset with %#x", code)
		}
		if code := stopCode(t, fourth.Context()); code != codeBufferedStreamRejected {
			t.Errorf("fourth stream stopped with %#x", code)
		}
	})
}

// The 2xx response may be with the client before the server has gone on.
func TestStreamsAreNoLongerEarlyOnceTheSessionIsAccepted(t *testing.T) {
	var opened atomic.Int32
	server := &Server{Limits: Limits{EarlyStreams: 2}, Trace: func(e Event) {
		if e.Type == StreamOpened {
			opened.Add(1)
		}
	}}
	server.Handle("/", Application{Callbacks: func(*Session) Callbacks {
		time.Sleep(time.Second)
		return NoCallbacks{}
	}})
	inWorld(t, server, nil, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		id := uint64(c.connect("/").StreamID())
		for range 5 {
			c.sendStream(id, "content")
		}
		time.Sleep(rtt)
		if n := opened.Load(); n != 5 {
			t.Errorf("%d streams were opened, want 5", n)
		}
	})
}

func TestEarlyStreamsAreHeldForALimitedTime(t *testing.T) {
	hostileWorld(t, Limits{EarlyTimeout: time.Second}, func(w *world, c *rawClient, _ ends) {
		start := time.Now()
		str := c.sendStream(uint64(c.begin().StreamID()), "1")
		if code := resetCode(t, str); code != codeBufferedStreamRejected {
			t.Errorf("stream reset with %#x", code)
		}
		if d := time.Since(start); d != time.Second+rtt {
			t.Errorf("stream reset after %v, want %v", d, time.Second+rtt)
		}
	})
}

func TestStreamsOfWhatIsNoSessionAreGone(t *testing.T) {
	hostileWorld(t, Limits{}, func(w *world, c *rawClient, end ends) {
		connect := c.connect("/end")
		id := uint64(connect.StreamID())
		connect.Close()
		<-end
		time.Sleep(time.Second)
		if code := resetCode(t, c.sendStream(id, "late")); code != codeSessionGone {
			t.Errorf("stream of an ended session reset with %#x", code)
		}
		data := c.sendStream(id, "late")
		if code := resetCode(t, c.sendStream(uint64(data.StreamID()), "x")); code != codeSessionGone {
			t.Errorf("stream of a data stream reset with %#x", code)
		}
		refused := c.begin()
		early := c.sendStream(uint64(refused.StreamID()), "early")
		if status := c.send(refused, c.request("/nowhere")); status != http.StatusMethodNotAllowed {
			t.Errorf("status %d, want 405", status)
		}
		if code := resetCode(t, early); code != codeSessionGone {
			t.Errorf("stream of a refused session reset with %#x", code)
		}
	})
}

func TestInvalidInputClosesTheConnection(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(*rawClient)
		code uint64
	}{
		"a stream of session 1": {func(c *rawClient) { c.sendStream(1, "") }, h3IDError},
		"a stream of session 2": {func(c *rawClient) { c.sendUniStream(2, "") }, h3IDError},
		"an empty datagram":     {func(c *rawClient) { c.quic.SendDatagram(nil) }, h3DatagramError},
		"a datagram with a huge quarter ID": {func(c *rawClient) {
			c.quic.SendDatagram(varints(1 << 60))
		}, h3DatagramError},
		"a second control stream": {func(c *rawClient) {
			str, _ := c.quic.OpenUniStream()
			str.Write(append(varints(streamTypeControl), settingsFrame()...))
		}, h3StreamCreationError},
		"a push": {func(c *rawClient) {
			str, _ := c.quic.OpenUniStream()
			str.Write(varints(1))
		}, h3StreamCreationError},
	} {
		t.Run(name, func(t *testing.T) {
			hostileWorld(t, Limits{}, func(w *world, c *rawClient, _ ends) {
				test.do(c)
				if code := connCode(t, c.quic); code != test.code {
					t.Errorf("connection closed with %#x, want %#x", code, test.code)
				}
			})
		})
	}
}

func TestStreamsThatNeverSendTheirHeaderAreReset(t *testing.T) {
	hostileWorld(t, Limits{HeaderTimeout: time.Second}, func(w *world, c *rawClient, _ ends) {
		for _, header := range [][]byte{{0x40}, {0x40, 0x41}, {0x40, 0x41, 0x80, 0}, {0x01}, {0x01, 0x10, 0}} {
			start := time.Now()
			str, err := c.quic.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			str.Write(header)
			resetCode(t, str)
			if d := time.Since(start); d != time.Second+rtt {
				t.Errorf("stream beginning %x reset after %v, want %v", header, d, time.Second+rtt)
			}
		}
	})
}

func TestMalformedCapsulesEndTheSession(t *testing.T) {
	for name, b := range map[string][]byte{
		"a long reason":         capsule(capsuleClose, string(make([]byte, 4+1025))),
		"a reason not in UTF-8": capsule(capsuleClose, "\x00\x00\x00\x00\xff"),
		"a short CLOSE_SESSION": capsule(capsuleClose, "abc"),
		"a DRAIN with a value":  capsule(capsuleDrain, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			hostileWorld(t, Limits{}, func(w *world, c *rawClient, end ends) {
				connect := c.connect("/end")
				data := c.sendStream(uint64(connect.StreamID()), "x")
				connect.Write(b)
				if code := resetCode(t, connect); code != h3MessageError {
					t.Errorf("CONNECT stream reset with %#x, want H3_MESSAGE_ERROR", code)
				}
				if code := resetCode(t, data); code != codeSessionGone {
					t.Errorf("data stream reset with %#x, want WT_SESSION_GONE", code)
				}
				if e := <-end; e.Clean || e.Remote || !errors.Is(e, errCapsule) {
					t.Errorf("session ended with %+v", e)
				}
			})
		})
	}
}

func TestEndsOfTheConnectStream(t *testing.T) {
	for name, test := range map[string]struct {
		do    func(*http3.RequestStream)
		want  SessionError // without Err
		reset uint64       // code of the answer, 0 for FIN
	}{
		"FIN": {func(c *http3.RequestStream) { c.Close() }, SessionError{Remote: true, Clean: true}, 0},
		"CLOSE_SESSION and FIN": {func(c *http3.RequestStream) {
			c.Write(appendClose(capsule(0x17, "grease"), 7, "seven"))
			c.Close()
		}, SessionError{Code: 7, Reason: "seven", Remote: true, Clean: true}, 0},
		"CLOSE_SESSION without FIN": {func(c *http3.RequestStream) {
			c.Write(appendClose(nil, 7, ""))
		}, SessionError{Code: 7, Remote: true, Clean: true}, 0},
		"CLOSE_SESSION, FIN and STOP_SENDING": {func(c *http3.RequestStream) {
			c.Write(appendClose(nil, 7, ""))
			c.Close()
			c.CancelRead(codeSessionGone)
		}, SessionError{Code: 7, Remote: true, Clean: true}, codeSessionGone},
		"data after CLOSE_SESSION": {func(c *http3.RequestStream) {
			c.Write(append(appendClose(nil, 7, ""), 0x17))
		}, SessionError{Code: 7, Remote: true, Clean: true}, h3MessageError},
		"a truncated capsule": {func(c *http3.RequestStream) {
			c.Write(appendClose(nil, 7, "seven")[:7])
			c.Close()
		}, SessionError{}, h3MessageError},
		"a reset": {func(c *http3.RequestStream) {
			c.CancelWrite(h3RequestCancelled)
		}, SessionError{Remote: true}, codeSessionGone},
		"STOP_SENDING alone": {func(c *http3.RequestStream) {
			c.CancelRead(h3RequestCancelled)
		}, SessionError{Remote: true}, h3RequestCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			hostileWorld(t, Limits{}, func(w *world, c *rawClient, end ends) {
				connect := c.connect("/end")
				test.do(connect)
				e := <-end
				if (e.Err == nil) != e.Clean {
					t.Errorf("Clean is %v with the error %v", e.Clean, e.Err)
				}
				if got := (SessionError{Code: e.Code, Reason: e.Reason, Remote: e.Remote, Clean: e.Clean}); got != test.want {
					t.Errorf("session ended with %+v, want %+v", got, test.want)
				}
				_, err := io.Copy(io.Discard, connect)
				if test.reset == 0 && err != nil {
					t.Errorf("answered with %v, want FIN", err)
				}
				if test.reset != 0 {
					if e, ok := errors.AsType[*quic.StreamError](err); !ok || uint64(e.ErrorCode) != test.reset {
						t.Errorf("answered with %v, want a reset with %#x", err, test.reset)
					}
				}
				w.settle()
				if left := w.server.conns[0].table.all(); len(left) != 0 {
					t.Errorf("%d sessions left in the table", len(left))
				}
			})
		})
	}
}

func TestDatagramsInCapsulesArrive(t *testing.T) {
	hostileWorld(t, Limits{}, func(w *world, c *rawClient, _ ends) {
		connect := c.connect("/echo")
		connect.Write(capsule(capsuleDatagram, "in a capsule"))
		if got, err := connect.ReceiveDatagram(w.ctx); err != nil || string(got) != "in a capsule" {
			t.Errorf("echoed %q, %v", got, err)
		}
	})
}

func TestRequestsThatAreNoSessions(t *testing.T) {
	hostileWorld(t, Limits{}, func(w *world, c *rawClient, _ ends) {
		for name, test := range map[string]struct {
			change func(*http.Request)
			status int
		}{
			"another path":              {func(r *http.Request) { r.URL.Path = "/other" }, 405},
			"another path, old draft":   {func(r *http.Request) { r.URL.Path, r.Proto = "/other", protocolLegacy }, 404},
			"another protocol":          {func(r *http.Request) { r.Proto = "connect-udp" }, 501},
			"GET":                       {func(r *http.Request) { r.Method = http.MethodGet }, 405},
			"GET elsewhere":             {func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, "/other" }, 404},
			"another origin":            {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
			"an origin without TLS":     {func(r *http.Request) { r.Header.Set("Origin", "http://server") }, 403},
			"the origin null":           {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
			"its own origin":            {func(r *http.Request) { r.Header.Set("Origin", "https://SERVER:443") }, 200},
			"two origins":               {func(r *http.Request) { r.Header["Origin"] = []string{"https://server", "https://server"} }, 403},
			"no origin, and old drafts": {func(r *http.Request) { r.Proto = protocolLegacy }, 200},
		} {
			r := c.request("/end")
			test.change(r)
			if got := c.send(c.begin(), r); got != test.status {
				t.Errorf("%s: status %d, want %d", name, got, test.status)
			}
		}
	})
}

func TestServerWaitsForSettings(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dialWire()
		defer c.close()
		start := time.Now()
		str := c.request(connectHeaders(protocolH3, "/echo"))
		if code := resetCode(t, str); code != h3MessageError {
			t.Errorf("request reset with %#x, want H3_MESSAGE_ERROR", code)
		}
		if d := time.Since(start); d != 5*time.Second+rtt {
			t.Errorf("request reset after %v, want %v", d, 5*time.Second+rtt)
		}
	})
}

func TestResetsAheadOfTheCloseReportTheClose(t *testing.T) {
	var read chan error
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		str, err := s.AcceptStream(context.Background())
		if err == nil {
			_, err = io.Copy(io.Discard, str)
		}
		read <- err
	}})
	inWorld(t, server, nil, func(w *world) {
		read = make(chan error, 1)
		c := w.dialRaw()
		defer c.close()
		connect := c.connect("/")
		data := c.sendStream(uint64(connect.StreamID()), "x")
		time.Sleep(rtt)
		data.CancelWrite(codeSessionGone)
		time.Sleep(time.Second)
		connect.Write(appendClose(nil, 9, "nine"))
		connect.Close()
		if e := sessionError(t, <-read); e.Code != 9 || e.Reason != "nine" || !e.Clean {
			t.Errorf("read ended with %v", e)
		}
	})
}
