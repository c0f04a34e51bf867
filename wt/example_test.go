package wt_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/wt"
)

// selfSigned returns the TLS configurations of a server on 127.0.0.1 and of its clients.
func selfSigned() (server, client *tls.Config, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
	return http3.ConfigureTLSConfig(server), &tls.Config{RootCAs: roots}, nil
}

// listen listens on a free port of 127.0.0.1, and returns the TLS configuration of clients too.
func listen() (*quic.Listener, *tls.Config, error) {
	serverTLS, clientTLS, err := selfSigned()
	if err != nil {
		return nil, nil, err
	}
	ln, err := quic.ListenAddr("127.0.0.1:0", serverTLS, wt.QUICConfig(nil))
	return ln, clientTLS, err
}

// A server that greets on every stream and a client that reads the greeting.
func Example() {
	ln, clientTLS, err := listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	server := &wt.Server{}
	server.Handle("/greet", wt.Application{Serve: func(s *wt.Session) {
		for {
			str, err := s.AcceptStream(s.Context())
			if err != nil {
				return
			}
			name, _ := io.ReadAll(str)
			fmt.Fprintf(str, "hello, %s", name)
			str.Close()
		}
	}})
	go server.Serve(ln)
	defer server.Close()

	dialer := &wt.Dialer{TLSConfig: clientTLS}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, _, err := dialer.Dial(ctx, fmt.Sprintf("https://%s/greet", ln.Addr()), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	str, err := session.OpenStream(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(str, "gopher")
	str.Close()
	greeting, err := io.ReadAll(str)
	fmt.Println(string(greeting), err)
	session.Close(42, "done")
	<-session.Done()
	fmt.Println(context.Cause(session.Context()))
	// Output:
	// hello, gopher <nil>
	// wt: session closed locally with code 42 ("done")
}
