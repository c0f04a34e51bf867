package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/seal"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts of testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wtsim": func() {
		if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument && playWorker() {
			return
		}
		emulate = playEmulation
		main()
	}})
}

// TestCommands runs the scripts that need no simulation: those that run a
// scenario have a worker that plays one.
func TestCommands(t *testing.T) { testScripts(t, "testdata/script") }

// TestSimulation runs the scripts that simulate the repository's scenarios.
func TestSimulation(t *testing.T) { testScripts(t, "testdata/simulate") }

func testScripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would sleep for a second
			env.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
			repository, err := filepath.Abs("../..")
			env.Setenv("REPOSITORY", repository)
			for name, value := range goEnvironment() {
				env.Setenv(name, value)
			}
			return err
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "sealing":
				return seal.Supported() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    expectStatus,
			"interrupt": interrupt,
			"ended":     expectEnded,
			"serving":   awaitServer,
			"emulating": awaitEmulation,

			"distinct-fingerprints": expectDistinctFingerprints,
		},
	})
}

// goEnvironment is where the tool go keeps what it has built and downloaded, which it
// does not find in the home folder of a script.
var goEnvironment = sync.OnceValue(func() map[string]string {
	var names map[string]string
	if text, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS").Output(); err == nil {
		json.Unmarshal(text, &names)
	}
	return names
})

// expectStatus is the script command "status N COMMAND...": the command must exit
// with the status N.
func expectStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [argument...]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = fmt.Sprint(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// interrupt is the script command "interrupt FILE...": when the files are
// there, it sends SIGINT to the one command in the background.
func interrupt(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		for {
			if text, err := os.ReadFile(ts.MkAbs(file)); err == nil && len(text) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	ts.Check(ts.BackgroundCmds()[0].Process.Signal(os.Interrupt))
}

// awaitServer is the script command "serving FILE": when a server has written
// that it is ready, its URL and hash are the variables URL and HASH.
func awaitServer(ts *testscript.TestScript, _ bool, args []string) {
	var server ready
	for {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil {
			ts.Check(json.Unmarshal(text, &server))
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Setenv("URL", server.URL)
	ts.Setenv("HASH", server.SHA256)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "https://"))
	ts.Check(err)
	ts.Setenv("PORT", port)
}

// awaitEmulation is the script command "emulating FILE": when an emulation has written
// that it relays, the port of its first address is the variable PORT.
func awaitEmulation(ts *testscript.TestScript, _ bool, args []string) {
	var listening []run.Listening
	for {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil {
			ts.Check(json.Unmarshal(text, &listening))
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Setenv("PORT", fmt.Sprint(listening[0].Listen.Port()))
}

// expectEnded is the script command "ended FILE...": the processes whose
// numbers the files hold must be gone.
func expectEnded(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		pid, err := strconv.Atoi(ts.ReadFile(file))
		ts.Check(err)
		process, err := os.FindProcess(pid)
		ts.Check(err)
		if err := process.Signal(syscall.Signal(0)); err == nil {
			ts.Fatalf("process %d is still there", pid)
		}
	}
}

// expectDistinctFingerprints is the script command "distinct-fingerprints
// FILE...": the runs that the files describe must differ.
func expectDistinctFingerprints(ts *testscript.TestScript, _ bool, files []string) {
	seen := map[string]string{}
	for _, file := range files {
		var info record.Run
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &info))
		if other, ok := seen[info.Fingerprint]; ok || info.Fingerprint == "" {
			ts.Fatalf("%s and %s have the fingerprint %q", other, file, info.Fingerprint)
		}
		seen[info.Fingerprint] = file
	}
}

// playWorker does a task whose scenario has a comment "# play WHAT", and
// reports whether it has one. It sends one datagram a virtual second, of a
// size that WHAT and the seed decide.
func playWorker() bool {
	var text bytes.Buffer
	if _, err := text.ReadFrom(os.Stdin); err != nil {
		panic(err)
	}
	var task struct {
		Name                  string
		Scenario              []byte
		Overrides             []string
		Seed                  uint64
		Without               []record.Table
		Dir, Temporary        string
		Determinism, Unsealed string
		RealTime              bool `json:"real_time"`
	}
	if err := json.Unmarshal(text.Bytes(), &task); err != nil {
		panic(err)
	}
	_, after, found := bytes.Cut(task.Scenario, []byte("# play "))
	if !found {
		pass(text.Bytes())
		return false
	}
	what, _, _ := bytes.Cut(after, []byte("\n"))
	messages := json.NewEncoder(os.NewFile(3, "messages"))
	size, rate := 1000+task.Seed, 2.5e6 // rate: bytes a second that the flow gets
	switch string(what) {
	case "slower":
		size, rate = 900+task.Seed, 2.3e6+1e3*float64(task.Seed)
	case "faster":
		size, rate = 1100+task.Seed, 2.8e6+1e3*float64(task.Seed)
	case "noisier": // by chance, and on average slower
		size, rate = 1200+task.Seed, 2e6+1e6*float64(task.Seed%2)
	case "stall":
		messages.Encode(map[string]any{"error": map[string]string{"kind": "stalled", "message": "no progress since 2s"}})
		return true
	case "crash":
		panic("a defect")
	case "differ":
		size += uint64(os.Getpid())
	}
	info := record.Run{
		Name: "play", Seed: task.Seed, Overrides: task.Overrides, Versions: run.Versions(),
		Determinism: record.Sealed, Ended: record.Complete, Virtual: 10 * time.Second, Wall: 20 * time.Millisecond, Datagrams: 10,
		Links:    []record.Link{{Name: "access"}},
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
		Flows:    []record.Flow{{Entity: "flows.bulk", Kind: "download", Session: "sessions.main", From: "server", To: "client"}},
	}
	resolved, err := scenario.Parse(task.Name, task.Scenario, task.Overrides...)
	if err != nil {
		panic(err)
	}
	resolved.Seed = task.Seed
	if info.Scenario, err = scenarioText(resolved); err != nil {
		panic(err)
	}
	if task.RealTime {
		info = playedInRealTime(info)
	}
	var fingerprint record.Fingerprint
	packet := fingerprint.Packet
	var w *record.Writer
	if task.Dir != "" {
		var err error
		if w, err = record.Create(task.Dir, record.Options{Without: task.Without, Temporary: task.Temporary}); err != nil {
			panic(err)
		}
		packet = w.Packet
	}
	if string(what) == "hang" {
		os.WriteFile(fmt.Sprintf("worker-%d", task.Seed), []byte(fmt.Sprint(os.Getpid())), 0o666)
		select {}
	}
	for i := range 10 {
		at := time.Duration(i) * time.Second
		p := record.Packet{ID: uint64(i + 1), Sent: at, Done: at + 20*time.Millisecond, Link: "access",
			Source: netip.MustParseAddrPort("10.0.0.2:443"), Dest: netip.MustParseAddrPort("10.0.0.1:5000")}
		p.Size += 1000
		if i == 4 {
			p.Size = netem.Bytes(size)
		}
		packet(&p)
	}
	if w != nil {
		for i := range 11 {
			w.Sample(record.Sample{Time: time.Duration(i) * time.Second, Name: record.SeriesDelivered, Entity: "flows.bulk", Value: float64(i) * rate})
		}
		for _, e := range []record.Event{
			{Time: 0, Kind: record.EventFlowStarted, Entity: "flows.bulk"},
			{Time: 10 * time.Second, Kind: record.EventFlowFinished, Entity: "flows.bulk", Value: int64(10 * rate)},
		} {
			w.Event(e)
		}
		info.Fingerprint = w.Fingerprint()
		if err := w.Finish(&info); err != nil {
			panic(err)
		}
	} else {
		info.Fingerprint = fingerprint.Sum()
	}
	messages.Encode(map[string]any{"result": info})
	return true
}

// scenarioText is a scenario as run.json has it.
func scenarioText(s *scenario.Scenario) (json.RawMessage, error) {
	return json.Marshal(string(scenario.Explain(s)))
}

// pass puts a task that was read back into standard input.
func pass(text []byte) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		w.Write(text)
		w.Close()
	}()
	os.Stdin = r
}
