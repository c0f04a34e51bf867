package endpoints

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// tries is how often a free port is looked for that all sockets can have.
const tries = 20

// sockets are those of a server: UDP for QUIC, TCP for the page.
type sockets struct {
	udp      []*net.UDPConn
	tcp      []net.Listener
	port     int // of udp
	pageHost string
}

func (s *sockets) close() {
	for _, c := range s.udp {
		c.Close()
	}
	for _, l := range s.tcp {
		l.Close()
	}
}

// splitAddress returns the parts of host:port.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("endpoints: address %q: expected host:port", address)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("endpoints: address %q: the port is not a number from 0 to 65535", address)
	}
	return host, int(n), nil
}

// listen binds UDP sockets to all addresses of the host, with one port, and
// those of the page. If the port is 0 it looks for one that is free on all of them.
func listen(host string, port int, page string) (*sockets, error) {
	pageHost, pagePort, samePort := "localhost", 0, page == ""
	if !samePort && page != NoPage {
		var err error
		if pageHost, pagePort, err = splitAddress(page); err != nil {
			return nil, err
		}
	}
	var err error
	for range tries {
		var s *sockets
		if s, err = bindUDP(host, port); err == nil {
			s.pageHost = pageHost
			if samePort {
				pagePort = s.port
			}
			if page == NoPage {
				return s, nil
			}
			if err = s.bindTCP(pageHost, pagePort); err == nil {
				return s, nil
			}
			s.close()
		}
		if port != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, fmt.Errorf("endpoints: %w", err)
}

// bindUDP binds a socket to each address of the host, all with one port.
func bindUDP(host string, port int) (*sockets, error) {
	ips, err := lookup(host)
	if err != nil {
		return nil, err
	}
	s := &sockets{port: port}
	for _, ip := range ips {
		socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: s.port})
		if len(s.udp) > 0 && missing(err) {
			continue
		}
		if err != nil {
			s.close()
			return nil, err
		}
		s.udp = append(s.udp, socket)
		s.port = socket.LocalAddr().(*net.UDPAddr).Port
	}
	return s, nil
}

func (s *sockets) bindTCP(host string, port int) error {
	ips, err := lookup(host)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Port: port})
		if len(s.tcp) > 0 && missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.tcp = append(s.tcp, ln)
		port = ln.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// lookup returns the addresses of a host; nil stands for all of the machine.
func lookup(host string) ([]net.IP, error) {
	switch host {
	case "":
		return []net.IP{nil}, nil
	case "localhost": // browsers resolve it so, whatever the system says (RFC 6761, section 6.3)
		return []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, nil
	}
	if ip := net.ParseIP(host); ip != nil {
		return []net.IP{ip}, nil
	}
	return net.LookupIP(host)
}

// missing reports whether binding failed because the machine lacks the address.
func missing(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
