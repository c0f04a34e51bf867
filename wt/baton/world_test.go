package baton

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/wt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const oneWay = 10 * time.Millisecond

// world is a server and a client on a simulated network.
type world struct {
	app     wt.Application
	streams int64          // that each end lets the other have open, of each kind; 0: 100
	loss    float64        // of datagrams, each way
	visit   func(*visitor) // what the client does
	limit   time.Duration  // 0: a minute
}

type visitor struct {
	*testing.T
	ctx  context.Context
	conn *wt.ClientConn
	url  string
}

func (w world) run(t *testing.T) {
	t.Helper()
	if w.limit == 0 {
		w.limit = time.Minute
	}
	path := []netem.Element{netem.Bernoulli{P: w.loss}, netem.Delay{Delay: oneWay}}
	_, err := sim.Run(sim.Config{Seed: 1, TimeLimit: w.limit}, func(world *sim.World) error {
		client, server := world.Host("client"), world.Host("server")
		world.Link("path", client, server, path, path)
		server.Serve("server", func(ctx context.Context) error { return w.serve(ctx, server) })
		client.Go("client", func(ctx context.Context) error { return w.dial(ctx, t, client, server.Addr().String()) })
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func (w world) flow() wt.FlowControl {
	return wt.FlowControl{Streams: w.streams, UniStreams: w.streams}
}

func (w world) quic() *quic.Config {
	c := wt.QUICConfig(nil)
	if w.streams != 0 {
		c.MaxIncomingStreams, c.MaxIncomingUniStreams = w.streams+1, w.streams+3 // HTTP/3 has some
	}
	return c
}

func (w world) serve(ctx context.Context, host *sim.Host) error {
	socket, err := host.ListenPacket(443, netem.SocketOptions{})
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	listener, err := transport.Listen(http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}}), w.quic())
	if err != nil {
		return err
	}
	s := &wt.Server{FlowControl: w.flow()}
	defer s.Close()
	s.Handle(Path, w.app)
	context.AfterFunc(ctx, func() { listener.Close() })
	s.Serve(listener)
	return ctx.Err()
}

func (w world) dial(ctx context.Context, t *testing.T, host *sim.Host, server string) error {
	socket, err := host.ListenPacket(0, netem.SocketOptions{})
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	dialer := &wt.Dialer{
		Transport: transport, TLSConfig: &tls.Config{InsecureSkipVerify: true}, QUICConfig: w.quic(),
		Config: wt.ClientConfig{FlowControl: w.flow()},
	}
	url := "https://" + server + ":443"
	conn, err := dialer.DialConn(ctx, url)
	if err != nil {
		return err
	}
	w.visit(&visitor{T: t, ctx: ctx, conn: conn, url: url})
	return conn.Close()
}

// play runs both ends of the package against each other.
func play(t *testing.T, server, client Config, w world) (atServer, atClient Result) {
	t.Helper()
	w.app = Application(server, func(_ *wt.Session, r Result) { atServer = r })
	w.visit = func(v *visitor) {
		var err error
		atClient, err = Run(v.ctx, v.conn.OpenSession, v.url, client)
		if (err == nil) != (atClient.Err() == nil) {
			t.Errorf("error %v of a result with %v", err, atClient.Err())
		}
	}
	w.run(t)
	return atServer, atClient
}

// serving is a server that is not of the package: it behaves as serve does.
func serving(serve func(*wt.Session)) wt.Application {
	return wt.Application{Serve: func(s *wt.Session) {
		serve(s)
		<-s.Context().Done()
	}}
}
