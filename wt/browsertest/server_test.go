package browsertest

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/endpoints"
)

// server is a server of a test.
type server struct {
	url  string
	hash string // of the certificate, hexadecimal
}

// testCert is a certificate that browsers accept by its hash.
var testCert = sync.OnceValue(func() tls.Certificate {
	cert, err := endpoints.Generate()
	if err != nil {
		panic(err)
	}
	return cert
})

// serve serves on a UDP socket of its own until the end of the test.
func serve(t *testing.T, srv *wt.Server, config *quic.Config) *server {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	config = wt.QUICConfig(config)
	ln, err := transport.Listen(http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{testCert()}}), config)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(ln) })
	t.Cleanup(func() {
		srv.Close()
		serving.Wait()
		ln.Close()
		transport.Close()
		socket.Close()
	})
	hash := endpoints.Hash(testCert())
	address := socket.LocalAddr().String()
	if through != "" {
		address = relay(t, address)
	}
	return &server{url: "https://" + address, hash: hex.EncodeToString(hash[:])}
}

// serveApp serves one application, for the page's origin, on the path /.
func serveApp(t *testing.T, app func(*wt.Session)) *server {
	t.Helper()
	srv := &wt.Server{}
	srv.Handle("/", wt.Application{Serve: app, CheckOrigin: fromPage})
	return serve(t, srv, nil)
}

// fromPage accepts the origin of the page, whatever its port.
func fromPage(r *http.Request) bool {
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Scheme == "http" && origin.Hostname() == "127.0.0.1"
}

// echo sends back all streams and datagrams, a unidirectional stream on one of its own.
func echo(s *wt.Session) {
	ctx := s.Context()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		for {
			b, err := s.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			s.SendDatagram(b)
		}
	})
	all.Go(func() {
		for {
			str, err := s.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			all.Go(func() {
				answer, err := s.OpenUniStream(ctx)
				if err != nil {
					return
				}
				copyAndClose(answer, str)
			})
		}
	})
	for {
		str, err := s.AcceptStream(ctx)
		if err != nil {
			return
		}
		all.Go(func() { copyAndClose(str, str) })
	}
}

func copyAndClose(to io.WriteCloser, from io.Reader) {
	if _, err := io.Copy(to, from); err == nil {
		to.Close()
	}
}

// endOf waits until a session has ended, and returns how.
func endOf(s *wt.Session) *wt.SessionError {
	<-s.Context().Done()
	return context.Cause(s.Context()).(*wt.SessionError)
}

// readString returns what a stream carries until its end, and "!" and the error if it has none.
func readString(r io.Reader) string {
	b, err := io.ReadAll(r)
	if err != nil {
		return string(b) + "!" + err.Error()
	}
	return string(b)
}

// counter counts the events of a server. Its zero value is ready.
type counter [wt.Gone + 1]atomic.Int64

func (c *counter) count(e wt.Event) { c[e.Type].Add(1) }

func (c *counter) of(t wt.EventType) int64 { return c[t].Load() }
