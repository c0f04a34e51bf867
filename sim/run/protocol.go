package run

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// WorkerArgument is the one argument with which this package starts its own
// executable as a worker. A program that uses this package must then call
// [Worker] before anything else, and exit.
const WorkerArgument = "__worker"

// The worker's ends of the protocol: it reads one task from its standard
// input, as a JSON object, and writes messages to the file messageFD, each a
// JSON object on a line. The last one is a result or an error.
const messageFD = 3

// task is what a worker is asked to do.
type task struct {
	program string // the worker's; empty: this one

	Name      string   `json:"name"`      // stands for the scenario file's name in errors
	Scenario  []byte   `json:"scenario"`  // the scenario's text, before overrides
	Overrides []string `json:"overrides"` // "path=value", in order
	Seed      uint64   `json:"seed"`      // instead of the scenario's own

	Dir       string         `json:"dir"`       // where the recording will be; empty: fingerprint only
	Temporary string         `json:"temporary"` // folder to finish the recording in; the parent puts it into place
	Without   []record.Table `json:"without"`   // tables that are not recorded
	QLog      bool           `json:"qlog"`      // also write qlog files
	CSV       bool           `json:"csv"`       // also write the tables as CSV

	Capture []string `json:"capture"` // links, directions of links and hosts to capture at; see Request

	RealTime  bool       `json:"real_time"` // by the wall clock, between sockets
	emulation *emulation // of a run between other programs, which is in this process

	Determinism record.Determinism `json:"determinism"` // whether the worker is sealed
	Unsealed    string             `json:"unsealed"`    // why it is not
}

// message is what a worker says: exactly one field is set.
type message struct {
	Progress *Progress   `json:"progress,omitempty"`
	Result   *record.Run `json:"result,omitempty"` // with its fingerprint, also of a run without a recording
	Error    *Error      `json:"error,omitempty"`
}

// Progress says how far a run has come.
type Progress struct {
	Virtual   time.Duration `json:"virtual_ns"` // virtual time
	Limit     time.Duration `json:"limit_ns"`   // virtual time at which the run is expected to end
	Datagrams uint64        `json:"datagrams"`  // datagrams that entered the network
}

// Kind tells apart why a run has no result.
type Kind string

// The kinds of errors.
const (
	Input    Kind = "input"    // what was asked for is wrong: the scenario, or a folder that cannot be written
	Stalled  Kind = "stalled"  // nothing in the simulation could make progress any more
	Limit    Kind = "limit"    // it took more than it may; see Limits
	Internal Kind = "internal" // a defect of the simulator or its environment
)

// Error is why a run has no result.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	cause   error  // in the process where it happened
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, if it happened in this process.
func (e *Error) Unwrap() error { return e.cause }

// fail returns an Error with the text of a format, which may wrap a cause. That a disk
// is full is never a defect.
func fail(kind Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		kind = Input
	}
	return &Error{Kind: kind, Message: err.Error(), cause: err}
}
