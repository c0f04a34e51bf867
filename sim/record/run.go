package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wtsim/wtsim/internal/nearest"
)

// SchemaVersion is the version of the tables and of run.json that this
// package writes and reads. It grows with every change that a reader of the
// files would notice.
const SchemaVersion = 2

// Run describes a recorded run: the content of run.json.
type Run struct {
	Schema      int             `json:"schema"`                // version of the recording's format; set by the writer
	Name        string          `json:"name"`                  // the scenario's name
	Seed        uint64          `json:"seed"`                  // the seed of every random stream
	Overrides   []string        `json:"overrides,omitempty"`   // "path=value", in the order given
	Scenario    json.RawMessage `json:"scenario,omitempty"`    // the scenario as resolved, as JSON (a TOML text is a JSON string)
	Inputs      []Input         `json:"inputs,omitempty"`      // the files that the scenario names
	Versions    Versions        `json:"versions"`              // what made the run
	Fingerprint string          `json:"fingerprint"`           // see Fingerprint; set by the writer
	Determinism Determinism     `json:"determinism"`           // whether the process was sealed
	Unsealed    string          `json:"unsealed,omitempty"`    // why it was not
	Ended       Ending          `json:"ended"`                 // how the run ended
	Unfinished  []string        `json:"unfinished,omitempty"`  // the tasks that were not finished when it ended
	Virtual     time.Duration   `json:"virtual_ns"`            // virtual duration in nanoseconds
	Wall        time.Duration   `json:"wall_ns"`               // wall-clock duration in nanoseconds
	Datagrams   uint64          `json:"datagrams"`             // datagrams that entered the network
	Links       []Link          `json:"links"`                 // the links, in the scenario's order
	Sessions    []Session       `json:"sessions,omitempty"`    // the sessions, in the scenario's order
	Connections []Connection    `json:"connections,omitempty"` // the ends of connections that sent something, in the order of the sessions
	Flows       []Flow          `json:"flows,omitempty"`       // the flows, in the scenario's order
	Traffic     []Traffic       `json:"traffic,omitempty"`     // cross traffic, in the scenario's order
	Discarded   []Discard       `json:"discarded,omitempty"`   // what hosts, then routers, discarded, in the scenario's order
	RealTime    *RealTime       `json:"real_time,omitempty"`   // what a run in real time did beside; nil for others
	Rows        map[Table]int64 `json:"rows"`                  // length of each table that was recorded; set by the writer
}

// RealTime is what run.json holds of a run in real time. What a datagram's
// departure is late by is the time from when the network delivers it until it is
// handed to the system; quantiles are of all departures.
type RealTime struct {
	Emulated bool          `json:"emulated,omitempty"` // between other programs, without sessions of its own
	Departed uint64        `json:"departed"`           // datagrams that left the network for a real socket
	Late     uint64        `json:"late"`               // by more than 100 µs
	P50      time.Duration `json:"p50_ns"`             // of the lateness
	P99      time.Duration `json:"p99_ns"`
	P999     time.Duration `json:"p999_ns"`
	Max      time.Duration `json:"max_ns"`
	Wakeups  Wakeups       `json:"wakeups"`
	Refused  []Refusal     `json:"refused,omitempty"` // sorted by reason
	Clients  []Client      `json:"clients,omitempty"` // the first 1024, in the order in which they came
	Notes    []string      `json:"notes,omitempty"`   // what the system does not allow, and what a person was told during an emulation
}

// Wakeups says how much later than the time that it waited for a program woke up that has no
// priority, unlike the network: what the peers suffered on a busy machine.
type Wakeups struct {
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// Refusal is datagrams that did not enter the network, or did not leave it for
// their receiver.
type Refusal struct {
	Reason    string `json:"reason"`
	Datagrams uint64 `json:"datagrams"`
}

// Client is a socket whose datagrams were relayed into the network.
type Client struct {
	Address  netip.AddrPort   `json:"address"`           // its own
	Host     string           `json:"host"`              // where it was in the network
	Seen     []netip.AddrPort `json:"seen,omitempty"`    // from which servers saw it
	Sent     Count            `json:"sent,omitzero"`     // UDP payload that entered the network
	Received Count            `json:"received,omitzero"` // and that came back to it
}

// Input is a file that a scenario names, such as a trace.
type Input struct {
	Name   string `json:"name"`   // as the scenario names it
	SHA256 string `json:"sha256"` // of its bytes, in hexadecimal
}

// Versions names the software that made a run.
type Versions struct {
	Wtsim  string `json:"wtsim"`
	QUICGo string `json:"quic_go"`
	Go     string `json:"go"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
}

// Manner is how a run came about.
type Manner string

// The values of Manner.
const (
	MannerSimulated Manner = ""
	MannerRealTime  Manner = "real_time" // its own programs on real sockets, by the wall clock
	MannerEmulated  Manner = "emulated"  // its network between other programs, by the wall clock
)

// Manner returns how the run came about.
func (r *Run) Manner() Manner {
	switch {
	case r.RealTime == nil:
		return MannerSimulated
	case r.RealTime.Emulated:
		return MannerEmulated
	}
	return MannerRealTime
}

// InWords is "simulated", "in real time" or "emulated".
func (m Manner) InWords() string {
	switch m {
	case MannerRealTime:
		return "in real time"
	case MannerEmulated:
		return "emulated"
	}
	return "simulated"
}

// Determinism says whether a run is guaranteed to be repeatable.
type Determinism string

// The values of Determinism.
const (
	Sealed   Determinism = "sealed"
	Unsealed Determinism = "unsealed"
	InReal   Determinism = "real_time" // it happened in real time, and is not repeatable at all
)

// Ending says how a run ended.
type Ending string

// The endings of a run.
const (
	Complete  Ending = "complete"   // every task of the scenario finished
	TimeLimit Ending = "time_limit" // the scenario's time limit came first
	Stalled   Ending = "stalled"    // nothing could make progress any more
	Failed    Ending = "failed"     // an error ended it
)

// Link is what run.json holds of a link.
type Link struct {
	Name    string    `json:"name"`
	Between [2]string `json:"between"` // the hosts that it joins; forward goes from the first to the second
	Forward Counters  `json:"forward"`
	Reverse Counters  `json:"reverse"`
}

// Counters counts what one direction of a link did in a run. Bytes are bytes
// on the link, overhead included, and In + Duplicated = Out + Dropped + Queued.
type Counters struct {
	Overhead   int64  `json:"overhead"` // bytes added to each datagram on the link, as configured at the start
	In         Count  `json:"in"`
	Duplicated Count  `json:"duplicated,omitzero"` // copies that the link made
	Marked     Count  `json:"marked,omitzero"`     // datagrams whose ECN field it set to CE
	Corrupted  Count  `json:"corrupted,omitzero"`  // datagrams in which it flipped a bit
	Out        Count  `json:"out"`
	Queued     Count  `json:"queued"`            // still held when the run ended
	Dropped    []Drop `json:"dropped,omitempty"` // by reason, in the order of the path's elements
}

// Count is a number of datagrams and the bytes in them.
type Count struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Drop counts what one kind of element dropped.
type Drop struct {
	Reason string `json:"reason"` // as in Packet.Reason
	Count
}

// Discard counts datagrams that left a link and that a host or a router discarded
// for one reason. Bytes are UDP payload.
type Discard struct {
	At     string `json:"at"`     // the host or router
	Reason string `json:"reason"` // one of the Discard constants
	Count
}

// The reasons for which hosts and routers discard datagrams.
const (
	DiscardNoPort       = "no_port"       // no socket at the host listens on the port (udpNoPorts of RFC 4113)
	DiscardBufferFull   = "buffer_full"   // the receive buffer of the socket was full (udpInErrors of RFC 4113)
	DiscardWrongAddress = "wrong_address" // the address is not one of the host's (ipSystemStatsInAddrErrors of RFC 4293)
	DiscardNoRoute      = "no_route"      // the router has no route to the address (ipSystemStatsInNoRoutes of RFC 4293)
)

// Session is what run.json holds of a session: which connection and group it
// belongs to.
type Session struct {
	Entity     string `json:"entity"`          // the session's entity name, such as "sessions.main-3"
	Connection string `json:"connection"`      // its connection's entity name, such as "connections.main-3"
	Group      string `json:"group,omitempty"` // the entity name of the group, such as "sessions.main"; empty outside groups
}

// Connection is what run.json holds of one end of a connection.
type Connection struct {
	Entity    string           `json:"entity"`              // the entity name of the end, such as "connections.main-3.client"
	Host      string           `json:"host,omitempty"`      // the host that it is on
	Addresses []netip.AddrPort `json:"addresses,omitempty"` // that it sent from, in the order in which it began to
	Sent      uint64           `json:"packets_sent"`        // ack-eliciting QUIC packets (RFC 9002 section 2) that it sent, without probes of the MTU
}

// Flow is what run.json holds of a flow.
type Flow struct {
	Entity    string        `json:"entity"`                // the flow's entity name
	Kind      string        `json:"kind"`                  // download, upload, echo, media, baton or request; of an emulation datagrams: all UDP payload to or from a client
	Session   string        `json:"session"`               // its session's entity name; empty in an emulation
	From      string        `json:"from"`                  // the host from which what is counted as delivered comes
	To        string        `json:"to"`                    // the host to which it is delivered
	Size      int64         `json:"size,omitempty"`        // bytes that a download or an upload moves; 0 for one that has a duration, and for other kinds
	Transport string        `json:"transport,omitempty"`   // of an echo or media: "datagram", "stream" or, of media with all frames on one stream, "one-stream"
	Interval  time.Duration `json:"interval_ns,omitempty"` // of media: time from one frame to the next in nanoseconds; the first is due at the flow's start
	Frames    int64         `json:"frames,omitempty"`      // of media: number of frames; 0 if they go on until the session ends
	Deadline  time.Duration `json:"deadline_ns,omitempty"` // of media: how long after it was due a frame is of use in nanoseconds; 0 is for ever
	Way       []string      `json:"way,omitempty"`         // the link directions from From to To, as entity names, at the start
	RTT       time.Duration `json:"rtt_ns"`                // propagation delay of the links from From to To and back in nanoseconds, as configured at the start
	Group     string        `json:"group,omitempty"`       // what the same flow of all sessions of a group is called, such as "sessions.main.flows.bulk"
}

// Traffic is what run.json holds of cross traffic. Bytes are bytes on the link,
// the traffic's overhead included.
type Traffic struct {
	Entity     string `json:"entity"` // the traffic's entity name, such as "traffic.web-3"
	From       string `json:"from"`   // the host of the source
	To         string `json:"to"`     // the host of the sink
	Kind       string `json:"kind"`   // cbr, poisson or onoff
	Sent       Count  `json:"sent"`
	Refused    Count  `json:"refused,omitzero"` // packets that the source's host did not send, because they are above the MTU
	Delivered  Count  `json:"delivered"`
	Duplicated Count  `json:"duplicated,omitzero"` // more copies of packets that were delivered
	Corrupted  Count  `json:"corrupted,omitzero"`  // packets that arrived and were discarded, because their payload was damaged
	Reordered  uint64 `json:"reordered,omitempty"` // packets delivered after one that was sent later
	Missing    uint64 `json:"missing,omitempty"`   // packets not delivered that were sent before the last one that was
	Bursts     uint64 `json:"bursts,omitempty"`    // gaps in which they were missing, as the packet after each arrived
	Group      string `json:"group,omitempty"`     // the entity name of the group, such as "traffic.web"; empty outside groups
}

// Has reports whether a table was recorded.
func (r Run) Has(t Table) bool {
	_, ok := r.Rows[t]
	return ok
}

// Unrecorded returns the tables that were not recorded, in the order of [Tables].
func (r Run) Unrecorded() []Table {
	return slices.DeleteFunc(Tables(), r.Has)
}

// runFile is the file of a recording that describes it.
const runFile = "run.json"

func writeRun(dir string, info Run) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", runFile, err)
	}
	return os.WriteFile(filepath.Join(dir, runFile), append(text, '\n'), 0o666)
}

// ReadRun reads the run.json of the recording in dir. It refuses a folder that
// is not a recording and one of another schema version.
func ReadRun(dir string) (Run, error) {
	path := filepath.Join(dir, runFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Run{}, noRun(dir, err)
	}
	var version struct {
		Schema   *int `json:"schema"`
		Versions struct {
			Wtsim string `json:"wtsim"`
		} `json:"versions"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return Run{}, brokenRun(path, err)
	}
	switch {
	case version.Schema == nil:
		return Run{}, fmt.Errorf("%s does not describe a recording of wtsim: it has no \"schema\"; expected the folder of a recording, as wtsim run writes it", path)
	case *version.Schema != SchemaVersion:
		return Run{}, otherVersion(path, *version.Schema, version.Versions.Wtsim)
	}
	var info Run
	if err := json.Unmarshal(text, &info); err != nil {
		return Run{}, brokenRun(path, err)
	}
	for t := range info.Rows {
		if !slices.Contains(Tables(), t) {
			return Run{}, brokenRun(path, fmt.Errorf("it has rows of %q; expected those of %v", t, Tables()))
		}
	}
	return info, nil
}

// noRun says why there is no run.json.
func noRun(dir string, err error) error {
	info, statErr := os.Stat(dir)
	switch {
	case statErr != nil:
		if near := nearest.Folder(dir); near != "" && errors.Is(statErr, fs.ErrNotExist) {
			return fmt.Errorf("no recording at %s; did you mean %s?", dir, near)
		}
		if path, ok := errors.AsType[*fs.PathError](statErr); ok {
			statErr = path.Err // the message names the folder
		}
		return fmt.Errorf("no recording at %s: %w", dir, statErr)
	case !info.IsDir():
		return fmt.Errorf("%s is a file; expected the folder of a recording, as wtsim run writes it", dir)
	case errors.Is(err, fs.ErrNotExist):
		if inner, _ := filepath.Glob(filepath.Join(dir, "*", runFile)); len(inner) > 0 {
			return fmt.Errorf("%s is not a recording, but holds some; expected one of them, such as %s", dir, filepath.Dir(inner[0]))
		}
		return fmt.Errorf("%s is not a recording: it has no %s; expected a folder that wtsim run has written", dir, runFile)
	}
	return fmt.Errorf("read recording: %w", err)
}

func brokenRun(path string, err error) error {
	if _, syntax := errors.AsType[*json.SyntaxError](err); syntax {
		err = fmt.Errorf("it is truncated or not JSON: %w", err)
	}
	return fmt.Errorf("%s is broken: %w; run the scenario again", path, err)
}

// otherVersion says what to do with a recording of another schema version.
func otherVersion(path string, version int, by string) error {
	program := "the wtsim that wrote it"
	if by != "" && by != "(devel)" {
		program = "wtsim " + by + ", which wrote it"
	}
	if version < SchemaVersion {
		return fmt.Errorf("%s was written in format version %d; this wtsim reads version %d: run the scenario again, or use %s", path, version, SchemaVersion, program)
	}
	return fmt.Errorf("%s was written in format version %d; this wtsim reads version %d: use %s, or a later one", path, version, SchemaVersion, program)
}
