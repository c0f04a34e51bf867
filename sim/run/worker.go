package run

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/seal"
	"github.com/wtsim/wtsim/sim/workload"
)

// Worker does the one task that its parent asks for on standard input, and
// returns the exit status of the process.
func Worker() int {
	messages := json.NewEncoder(os.NewFile(messageFD, "messages"))
	var t task
	if err := json.NewDecoder(os.Stdin).Decode(&t); err != nil {
		fmt.Fprintln(os.Stderr, "reading the task:", err)
		return 1
	}
	return t.work(messages)
}

// work does the task, says how it goes, and returns the exit status.
func (t *task) work(messages *json.Encoder) int {
	result, err := t.do(func(p Progress) { messages.Encode(message{Progress: &p}) })
	m := message{Result: &result}
	if err != nil {
		m = message{Error: asError(err)}
	}
	if err := messages.Encode(m); err != nil {
		fmt.Fprintln(os.Stderr, "telling the result:", err)
		return 1
	}
	return 0
}

func asError(err error) *Error {
	var own *Error
	var mistake *scenario.Error
	var stalled *sim.StalledError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &mistake):
		return &Error{Kind: Input, Message: err.Error()}
	case errors.As(err, &stalled):
		return &Error{Kind: Stalled, Message: err.Error()}
	}
	errors.As(fail(Internal, "%w", err), &own)
	return own
}

// sink takes down a run.
type sink interface {
	workload.Recorder
	Packet(*record.Packet)
	Fingerprint() string
}

// fingerprintOnly is a sink that keeps nothing but the fingerprint.
type fingerprintOnly struct{ packets record.Fingerprint }

func (f *fingerprintOnly) Sample(record.Sample)    {}
func (f *fingerprintOnly) Event(record.Event)      {}
func (f *fingerprintOnly) Packet(p *record.Packet) { f.packets.Packet(p) }
func (f *fingerprintOnly) Fingerprint() string     { return f.packets.Sum() }

// do loads the task's scenario and runs it.
func (t *task) do(onProgress func(Progress)) (record.Run, error) {
	s, err := scenario.Parse(t.Name, t.Scenario, t.Overrides...)
	if err != nil {
		return record.Run{}, err
	}
	s.Seed = t.Seed
	return t.doScenario(s, onProgress)
}

// doScenario runs a scenario and finishes its recording.
func (t *task) doScenario(s *scenario.Scenario, onProgress func(Progress)) (record.Run, error) {
	if err := seal.CanReseed(); err != nil && t.Determinism == record.Sealed {
		t.Determinism, t.Unsealed = record.Unsealed, err.Error()
	}
	if t.Dir == "" {
		out := &fingerprintOnly{}
		info, err := t.simulate(s, out, nil, workload.Options{WithoutSeries: true}, onProgress)
		info.Fingerprint = out.Fingerprint()
		return info, err
	}
	writer, err := record.Create(t.Dir, record.Options{Without: t.Without, CSV: t.CSV, Temporary: t.Temporary})
	if err != nil {
		return record.Run{}, fail(Input, "cannot write results to %s: %w", t.Dir, err)
	}
	finished := false
	defer func() {
		if !finished {
			writer.Abort()
		}
	}()
	var logs qlogs
	options := workload.Options{WithoutSeries: slices.Contains(t.Without, record.TableSeries)}
	if t.QLog {
		logs.dir = filepath.Join(writer.Dir(), "qlog")
		if err := os.Mkdir(logs.dir, 0o777); err != nil {
			return record.Run{}, fail(Internal, "%w", err)
		}
		options.QLog = logs.open
		options.Version = fmt.Sprintf("wtsim %s, quic-go %s", Versions().Wtsim, Versions().QUICGo)
	}
	files, err := captureFiles(s, t.Capture)
	if err != nil {
		return record.Run{}, err
	}
	var packets captures
	defer packets.close()
	for _, f := range files {
		if err := packets.create(writer.Dir(), s, f, t.RealTime); err != nil {
			return record.Run{}, fail(Internal, "%w", err)
		}
	}
	options.KeyLog = packets.keyLog()
	info, err := t.simulate(s, writer, packets, options, onProgress)
	if err == nil {
		err = logs.err
	}
	if err == nil {
		err = packets.close()
	}
	if err != nil {
		return record.Run{}, err
	}
	finished = true // Finish removes what it cannot complete
	if err := writer.Finish(&info); err != nil {
		return record.Run{}, fail(Internal, "writing the recording: %w", err)
	}
	return info, nil
}

// simulate runs a scenario into a sink and captures.
func (t *task) simulate(s *scenario.Scenario, out sink, packets captures, options workload.Options, onProgress func(Progress)) (record.Run, error) {
	observer := observer{out: out, packets: packets, paths: make(map[*netem.Path]pathName)}
	var behind *queue
	if t.RealTime {
		behind = &queue{sink: out}
		observer.out = behind
	}
	var work *workload.Workload
	end := expectedEnd(s)
	config := sim.Config{
		Seed:             s.Seed,
		TimeLimit:        s.TimeLimit,
		Observe:          observer.observe,
		ProgressInterval: end / 500,
		Progress: func(now time.Duration, datagrams uint64) {
			onProgress(Progress{Virtual: min(now, end), Limit: end, Datagrams: datagrams})
		},
	}
	if t.RealTime {
		config.RealTime = t.realTime()
	}
	begin := time.Now()
	result, err := sim.Run(config, func(w *sim.World) (err error) {
		if behind != nil {
			w.EachRest(behind.drain)
		}
		work, err = workload.Build(w, s, out, options)
		if err == nil {
			observer.learn(work)
			packets.attach(work)
			if t.emulation != nil {
				t.emulation.watch(w, out)
				err = t.emulation.attach(w, s, work, &observer, behind)
			}
		}
		return err
	})
	if t.emulation != nil {
		t.emulation.users.finish()
	}
	if behind != nil {
		behind.drain()
	}
	info := record.Run{
		Name:        s.Name,
		Seed:        s.Seed,
		Overrides:   t.Overrides,
		Versions:    Versions(),
		Determinism: t.Determinism,
		Unsealed:    t.Unsealed,
		Ended:       record.Complete,
		Virtual:     result.Elapsed,
		Wall:        time.Since(begin),
		Datagrams:   result.Datagrams,
	}
	var limit *sim.TimeLimitError
	if errors.As(err, &limit) {
		info.Ended, err = record.TimeLimit, nil
		for _, w := range limit.Waiting {
			info.Unfinished = append(info.Unfinished, w.String())
		}
	}
	if err != nil {
		return record.Run{}, err
	}
	work.Describe(&info)
	if t.emulation != nil {
		t.emulation.users.describe(&info, work, result.RealTime.Clients, t.emulation.listening[0].Server)
	}
	if result.RealTime != nil {
		describeRealTime(&info, result.RealTime, t.emulation != nil, unrecorded{"packets", behind.lost}, unrecorded{"events and samples", work.Unrecorded()})
	}
	if t.emulation != nil {
		info.RealTime.Notes = append(info.RealTime.Notes, t.emulation.noted.all()...)
	}
	for _, in := range s.Inputs {
		info.Inputs = append(info.Inputs, record.Input{Name: in.Name, SHA256: hex.EncodeToString(in.SHA256[:])})
	}
	info.Scenario, err = json.Marshal(string(s.Resolved()))
	return info, err
}

// realTime configures a run in real time.
func (t *task) realTime() *sim.RealTime {
	if t.emulation != nil {
		return t.emulation.config()
	}
	return &sim.RealTime{Relay: realtime.RelayConfig{Timeout: longestEmulation}}
}

// expectedEnd is when a run is likely to end: with the last close of its
// sessions if all of them have one at a time, with the last traffic if it has no
// sessions, and else at the time limit.
func expectedEnd(s *scenario.Scenario) time.Duration {
	last := time.Duration(0)
	if len(s.Sessions) == 0 {
		for i := range s.Traffic {
			last = max(last, s.Traffic[i].Stop)
		}
	}
	for i := range s.Sessions {
		how := &s.Sessions[i].Close
		if how.At == 0 || how.How == "none" {
			return s.TimeLimit
		}
		last = max(last, how.At)
	}
	if last == 0 {
		return s.TimeLimit
	}
	return min(last, s.TimeLimit)
}

// observer turns what netem says of packets into records.
type observer struct {
	out     sink
	packets captures
	paths   map[*netem.Path]pathName
	live    *live         // of an emulation, else nil
	record  record.Packet // reused: a sink does not keep it
}

type pathName struct {
	link      string
	direction record.Direction
}

func (o *observer) learn(w *workload.Workload) {
	for link, paths := range w.Paths() {
		for i, p := range paths {
			o.paths[p] = pathName{link, record.Direction(i)}
		}
	}
}

func (o *observer) observe(outcome netem.Outcome) {
	p, name := outcome.Packet, o.paths[outcome.Path]
	o.record = record.Packet{
		ID:         p.ID,
		Sent:       p.Sent,
		Done:       outcome.At,
		Link:       name.link,
		Direction:  name.direction,
		Source:     p.Source,
		Dest:       p.Dest,
		Size:       p.Size(),
		ECN:        uint8(p.ECN),
		SentECN:    uint8(p.SentECN),
		Fate:       fates[outcome.Fate],
		Reason:     outcome.Reason,
		QueueDelay: p.QueueDelay,
	}
	o.out.Packet(&o.record)
	o.packets.observe(outcome)
	if o.live != nil {
		o.live.observe(outcome)
	}
}

var fates = [...]record.Fate{
	netem.Delivered: record.Delivered,
	netem.Dropped:   record.Dropped,
	netem.InTransit: record.InTransit,
}

// qlogs are the qlog files of a run. Runs write them from one goroutine at a
// time.
type qlogs struct {
	dir string
	err error // the first one
}

func (q *qlogs) open(entity string) io.WriteCloser {
	file, err := os.Create(filepath.Join(q.dir, entity+".sqlog"))
	if err != nil {
		q.fail(err)
		return discard{}
	}
	return &qlogFile{file, q}
}

func (q *qlogs) fail(err error) {
	if q.err == nil {
		q.err = fail(Internal, "writing qlog: %w", err)
	}
}

// qlogFile reports errors to the run, as nobody else would.
type qlogFile struct {
	file *os.File
	logs *qlogs
}

func (f *qlogFile) Write(b []byte) (int, error) {
	n, err := f.file.Write(b)
	if err != nil {
		f.logs.fail(err)
	}
	return n, err
}

func (f *qlogFile) Close() error {
	err := f.file.Close()
	if err != nil {
		f.logs.fail(err)
	}
	return err
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }
