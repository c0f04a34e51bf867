// Package netem is the network: links made of elements (rates and queues,
// delays with jitter, outages, losses, policers, slots, ECN faults, MTU, and the
// netem of Linux as a whole), hosts, routers and NATs, and sockets that behave like
// UDP sockets with ECN, GSO and path MTU.
//
// It lives on any [Clock]. A simulation gives it virtual time; a program that
// shapes real traffic gives it the wall clock. Everything that runs here runs
// on the goroutine that owns the clock, except [Host.Listen], [Host.Unread] and
// the methods of sockets, which applications call.
//
// A datagram that a host sends waits in the host's outbox until the owner of
// the clock calls [Network.Flush], which moves the outboxes, host by host and
// in the order of sending, into the links. Two hosts that send at one instant
// therefore reach the network in the same order every time. Models that live on
// the clock themselves use [Host.Bind] instead of sockets.
//
// Routes are static: a packet takes a shortest way unless [Network.Route] says
// otherwise. It keeps its ID on all links that it crosses, and each of them
// observes its own [Outcome].
//
// Each direction of a link is a [Path], a chain of elements. An exported type
// such as [Rate] or [Delay] configures an element; what runs is private to its
// file. To add an element, write one file with a type that implements
// [Element].
//
// A recorded link is an element where it says when packets may leave ([Trace]),
// and otherwise a [Profile] of the values that others take over time;
// [ParseTraceFile] reads both.
//
// Every element counts what it took in, duplicated, handed on and dropped, and
// can list what it holds; [Network.Check] compares the two, and how long packets
// were held with Little's law.
package netem
