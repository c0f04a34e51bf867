package baton

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/wt"
)

// Path is where servers offer the protocol.
const Path = "/webtransport/devious-baton"

// Codes that a session is closed with. Some peers say GAME_OVER for 3, when all
// batons are lost, and close with 0 and a reason when all have arrived.
const (
	DaYamn uint32 = 1 // there is not enough stream credit to go on
	Bruh   uint32 = 2 // a message was malformed
	Sus    uint32 = 3 // a message was not expected, or all batons are lost
	Bored  uint32 = 4 // the next message did not come in time
)

// Codes of streams.
const (
	IDC      uint32 = 1 // the receiver does not care about the stream (STOP_SENDING)
	Whatever uint32 = 2 // the answer to that, which QUIC gives with the peer's code instead
	ILied    uint32 = 3 // the sender resets the stream without being asked to
)

const (
	// MaxPadding is the largest padding that a Config may ask for, in bytes.
	MaxPadding = 1 << 30

	defaultMaxCount = 255
	defaultPatience = 30 * time.Second
)

// Config says how an end of the protocol behaves. The zero value works.
type Config struct {
	// Version is the version that a client asks for. There is only 0.
	Version int
	// Baton is what a client wants the batons to begin with, 1 to 255. 0 leaves that to the server.
	Baton int
	// Count is how many batons a client asks for (1). Both ends should allow
	// for twice as many streams of each kind, as credit for new ones comes back late.
	Count int
	// MaxCount is how many a server grants (255).
	MaxCount int
	// Padding is how much padding each message has, in bytes. Some peers
	// need a message to fit into a packet, so to have less than about 1000. The
	// message of a datagram has as much of it as fits.
	Padding int
	// Patience is how long to wait for the next message before the session is closed with Bored (30 s).
	Patience time.Duration
	// LieOneIn makes one message of so many, at random, be replaced by a reset of its stream with ILied.
	LieOneIn int
	// StopOneIn makes one stream of so many, at random, be stopped with IDC instead of read.
	StopOneIn int
	// Rand is where all random numbers come from. Nil means a generator with a seed of its own,
	// the same each time. It must not be used elsewhere.
	Rand rand.Source
	// Trace, if not nil, is called for every message on a stream that is sent or received,
	// within the callbacks of the session.
	Trace func(Pass)
}

// Pass is a message that was sent or received. A message of a baton and its answer
// may share a stream, in different directions.
type Pass struct {
	StreamID quic.StreamID
	Baton    byte
	Received bool
}

func (c *Config) trace(p Pass) {
	if c.Trace != nil {
		c.Trace(p)
	}
}

func (c Config) withDefaults() Config {
	for _, field := range []struct {
		v   *int
		def int
	}{{&c.Count, 1}, {&c.MaxCount, defaultMaxCount}} {
		if *field.v == 0 {
			*field.v = field.def
		}
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	if c.Rand == nil {
		c.Rand = rand.NewPCG(0, 0)
	}
	return c
}

// check reports what is wrong with a configuration that has its defaults.
func (c Config) check() error {
	switch {
	case c.Baton < 0 || c.Baton > 255:
		return fmt.Errorf("baton: %d is no baton, they are 1 to 255", c.Baton)
	case c.Count < 1:
		return fmt.Errorf("baton: count of %d", c.Count)
	case c.Padding < 0 || c.Padding > MaxPadding:
		return fmt.Errorf("baton: padding of %d bytes, at most %d are possible", c.Padding, MaxPadding)
	case c.LieOneIn < 0 || c.StopOneIn < 0 || c.MaxCount < 0 || c.Patience < 0:
		return fmt.Errorf("baton: negative configuration: %+v", c)
	}
	return nil
}

// Query is the query that asks a server for what the configuration says.
func (c Config) Query() string {
	c = c.withDefaults()
	q := url.Values{}
	if c.Version != 0 {
		q.Set("version", strconv.Itoa(c.Version))
	}
	if c.Baton != 0 {
		q.Set("baton", strconv.Itoa(c.Baton))
	}
	if c.Count != 1 {
		q.Set("count", strconv.Itoa(c.Count))
	}
	return q.Encode()
}

// Result is what became of the batons of a session.
type Result struct {
	// Batons is how many there were.
	Batons int
	// Arrived is how many reached 0.
	Arrived int
	// Lost is how many went with a stream that was reset or stopped.
	Lost int
	// Sent and Received are the numbers of messages on streams.
	Sent, Received int
	// DatagramsSent and DatagramsReceived are those of messages in datagrams.
	DatagramsSent, DatagramsReceived int
	// End is how the session ended. If it was not opened, its Err says why.
	End *wt.SessionError
}

// Err returns nil if the session was closed without an error, by either end,
// and End otherwise.
func (r Result) Err() error {
	if r.End == nil || r.End.Clean && r.End.Code == 0 {
		return nil
	}
	return r.End
}
