package endpoints

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/internal/qlogdir"
	"github.com/wtsim/wtsim/wt"
)

// Config configures a [Server]. The zero value serves on localhost:4433 with a
// generated certificate.
type Config struct {
	// Listen is the UDP address (localhost:4433). Of a name that has several IP
	// addresses, as localhost does, all are served; port 0 chooses one that is
	// free. An empty host is all addresses of the machine.
	Listen string
	// Page is the TCP address of the page, or "none". If it is empty, it is
	// localhost with the port of Listen. Browsers allow WebTransport to pages of
	// http://localhost and http://127.0.0.1, and to no others without TLS.
	Page string
	// Certificate is the server's. If it is nil, one is generated for the host of Listen.
	Certificate *tls.Certificate
	// Origins are the origins, such as "https://example.com", whose pages may open
	// sessions; others are refused with status 403. If it is empty any may, and
	// clients that send no Origin may always. They are written as browsers send them: scheme://host[:port].
	Origins []string
	// Protocols are the subprotocols of /protocols, most preferred first
	// (wtsim-2, wtsim-1).
	Protocols []string
	// QLOG is a folder for qlog files, one a connection. If it is empty none are written.
	QLOG string
	// Trace is that of [wt.Server].
	Trace func(wt.Event)
	// Ended, if not nil, is called for every session that has ended, with its
	// *[wt.SessionError], and that is refused, with a *[wt.RefusedError]; perhaps for
	// several at once.
	Ended func(*wt.Session, error)
}

// DefaultListen is the address that a Config without one listens on.
const DefaultListen = "localhost:4433"

// DefaultProtocols returns the subprotocols of a Config without any.
func DefaultProtocols() []string { return []string{"wtsim-2", "wtsim-1"} }

// NoPage is the Config.Page of a server without a page.
const NoPage = "none"

// streams is the number of streams of each kind that a client may have open.
const streams = 1000

// idleTimeout is how long a connection may have neither sessions nor requests.
const idleTimeout = 30 * time.Second

// Server serves the endpoints. [Start] makes one.
type Server struct {
	host        string
	port        int
	certificate tls.Certificate
	pageURL     string

	wt      *wt.Server
	page    *http.Server
	sockets *sockets
	qlog    *qlogdir.Dir // nil: none
	closers []func()
	wg      sync.WaitGroup
}

// Start begins to serve. The error names the address that cannot be listened on.
func Start(c Config) (*Server, error) {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Protocols == nil {
		c.Protocols = DefaultProtocols()
	}
	host, port, err := splitAddress(c.Listen)
	if err != nil {
		return nil, err
	}
	if err := c.checkOrigins(); err != nil {
		return nil, err
	}
	if err := wt.CheckProtocols(c.Protocols); err != nil {
		return nil, fmt.Errorf("endpoints: %w", err)
	}
	certificate, err := c.certificate(host)
	if err != nil {
		return nil, err
	}
	var qlog *qlogdir.Dir
	if c.QLOG != "" {
		if qlog, err = qlogdir.New(c.QLOG); err != nil {
			return nil, fmt.Errorf("endpoints: %w", err)
		}
	}
	bound, err := listen(host, port, c.Page)
	if err != nil {
		return nil, err
	}
	s := &Server{host: host, port: bound.port, certificate: certificate, sockets: bound, qlog: qlog}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		s.host = "localhost"
	}
	handler := s.newHandler()
	s.wt = &wt.Server{
		Handler:     handler,
		FlowControl: wt.FlowControl{Streams: streams, UniStreams: streams},
		IdleTimeout: idleTimeout,
		Trace:       c.Trace,
	}
	for _, e := range all {
		s.wt.Handle(e.Path, c.application(e))
	}
	if err := s.serve(); err != nil {
		s.Close()
		return nil, err
	}
	s.servePage(handler)
	return s, nil
}

func (c *Config) certificate(host string) (tls.Certificate, error) {
	if c.Certificate == nil {
		return Generate(host)
	}
	if len(c.Certificate.Certificate) == 0 {
		return tls.Certificate{}, errors.New("endpoints: the certificate is empty")
	}
	return *c.Certificate, nil
}

// serve begins to serve QUIC on the sockets.
func (s *Server) serve() error {
	config := wt.QUICConfig(&quic.Config{MaxIncomingStreams: streams, MaxIncomingUniStreams: streams})
	if s.qlog != nil {
		config.Tracer = s.qlog.Trace
	}
	tlsConfig := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{s.certificate}})
	for _, socket := range s.sockets.udp {
		transport := &quic.Transport{Conn: socket}
		s.closers = append(s.closers, func() { transport.Close() })
		ln, err := transport.ListenEarly(tlsConfig, config)
		if err != nil {
			return fmt.Errorf("endpoints: serving on %s: %w", socket.LocalAddr(), err)
		}
		s.closers = append(s.closers, func() { ln.Close() })
		s.wg.Go(func() { s.wt.Serve(ln) })
	}
	return nil
}

func (s *Server) servePage(handler http.Handler) {
	if len(s.sockets.tcp) == 0 {
		return
	}
	address := s.sockets.tcp[0].Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsLoopback() && s.sockets.pageHost == "localhost" || address.IP.IsUnspecified() {
		host = "localhost"
	}
	s.pageURL = "http://" + net.JoinHostPort(host, strconv.Itoa(address.Port)) + "/"
	s.page = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	for _, ln := range s.sockets.tcp {
		s.wg.Go(func() { s.page.Serve(ln) })
	}
}

// URL returns the server's https URL, without a path.
func (s *Server) URL() string {
	return "https://" + net.JoinHostPort(s.host, strconv.Itoa(s.port))
}

// PageURL returns the URL of the page, "" if there is none.
func (s *Server) PageURL() string { return s.pageURL }

// Addrs returns the UDP addresses that are served.
func (s *Server) Addrs() []net.Addr {
	var addrs []net.Addr
	for _, socket := range s.sockets.udp {
		addrs = append(addrs, socket.LocalAddr())
	}
	return addrs
}

// Certificate returns the server's certificate.
func (s *Server) Certificate() tls.Certificate { return s.certificate }

// Shutdown ends the sessions as [wt.Server.Shutdown] does, and then the server. The
// error is that of ctx if it was done before clients had ended their sessions.
func (s *Server) Shutdown(ctx context.Context) error {
	return errors.Join(s.wt.Shutdown(ctx), s.Close())
}

// Close closes all connections at once, so that sessions end uncleanly, and waits for their end.
func (s *Server) Close() error {
	err := s.wt.Close()
	if s.page != nil {
		err = errors.Join(err, s.page.Close())
	}
	for _, closer := range slices.Backward(s.closers) {
		closer()
	}
	s.sockets.close()
	s.wg.Wait()
	if s.qlog != nil {
		s.qlog.Wait()
	}
	return err
}
