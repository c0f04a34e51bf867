package wt

import (
	"time"

	"github.com/quic-go/quic-go"
)

// Limits bounds what a peer can make this end store and wait for. A field that is
// zero has the default stated.
type Limits struct {
	// EarlyStreams is the number of streams that a server holds per connection for
	// sessions not yet known, and the number that each session may receive before it is
	// accepted (32). Further ones are reset with WT_BUFFERED_STREAM_REJECTED.
	EarlyStreams int
	// EarlyDatagrams is the number of datagrams per connection that are held
	// for sessions not yet known (64). Further ones are dropped.
	EarlyDatagrams int
	// EarlyTimeout is how long early streams and datagrams are held (5 s).
	EarlyTimeout time.Duration
	// DatagramQueue is the number of datagrams a session holds for
	// [Session.ReceiveDatagram] (256). When one more arrives the oldest is dropped.
	DatagramQueue int
	// HeaderTimeout is how long a peer may take to send the header of a stream
	// or of a request, and to take the header of a response (30 s: where the round
	// trip is of seconds, a first packet that is lost twice needs 15 s and more).
	HeaderTimeout time.Duration
	// HeaderBytes is the size of the largest header accepted, in bytes as RFC 9114, section 4.2.2,
	// counts them (64 KiB). A request with a larger one is answered with status 431.
	HeaderBytes int
	// Offences is how often in a minute a peer may do what is legitimate only now and
	// then: send streams and datagrams that have to be rejected because their session
	// is not there in time, priorities of requests that do not come, streams without a
	// header, malformed requests and capsules, and requests for sessions that are
	// refused (4096). A peer that does it more often has its connection closed with
	// H3_EXCESSIVE_LOAD. If it is negative there is no limit.
	Offences int
	// SettingsTimeout is how long to wait for the peer's SETTINGS (5 s).
	SettingsTimeout time.Duration
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.EarlyStreams, 32)
	setDefault(&l.EarlyDatagrams, 64)
	setDefault(&l.EarlyTimeout, 5*time.Second)
	l.DatagramQueue = max(0, l.DatagramQueue)
	setDefault(&l.DatagramQueue, 256)
	setDefault(&l.HeaderTimeout, 30*time.Second)
	setDefault(&l.HeaderBytes, 64<<10)
	setDefault(&l.Offences, 4096)
	setDefault(&l.SettingsTimeout, 5*time.Second)
	return l
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

const (
	// connectionWindow is the receive window of a connection, in bytes.
	connectionWindow = 16 << 20
	// connectionStreams is how many streams of each kind a peer may have open.
	connectionStreams = 1000
)

// QUICConfig returns a copy of c, which may be nil, with the extensions of
// QUIC enabled that WebTransport requires: datagrams (RFC 9221) and
// RESET_STREAM_AT (draft-ietf-webtrans-http3-16, section 3.1). Use it for
// listeners and for dialling.
//
// The receive window of connections, if c leaves it to its default, is 16 MiB
// from the start, more than [FlowControl] lets sessions send by default: were
// the data that applications do not read to fill it, no capsule would get
// through, and two ends that wait for credit before they read would wait for ever.
// The peer may have 1000 streams of each kind open, requests and sessions included,
// if c leaves that to its default: browsers do not wait for credit, they fail.
func QUICConfig(c *quic.Config) *quic.Config {
	if c == nil {
		c = &quic.Config{}
	}
	c = c.Clone()
	c.EnableDatagrams = true
	c.EnableStreamResetPartialDelivery = true
	if c.InitialConnectionReceiveWindow == 0 && c.MaxConnectionReceiveWindow == 0 {
		c.InitialConnectionReceiveWindow, c.MaxConnectionReceiveWindow = connectionWindow, connectionWindow
	}
	setDefault(&c.MaxIncomingStreams, connectionStreams)
	setDefault(&c.MaxIncomingUniStreams, connectionStreams)
	return c
}
