package probe

import (
	"crypto/tls"
	"errors"
	"math"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/endpoints"
)

// serveHTTP3 serves HTTP/3 without WebTransport, and returns its URL.
func serveHTTP3(t *testing.T) string {
	t.Helper()
	certificate, err := endpoints.Generate()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	server := &http3.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(socket) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		socket.Close()
	})
	return "https://" + socket.LocalAddr().String() + "/"
}

// endless is more than a test waits for.
const endless = math.MaxInt

// serveSessions makes a server serve sessions that send so many bytes of the pattern, and no end,
// on every stream of the client, and returns its URL.
func serveSessions(t *testing.T, server *wt.Server, size int) string {
	t.Helper()
	certificate, err := endpoints.Generate()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	config := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})
	ln, err := transport.Listen(config, wt.QUICConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	server.Handle("/", wt.Application{Serve: func(s *wt.Session) {
		for {
			st, err := s.AcceptStream(s.Context())
			if err != nil {
				return
			}
			for left := size; left > 0 && err == nil; {
				var n int
				n, err = st.Write(pattern[:min(left, len(pattern))])
				left -= n
			}
		}
	}})
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		ln.Close()
		transport.Close()
		socket.Close()
	})
	return "https://" + ln.Addr().String() + "/"
}

func TestSubprotocolsThatCannotBeOfferedAreMistakes(t *testing.T) {
	fails := Config{URL: "https://localhost/", Protocols: []string{"é"}}
	if _, err := Run(t.Context(), fails); !errors.Is(err, ErrConfig) {
		t.Errorf("%v, want a mistake in the configuration", err)
	}
	if _, err := endpoints.Start(endpoints.Config{Listen: "127.0.0.1:0", Protocols: []string{"é"}}); err == nil {
		t.Error("endpoints started with a subprotocol that no field can carry")
	}
}

func TestBulkDoesNotWaitForStreamsWithoutEnd(t *testing.T) {
	url := serveSessions(t, &wt.Server{FlowControl: wt.FlowControl{Streams: -1}}, endless)
	c := Config{URL: url, Insecure: true, Run: Bulk, Size: 1000, Timeout: 200 * time.Millisecond}
	fails(t, c, "bulk: the server allowed no further stream within 200ms")
}

func TestBulkSaysHowMuchCameBackInTime(t *testing.T) {
	c := Config{URL: serveSessions(t, &wt.Server{}, 600), Insecure: true, Run: Bulk, Size: 1000, Count: 1, Timeout: 200 * time.Millisecond}
	fails(t, c, "bulk: 600 bytes of 1000 came back, and no more within 200ms")
}
