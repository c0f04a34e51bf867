// Package tracegen makes traces of links whose capacity varies: [LTE] and [LEO].
//
// The traces are synthetic. The models have the features that measurements of
// such links report, with parameters of their order of magnitude; they are
// fitted to no operator and no place, and what is shown with them is shown for
// the model. One set of parameters and one seed give the same bytes on every
// machine: all arithmetic is in integers.
//
// # LTE
//
// A base station shares its radio among its users from millisecond to
// millisecond, and the channel of each fades as it moves. Winstein, Sivaraman
// and Balakrishnan ("Stochastic Forecasts Achieve High Throughput and Low Delay
// over Cellular Networks", NSDI 2013) model the rate as a Brownian motion with
// outages that last for an exponential time, of one second in the mean. Logs of
// moving phones (van der Hooft et al., "HTTP/2-Based Adaptive Streaming of HEVC
// Video over 4G/LTE Networks", IEEE Communications Letters 20(11), 2016, and
// their data at users.ugent.be/~jvdrhoof/dataset-4g) show rates that change by
// a factor of two and more within seconds.
//
// Here the logarithm of the rate is a mean-reverting walk, the autoregressive
// process x' = a·x + σ·√(1−a²)·n with a = exp(−step/coherence) and n normal, so
// that fades are deep and the rate stays positive. Independent of it, the link
// is in an outage or not, a Markov chain with geometric lengths. The rates are
// then multiplied by one factor, and cut at the largest rate, so that their
// mean over the trace, outages included, is the one that was asked for. Nothing
// is lost: an LTE link retransmits, so packets wait. Both directions of one
// seed have the same outages, and walks of their own.
//
// # LEO
//
// A terminal of Starlink is assigned to a satellite for slots of 15 seconds that
// begin at the seconds 12, 27, 42 and 57 of every minute, everywhere at once
// (Tanveer et al., "Making Sense of Constellations: Methodologies for
// Understanding Starlink's Scheduling Algorithms", CoNEXT Companion 2023).
// Delay and rate step from slot to slot (Mohan et al., "A Multifaceted Look at
// Starlink Performance", WWW 2024), and packets are lost at the steps (Huston, "A
// transport protocol's view of Starlink", blog.apnic.net, 17 May 2024).
//
// Here each slot has a delay, uniform in a range, that drifts a little as the
// satellite moves, and a rate: 2 to the power of a normal number for the slot
// and a small mean-reverting walk within it, multiplied by one factor and cut
// to a range so that the mean over the trace is the one that was asked for. Each
// slot begins with an outage, uniform in a range of lengths, in which all
// packets are lost. Both directions of one seed have the same delays and
// outages, and rates of their own.
package tracegen
