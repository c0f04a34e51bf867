package sim_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/wt"
)

// A WebTransport server and a client, each on a host of its own, exchange a
// greeting over a path that loses 2 % of all datagrams. Nothing in greet and
// visit knows of the simulation but the socket that they are given.
func Example() {
	access := []netem.Element{
		netem.Bernoulli{P: 0.02},
		netem.Rate{
			Rate:     10 * netem.MbitPerSecond,
			Overhead: netem.HeaderIPv4,
			Queue:    netem.FIFO{Limit: netem.Limit{Packets: 100}},
		},
		netem.Delay{Delay: 20 * time.Millisecond},
	}
	result, err := sim.Run(sim.Config{Seed: 1, TimeLimit: time.Minute}, func(w *sim.World) error {
		client, server := w.Host("client"), w.Host("server")
		w.Link("access", client, server, access, access)
		server.Serve("greeter", func(ctx context.Context) error { return greet(ctx, server) })
		client.Go("visitor", func(ctx context.Context) error {
			return visit(ctx, client, fmt.Sprintf("https://%s:443/greet", server.Addr()))
		})
		return nil
	})
	fmt.Println("error:", err)
	fmt.Println("at least two round trips:", result.Elapsed >= 80*time.Millisecond)
	// Output:
	// hello, gopher
	// error: <nil>
	// at least two round trips: true
}

func greet(ctx context.Context, host *sim.Host) error {
	socket, err := host.ListenPacket(443, netem.SocketOptions{})
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	config := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})
	listener, err := transport.Listen(config, wt.QUICConfig(nil))
	if err != nil {
		return err
	}
	s := &wt.Server{}
	defer s.Close()
	s.Handle("/greet", wt.Application{Serve: func(session *wt.Session) {
		for {
			stream, err := session.AcceptStream(session.Context())
			if err != nil {
				return
			}
			name, _ := io.ReadAll(stream)
			fmt.Fprintf(stream, "hello, %s", name)
			stream.Close()
		}
	}})
	context.AfterFunc(ctx, func() { listener.Close() })
	s.Serve(listener) // returns when the listener is closed
	return ctx.Err()
}

func visit(ctx context.Context, host *sim.Host, url string) error {
	socket, err := host.ListenPacket(0, netem.SocketOptions{})
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	dialer := &wt.Dialer{Transport: transport, TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	session, _, err := dialer.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	stream, err := session.OpenStream(ctx)
	if err != nil {
		return err
	}
	io.WriteString(stream, "gopher")
	stream.Close()
	greeting, err := io.ReadAll(stream)
	if err != nil {
		return err
	}
	fmt.Println(string(greeting))
	session.Close(0, "")
	<-session.Done()
	return nil
}

// selfSigned returns a certificate whose size is the same every time: an
// Ed25519 signature has one length, an ECDSA signature has several.
func selfSigned() (tls.Certificate, error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
