//go:build !linux

package netem

import "net"

// packetConn returns the socket alone. Only Linux has the control messages that
// a simulated socket speaks, so elsewhere connections run without ECN, GSO and
// path MTU discovery.
func (s *socket) packetConn(SocketOptions) net.PacketConn { return s }
