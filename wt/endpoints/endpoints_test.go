package endpoints

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/wt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves until the test ends.
func start(t *testing.T, c Config) *Server {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	s, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// within is the time a test may take before it fails instead of hanging.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dialer(t *testing.T, s *Server) *wt.Dialer {
	t.Helper()
	leaf, err := x509.ParseCertificate(s.Certificate().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &wt.Dialer{TLSConfig: &tls.Config{RootCAs: roots}}
}

// visit opens a session that is closed when the test ends.
func visit(t *testing.T, s *Server, path string, header http.Header) *wt.Session {
	t.Helper()
	session, _, err := dialer(t, s).Dial(within(t), s.URL()+path, &wt.SessionOptions{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		session.Close(0, "")
		<-session.Conn().Context().Done()
	})
	return session
}

// refused returns the response to a session that must be refused.
func refused(t *testing.T, s *Server, path string, header http.Header) *http.Response {
	t.Helper()
	session, response, err := dialer(t, s).Dial(within(t), s.URL()+path, &wt.SessionOptions{Header: header})
	if err == nil {
		session.Close(0, "")
		t.Fatalf("%s was not refused", path)
	}
	if !errors.Is(err, wt.ErrRefused) {
		t.Fatal(err)
	}
	return response
}

func opened[T any](t *testing.T, open func(context.Context) (T, error)) T {
	t.Helper()
	st, err := open(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func read(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEchoReturnsStreamsOnTheSameStream(t *testing.T) {
	s := visit(t, start(t, Config{}), "/echo", nil)
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	st := opened(t, s.OpenStream)
	go func() {
		st.Write(message)
		st.Close()
	}()
	if got := read(t, st); !bytes.Equal(got, message) {
		t.Errorf("%d bytes of %d came back", len(got), len(message))
	}
}

func TestEchoReturnsUnidirectionalStreamsOnNewOnes(t *testing.T) {
	s := visit(t, start(t, Config{}), "/echo", nil)
	for _, message := range []string{"first", "", "third"} {
		st := opened(t, s.OpenUniStream)
		io.WriteString(st, message)
		st.Close()
		if got := read(t, opened(t, s.AcceptUniStream)); string(got) != message {
			t.Errorf("%q came back as %q", message, got)
		}
	}
}

func TestEchoReturnsDatagrams(t *testing.T) {
	s := visit(t, start(t, Config{}), "/echo", nil)
	for _, message := range []string{"a", "", "c"} {
		if err := s.SendDatagram([]byte(message)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReceiveDatagram(within(t)); err != nil || string(got) != message {
			t.Errorf("%q came back as %q, %v", message, got, err)
		}
	}
}

func streamCode(t *testing.T, err error) uint32 {
	t.Helper()
	e, ok := errors.AsType[*wt.StreamError](err)
	if !ok || !e.HasCode || !e.Remote {
		t.Fatalf("got %v, want a stream error of the peer with a code", err)
	}
	return e.Code
}

func TestEchoReturnsResetsWithTheirCode(t *testing.T) {
	s := visit(t, start(t, Config{}), "/echo", nil)
	st := opened(t, s.OpenStream)
	io.WriteString(st, "x")
	io.ReadFull(st, make([]byte, 1))
	st.CancelWrite(7)
	_, err := io.ReadAll(st)
	if code := streamCode(t, err); code != 7 {
		t.Errorf("the reset came back with code %d", code)
	}
}

func TestEchoStopsReadingWhatMayNotBeReturned(t *testing.T) {
	s := visit(t, start(t, Config{}), "/echo", nil)
	st := opened(t, s.OpenStream)
	st.CancelRead(8)
	var err error
	for err == nil {
		_, err = io.WriteString(st, "x")
	}
	if code := streamCode(t, err); code != 8 {
		t.Errorf("stopped with code %d", code)
	}
}

func TestSinkCountsTheBytesOfBidirectionalStreams(t *testing.T) {
	s := visit(t, start(t, Config{}), "/sink", nil)
	for _, size := range []int{0, 1, 100_000} {
		st := opened(t, s.OpenStream)
		st.Write(make([]byte, size))
		st.Close()
		var got int
		if err := json.Unmarshal(read(t, st), &got); err != nil || got != size {
			t.Errorf("the answer to %d bytes is %d, %v", size, got, err)
		}
	}
}

func TestSinkReadsUnidirectionalStreamsAndDatagrams(t *testing.T) {
	s := visit(t, start(t, Config{}), "/sink", nil)
	s.SendDatagram([]byte("forgotten"))
	st := opened(t, s.OpenUniStream)
	if _, err := st.Write(make([]byte, 2_000_000)); err != nil { // more than QUIC's window at first
		t.Error(err)
	}
	st.Close()
}

func isPattern(b []byte) bool {
	for i, got := range b {
		if got != byte(i) {
			return false
		}
	}
	return true
}

func TestSourceSendsStreams(t *testing.T) {
	server := start(t, Config{})
	s := visit(t, server, "/source?bytes=100001&streams=3", nil)
	for range 3 {
		if got := read(t, opened(t, s.AcceptUniStream)); len(got) != 100_001 || !isPattern(got) {
			t.Errorf("got %d bytes", len(got))
		}
	}
	s = visit(t, server, "/source?bytes=10&kind=bidi&streams=2", nil)
	for range 2 {
		if got := read(t, opened(t, s.AcceptStream)); len(got) != 10 || !isPattern(got) {
			t.Errorf("got %d bytes", len(got))
		}
	}
	s = visit(t, server, "/source", nil)
	if got := read(t, opened(t, s.AcceptUniStream)); len(got) != 1_000_000 || !isPattern(got) {
		t.Errorf("got %d bytes without parameters", len(got))
	}
}

func TestSourceSendsDatagrams(t *testing.T) {
	s := visit(t, start(t, Config{}), "/source?kind=datagram&bytes=2500", nil)
	var got []byte
	for _, size := range []int{1000, 1000, 500} {
		b, err := s.ReceiveDatagram(within(t))
		if err != nil || len(b) != size {
			t.Fatalf("got a datagram of %d bytes, %v; want %d", len(b), err, size)
		}
		got = append(got, b...)
	}
	if !isPattern(got) {
		t.Error("not the pattern")
	}
}

func TestCloseHasCodeAndReason(t *testing.T) {
	server := start(t, Config{})
	for _, test := range []struct {
		path   string
		code   uint32
		reason string
	}{
		{"/close", 0, ""},
		{"/close?code=42&reason=bye", 42, "bye"},
		{"/close?code=4294967295&reason=%C3%A4", 4294967295, "ä"},
		{"/close?reason=" + strings.Repeat("r", 1024) + "&after=1ms", 0, strings.Repeat("r", 1024)},
	} {
		s := visit(t, server, test.path, nil)
		<-s.Context().Done()
		e, ok := errors.AsType[*wt.SessionError](context.Cause(s.Context()))
		if !ok || e.Code != test.code || e.Reason != test.reason || !e.Clean || !e.Remote {
			t.Errorf("%s ended with %+v", test.path, e)
		}
	}
}

func TestUntilItIsClosedASessionIsEchoed(t *testing.T) {
	s := visit(t, start(t, Config{}), "/close?after=1m", nil)
	st := opened(t, s.OpenStream)
	io.WriteString(st, "still here")
	st.Close()
	if got := read(t, st); string(got) != "still here" {
		t.Errorf("%q came back", got)
	}
}

func TestResetResetsAndStopsWithTheCode(t *testing.T) {
	s := visit(t, start(t, Config{}), "/reset?code=4294967295", nil)
	st := opened(t, s.OpenStream)
	_, err := io.ReadAll(st)
	if code := streamCode(t, err); code != 4294967295 {
		t.Errorf("reset with code %d", code)
	}
	for _, st := range []io.Writer{st, opened(t, s.OpenUniStream)} {
		for err = nil; err == nil; {
			_, err = io.WriteString(st, "x")
		}
		if code := streamCode(t, err); code != 4294967295 {
			t.Errorf("stopped with code %d", code)
		}
	}
}

func TestHeadersEchoesTheRequest(t *testing.T) {
	server := start(t, Config{})
	s := visit(t, server, "/headers", http.Header{"X-Test": {"a", "b"}})
	var got struct {
		Method, Protocol, Authority, Path string
		Header                            http.Header
	}
	if err := json.Unmarshal(read(t, opened(t, s.AcceptUniStream)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Method != "CONNECT" || got.Protocol != "webtransport-h3" || "https://"+got.Authority != server.URL() || got.Path != "/headers" {
		t.Errorf("the request is %+v", got)
	}
	if x := got.Header.Values("X-Test"); len(x) != 2 || x[0] != "a" || x[1] != "b" {
		t.Errorf("the header is %v", got.Header)
	}
}
