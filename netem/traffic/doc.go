// Package traffic is cross traffic without a transport: sources that send UDP
// datagrams at a constant rate, as a Poisson process, or in bursts, and sinks
// that count what arrives.
//
// A [Source] and a [Sink] live on the [netem.Clock] of their network, on the
// goroutine that owns it. They have no goroutines of their own and react to
// nothing: neither to loss nor to ECN marks.
//
// Rates and sizes count bytes on the link, which are the UDP payload and the
// overhead of the [Config]. All timing is in integers. A source draws from random
// streams of its own, and a change of its rate moves none of the numbers that it
// draws later.
package traffic
