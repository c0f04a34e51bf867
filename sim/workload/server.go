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
	*Workload
	host *sim.Host
	quic scenario.QUIC
	port uint16
	wt   *wt.Server
}

// serverFor returns the server of a connection, and starts it if it is the
// first of its kind.
func (w *Workload) serverFor(hostName string, q scenario.QUIC) *server {
	key := serverKey{hostName, q}
	if s := w.servers[key]; s != nil {
		return s
	}
	port := uint16(firstPort)
	for k := range w.servers {
		if k.host == hostName {
			port++
		}
	}
	s := &server{Workload: w, host: w.hosts[hostName], quic: q, port: port}
	s.wt = &wt.Server{
		Handler:     http.HandlerFunc(serveBytes),
		MaxSessions: w.sessions,
		SessionRate: -1, // the scenario's own
		FlowControl: flowControl(q),
		Trace:       s.trace,
	}
	served := make(map[string]bool)
	for i := range w.scenario.Sessions {
		if path := w.scenario.Sessions[i].RequestPath(); !served[path] {
			served[path] = true
			s.wt.Handle(path, s.application(&w.scenario.Sessions[i]))
		}
	}
	w.servers[key] = s
	s.host.Serve(fmt.Sprintf("server:%d", port), s.run)
	return s
}

func (s *server) run(ctx context.Context) error {
	socket, err := s.host.ListenPacket(s.port, socketOptions(s.scenario.HostOf(s.host.Name()), s.quic))
	if err != nil {
		return err
	}
	transport := &quic.Transport{
		Conn: socket,
		ConnContext: func(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
			return context.WithValue(ctx, connectionKey{}, new(*connection)), nil
		},
	}
	defer transport.Close()
	config := quicConfig(s.quic)
	config.Tracer = func(ctx context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		c := s.registry.connection(id)
		if c == nil {
			// A link has changed the connection ID of a client's first packet. The server
			// cannot decrypt it (RFC 9001, section 5.2), so there is nothing to trace.
			return nil
		}
		*ctx.Value(connectionKey{}).(**connection) = c
		return s.newTrace(c, "server", id)
	}
	// Connections are served before their handshake is complete, so that SETTINGS
	// arrive with it and a session needs two round trips, not three.
	listener, err := transport.ListenEarly(tlsConfig(s.tls.server, s.quic), config)
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
		c := connectionOf(conn)
		connections.Go(func() { c.serve(s.wt, conn) })
	}
}

// connectionKey is the key, in the context of a server's connection, of a
// pointer to the *connection, which is set when quic-go asks for a trace.
type connectionKey struct{}

// connectionOf returns the connection of the scenario that one at a server is.
func connectionOf(conn *quic.Conn) *connection {
	return *conn.Context().Value(connectionKey{}).(**connection)
}

// serve runs the server's end of a connection.
func (c *connection) serve(server *wt.Server, conn *quic.Conn) {
	go func() {
		select {
		case <-conn.HandshakeComplete():
			c.recordHandshake(conn, "server")
		case <-conn.Context().Done():
		}
	}()
	context.AfterFunc(conn.Context(), func() {
		c.recordClosed(conn, "server")
		c.serverClosed.open()
	})
	server.ServeConn(conn) // its error is how the connection ended
}

// application is what serves the path of a session, which it shares with none of the other kind.
func (s *server) application(session *scenario.Session) wt.Application {
	if session.HasBatons() {
		return wt.Application{Callbacks: s.callbacks}
	}
	return wt.Application{Serve: s.serve}
}

// callbacks begins the server's end of a session that is driven by its events.
func (s *server) callbacks(session *wt.Session) wt.Callbacks {
	i := s.registry.session(session)
	if i == nil {
		return wt.NoCallbacks{}
	}
	s.host.Go(i.entity, func(ctx context.Context) error {
		i.server.run(ctx, session)
		return nil
	})
	return i.relay().server(session)
}

// serve runs the server's end of a session. It returns when the session is
// gone, because wt closes one whose application returns; the run need not last
// that long.
func (s *server) serve(session *wt.Session) {
	i := s.registry.session(session)
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

// trace takes the events of the server's end.
func (s *server) trace(e wt.Event) {
	if e.Type == wt.SettingsReceived {
		connectionOf(e.Conn).recordSettings("server")
		return
	}
	if i := s.registry.session(e.Session); i != nil {
		i.server.trace(e)
	}
}

// registry tells a server which connection and session of the scenario a
// client's are. A client's address says nothing: there may be a NAT on the way,
// and a client may move.
type registry struct {
	mu          sync.Mutex
	connections map[quic.ConnectionID]*connection // by the destination of the client's first packet
	sessions    map[sessionKey]*instance
	added       chan struct{} // closed when there is another session
}

type sessionKey struct {
	connection *connection
	id         quic.StreamID
}

func (r *registry) init() {
	r.connections = make(map[quic.ConnectionID]*connection)
	r.sessions = make(map[sessionKey]*instance)
	r.added = make(chan struct{})
}

func (r *registry) addConnection(id quic.ConnectionID, c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connections[id] = c
}

func (r *registry) connection(id quic.ConnectionID) *connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connections[id]
}

func (r *registry) addSession(c *connection, id quic.StreamID, i *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[sessionKey{c, id}] = i
	close(r.added)
	r.added = make(chan struct{})
}

// session returns the instance that a session at the server belongs to, nil if its
// connection ended before that was known.
func (r *registry) session(s *wt.Session) *instance {
	return r.await(s.Conn().Context(), sessionKey{connectionOf(s.Conn()), s.ID()})
}

// await waits until a session is known or ctx is done. In real time a request may
// arrive before the client has returned from sending it.
func (r *registry) await(ctx context.Context, key sessionKey) *instance {
	for {
		r.mu.Lock()
		i, added := r.sessions[key], r.added
		r.mu.Unlock()
		if i != nil {
			return i
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil
		}
	}
}
