package wt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// maxQuarterID is the largest quarter stream ID of a datagram (RFC 9297, section 2.1).
const maxQuarterID = 1<<60 - 1

// rawConn is the part of http3's connections that handles what is not WebTransport.
type rawConn interface {
	HandleUnidirectionalStream(*quic.ReceiveStream)
}

// conn is what both ends do with a connection: they accept its streams and
// datagrams, read the peer's control stream, and hand everything else to http3.
type conn struct {
	quic   *quic.Conn
	server bool
	limits Limits
	trace  func(Event)
	raw    rawConn
	table  *table
	flow   FlowControl
	sched  scheduler

	legacyDisabled bool // drafts before 15 are not spoken
	sessionRate    rate // of requests for sessions (server)
	offences       rate

	datagrams datagramSender

	// handleStream handles a bidirectional stream that is no WebTransport stream.
	handleStream func(*quic.Stream)

	gotControl bool // guarded by mu
	goAway     bool // guarded by mu: no more sessions may be opened
	lastGoAway uint64
	mu         sync.Mutex

	settings    peerSettings // valid once gotSettings is closed
	gotSettings chan struct{}

	// wg counts the goroutines of the connection. They end when it is closed.
	// Those that are not started by another of them go through spawn.
	wg      sync.WaitGroup
	waiting bool // guarded by mu: wait has been called, and the connection is closed
}

func newConn(qc *quic.Conn, server bool, limits Limits, flow FlowControl, trace func(Event)) *conn {
	limits = limits.withDefaults()
	c := &conn{
		quic: qc, server: server, limits: limits, flow: flow.withDefaults(), trace: trace,
		table:       newTable(limits, server),
		gotSettings: make(chan struct{}),
	}
	c.offences = rate{number: limits.Offences, period: time.Minute}
	c.table.offend = c.offend
	c.datagrams = datagramSender{send: qc.SendDatagram, spawn: c.spawn}
	return c
}

// start starts the goroutines that accept streams and datagrams.
func (c *conn) start() {
	c.wg.Go(c.acceptStreams)
	c.wg.Go(c.acceptUniStreams)
	c.wg.Go(c.receiveDatagrams)
}

// wait returns when the connection is closed and all its goroutines have ended.
func (c *conn) wait() {
	<-c.quic.Context().Done()
	c.table.close()
	c.mu.Lock()
	c.waiting = true
	c.mu.Unlock()
	c.wg.Wait()
}

// spawn runs f on a goroutine of the connection, unless the connection is closed.
func (c *conn) spawn(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		return false
	}
	c.wg.Go(f)
	return true
}

// fail closes the connection because of a protocol error of the peer.
func (c *conn) fail(err error) {
	if e, ok := errors.AsType[*connError](err); ok {
		c.quic.CloseWithError(quic.ApplicationErrorCode(e.code), e.reason)
	}
}

func (c *conn) acceptStreams() {
	for {
		str, err := c.quic.AcceptStream(context.Background())
		if err != nil {
			return
		}
		if c.server {
			c.table.accepted(str)
		}
		c.wg.Go(func() { c.routeStream(str) })
	}
}

func (c *conn) acceptUniStreams() {
	for {
		str, err := c.quic.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		c.wg.Go(func() { c.routeUniStream(str) })
	}
}

// routeStream reads the header of a bidirectional stream. A peer that does
// not send it in time has its stream reset.
func (c *conn) routeStream(str *quic.Stream) {
	if c.server {
		defer c.table.handled(str.StreamID())
	}
	str.SetReadDeadline(time.Now().Add(c.limits.HeaderTimeout))
	typ, err := quicvarint.Peek(str)
	switch {
	case err != nil:
		rejectStream(str, str, c.headerError(err))
		releaseCredit(str)
	case typ == frameWebTransport:
		releaseCredit(str)
		if c.server {
			c.table.examined(str.StreamID())
		}
		id, header, err := c.readHeader(str)
		if err != nil {
			rejectStream(str, str, c.headerError(err))
			return
		}
		str.SetReadDeadline(time.Time{})
		c.table.route(earlyItem{session: id, stream: str, header: header})
	default:
		// The deadline stays: the request is to arrive in the same time.
		c.handleStream(str)
		if c.server && !c.table.served(str.StreamID()) {
			c.offend("malformed requests")
		}
	}
}

// routeUniStream reads the type of a unidirectional stream, and the header of
// one that belongs to a session.
func (c *conn) routeUniStream(str *quic.ReceiveStream) {
	str.SetReadDeadline(time.Now().Add(c.limits.HeaderTimeout))
	typ, err := quicvarint.Peek(str)
	if err == nil && typ != streamTypeWebTransport {
		str.SetReadDeadline(time.Time{})
		if typ != streamTypeControl {
			c.raw.HandleUnidirectionalStream(str)
			return
		}
		c.fail(c.handleControl(str))
		return
	}
	releaseCredit(str)
	var id quic.StreamID
	var header int
	if err == nil {
		id, header, err = c.readHeader(str)
	}
	if err != nil {
		rejectStream(nil, str, c.headerError(err))
		return
	}
	str.SetReadDeadline(time.Time{})
	c.table.route(earlyItem{session: id, uni: str, header: header})
}

// headerStream is a stream of which no byte beyond the header may be read.
type headerStream interface {
	quicvarint.Peeker
	Read([]byte) (int, error)
}

// readHeader reads the type and the session ID at the beginning of a stream
// of a session, and returns the latter and the length of both (draft-ietf-webtrans-http3-16, sections 4.2 and 4.3).
func (c *conn) readHeader(str headerStream) (id quic.StreamID, length int, err error) {
	_, n, err := readVarint(str)
	if err != nil {
		return 0, 0, err
	}
	session, m, err := readVarint(str)
	if err != nil {
		return 0, 0, err
	}
	if session%4 != 0 {
		return 0, 0, connErrorf(h3IDError, "session ID %d is not a client's bidirectional stream", session)
	}
	return quic.StreamID(session), n + m, nil
}

func readVarint(str headerStream) (v uint64, length int, err error) {
	var b [8]byte
	if _, err := str.Peek(b[:1]); err != nil {
		return 0, 0, err
	}
	encoded := b[:1<<(b[0]>>6)]
	if _, err := str.Peek(encoded); err != nil {
		return 0, 0, err
	}
	for n := 0; n < len(encoded); { // all of it is there
		m, err := str.Read(encoded[n:])
		if n += m; err != nil && n < len(encoded) {
			return 0, 0, err
		}
	}
	return quicvarint.Parse(encoded)
}

// headerError returns the code for a stream whose header could not be read,
// and closes the connection if the header was invalid.
func (c *conn) headerError(err error) quic.StreamErrorCode {
	c.fail(err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.offend("streams without a header")
	}
	return h3RequestCancelled
}

// handleControl reads the peer's control stream until it ends.
func (c *conn) handleControl(str *quic.ReceiveStream) error {
	c.mu.Lock()
	second := c.gotControl
	c.gotControl = true
	c.mu.Unlock()
	if second {
		return connErrorf(h3StreamCreationError, "second control stream")
	}
	if _, _, err := readVarint(str); err != nil {
		return controlError(err)
	}
	return readControl(str, c.server, c)
}

func (c *conn) handleSettings(s peerSettings) error {
	if s.h3Datagram && !c.quic.ConnectionState().SupportsDatagrams.Remote {
		return connErrorf(h3SettingsError, "H3_DATAGRAM without QUIC datagrams")
	}
	if !c.server && s.webTransport > 1 {
		return connErrorf(h3SettingsError, "WT_ENABLED is %d", s.webTransport)
	}
	c.settings = s
	c.emit(Event{Type: SettingsReceived})
	close(c.gotSettings)
	return nil
}

// handleGoAway takes the server's GOAWAY: no session is opened any more, and
// those that are open are to be wound down (draft-ietf-webtrans-http3-16, section 4.7).
func (c *conn) handleGoAway(id uint64) error {
	if c.server {
		return nil // it names a push, and nothing is ever pushed
	}
	c.mu.Lock()
	invalid := id%4 != 0 || c.goAway && id > c.lastGoAway
	if !invalid {
		c.goAway, c.lastGoAway = true, id
	}
	c.mu.Unlock()
	if invalid {
		return connErrorf(h3IDError, "GOAWAY for stream %d", id)
	}
	for _, s := range c.table.all() {
		s.noteDraining()
	}
	return nil
}

func (c *conn) goingAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.goAway
}

func (c *conn) handlePriorityUpdate(id quic.StreamID, p priority) error {
	c.table.updatePriority(id, p)
	return nil
}

// awaitSettings waits for the peer's SETTINGS.
func (c *conn) awaitSettings(ctx context.Context) error {
	select {
	case <-c.gotSettings:
		return nil
	default:
	}
	timer := time.NewTimer(c.limits.SettingsTimeout)
	defer timer.Stop()
	select {
	case <-c.gotSettings:
		return nil
	case <-timer.C:
		return fmt.Errorf("%w: no SETTINGS within %v", ErrRequirements, c.limits.SettingsTimeout)
	case <-c.quic.Context().Done():
		return connectionLost(context.Cause(c.quic.Context()))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *conn) receiveDatagrams() {
	for {
		b, err := c.quic.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		id, payload, err := parseDatagram(b)
		if err != nil {
			c.fail(err)
			return
		}
		c.table.route(earlyItem{session: id, datagram: payload})
	}
}

// parseDatagram splits a datagram into its session ID and payload (RFC 9297, section 2.1).
func parseDatagram(b []byte) (quic.StreamID, []byte, error) {
	quarter, n, err := quicvarint.Parse(b)
	if err != nil || quarter > maxQuarterID {
		return 0, nil, connErrorf(h3DatagramError, "datagram without a valid quarter stream ID")
	}
	return quic.StreamID(quarter * 4), b[n:], nil
}
