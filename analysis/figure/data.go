package figure

import "time"

// Data is what the figures of a run show. Each part may be missing; a figure
// that would be empty is left out.
type Data struct {
	Name string        // the run's name, such as "quickstart, seed 1"; it ends every title
	End  time.Duration // virtual time at which the run ended

	Bin           time.Duration   // width of the bins of goodput
	Directions    []Direction     // where flows and cross traffic go
	Queues        []Series        // queueing delay of each link direction in seconds, one point a datagram
	Changes       []time.Duration // when parameters of a link changed
	Moves         []time.Duration // when a client migrated to another path
	RTTs          []RTT           // one a connection end
	Delays        []Series        // delays of single messages in seconds: one-way delay of media and batons, round trip of echo
	Latencies     []Distribution  // delays of messages by flow or group of flows, and RTTs of connections that carry bulk data
	Queueing      []Distribution  // queueing delays of link directions
	Teardowns     []Distribution  // parts of the teardowns of sessions
	Fairness      []Point         // Jain's index of each second, at its middle
	Shares        []Series        // the share of each of these flows in each second
	TrafficDelays []Series        // one-way delay of the packets of cross traffic in seconds
	Senders       []Sender        // the connection ends that send data
	Sessions      []Session       // in order of the scenario
	Chosen        string          // the session that was chosen to be shown; empty: none was
	Incidents     []Incident      // outages and changes of links
	Exchanges     []Exchange      // the datagrams of one session at its set-up and at its teardown
	Sequences     []Sequence      // what single connection ends sent
	OtherEnds     int             // how many connection ends sent less than those
}

// Direction is what happens from one host to another, or over a link that the flows
// of several hosts share as their bottleneck.
type Direction struct {
	Name     string   // such as "server → client"
	Rates    []Series // configured rate of links in bit/s, at the start and at each change; 0 is unlimited
	Capacity []Point  // the rate of the flows' bottleneck, which for a client that migrates is one link's after the other
	Goodput  []Series // of each flow: bytes handed to the receiving application, per time in bit/s, a point at the centre of each bin
	Traffic  []Series // of cross traffic: bytes on the link that arrived, per time in bit/s, a point at the centre of each bin
}

// RTT is the round-trip time as one end of a connection measures it.
type RTT struct {
	Name             string  // such as "main, client"
	Smoothed, Latest []Point // in seconds
}

// Sender is the congestion control of one end of a connection.
type Sender struct {
	Name             string          // such as "main, server"
	Window, InFlight []Point         // congestion window and bytes in flight in bytes
	Losses           []time.Duration // when packets were declared lost
}

// Session is the life of one session.
type Session struct {
	Name   string
	Events []Event    // in order of time
	Moves  []Incident // migrations of its client, and those that failed
}

// Event is one step in the life of a session.
type Event struct {
	Step Step
	Side Side
	Time time.Duration
}

// Side is the end of a session at which something happens.
type Side uint8

// The sides of a session.
const (
	Client Side = iota
	Server
)

// Step is a step of the set-up or the teardown of a session, in the order in
// which they are expected.
type Step uint8

// The steps of a session's life.
const (
	Dial Step = iota
	HandshakeComplete
	Settings
	ConnectSent
	ConnectReceived
	Established
	Failed
	CloseCalled
	CloseSent
	CloseNotified
	LastStreamEnded
	ConnectStreamDone
	Gone
)

// Series is one named line over time.
type Series struct {
	Name   string
	Points []Point // in order of time
}

// Point is a value at a virtual time.
type Point struct {
	T time.Duration
	V float64
}
