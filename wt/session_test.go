package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// echo sends back what arrives: on bidirectional streams, on a new
// unidirectional stream for each of those of the peer, and as datagrams.
func echo(s *Session) {
	go func() {
		for {
			b, err := s.ReceiveDatagram(context.Background())
			if err != nil {
				return
			}
			s.SendDatagram(b)
		}
	}()
	go func() {
		for {
			in, err := s.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go func() {
				out, err := s.OpenUniStream(context.Background())
				if err != nil {
					return
				}
				io.Copy(out, in)
				out.Close()
			}()
		}
	}()
	for {
		str, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			io.Copy(str, str)
			str.Close()
		}()
	}
}

func echoServer() *Server {
	s := &Server{MaxSessions: 8}
	s.Handle("/echo", Application{Serve: echo})
	return s
}

func TestEchoOnEveryChannelInBothDirections(t *testing.T) {
	server := &Server{}
	finished := make(chan error, 1)
	exercise := func(ctx context.Context, s *Session) error {
		message := bytes.Repeat([]byte("wt"), 50_000)
		str, err := s.OpenStream(ctx)
		if err != nil {
			return err
		}
		if _, err := str.Write(message); err != nil {
			return err
		}
		str.Close()
		if got, err := io.ReadAll(str); err != nil || !bytes.Equal(got, message) {
			return errors.Join(err, errors.New("bidirectional echo differs"))
		}
		out, err := s.OpenUniStream(ctx)
		if err != nil {
			return err
		}
		if _, err := out.Write(message); err != nil {
			return err
		}
		out.Close()
		in, err := s.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, message) {
			return errors.Join(err, errors.New("unidirectional echo differs"))
		}
		if err := s.SendDatagram([]byte("ping")); err != nil {
			return err
		}
		if got, err := s.ReceiveDatagram(ctx); err != nil || string(got) != "ping" {
			return errors.Join(err, errors.New("datagram echo differs"))
		}
		return nil
	}
	server.Handle("/echo", Application{Serve: echo})
	server.Handle("/exercise", Application{Serve: func(s *Session) { finished <- exercise(context.Background(), s) }})
	inWorld(t, server, nil, func(w *world) {
		finished = make(chan error, 1)
		c := w.dial(nil)
		s := w.open(c, "/echo")
		if err := exercise(w.ctx, s); err != nil {
			t.Errorf("client to server: %v", err)
		}
		s.Close(0, "")
		<-s.Done()
		s = w.open(c, "/exercise")
		echo(s)
		if err := <-finished; err != nil {
			t.Errorf("server to client: %v", err)
		}
		c.Close()
	})
}

func sessionError(t *testing.T, err error) *SessionError {
	t.Helper()
	e, ok := errors.AsType[*SessionError](err)
	if !ok {
		t.Fatalf("error %v is no SessionError", err)
	}
	return e
}

func TestCloseByClientArrivesWithCodeAndReason(t *testing.T) {
	server := &Server{}
	var seen chan error
	server.Handle("/", Application{Serve: func(s *Session) {
		<-s.Context().Done()
		seen <- context.Cause(s.Context())
	}})
	inWorld(t, server, nil, func(w *world) {
		seen = make(chan error, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		if err := s.Close(42, "done"); err != nil {
			t.Errorf("Close: %v", err)
		}
		local := sessionError(t, context.Cause(s.Context()))
		if *local != (SessionError{Code: 42, Reason: "done", Clean: true}) {
			t.Errorf("client's end: %+v", local)
		}
		remote := sessionError(t, <-seen)
		if *remote != (SessionError{Code: 42, Reason: "done", Remote: true, Clean: true}) {
			t.Errorf("server's end: %+v", remote)
		}
		start := time.Now()
		<-s.Done()
		if d := time.Since(start); d != oneWay {
			t.Errorf("client's session is gone %v after the server learned of the close, want %v", d, oneWay)
		}
		c.Close()
	})
}

func TestCloseByServerArrivesWithCodeAndReason(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { s.Close(0xffffffff, "bye") }})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		_, err := s.AcceptStream(w.ctx)
		if e := sessionError(t, err); *e != (SessionError{Code: 0xffffffff, Reason: "bye", Remote: true, Clean: true}) {
			t.Errorf("client's end: %+v", e)
		}
		<-s.Done()
		c.Close()
	})
}

func TestRequestBesideSession(t *testing.T) {
	server := echoServer()
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.URL.Path) })
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		w.open(c, "/echo")
		r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/page", nil)
		response, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != "hello /page" {
			t.Errorf("body %q, %v", body, err)
		}
		c.Close()
	})
}

func TestSeveralSessionsOnOneConnection(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(&ClientConfig{MaxSessions: 3})
		sessions := []*Session{w.open(c, "/echo"), w.open(c, "/echo"), w.open(c, "/echo")}
		for i, s := range sessions {
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			message := string(rune('a' + i))
			io.WriteString(str, message)
			str.Close()
			if got, err := io.ReadAll(str); err != nil || string(got) != message {
				t.Errorf("session %d echoed %q, %v", s.ID(), got, err)
			}
			s.SendDatagram([]byte(message))
			if got, err := s.ReceiveDatagram(w.ctx); err != nil || string(got) != message {
				t.Errorf("session %d echoed the datagram %q, %v", s.ID(), got, err)
			}
		}
		if _, _, err := c.OpenSession(w.ctx, "https://server/echo", nil); !errors.Is(err, ErrTooManySessions) {
			t.Errorf("fourth session: %v, want ErrTooManySessions", err)
		}
		sessions[1].Close(1, "")
		<-sessions[1].Done()
		for _, s := range []*Session{sessions[0], sessions[2], w.open(c, "/echo")} {
			if err := s.Context().Err(); err != nil {
				t.Errorf("session %d ended with another one", s.ID())
			}
		}
		c.Close()
	})
}

func TestServerResetsSessionsBeyondItsLimit(t *testing.T) {
	server := echoServer()
	server.MaxSessions = 1
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(&ClientConfig{MaxSessions: 2})
		w.open(c, "/echo")
		_, _, err := c.OpenSession(w.ctx, "https://server/echo", nil)
		if e, ok := errors.AsType[*quic.StreamError](err); !ok || !e.Remote || e.ErrorCode != h3RequestRejected {
			t.Errorf("second session: %v, want a reset with H3_REQUEST_REJECTED", err)
		}
		c.Close()
	})
}

func TestRefusedSessionReturnsTheResponse(t *testing.T) {
	inWorld(t, &Server{}, nil, func(w *world) {
		c := w.dial(nil)
		s, response, err := c.OpenSession(w.ctx, "https://server/", http.Header{"Origin": {"https://server"}})
		if !errors.Is(err, ErrRefused) || s != nil || response == nil || response.StatusCode != http.StatusMethodNotAllowed {
			t.Fatalf("session %v, response %v, error %v", s, response, err)
		}
		response.Body.Close()
		if left := c.conn.table.all(); len(left) != 0 {
			t.Errorf("%d sessions left in the table", len(left))
		}
		c.Close()
	})
}

func TestOpenSessionStopsWithItsContext(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		ctx, cancel := context.WithTimeout(w.ctx, oneWay)
		defer cancel()
		if _, _, err := c.OpenSession(ctx, "https://server/echo", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		s := w.open(c, "/echo")
		type key struct{}
		s.Close(0, "")
		<-s.Done()
		s, _, err := c.OpenSession(context.WithValue(w.ctx, key{}, "value"), "https://server/echo", nil)
		if err != nil || s.Context().Value(key{}) != "value" {
			t.Errorf("session %v does not carry the values of its context, %v", s, err)
		}
		c.Close()
	})
}

// streamPair returns both ends of a stream of a session whose server
// streamServer hands the streams of its sessions over.
func streamServer(streams *chan *Stream) *Server {
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		for {
			str, err := s.AcceptStream(context.Background())
			if err != nil {
				return
			}
			*streams <- str
		}
	}})
	return server
}

func TestStreamCodesArriveInBothDirections(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		for _, code := range []uint32{0, 29, 30, 0xffffffff} {
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			str.CancelWrite(code) // before anything was written
			peer := <-streams
			_, err = peer.Read(make([]byte, 1))
			if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != code || !e.HasCode || !e.Remote || e.StreamID != str.StreamID() {
				t.Errorf("reset with %d is read as %v", code, err)
			}
			if _, err = str.Write([]byte("x")); !isLocal(err, code) {
				t.Errorf("writing after the reset: %v", err)
			}
			str.CancelRead(code)
			if _, err = str.Read(make([]byte, 1)); !isLocal(err, code) {
				t.Errorf("reading after CancelRead: %v", err)
			}
			for err == nil || isLocal(err, code) {
				_, err = peer.Write(make([]byte, 1000))
			}
			if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != code || !e.HasCode || !e.Remote {
				t.Errorf("stop with %d is written as %v", code, err)
			}
		}
		if s.first != nil {
			t.Error("streams left in the session")
		}
		c.Close()
	})
}

func isLocal(err error, code uint32) bool {
	e, ok := errors.AsType[*StreamError](err)
	return ok && !e.Remote && e.HasCode && e.Code == code
}

func TestStreamWithoutDataReachesThePeer(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		str, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		go func() { io.WriteString(<-streams, "hello") }()
		b := make([]byte, 5)
		if _, err := io.ReadFull(str, b); err != nil || string(b) != "hello" {
			t.Errorf("read %q, %v", b, err)
		}
		str.SetValue(5)
		if str.Value() != 5 || str.SendStream.Value() != 5 || str.ReceiveStream.Value() != 5 {
			t.Error("the directions of a stream differ in its value")
		}
		c.Close()
	})
}

func TestDeadlinesInterruptStreams(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		str, err := w.open(c, "/").OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.SetDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := str.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("Read returned after %v, want 1s", d)
		}
		if _, err := str.Write(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v", err)
		}
		str.SetDeadline(time.Time{})
		if _, err := str.Write(make([]byte, 100)); err != nil {
			t.Errorf("Write without deadline: %v", err)
		}
		c.Close()
	})
}

func TestOpenStreamWaitsForCredit(t *testing.T) {
	var streams chan *Stream
	configure := func(w *world) { w.serveQUIC.MaxIncomingStreams = 2 } // the CONNECT stream is one
	inWorld(t, streamServer(&streams), configure, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		first, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if _, err := s.OpenStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without credit: %v", err)
		}
		first.Close()
		go func() {
			peer := <-streams
			io.Copy(io.Discard, peer)
			peer.Close()
		}()
		io.Copy(io.Discard, first)
		second, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatalf("with credit: %v", err)
		}
		time.AfterFunc(time.Second, func() { s.Close(3, "") })
		_, err = s.OpenStream(w.ctx)
		if e := sessionError(t, err); e.Code != 3 {
			t.Errorf("waiting ended with %v", err)
		}
		if _, err = second.Read(make([]byte, 1)); sessionError(t, err).Code != 3 {
			t.Errorf("reading ended with %v", err)
		}
		c.Close()
	})
}

func TestEndOfSessionInterruptsEveryCall(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		io.ReadFull(str, make([]byte, 1))
		full, _ := s.OpenStream(w.ctx)
		results := make(chan error)
		calls := []func() error{
			func() error { _, err := s.AcceptStream(w.ctx); return err },
			func() error { _, err := s.AcceptUniStream(w.ctx); return err },
			func() error { _, err := s.ReceiveDatagram(w.ctx); return err },
			func() error { _, err := str.Read(make([]byte, 1)); return err },
			func() error { _, err := full.Write(make([]byte, 100<<20)); return err },
		}
		for _, call := range calls {
			go func() { results <- call() }()
		}
		time.Sleep(time.Second)
		start := time.Now()
		s.Close(9, "enough")
		for range calls {
			if e := sessionError(t, <-results); e.Code != 9 || !errors.Is(e, net.ErrClosed) {
				t.Errorf("a call ended with %v", e)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("calls took %v to return", d)
		}
		for name, err := range map[string]error{
			"Close":        s.Close(1, ""),
			"SendDatagram": s.SendDatagram(nil),
			"stream Close": str.Close(),
			"SetDeadline":  str.SetReadDeadline(time.Time{}),
		} {
			if e := sessionError(t, err); e.Code != 9 {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
		c.Close()
	})
}

func TestCloseDoesNotWaitForFlowControl(t *testing.T) {
	// 128 bytes suffice for the request, and not for the capsule.
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	configure := func(w *world) { w.serveQUIC.InitialStreamReceiveWindow, w.serveQUIC.MaxStreamReceiveWindow = 512, 512 }
	inWorld(t, server, configure, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		reason := string(bytes.Repeat([]byte("x"), maxReason))
		start := time.Now()
		s.Close(5, reason)
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if e := <-end; e.Code != 5 || e.Reason != reason || !e.Clean {
			t.Errorf("the server's session ended with %v", e)
		}
		c.Close()
	})
}

func TestLostConnectionEndsSessionsUncleanly(t *testing.T) {
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	inWorld(t, server, nil, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		w.clientNet.setDrop(func() bool { return true })
		w.serverNet.setDrop(func() bool { return true })
		for _, err := range []error{<-end, func() error { _, err := s.AcceptStream(context.Background()); return err }()} {
			e := sessionError(t, err)
			if _, timeout := errors.AsType[*quic.IdleTimeoutError](err); e.Clean || !timeout {
				t.Errorf("session ended with %+v", e)
			}
		}
		<-s.Done()
		c.Close()
	})
}

func TestConnectionClosedWithACodeOfThePeer(t *testing.T) {
	for _, test := range []struct {
		wire quic.ApplicationErrorCode
		code uint32
	}{{7, 7}, {0x52e4a40fa8e2, 7}, {h3NoError, 0}, {0x52e4a40fa8f9, 0}} {
		var end ends
		server := &Server{}
		server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
		inWorld(t, server, nil, func(w *world) {
			end = make(ends, 1)
			c := w.dial(nil)
			s := w.open(c, "/")
			c.Conn().CloseWithError(test.wire, "because")
			e := <-end
			if e.Code != test.code || e.Reason != "because" || !e.Remote || e.Clean {
				t.Errorf("closed with %#x: the server's session ended with %+v", test.wire, e)
			}
			<-s.Done()
			if e := sessionError(t, context.Cause(s.Context())); e.Remote || e.Clean {
				t.Errorf("closed with %#x: the client's session ended with %+v", test.wire, e)
			}
			c.Close()
		})
	}
}

func TestDatagramQueueDropsTheOldest(t *testing.T) {
	received := make(chan []byte, 4)
	server := &Server{Limits: Limits{DatagramQueue: 2}}
	var stats Stats
	server.Handle("/", Application{Serve: func(s *Session) {
		time.Sleep(time.Second)
		for range 2 {
			b, _ := s.ReceiveDatagram(context.Background())
			received <- b
		}
		stats = s.Stats()
	}})
	inWorld(t, server, nil, func(w *world) {
		received = make(chan []byte, 4)
		c := w.dial(nil)
		s := w.open(c, "/")
		for i := range 4 {
			s.SendDatagram([]byte{byte(i)})
		}
		first, second := <-received, <-received
		if first[0] != 2 || second[0] != 3 {
			t.Errorf("received %v and %v, want the last two", first, second)
		}
		<-s.Done()
		if want := (Stats{DatagramsReceived: 4, DatagramsDropped: 2}); stats != want {
			t.Errorf("server counted %+v, want %+v", stats, want)
		}
		if want := (Stats{DatagramsSent: 4}); s.Stats() != want {
			t.Errorf("client counted %+v, want %+v", s.Stats(), want)
		}
		c.Close()
	})
}

func TestMaxDatagramSizeIsExact(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		size := s.MaxDatagramSize()
		if err := s.SendDatagram(make([]byte, size)); err != nil {
			t.Errorf("a datagram of %d bytes: %v", size, err)
		}
		if b, err := s.ReceiveDatagram(w.ctx); err != nil || len(b) != size {
			t.Errorf("echoed %d bytes, %v", len(b), err)
		}
		err := s.SendDatagram(make([]byte, s.MaxDatagramSize()+1))
		if e, ok := errors.AsType[*DatagramTooLargeError](err); !ok || e.Max != s.MaxDatagramSize() {
			t.Errorf("one byte more: %v", err)
		}
		c.Close()
	})
}

// recorder records events and when they happened.
type recorder struct {
	types []EventType
	times map[EventType]time.Time
}

func (r *recorder) record(e Event) {
	if r.times == nil {
		r.times = make(map[EventType]time.Time)
	}
	r.types = append(r.types, e.Type)
	r.times[e.Type] = time.Now()
}

func TestEventsOfASession(t *testing.T) {
	var client, serverEvents recorder
	server := &Server{Trace: serverEvents.record}
	server.Handle("/", Application{Serve: echo})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(&ClientConfig{Trace: client.record})
		s := w.open(c, "/")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		io.ReadFull(str, make([]byte, 1))
		closed := time.Now()
		s.Close(0, "")
		<-s.Done()
		time.Sleep(time.Second)
		if want := []EventType{
			SettingsReceived, ConnectSent, Established, StreamOpened, CloseCalled, CloseSent, Ended,
			StreamEnded, LastStreamEnded, ConnectFinished, Gone,
		}; !slices.Equal(client.types, want) {
			t.Errorf("client's events are %v, want %v", client.types, want)
		}
		if want := []EventType{
			SettingsReceived, ConnectReceived, Established, StreamOpened, Ended,
			StreamEnded, LastStreamEnded, ConnectFinished, Gone,
		}; !slices.Equal(serverEvents.types, want) {
			t.Errorf("server's events are %v, want %v", serverEvents.types, want)
		}
		for _, e := range []struct {
			of   *recorder
			who  string
			what EventType
			at   time.Duration
		}{
			{&client, "client", Ended, 0}, {&client, "client", CloseSent, 0},
			{&serverEvents, "server", Ended, oneWay}, {&serverEvents, "server", LastStreamEnded, oneWay}, {&serverEvents, "server", Gone, oneWay},
			{&client, "client", LastStreamEnded, rtt}, {&client, "client", Gone, rtt},
		} {
			if d := e.of.times[e.what].Sub(closed); d != e.at {
				t.Errorf("%s's %q is %v after the close, want %v", e.who, e.what, d, e.at)
			}
		}
		c.Close()
	})
}

func TestStreamsAreResetThoughThePeerDoesNotAnswer(t *testing.T) {
	var events recorder
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(&ClientConfig{Trace: events.record})
		s := w.open(c, "/echo")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		w.clientNet.setDrop(func() bool { return true })
		closed := time.Now()
		s.Close(0, "")
		<-s.Done()
		if d := events.times[LastStreamEnded].Sub(closed); d != minResetDelay {
			t.Errorf("streams were reset %v after the close, want %v", d, minResetDelay)
		}
		if d := time.Since(closed); d != minCloseWait {
			t.Errorf("session was gone %v after the close, want %v", d, minCloseWait)
		}
		c.Close()
	})
}

func TestCodeArrivesUnderHeavyLoss(t *testing.T) {
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		str, _ := s.OpenStream(context.Background())
		io.Copy(str, zeros{})
		end.application().Serve(s)
	}})
	inWorld(t, server, nil, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		time.Sleep(100 * time.Millisecond)
		n := 0
		lossy := func() bool { n++; return n%3 != 0 }
		w.clientNet.setDrop(lossy)
		s.Close(42, "lossy")
		if e := <-end; e.Code != 42 || e.Reason != "lossy" || !e.Clean {
			t.Errorf("session ended with %v", e)
		}
		<-s.Done()
		c.Close()
	})
}

func TestAThousandStreams(t *testing.T) {
	configure := func(w *world) { w.serveQUIC.MaxIncomingStreams = 10 }
	inWorld(t, echoServer(), configure, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		results := make(chan error)
		for range 1000 {
			go func() {
				str, err := s.OpenStream(w.ctx)
				if err == nil {
					_, err = io.WriteString(str, "stream")
					str.Close()
				}
				if err == nil {
					var got []byte
					if got, err = io.ReadAll(str); string(got) != "stream" {
						err = errors.Join(err, errors.New("echo differs"))
					}
				}
				results <- err
			}()
		}
		for range 1000 {
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
		if s.first != nil {
			t.Error("streams left in the session")
		}
		c.Close()
	})
}
