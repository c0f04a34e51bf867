package wt

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testCert is a certificate for 127.0.0.1 and "server".
var testCert = sync.OnceValue(func() tls.Certificate {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames:     []string{"server"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func serverTLS() *tls.Config {
	return http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{testCert()}})
}

func clientTLS() *tls.Config {
	roots := x509.NewCertPool()
	cert, err := x509.ParseCertificate(testCert().Certificate[0])
	if err != nil {
		panic(err)
	}
	roots.AddCert(cert)
	return &tls.Config{RootCAs: roots, ServerName: "server", NextProtos: []string{http3.NextProtoH3}}
}

// pipeEnd is one end of a pair of packet connections with a delay, and functions
// that may drop datagrams and delay them further, which changes their order.
type pipeEnd struct {
	addr  *net.UDPAddr
	peer  *pipeEnd
	delay time.Duration

	mu       sync.Mutex
	from     net.Addr // as the peer sees it
	drop     func() bool
	jitter   func() time.Duration
	sent     func([]byte) // sees each datagram; set before anything is sent
	inFlight [][]byte
	closed   chan struct{}
	once     sync.Once
	arrived  chan []byte
	deadline chan struct{} // closed when the read deadline has passed
}

func newPipe(delay time.Duration) (client, server *pipeEnd) {
	end := func(port int) *pipeEnd {
		return &pipeEnd{
			addr: &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: port}, delay: delay,
			from:   &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: port},
			closed: make(chan struct{}), arrived: make(chan []byte, 1<<16), deadline: make(chan struct{}),
		}
	}
	client, server = end(1), end(2)
	client.peer, server.peer = server, client
	return client, server
}

func (p *pipeEnd) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent != nil {
		p.sent(b)
	}
	if p.drop != nil && p.drop() {
		return len(b), nil
	}
	if p.jitter != nil {
		d := append([]byte(nil), b...)
		time.AfterFunc(p.delay+p.jitter(), func() { p.peer.arrived <- d })
		return len(b), nil
	}
	p.inFlight = append(p.inFlight, append([]byte(nil), b...))
	time.AfterFunc(p.delay, func() {
		p.mu.Lock()
		first := p.inFlight[0]
		p.inFlight = p.inFlight[1:]
		p.peer.arrived <- first
		p.mu.Unlock()
	})
	return len(b), nil
}

func (p *pipeEnd) setDrop(f func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop = f
}

func (p *pipeEnd) setJitter(f func() time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jitter = f
}

// rebind gives the end another port, as a NAT does that has forgotten it.
func (p *pipeEnd) rebind(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: port}
}

func (p *pipeEnd) seenFrom() net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.from
}

func (p *pipeEnd) ReadFrom(b []byte) (int, net.Addr, error) {
	p.mu.Lock()
	deadline := p.deadline
	p.mu.Unlock()
	select {
	case d := <-p.arrived:
		return copy(b, d), p.peer.seenFrom(), nil
	case <-deadline:
		return 0, nil, os.ErrDeadlineExceeded
	case <-p.closed:
		return 0, nil, net.ErrClosed
	}
}

// SetReadDeadline supports what quic-go does: a deadline of now, and none.
func (p *pipeEnd) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.IsZero() {
		p.deadline = make(chan struct{})
	} else {
		close(p.deadline)
	}
	return nil
}

func (p *pipeEnd) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
func (p *pipeEnd) LocalAddr() net.Addr              { return p.addr }
func (p *pipeEnd) SetDeadline(time.Time) error      { return nil }
func (p *pipeEnd) SetWriteDeadline(time.Time) error { return nil }
func (p *pipeEnd) SetReadBuffer(int) error          { return nil }
func (p *pipeEnd) SetWriteBuffer(int) error         { return nil }

const (
	oneWay = 10 * time.Millisecond
	rtt    = 2 * oneWay
)

// world is a server and the means to connect to it, in virtual time.
type world struct {
	t                     *testing.T
	ctx                   context.Context
	server                *Server
	clientNet, serverNet  *pipeEnd
	dialer, listener      *quic.Transport
	clientQUIC, serveQUIC *quic.Config
	earlyData             bool // the server accepts it
}

// inWorld runs a test in virtual time. configure may change the world before
// the server starts. The test must not leave a goroutine behind.
func inWorld(t *testing.T, server *Server, configure func(*world), test func(*world)) {
	t.Helper()
	testCert()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		w := &world{t: t, ctx: ctx, server: server, clientQUIC: QUICConfig(nil), serveQUIC: QUICConfig(nil)}
		w.clientNet, w.serverNet = newPipe(oneWay)
		if configure != nil {
			configure(w)
		}
		w.dialer, w.listener = &quic.Transport{Conn: w.clientNet}, &quic.Transport{Conn: w.serverNet}
		listen := func() (http3.QUICListener, error) { return w.listener.Listen(serverTLS(), w.serveQUIC) }
		if w.earlyData {
			listen = func() (http3.QUICListener, error) { return w.listener.ListenEarly(serverTLS(), w.serveQUIC) }
		}
		ln, err := listen()
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		test(w)
		server.Close()
		if err := <-served; err != ErrServerClosed {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
		ln.Close()
		w.dialer.Close()
		w.listener.Close()
		w.clientNet.Close()
		w.serverNet.Close()
	})
}

func (w *world) dialQUIC() *quic.Conn {
	w.t.Helper()
	qc, err := w.dialer.Dial(w.ctx, w.serverNet.addr, clientTLS(), w.clientQUIC)
	if err != nil {
		w.t.Fatal(err)
	}
	return qc
}

// dial returns a connection that is closed at once when the test is over.
func (w *world) dial(config *ClientConfig) *ClientConn {
	w.t.Helper()
	return NewClientConn(w.dialQUIC(), config)
}

func (w *world) open(c *ClientConn, path string) *Session {
	w.t.Helper()
	s, _, err := c.OpenSession(w.ctx, "https://server"+path, nil)
	if err != nil {
		w.t.Fatalf("opening a session at %s: %v", path, err)
	}
	return s
}

// settle lets everything that is under way come to rest.
func (w *world) settle() {
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

// openStreams counts the streams in a session's list.
func openStreams(s *Session) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for st := s.first; st != nil; st = st.next {
		n++
	}
	return n
}
