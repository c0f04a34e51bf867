package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/seal"
)

// Request asks for one run.
type Request struct {
	Scenario  string   // path of the scenario file
	Source    []byte   // the scenario's text; nil: the file's
	Overrides []string // "path=value", applied in order
	Seed      *uint64  // instead of the scenario's own

	Program   string         // the worker's: wtsim, built from the source of this one; empty: this program
	Here      bool           // in this process, which is not sealed, instead of one of its own
	Out       string         // folder of results; empty: DefaultOut
	Unwritten bool           // make no recording, only the result with its fingerprint
	Without   []record.Table // tables that are not recorded
	QLog      bool           // also write qlog files
	CSV       bool           // also write the tables as CSV
	Limits    Limits         // of the process; a run in this one has none
	RealTime  bool           // in real time, over sockets on loopback; see [sim.RealTime]

	// Capture names where to capture packets: at links (links.NAME), one direction
	// of them (links.NAME.forward, links.NAME.reverse) and hosts (hosts.NAME); the
	// name of a group is all of it. The file is capture.pcapng, or with several
	// names capture-NAME.pcapng for each; see package capture.
	Capture []string

	// Complete, if not nil, is called with the folder of the finished
	// recording before that is put into place. Files that it writes there
	// belong to the recording, and its error is the run's.
	Complete func(dir string) error
}

// Result is what came of a run.
type Result struct {
	record.Run
	Dir string // folder of the recording; empty if there is none
}

// Do runs a scenario in a process of its own and returns when its recording
// is in place. It calls onProgress, if not nil, now and then. Whatever the
// error, no process and no file is left behind: an error is a
// [*scenario.Error], an [*Error], or the context's if that ended.
func Do(ctx context.Context, r Request, onProgress func(Progress)) (*Result, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	t, err := r.task()
	if err != nil {
		return nil, err
	}
	work := work
	if r.Here {
		work = workHere
	}
	return publish(ctx, t.Dir, r.Complete, func(temporary string) (record.Run, error) {
		t.Temporary = temporary
		return work(ctx, t, r.Limits, onProgress)
	})
}

// publish has a run finish its recording in a folder, which it completes and puts
// in the place dir, unless the context has ended; or, if dir is empty, make none.
func publish(ctx context.Context, dir string, complete func(dir string) error, run func(temporary string) (record.Run, error)) (*Result, error) {
	result := &Result{Dir: dir}
	if dir == "" {
		var err error
		if result.Run, err = run(""); err != nil {
			return nil, err
		}
		return result, nil
	}
	place, err := prepareFolder(dir)
	if err != nil {
		return nil, err
	}
	defer place.clear()
	temporary := place.recording()
	if result.Run, err = run(temporary); err != nil {
		return nil, err
	}
	if complete != nil {
		if err := complete(temporary); err != nil {
			return nil, fail(Internal, "completing the recording: %w", err)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := record.Publish(temporary, dir); err != nil {
		return nil, fail(Input, "%w", err)
	}
	return result, nil
}

// task loads the scenario, so that its mistakes show before anything starts.
func (r Request) task() (task, error) {
	var s *scenario.Scenario
	var err error
	if r.Source == nil {
		// Load has the better words for a file that cannot be read.
		if s, err = scenario.Load(r.Scenario, r.Overrides...); err == nil {
			r.Source, err = os.ReadFile(r.Scenario)
		}
	} else {
		s, err = scenario.Parse(r.Scenario, r.Source, r.Overrides...)
	}
	if err != nil {
		return task{}, err
	}
	t := task{program: r.Program, Name: r.Scenario, Scenario: r.Source, Overrides: r.Overrides, Seed: s.Seed, Without: r.Without, QLog: r.QLog, CSV: r.CSV, Capture: r.Capture, RealTime: r.RealTime}
	if _, err := captureFiles(s, r.Capture); err != nil {
		return task{}, err
	}
	if r.Seed != nil {
		t.Seed = *r.Seed
	}
	if r.Unwritten {
		return t, nil
	}
	out := r.Out
	if out == "" {
		out = DefaultOut
	}
	kind := simulatedRuns
	if t.RealTime {
		kind = realTimeRuns
	}
	t.Dir = folder(out, s.Name, r.Overrides, kind, t.Seed)
	return t, nil
}

// work has a worker do a task.
func work(ctx context.Context, t task, limits Limits, onProgress func(Progress)) (record.Run, error) {
	life, end := context.WithCancel(ctx)
	defer end()
	program := t.program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return record.Run{}, fail(Internal, "finding this program to start a worker: %w", err)
		}
	}
	messages, theirs, err := os.Pipe()
	if err != nil {
		return record.Run{}, fail(Internal, "starting a worker: %w", err)
	}
	defer messages.Close()
	cmd := exec.CommandContext(life, program, WorkerArgument)
	cmd.Env = environment()
	cmd.ExtraFiles = []*os.File{theirs} // the first is messageFD
	var stderr head
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return record.Run{}, fail(Internal, "starting a worker: %w", err)
	}
	start := func() (*seal.Process, error) { return seal.Start(cmd, t.Seed) }
	if t.RealTime {
		start = func() (*seal.Process, error) { return seal.StartUnsealed(cmd, "it runs in real time") }
	}
	worker, err := start()
	theirs.Close()
	if err != nil {
		if ended := context.Cause(ctx); ended != nil {
			return record.Run{}, ended
		}
		return record.Run{}, fail(Internal, "starting a worker: %w", err)
	}
	t.Determinism = record.Sealed
	if sealed, reason := worker.Sealed(); !sealed {
		t.Determinism, t.Unsealed = record.Unsealed, reason
	}
	if t.RealTime {
		t.Determinism, t.Unsealed = record.InReal, ""
	}
	// A worker that does not read its task has an error to report.
	json.NewEncoder(stdin).Encode(t)
	stdin.Close()

	watch := startWatch(worker, limits)
	result, err := listen(messages, func(p Progress) {
		watch.news(p)
		if onProgress != nil {
			onProgress(p)
		}
	})
	var told *Error
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &told) {
		end() // it speaks, but not this language
	}
	exit := worker.Wait()
	stopped := watch.end()
	switch cancelled := context.Cause(ctx); {
	case cancelled != nil:
		return record.Run{}, cancelled
	case stopped != nil && exit != nil:
		return record.Run{}, stopped
	case told != nil:
		return record.Run{}, told
	case err == nil && exit == nil:
		return result, nil
	}
	return record.Run{}, crash(err, exit, stderr.String())
}

// workHere does a task in this process. It cannot be cancelled.
func workHere(_ context.Context, t task, _ Limits, onProgress func(Progress)) (record.Run, error) {
	t.Determinism, t.Unsealed = record.Unsealed, "it ran in the process of another program"
	if t.RealTime {
		t.Determinism, t.Unsealed = record.InReal, ""
	}
	if onProgress == nil {
		onProgress = func(Progress) {}
	}
	result, err := t.do(onProgress)
	if err != nil {
		return record.Run{}, asError(err)
	}
	return result, nil
}

// crash describes a worker that ended without a word, or after its last one.
func crash(said, exit error, stderr string) error {
	what := "the worker ended without a result"
	switch {
	case said != nil && !errors.Is(said, io.EOF):
		what = "the worker cannot be understood: " + said.Error()
	case exit != nil:
		what = "the worker failed: " + exit.Error()
	}
	if stderr = strings.TrimSpace(stderr); stderr != "" {
		what += "\n" + stderr
	}
	return fail(Internal, "%s", what)
}

// listen reads messages up to the one that ends the run.
func listen(messages io.Reader, onProgress func(Progress)) (record.Run, error) {
	decoder := json.NewDecoder(messages)
	for {
		var m message
		if err := decoder.Decode(&m); err != nil {
			return record.Run{}, err
		}
		switch {
		case m.Error != nil:
			return record.Run{}, m.Error
		case m.Result != nil:
			return *m.Result, nil
		case m.Progress != nil:
			onProgress(*m.Progress)
		}
	}
}

// environment is what a worker sees of this process's environment: nothing
// that could change what it simulates. It is never nil, as all of it would be inherited then.
func environment() []string {
	env := []string{}
	for _, name := range []string{"TMPDIR", "GOTRACEBACK", "GOCOVERDIR", "GORACE"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return env
}

// head keeps the beginning of what is written to it: a panic says first what
// happened.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	const most = 16 << 10
	if room := most - h.Len(); room > 0 {
		h.Buffer.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}
