package probe

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/quic-go/quic-go/http3"

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
