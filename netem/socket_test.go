package netem

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A pair of hosts joined by a link that takes no time, which deliver sends
// through.
func newPair(t *testing.T) (n *testNet, a, b net.PacketConn) {
	n = newTestNet(t, 1, nil)
	n.connect("a", nil, nil)
	return n, n.listen(0, 0), n.listen(1, 9)
}

func (n *testNet) deliver() { n.clock.runUntil(n.clock.now + 1) }

func TestADatagramArrivesWithItsSender(t *testing.T) {
	n, a, b := newPair(t)
	for _, text := range []string{"hello", "", "world"} {
		if got, err := a.WriteTo([]byte(text), b.LocalAddr()); got != len(text) || err != nil {
			t.Fatalf("writing %q: %d, %v", text, got, err)
		}
	}
	n.deliver()
	buf := make([]byte, 4)
	for _, want := range []string{"hell", "", "worl"} { // as UDP cuts off what does not fit
		got, addr, err := b.ReadFrom(buf)
		if err != nil || string(buf[:got]) != want || addr.String() != "10.0.0.1:49152" {
			t.Errorf("read %q from %v, %v; want %q", buf[:got], addr, err, want)
		}
	}
}

func TestAMappedAddressIsReached(t *testing.T) {
	n, a, b := newPair(t)
	if _, err := a.WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP("::ffff:10.0.0.2"), Port: 9}); err != nil {
		t.Fatal(err)
	}
	n.deliver()
	if _, _, err := b.ReadFrom(nil); err != nil {
		t.Error(err)
	}
}

func TestWritesFailAsThoseOfUDP(t *testing.T) {
	_, a, b := newPair(t)
	closed := func() error {
		a.Close()
		_, err := a.WriteTo(nil, b.LocalAddr())
		return err
	}
	write := func(size int, addr net.Addr) func() error {
		return func() error {
			_, err := a.WriteTo(make([]byte, size), addr)
			return err
		}
	}
	for _, c := range []struct {
		name  string
		write func() error
		want  error
		text  string
	}{
		{"no route", write(1, udp(addrOf(77, 9))), syscall.ENETUNREACH, "write udp 10.0.0.1:49152->10.0.0.77:9: sendmsg: network is unreachable"},
		{"to itself", write(1, a.LocalAddr()), syscall.ENETUNREACH, "write udp 10.0.0.1:49152->10.0.0.1:49152: sendmsg: network is unreachable"},
		{"too large for UDP", write(maxPayload+1, b.LocalAddr()), syscall.EMSGSIZE, "write udp 10.0.0.1:49152->10.0.0.2:9: sendmsg: message too long"},
		{"no address", write(1, nil), syscall.EINVAL, "write udp 10.0.0.1:49152: invalid argument"},
		{"another kind of address", write(1, &net.TCPAddr{}), syscall.EINVAL, "write udp 10.0.0.1:49152->:0: invalid argument"},
		{"closed", closed, net.ErrClosed, "write udp 10.0.0.1:49152->10.0.0.2:9: use of closed network connection"},
	} {
		if err := c.write(); !errors.Is(err, c.want) || err.Error() != c.text {
			t.Errorf("%s: error %v, want %s", c.name, err, c.text)
		}
	}
}

func TestPortsAreTakenOnce(t *testing.T) {
	n, _, first := newPair(t)
	_, err := n.hosts[1].Listen(9, SocketOptions{})
	if !errors.Is(err, syscall.EADDRINUSE) || err.Error() != "listen udp 10.0.0.2:9: bind: address already in use" {
		t.Errorf("a second socket on the port: error %v, want EADDRINUSE", err)
	}
	first.Close()
	if _, err := n.hosts[1].Listen(9, SocketOptions{}); err != nil {
		t.Errorf("the port after its socket was closed: %v", err)
	}
	if err := first.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing twice: %v, want %v", err, net.ErrClosed)
	}
	if _, err := n.hosts[1].Listen(9, SocketOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("closing twice took the port from the socket that came after: %v", err)
	}
}

func TestEphemeralPortsRunOutAndAreUsedAgain(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.listen(0, 49153) // one is taken already
	var conns []net.PacketConn
	for port := firstEphemeral; port <= lastEphemeral; port++ {
		if port == 49153 {
			continue
		}
		conn := n.listen(0, 0)
		if got := conn.LocalAddr().(*net.UDPAddr).Port; got != port {
			t.Fatalf("port %d was given out, want %d", got, port)
		}
		conns = append(conns, conn)
	}
	_, err := n.hosts[0].Listen(0, SocketOptions{})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("with all ports taken: %v, want EADDRINUSE", err)
	}
	conns[1000].Close()
	if got := n.listen(0, 0).LocalAddr().String(); got != conns[1000].LocalAddr().String() {
		t.Errorf("%s was given out, want the one that became free, %s", got, conns[1000].LocalAddr())
	}
}

// read reads in a goroutine, and returns a channel with the error.
func read(conn net.PacketConn) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, _, err := conn.ReadFrom(make([]byte, 100))
		result <- err
	}()
	return result
}

func TestADeadlineEndsReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := newPair(t)
		defer b.Close()
		start := time.Now()
		b.SetReadDeadline(start.Add(3 * time.Second))
		first, second := read(b), read(b)
		for i, r := range []<-chan error{first, second} {
			if err := <-r; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
				t.Errorf("reader %d: %v after %s", i, err, time.Since(start))
			}
		}
		n.write(a, addrOf(2, 9), 1)
		n.deliver()
		if err := <-read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read after the deadline: %v, though there is a datagram", err)
		}
		b.SetDeadline(time.Time{})
		if err := <-read(b); err != nil {
			t.Errorf("a read after the deadline was cleared: %v", err)
		}
	})
}

func TestADeadlineMayMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := newPair(t)
		defer b.Close()
		start := time.Now()
		b.SetReadDeadline(start.Add(time.Second))
		r := read(b)
		synctest.Wait()
		b.SetReadDeadline(start.Add(time.Minute))
		time.Sleep(30 * time.Second)
		select {
		case err := <-r:
			t.Fatalf("the first deadline ended the read: %v", err)
		default:
		}
		b.SetReadDeadline(time.Time{})
		time.Sleep(time.Hour)
		b.SetReadDeadline(start) // in the past
		if err := <-r; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour+30*time.Second {
			t.Errorf("a deadline in the past: %v after %s", err, time.Since(start))
		}
		var timeout net.Error
		if err := <-read(b); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		b.SetReadDeadline(time.Now().Add(time.Second))
		n.write(a, addrOf(2, 9), 1)
		n.deliver()
		if err := <-read(b); err != nil {
			t.Errorf("a read before the deadline: %v", err)
		}
	})
}

func TestCloseEndsReadsAndTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := newPair(t)
		start := time.Now()
		b.SetReadDeadline(start.Add(time.Hour))
		readers := []<-chan error{read(b), read(b), read(b)}
		synctest.Wait()
		b.Close()
		for i, r := range readers {
			if err := <-r; !errors.Is(err, net.ErrClosed) {
				t.Errorf("reader %d: %v, want %v", i, err, net.ErrClosed)
			}
		}
		if err := <-read(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read after Close: %v", err)
		}
		if err := b.SetReadDeadline(start); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a deadline after Close: %v", err)
		}
		if time.Since(start) != 0 {
			t.Errorf("readers waited %s", time.Since(start))
		}
		n.write(a, addrOf(2, 9), 5)
		n.deliver()
		if noPort, _ := n.hosts[1].Unread(); noPort != (Count{1, 5}) {
			t.Errorf("what a closed socket would have got: %v", noPort)
		}
	})
}

func TestEveryReaderGetsADatagram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := newPair(t)
		defer b.Close()
		const readers = 10
		sizes := make(chan int, readers)
		for range readers {
			go func() {
				size, _, err := b.ReadFrom(make([]byte, 200))
				if err != nil {
					t.Error(err)
				}
				sizes <- size
			}()
		}
		synctest.Wait()
		for i := range readers { // all before any reader runs
			n.write(a, addrOf(2, 9), i)
		}
		n.deliver()
		synctest.Wait()
		if len(sizes) != readers {
			t.Fatalf("%d of %d readers woke up", len(sizes), readers)
		}
		seen := make([]bool, readers)
		for range readers {
			seen[<-sizes] = true
		}
		for size, ok := range seen {
			if !ok {
				t.Errorf("nobody read the datagram of %d bytes", size)
			}
		}
	})
}

// Applications use sockets while the clock's owner flushes and delivers. What
// is sent arrives, whatever the interleaving.
func TestSocketsAreForAnyGoroutine(t *testing.T) {
	n, a, b := newPair(t)
	const writers, each = 4, 500
	var applications, owner sync.WaitGroup
	for range writers {
		applications.Go(func() {
			for range each {
				if _, err := a.WriteTo(someBytes[:10], b.LocalAddr()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	left := writers * each
	for range 3 {
		applications.Go(func() {
			buf := make([]byte, 10)
			for {
				_, _, err := b.ReadFrom(buf)
				if err != nil {
					return
				}
				mu.Lock()
				if left--; left == 0 {
					b.Close()
				}
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	owner.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				n.deliver()
			}
		}
	})
	for range 100 {
		conn, err := n.hosts[1].Listen(0, SocketOptions{})
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now())
		n.hosts[1].Unread()
		conn.Close()
	}
	applications.Wait()
	close(stop)
	owner.Wait()
}

func TestASocketKeepsItsAddress(t *testing.T) {
	n := newTestNet(t, 1, nil)
	if got, want := n.listen(0, 443).LocalAddr().(*net.UDPAddr).AddrPort(), netip.MustParseAddrPort("10.0.0.1:443"); got != want {
		t.Errorf("local address %s, want %s", got, want)
	}
}
