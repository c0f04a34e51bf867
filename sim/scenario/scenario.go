// Package scenario is the TOML language in which a simulation is written: its
// types, defaults, units, validation, and the errors that a person who mistypes
// a key can act on.
//
// Tags describe the language once, for decoding, for [Explain] and for
// [Reference]. toml is the key, or ",inline" for a field whose keys stand in the
// table of its parent; doc is a sentence for the reader; default is the text of
// the value that a missing key stands for (words where it is not one value),
// and inherit marks a table whose missing keys come from elsewhere; range is
// "least..most"; oneof lists the words that a key accepts; required marks a key
// that has no default; short marks the key that a table's short form sets; special
// marks a number whose zero stands for something else, so that nothing lies
// between it and other numbers. What tags cannot hold, an example of each table and
// kind, stands beside the lists of kinds and in the functions of the reference.
package scenario

import (
	"crypto/sha256"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Scenario is a whole scenario file with every default filled in.
type Scenario struct {
	Name        string        `toml:"name" doc:"the scenario's name, which names the results folder; default: the file's name without .toml"`
	Description string        `toml:"description" doc:"what the scenario shows, and its source"`
	Seed        uint64        `toml:"seed" default:"1" doc:"seed of every random stream"`
	TimeLimit   time.Duration `toml:"time_limit" default:"60s" range:"1ms..24h" doc:"virtual time after which the run ends, finished or not"`
	Long        bool          `toml:"long" default:"false" doc:"whether 'wtsim check --short' leaves the scenario out, because it takes long"`

	QUIC     QUIC      `toml:"quic" doc:"QUIC parameters of every connection; a host or a session can override them"`
	Hosts    []Host    `toml:"hosts" doc:"the hosts, each a table [hosts.NAME]"`
	Routers  []Router  `toml:"routers" doc:"the routers, each a table [routers.NAME]"`
	Links    []Link    `toml:"links" doc:"the links, each a table [links.NAME]"`
	Traffic  []Traffic `toml:"traffic" doc:"cross traffic without a transport, each a table [traffic.NAME]"`
	Sessions []Session `toml:"sessions" doc:"the WebTransport sessions, each a table [sessions.NAME]"`
	Expect   []Expect  `toml:"expect" doc:"what the results are expected to be, each a table [[expect]]"`

	// Sweep is the zero value if the file has no study.
	Sweep Sweep `toml:"sweep" doc:"the study that 'wtsim sweep' makes of the scenario"`

	Inputs []Input `toml:"-"` // the files that the scenario names, in the order in which they were read
}

// Input is a file that a scenario names, on which its results depend.
type Input struct {
	Name   string // as the scenario names it, relative to its own folder
	SHA256 [sha256.Size]byte
}

// QUIC holds the parameters of quic-go that a study varies. In a scenario they
// merge: the file's [quic], then the host's, then the session's. In a host or a
// session, the fields that were not set are zero; see [Scenario.QUICFor].
type QUIC struct {
	IdleTimeout             time.Duration `toml:"idle_timeout" default:"30s" range:"1ms..24h" doc:"max_idle_timeout"`
	HandshakeTimeout        time.Duration `toml:"handshake_timeout" default:"5s" range:"1ms..1h" doc:"longest silence during the handshake"`
	KeepAlive               time.Duration `toml:"keep_alive" default:"0s" range:"0s..1h" doc:"period of keep-alive packets; 0 sends none"`
	InitialPacketSize       netem.Bytes   `toml:"initial_packet_size" default:"1280B" range:"1200B..1280B" doc:"size of QUIC packets before path MTU discovery; with more, quic-go v0.65 would send without end (results/findings.md)"`
	PathMTUDiscovery        bool          `toml:"path_mtu_discovery" default:"true" doc:"whether path MTU discovery (RFC 8899) runs"`
	ECN                     bool          `toml:"ecn" default:"true" doc:"whether packets are sent with ECT(0)"`
	InitialStreamWindow     netem.Bytes   `toml:"initial_stream_window" default:"512KiB" range:"1KiB..4GiB" doc:"initial receive window of a stream"`
	MaxStreamWindow         netem.Bytes   `toml:"max_stream_window" default:"6MiB" range:"1KiB..4GiB" doc:"largest receive window of a stream"`
	InitialConnectionWindow netem.Bytes   `toml:"initial_connection_window" default:"512KiB" range:"1KiB..4GiB" doc:"initial receive window of a connection"`
	MaxConnectionWindow     netem.Bytes   `toml:"max_connection_window" default:"15MiB" range:"1KiB..4GiB" doc:"largest receive window of a connection"`
	MaxStreams              int64         `toml:"max_streams" default:"100" range:"1..1000000" doc:"bidirectional streams that the peer may have open"`
	MaxUniStreams           int64         `toml:"max_uni_streams" default:"100" range:"3..1000000" doc:"unidirectional streams that the peer may have open; HTTP/3 needs 3 (RFC 9114, section 6.2)"`
	SessionFlowControl      bool          `toml:"session_flow_control" default:"true" doc:"whether this end announces flow control of WebTransport sessions; it is in force if both do, and sessions share a connection only then"`
	InitialSessionWindow    netem.Bytes   `toml:"initial_session_window" default:"512KiB" range:"1KiB..4GiB" doc:"initial receive window of a session"`
	MaxSessionWindow        netem.Bytes   `toml:"max_session_window" default:"15MiB" range:"1KiB..4GiB" doc:"largest receive window of a connection's sessions together, which have equal shares"`
	KeyExchange             string        `toml:"key_exchange" default:"x25519mlkem768" oneof:"x25519mlkem768 x25519" doc:"TLS key exchange; x25519mlkem768, the default of Go and of browsers, makes the ClientHello two packets long"`
	Resumption              string        `toml:"resumption" default:"none" oneof:"none tickets early_data" doc:"what a client does with the TLS session tickets of its earlier connections to the server: none: forgets them; tickets: resumes with the latest; early_data: and sends its SETTINGS as early data (0-RTT). A server accepts early data with early_data only. No CONNECT is sent as early data (draft-ietf-webtrans-http3, section 3.2)"`

	set uint32 // bit i: field i was given a value, which may be its zero value
}

// Session is a WebTransport session, or a group of equal ones.
type Session struct {
	Name       string        `toml:"-"`
	Client     string        `toml:"client" required:"true" doc:"the host that dials; a group: each of its hosts"`
	Server     string        `toml:"server" required:"true" doc:"the host that listens; a group: its hosts in turn"`
	Path       string        `toml:"path" default:"/" doc:"the path of the extended CONNECT"`
	Connection string        `toml:"connection" doc:"sessions that name the same connection share one QUIC connection; empty: a connection of its own"`
	Start      time.Duration `toml:"start" default:"0s" range:"0s..24h" doc:"virtual time at which the client begins"`
	Count      int           `toml:"count" default:"1" range:"1..100000" doc:"how many such sessions of each client, each on a connection of its own unless 'connection' is set"`
	Stagger    time.Duration `toml:"stagger" default:"0s" range:"0s..1h" doc:"time between the starts of a group's sessions, for Poisson arrivals the mean"`
	Arrivals   string        `toml:"arrivals" default:"regular" oneof:"regular poisson" doc:"regular: the first session of a group at 'start', the others 'stagger' apart; poisson: a Poisson process from 'start' on, with exponential times before and between its sessions"`
	QUIC       QUIC          `toml:"quic" inherit:"true" doc:"overrides of [quic] for this session's connection, both ends"`
	Migrations []Migration   `toml:"migrations" doc:"moves of the client to another of its links, each a table [[sessions.NAME.migrations]]"`
	Drain      Drain         `toml:"drain" doc:"when an end asks the other to wind the session down, which goes on"`
	Close      Close         `toml:"close" doc:"how and when the session ends; without it, it ends when its flows have"`
	Flows      []Flow        `toml:"flows" doc:"the flows, each a table [sessions.NAME.flows.NAME]"`
}

// Migration moves the client of a session's connection to the address that it
// has on another of its links, once that is found to work (RFC 9000, section 9).
type Migration struct {
	At   time.Duration `toml:"at" required:"true" range:"0s..24h" doc:"virtual time at which the client probes the new path, to which it then moves"`
	Link string        `toml:"link" required:"true" doc:"the link of the client that it moves to"`
}

// Drain says when an end announces the end of a session by a DRAIN_WEBTRANSPORT_SESSION
// capsule (draft-ietf-webtrans-http3, section 4.7), after which all goes on.
type Drain struct {
	At time.Duration `toml:"at" range:"0s..24h" doc:"virtual time of the DRAIN_WEBTRANSPORT_SESSION capsule; default: never"`
	By string        `toml:"by" default:"server" oneof:"client server" doc:"the end that sends it"`
}

// Close says how a session ends.
type Close struct {
	At     time.Duration `toml:"at" default:"when all flows of the session have ended" range:"0s..24h" doc:"virtual time of the close"`
	By     string        `toml:"by" default:"client" oneof:"client server" doc:"the end that closes"`
	Code   uint32        `toml:"code" default:"0" doc:"application error code"`
	Reason string        `toml:"reason" doc:"at most 1024 bytes of UTF-8"`
	How    string        `toml:"how" default:"session" oneof:"session connection none" doc:"session: CLOSE capsule and FIN; connection: close the QUIC connection; none: leave it open"`
}

// Flow is one flow of a session. Kind selects the type of Config.
type Flow struct {
	Name   string        `toml:"-"`
	Kind   string        `toml:"kind" required:"true" doc:"what kind of flow it is"`
	Start  time.Duration `toml:"start" default:"0s" range:"0s..24h" doc:"virtual time after the session is established"`
	Config FlowConfig    `toml:",inline"` // a *Bulk, *Echo, *Media, *Baton or *Request
}

// FlowConfig is the configuration of one kind of flow.
type FlowConfig interface{ flowKind() }

// Bulk moves data as fast as it can: kinds download (server to client) and
// upload (client to server). It ends after Size, or one drawn from Sizes, or after
// Duration; see [Scenario.SizeOf].
type Bulk struct {
	Upload    bool          // by kind
	Size      netem.Bytes   `toml:"size" range:"1B..1000GB" doc:"bytes in all, shared evenly by the streams"`
	Sizes     Sizes         `toml:"sizes" doc:"a distribution of sizes, instead of one size"`
	Duration  time.Duration `toml:"duration" range:"1us..24h" doc:"how long data is sent, instead of a size"`
	Streams   int           `toml:"streams" default:"1" range:"1..10000" doc:"number of streams at once"`
	Direction string        `toml:"direction" default:"uni" oneof:"uni bidi" doc:"uni or bidi streams"`
}

// Echo sends messages that the peer sends back: kind echo.
type Echo struct {
	Transport string        `toml:"transport" default:"stream" oneof:"stream datagram" doc:"stream: all on one bidirectional stream; datagram: one datagram each"`
	Rate      Frequency     `toml:"rate" default:"10Hz" range:"0.001Hz..1000000Hz" doc:"messages per second"`
	Size      netem.Bytes   `toml:"size" default:"100B" range:"16B..16MB" doc:"size of a message; a datagram must fit into a packet"`
	Duration  time.Duration `toml:"duration" range:"1us..24h" doc:"how long messages are sent; default: until the session closes"`
	Count     int           `toml:"count" range:"1..1000000000" doc:"number of messages, instead of a duration"`
}

// Media sends frames at a constant rate in one direction: kind media.
type Media struct {
	Transport string        `toml:"transport" default:"datagram" oneof:"datagram stream one-stream" doc:"datagram: one datagram a frame; stream: one unidirectional stream a frame; one-stream: all frames on one unidirectional stream"`
	From      string        `toml:"from" default:"server" oneof:"server client" doc:"the end that sends"`
	Rate      Frequency     `toml:"rate" default:"50Hz" range:"0.001Hz..1000000Hz" doc:"frames per second"`
	Size      netem.Bytes   `toml:"size" default:"160B" range:"16B..16MB" doc:"size of a frame; a datagram must fit into a packet"`
	Duration  time.Duration `toml:"duration" range:"1us..24h" doc:"how long frames are sent; default: until the session closes"`
	Count     int           `toml:"count" range:"1..1000000000" doc:"number of frames, instead of a duration"`
	Deadline  time.Duration `toml:"deadline" range:"1us..1h" doc:"how long after it was due a frame is of use to the receiver; default: for ever"`
}

// Frames returns the number of frames, 0 if they go on until the session ends.
func (m *Media) Frames() int64 {
	if m.Duration > 0 {
		return int64((m.Duration-1)/m.Rate.Period()) + 1
	}
	return int64(m.Count)
}

// Baton passes batons to and fro (draft-frindell-webtrans-devious-baton): kind
// baton. It begins and ends with its session, which has no other flow.
type Baton struct {
	Baton    int           `toml:"baton" range:"1..255" doc:"what the batons begin with; each is sent 257 less that many times; default: random"`
	Count    int           `toml:"count" default:"1" range:"1..255" doc:"batons at once; both ends should allow twice as many streams"`
	Padding  netem.Bytes   `toml:"padding" default:"0B" range:"0B..16MB" doc:"padding of each message"`
	Patience time.Duration `toml:"patience" default:"30s" range:"1ms..24h" doc:"time to wait for the next message, after which the session is closed"`
}

// Request sends plain HTTP/3 GET requests on the session's connection: kind
// request.
type Request struct {
	Size     netem.Bytes   `toml:"size" default:"10KB" range:"0B..1000GB" doc:"size of the response's body"`
	Count    int           `toml:"count" default:"1" range:"1..1000000" doc:"number of requests, one after the other"`
	Interval time.Duration `toml:"interval" default:"0s" range:"0s..1h" doc:"time between the starts of two requests; a request waits for the one before"`
}

func (*Bulk) flowKind()    {}
func (*Echo) flowKind()    {}
func (*Media) flowKind()   {}
func (*Baton) flowKind()   {}
func (*Request) flowKind() {}
