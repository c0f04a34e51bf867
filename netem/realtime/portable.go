//go:build !linux || portable

package realtime

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// poller has a goroutine read each socket: where there is no epoll, only the
// standard library can wait for several. The tag portable has Linux do so too, for
// tests.
type poller struct {
	token chan struct{}

	mu      sync.Mutex
	waiting map[*socket]bool // that have read something
	found   []*socket
}

func newPoller() (*poller, error) {
	return &poller{token: make(chan struct{}, 1), waiting: make(map[*socket]bool)}, nil
}

func (*poller) prefer() bool { return false }

func (p *poller) add(s *socket) error {
	s.loop.Note("the ECN field is not carried: only Linux tells it")
	s.loop.Note("datagrams enter the network when the program reads them, not when they arrive")
	go s.readAll(p)
	return nil
}

func (p *poller) remove(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, s)
}

func (p *poller) ready() ([]*socket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = p.found[:0]
	for s := range p.waiting {
		p.found = append(p.found, s)
	}
	clear(p.waiting)
	return p.found, nil
}

func (p *poller) wait(d time.Duration) error {
	if d < 0 {
		<-p.token
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.token:
	case <-t.C:
	}
	return nil
}

func (p *poller) wake() {
	select {
	case p.token <- struct{}{}:
	default:
	}
}

func (*poller) close() error { return nil }

// system is what a socket has of the system.
type system struct {
	mu    sync.Mutex
	inbox []received
	lost  uint64 // for want of room there
}

// received is a datagram, or an error.
type received struct {
	source netip.AddrPort
	data   []byte
	at     time.Time
	err    error
}

// maxInbox is how many datagrams wait for the loop.
const maxInbox = 4096

// readAll reads until the socket is closed.
func (s *socket) readAll(p *poller) {
	buffer := make([]byte, 1<<16)
	for {
		n, source, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.mu.Lock()
		if len(s.inbox) < maxInbox {
			s.inbox = append(s.inbox, received{source, append([]byte(nil), buffer[:n]...), time.Now(), err})
		} else {
			s.lost++
		}
		s.mu.Unlock()
		p.mu.Lock()
		p.waiting[s] = true
		p.mu.Unlock()
		p.wake()
	}
}

func (s *socket) read(l *Loop) {
	s.mu.Lock()
	inbox := s.inbox
	s.inbox = nil
	if s.lost > 0 {
		l.refused[receiveBufferFull] += s.lost
		s.lost = 0
	}
	s.mu.Unlock()
	for _, r := range inbox {
		if r.err != nil {
			s.failed(r.err)
			continue
		}
		a := arrival{socket: s, source: netip.AddrPortFrom(r.source.Addr().Unmap(), r.source.Port()), at: r.at.Sub(l.epoch), from: len(l.data)}
		l.data = append(l.data, r.data...)
		a.to = len(l.data)
		l.arrivals = append(l.arrivals, a)
	}
}

func (s *socket) write(l *Loop) {
	for len(s.out) > 0 && !s.closed {
		d := &s.out[0]
		var err error
		if d.to == nil {
			_, err = s.conn.Write(d.data)
		} else {
			_, err = s.conn.WriteTo(d.data, d.to)
		}
		if err != nil {
			if s.giveUp(err) && len(s.out) > 0 {
				s.gone(1)
			}
			continue
		}
		l.lateness.add(l.model(time.Since(l.epoch)) - d.due)
		s.gone(1)
	}
}
