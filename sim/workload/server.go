package workload

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// firstPort is the port of a host's first server.
const firstPort = 443

// serverKey tells the servers of a run apart: a host has one for each set of
// QUIC parameters that its connections use.
type serverKey struct {
	host string
	quic scenario.QUIC
}

// server listens on one port of a host.
type server struct {
	b    *Workload
	host *sim.Host
	quic scenario.QUIC
	port uint16
	wt   *wt.Server
}

// serverFor returns the server of a connection, and starts it if it is the
// first of its kind.
func (b *Workload) serverFor(hostName string, q scenario.QUIC) *server {
	key := serverKey{hostName, q}
	if s := b.servers[key]; s != nil {
		return s
	}
	port := uint16(firstPort)
	for k := range b.servers {
		if k.host == hostName {
			port++
		}
	}
	s := &server{b: b, host: b.hosts[hostName], quic: q, port: port}
	s.wt = &wt.Server{
		Handler:     http.HandlerFunc(serveBytes),
		MaxSessions: len(b.scenario.Instances()),
		Trace:       s.trace,
	}
	served := make(map[string]bool)
	for i := range b.scenario.Sessions {
		if path := sessionPath(&b.scenario.Sessions[i]); !served[path] {
			served[path] = true
			s.wt.Handle(path, wt.Application{Serve: s.serve})
		}
	}
	b.servers[key] = s
	s.host.Serve(fmt.Sprintf("server:%d", port), s.run)
	return s
}

// sessionPath returns the path of a session's CONNECT request without its query.
func sessionPath(s *scenario.Session) string {
	path, _, _ := strings.Cut(s.Path, "?")
	return path
}

func (s *server) run(ctx context.Context) error {
	socket, err := s.host.ListenPacket(s.port, socketOptions(s.b.hostConfig(s.host.Name()), s.quic))
	if err != nil {
		return err
	}
	transport := &quic.Transport{
		Conn: socket,
		ConnContext: func(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
			return context.WithValue(ctx, connectionKey{}, s.b.registry.connection(info.RemoteAddr.String())), nil
		},
	}
	defer transport.Close()
	config := quicConfig(s.quic)
	config.Tracer = func(ctx context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		c, _ := ctx.Value(connectionKey{}).(*connection)
		return s.b.tracer(c, "server", id)
	}
	// Connections are served before their handshake is complete, so that SETTINGS
	// arrive with it and a session needs two round trips, not three.
	listener, err := transport.ListenEarly(tlsConfig(s.b.tls.server, s.quic), config)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	var connections sync.WaitGroup
	defer connections.Wait()
	defer s.wt.Close()
	for {
		conn, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		c, _ := conn.Context().Value(connectionKey{}).(*connection)
		if c == nil {
			conn.CloseWithError(0, "")
			continue
		}
		connections.Go(func() { c.serve(s.wt, conn) })
	}
}

type connectionKey struct{}

// serve runs the server's end of a connection.
func (c *connection) serve(server *wt.Server, conn *quic.Conn) {
	go func() {
		select {
		case <-conn.HandshakeComplete():
			c.b.recorder.event(record.Event{Kind: record.EventHandshakeComplete, Entity: c.entity, Side: "server"})
		case <-conn.Context().Done():
		}
	}()
	server.ServeConn(conn) // its error is how the connection ended
	c.recordClosed(conn, "server")
	close(c.serverClosed)
}

// serve runs the server's end of a session. It returns when the session is
// gone, because wt closes one whose application returns; the run need not last
// that long.
func (s *server) serve(session *wt.Session) {
	i := s.b.registry.session(session)
	if i == nil {
		return
	}
	s.host.Go(i.entity, func(ctx context.Context) error {
		i.server.run(ctx, session)
		return nil
	})
	<-session.Done()
}

// serveBytes answers GET /bytes/N with a body of N bytes.
func serveBytes(w http.ResponseWriter, r *http.Request) {
	text, ok := strings.CutPrefix(r.URL.Path, "/bytes/")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Length", text)
	w.Header().Set("Content-Type", "application/octet-stream")
	for n > 0 {
		written, err := w.Write(filler[:min(n, int64(len(filler)))])
		if err != nil {
			return
		}
		n -= int64(written)
	}
}

// registry tells a server which connection and session of the scenario a
// client's are.
type registry struct {
	mu          sync.Mutex
	connections map[string]*connection // by the client's address
	sessions    map[sessionKey]*instance
}

type sessionKey struct {
	client string
	id     quic.StreamID
}

func (r *registry) init() {
	r.connections = make(map[string]*connection)
	r.sessions = make(map[sessionKey]*instance)
}

func (r *registry) addConnection(client string, c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connections[client] = c
}

func (r *registry) connection(client string) *connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connections[client]
}

func (r *registry) addSession(client string, id quic.StreamID, i *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[sessionKey{client, id}] = i
}

// session returns the instance that a session at the server belongs to.
func (r *registry) session(s *wt.Session) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[sessionKey{s.Conn().RemoteAddr().String(), s.ID()}]
}
