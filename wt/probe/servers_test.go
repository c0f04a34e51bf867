package probe

import (
	"crypto/tls"
	"errors"
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

// serveSessions makes a server serve sessions that send the pattern without end
// on every stream of the client, and returns its URL.
func serveSessions(t *testing.T, server *wt.Server) string {
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
			for err == nil {
				_, err = st.Write(pattern)
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
	url := serveSessions(t, &wt.Server{FlowControl: wt.FlowControl{Streams: -1}})
	c := Config{URL: url, Insecure: true, Run: Bulk, Size: 1000, Timeout: 200 * time.Millisecond}
	fails(t, c, "bulk: the server allowed no further stream within 200ms")
}
