// Package realtime runs a network of package netem by the wall clock, between
// real UDP sockets.
//
// A [Loop] owns the network: it is its clock, and reads and writes the sockets. A
// datagram enters the network at the time at which the system received it, and
// what happens next is computed for exact times, as in a simulation; only the
// departure from the network to a real socket may be late, by what the machine
// needs. [Precision] says how late.
//
// A [Relay] joins sockets with hosts of the network: clients, which it takes in
// as they come or as they are placed, and servers, to which it goes for them.
package realtime
