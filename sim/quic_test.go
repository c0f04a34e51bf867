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
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
)

// credentials returns the TLS configurations of a server and of a client that
// trusts it. The certificate is Ed25519 with a fixed serial number, because its
// size must not vary.
func credentials() (server, client *tls.Config, err error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(1000 * time.Hour),
		DNSNames:     []string{"server"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"test"}}
	client = &tls.Config{
		RootCAs: pool, ServerName: "server", NextProtos: []string{"test"},
		CurvePreferences: []tls.CurveID{tls.X25519}, // a ClientHello of one packet
	}
	return server, client, nil
}

// path is a link direction with a rate, a queue and a delay.
func path(rate netem.BitRate, delay time.Duration, queue netem.Limit, more ...netem.Element) []netem.Element {
	return append(more,
		netem.Rate{Rate: rate, Overhead: netem.HeaderIPv4, Queue: netem.FIFO{Limit: queue}},
		netem.Delay{Delay: delay},
	)
}

// connection is a QUIC connection between the hosts client and server, whose
// ends run functions.
type connection struct {
	seed             uint64
	forward, reverse []netem.Element
	config           quic.Config
	options          netem.SocketOptions
	observe          func(netem.Outcome)
	limit            time.Duration
	client, server   func(*sim.World, *quic.Conn) error
}

func (c connection) run() (sim.Result, error) {
	return sim.Run(sim.Config{Seed: c.seed, Observe: c.observe, TimeLimit: c.limit}, func(w *sim.World) error {
		client, server := w.Host("client"), w.Host("server")
		w.Link("access", client, server, c.forward, c.reverse)
		serverTLS, clientTLS, err := credentials()
		if err != nil {
			return err
		}
		server.Serve("listen", func(ctx context.Context) error {
			conn, err := server.ListenPacket(443, c.options)
			if err != nil {
				return err
			}
			transport := &quic.Transport{Conn: conn}
			defer transport.Close()
			listener, err := transport.Listen(serverTLS, c.config.Clone())
			if err != nil {
				return err
			}
			for {
				conn, err := listener.Accept(ctx)
				if err != nil {
					return err
				}
				if c.server != nil {
					server.Serve("connection", func(context.Context) error { return c.server(w, conn) })
				}
			}
		})
		client.Go("dial", func(ctx context.Context) error {
			conn, err := client.ListenPacket(0, c.options)
			if err != nil {
				return err
			}
			transport := &quic.Transport{Conn: conn}
			defer transport.Close()
			quicConn, err := transport.Dial(ctx, &net.UDPAddr{IP: server.Addr().AsSlice(), Port: 443}, clientTLS, c.config.Clone())
			if err != nil {
				return err
			}
			if c.client == nil {
				return quicConn.CloseWithError(0, "")
			}
			return c.client(w, quicConn)
		})
		return nil
	})
}

// A download of size bytes, on one unidirectional stream.
func download(size int) (client, server func(*sim.World, *quic.Conn) error) {
	server = func(_ *sim.World, conn *quic.Conn) error {
		stream, err := conn.OpenUniStream()
		if err != nil {
			return err
		}
		buf := make([]byte, 32<<10)
		for left := size; left > 0; {
			n, err := stream.Write(buf[:min(left, len(buf))])
			if err != nil {
				return err
			}
			left -= n
		}
		return stream.Close()
	}
	client = func(_ *sim.World, conn *quic.Conn) error {
		stream, err := conn.AcceptUniStream(context.Background())
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, stream)
		if err != nil {
			return err
		}
		if n != int64(size) {
			return fmt.Errorf("received %d bytes of %d", n, size)
		}
		return conn.CloseWithError(0, "")
	}
	return client, server
}

func TestDownloadFinishesWithAndWithoutLoss(t *testing.T) {
	for _, loss := range []float64{0, 0.01} {
		t.Run(fmt.Sprint(loss), func(t *testing.T) {
			p := path(20*netem.MbitPerSecond, 20*time.Millisecond, netem.Limit{Bytes: 100_000}, netem.Bernoulli{P: loss})
			client, server := download(2_000_000)
			lost := 0
			_, err := connection{
				seed: 1, forward: p, reverse: p, client: client, server: server,
				observe: func(o netem.Outcome) {
					if o.Reason == "loss" {
						lost++
					}
				},
			}.run()
			if err != nil {
				t.Fatalf("seed 1: %v", err)
			}
			if (lost > 0) != (loss > 0) {
				t.Errorf("seed 1: %d datagrams lost with probability %v", lost, loss)
			}
		})
	}
}

// What is corrupted fails authentication, and what is duplicated has a packet
// number that was seen: QUIC discards both.
func TestDownloadFinishesWithCorruptionAndCopies(t *testing.T) {
	p := path(20*netem.MbitPerSecond, 20*time.Millisecond, netem.Limit{Bytes: 100_000}, netem.Corrupt{P: 0.01}, netem.Duplicate{P: 0.05})
	client, server := download(2_000_000)
	fates, again := make(map[uint64]int), 0
	_, err := connection{
		seed: 1, forward: p, reverse: p, client: client, server: server,
		observe: func(o netem.Outcome) {
			if fates[o.Packet.ID]++; fates[o.Packet.ID] > 1 {
				again++
			}
		},
	}.run()
	if err != nil {
		t.Fatalf("seed 1: %v", err)
	}
	if again == 0 {
		t.Error("seed 1: no datagram was duplicated")
	}
}
