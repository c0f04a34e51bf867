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
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/baton"
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

func TestADrainedSessionIsEchoedOn(t *testing.T) {
	s := visit(t, start(t, Config{}), "/drain", nil)
	<-s.Draining()
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
		Method, Protocol, Authority, Path, Draft string
		Header                                   http.Header
		Settings                                 map[string]uint64
	}
	if err := json.Unmarshal(read(t, opened(t, s.AcceptUniStream)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Method != "CONNECT" || got.Protocol != "webtransport-h3" || "https://"+got.Authority != server.URL() || got.Path != "/headers" || got.Draft != "draft-16" || got.Settings["WT_ENABLED (draft-15)"] != 1 {
		t.Errorf("the request is %+v", got)
	}
	if x := got.Header.Values("X-Test"); len(x) != 2 || x[0] != "a" || x[1] != "b" {
		t.Errorf("the header is %v", got.Header)
	}
}

func TestProtocolsChoosesASubprotocol(t *testing.T) {
	for _, test := range []struct {
		config, offered []string
		want            string
	}{
		{nil, []string{"wtsim-1", "wtsim-2"}, "wtsim-2"},
		{nil, []string{"other"}, ""},
		{[]string{"a", "b"}, []string{"b", "c"}, "b"},
	} {
		server := start(t, Config{Protocols: test.config})
		s, _, err := dialer(t, server).Dial(within(t), server.URL()+"/protocols", &wt.SessionOptions{Protocols: test.offered})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Offered  []string
			Protocol string
		}
		if err := json.Unmarshal(read(t, opened(t, s.AcceptUniStream)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Protocol != test.want || s.Protocol() != test.want || len(got.Offered) != 1 {
			t.Errorf("of %q the server chose %q as it says, %q as the client does", test.offered, got.Protocol, s.Protocol())
		}
		s.Close(0, "")
		<-s.Conn().Context().Done()
	}
}

func TestBatonsArrive(t *testing.T) {
	ended := make(chan error, 1)
	server := start(t, Config{Ended: func(_ *wt.Session, err error) { ended <- err }})
	result, err := baton.Run(within(t), dialer(t, server).Dial, server.URL(), baton.Config{Baton: 250, Count: 3})
	if err != nil || result.Batons != 3 || result.Arrived != 3 {
		t.Errorf("%+v, %v", result, err)
	}
	if e, ok := errors.AsType[*wt.SessionError](<-ended); !ok || !e.Clean || e.Code != 0 {
		t.Errorf("the server's session ended with %+v", e)
	}
}

func TestRefuseHasTheStatusAndTheHeader(t *testing.T) {
	server := start(t, Config{})
	for path, want := range map[string]int{
		"/refuse": 404, "/refuse?status=300": 300, "/refuse?status=503&header=Retry-After:%205&header=X:a&header=X:b": 503, "/refuse?status=599": 599,
	} {
		r := refused(t, server, path, nil)
		if r.StatusCode != want {
			t.Errorf("%s has status %s", path, r.Status)
		}
		if x := r.Header.Values("X"); want == 503 && (r.Header.Get("Retry-After") != "5" || !slices.Equal(x, []string{"a", "b"})) {
			t.Errorf("%s has header %v", path, r.Header)
		}
	}
}

func TestAQueryThatIsNotUnderstoodIsRefusedWithTheReason(t *testing.T) {
	server := start(t, Config{})
	long := strings.Repeat("x", 1025)
	for path, want := range map[string]string{
		"/echo?a=1":                                    `unknown parameter "a" of /echo, which has none`,
		"/source?byte=1":                               `unknown parameter "byte" of /source; did you mean "bytes"?`,
		"/source?xyz=1":                                `unknown parameter "xyz" of /source, which has bytes, streams, kind`,
		"/source?bytes=1&bytes=2":                      `parameter "bytes" is given 2 times`,
		"/source?bytes=-1":                             `bytes is "-1"; expected a whole number from 0 to 1000000000`,
		"/source?bytes=1000000001":                     `bytes is "1000000001"; expected a whole number from 0 to 1000000000`,
		"/source?streams=0":                            `streams is "0"; expected a whole number from 1 to 1000`,
		"/source?streams=1001":                         `streams is "1001"; expected a whole number from 1 to 1000`,
		"/source?streams=1000&bytes=1000001":           `1000 streams of 1000001 bytes are more than 1000000000 bytes`,
		"/source?kind=both":                            `kind is "both"; expected one of uni, bidi, datagram`,
		"/source?kind=datagram&streams=1":              `streams does not go with kind=datagram`,
		"/close?code=4294967296":                       `code is "4294967296"; expected a whole number from 0 to 4294967295`,
		"/close?reason=" + long:                        `reason has 1025 bytes; expected at most 1024`,
		"/close?reason=%ff":                            `reason is not UTF-8`,
		"/close?after=soon":                            `after is "soon"; expected a time from 0s to 1m0s, such as 500ms`,
		"/close?after=-1s":                             `after is "-1s"; expected a time from 0s to 1m0s, such as 500ms`,
		"/drain?after=61s":                             `after is "61s"; expected a time from 0s to 1m0s, such as 500ms`,
		"/reset?code=":                                 `code is ""; expected a whole number from 0 to 4294967295`,
		"/reset?code=%c3%a4":                           `code is "\u00e4"; expected a whole number from 0 to 4294967295`,
		"/refuse?status=299":                           `status is "299"; expected a whole number from 300 to 599`,
		"/refuse?header=a":                             `header is "a"; expected name:value, and not of a field that the protocol uses itself`,
		"/refuse?header=content-length:5":              `header is "content-length:5"; expected name:value, and not of a field that the protocol uses itself`,
		"/refuse?header=a:%0d":                         `header is "a:\\r"; expected name:value, and not of a field that the protocol uses itself`,
		"/refuse?" + strings.Repeat("header=a:b&", 17): `17 header fields; expected at most 16`,
		baton.Path + "?baton=256":                      `baton: baton="256" is not one number from 1 to 255`,
		"/headers?%zz":                                 `query: invalid URL escape "%zz"`,
	} {
		r := refused(t, server, path, nil)
		if got := r.Header.Get(ReasonHeader); r.StatusCode != http.StatusBadRequest || got != want {
			t.Errorf("%.50s: status %s, %s\nwant %s", path, r.Status, got, want)
		}
	}
}
