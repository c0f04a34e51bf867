package run

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// lossy has all kinds of flows on two connections, and losses.
const lossy = `
seed = 3
time_limit = "20s"
[hosts.a]
[hosts.b]
[links.l]
between = ["a", "b"]
rate = "10Mbit/s"
delay = "20ms"
loss = 0.01
[sessions.one]
client = "a"
server = "b"
close = { at = "2s", by = "server", code = 42, reason = "done" }
flows.down = { kind = "download", size = "100MB", streams = 5 }
flows.voice = { kind = "media" }
flows.ping = { kind = "echo" }
[sessions.two]
client = "a"
server = "b"
flows.up = { kind = "upload", size = "200KB", direction = "bidi", streams = 3 }
flows.get = { kind = "request", size = "50KB", count = 3 }
flows.pong = { kind = "echo", transport = "datagram", rate = "100Hz", duration = "1s" }
`

// real asks the real worker for a run.
func real(t *testing.T, text string) Request {
	return Request{Scenario: "real", Source: []byte(text), Out: filepath.Join(t.TempDir(), "runs")}
}

func do(t *testing.T, r Request) *Result {
	t.Helper()
	result, err := Do(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// sealed skips a test that unsealed runs need not pass.
func sealed(t *testing.T, r *Result) {
	t.Helper()
	if r.Determinism != record.Sealed {
		t.Skip("runs are not sealed here:", r.Unsealed)
	}
}

//go:embed testdata/coinciding-timers.toml
var coincidingTimers string

func TestTheFingerprintDoesNotDependOnWhatIsRecorded(t *testing.T) {
	for source, text := range map[string]string{"lossy": lossy, "coinciding timers": coincidingTimers} {
		want := do(t, real(t, text))
		sealed(t, want)
		for name, change := range map[string]func(*Request){
			"again":        func(*Request) {},
			"unwritten":    func(r *Request) { r.Unwritten = true },
			"qlog":         func(r *Request) { r.QLog = true },
			"CSV":          func(r *Request) { r.CSV = true },
			"no tables":    func(r *Request) { r.Without = record.Tables() },
			"no packets":   func(r *Request) { r.Without = []record.Table{record.TablePackets} },
			"capture":      func(r *Request) { r.Capture = []string{"links.l", "hosts.a", "hosts.b"} },
			"qlog and CSV": func(r *Request) { r.QLog, r.CSV = true, true },
		} {
			t.Run(source+"/"+name, func(t *testing.T) {
				r := real(t, text)
				change(&r)
				if got := do(t, r); got.Fingerprint != want.Fingerprint || got.Datagrams != want.Datagrams || got.Virtual != want.Virtual {
					t.Errorf("seed %d: %s, %d datagrams, %s; want %s, %d datagrams, %s", got.Seed,
						got.Fingerprint, got.Datagrams, got.Virtual, want.Fingerprint, want.Datagrams, want.Virtual)
				}
			})
		}
	}
}

func TestAThousandSessionsShareABottleneckForTenSeconds(t *testing.T) {
	const crowd = `
time_limit = "20s"
[hosts.a]
[hosts.b]
[links.l]
between = ["a", "b"]
rate = "100Mbit/s"
delay = "10ms"
[sessions.s]
client = "a"
server = "b"
count = 1000
stagger = "1ms"
close = { at = "10s" }
[sessions.s.flows.ping]
kind = "echo"
transport = "datagram"
rate = "2Hz"`
	result := do(t, real(t, crowd))
	if result.Ended != record.Complete || result.Virtual < 10*time.Second || len(result.Sessions) != 1000 {
		t.Errorf("seed 1: the run ended %s at %s with %d sessions", result.Ended, result.Virtual, len(result.Sessions))
	}
	recording, err := record.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	events := make(map[string]int)
	for e, err := range recording.Events() {
		if err != nil {
			t.Fatal(err)
		}
		events[e.Kind]++
	}
	for kind, want := range map[string]int{
		record.EventEstablished:   2000, // both ends
		record.EventSessionGone:   2000,
		record.EventFlowFinished:  1000,
		record.EventFlowFailed:    0,
		record.EventSessionFailed: 0,
	} {
		if events[kind] != want {
			t.Errorf("seed 1: %d events %s, want %d", events[kind], kind, want)
		}
	}
}

func TestAnotherSeedHasAnotherFingerprint(t *testing.T) {
	seen := make(map[string]uint64)
	for seed := range uint64(4) {
		r := real(t, lossy)
		r.Unwritten, r.Seed = true, &seed
		fingerprint := do(t, r).Fingerprint
		if other, found := seen[fingerprint]; found {
			t.Errorf("seeds %d and %d have one fingerprint", other, seed)
		}
		seen[fingerprint] = seed
	}
}

// parentArgument makes the test binary run lossy and print the fingerprint.
const parentArgument = "__parent"

func playParent() {
	result, err := Do(context.Background(), Request{Scenario: "real", Source: []byte(lossy), Unwritten: true}, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(result.Fingerprint)
}

// The kernel puts the path of a program, the arguments and the environment on its stack,
// and quic-go and the runtime have settings there.
func TestTheFingerprintDoesNotDependOnTheProgramsSurroundings(t *testing.T) {
	r := real(t, lossy)
	r.Unwritten = true
	want := do(t, r)
	sealed(t, want)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "wtsim", strings.Repeat("long", 30), strings.Repeat("longer", 31)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.Link(self, path); err != nil {
			t.Skip("no second name for this program:", err)
		}
		cmd := exec.CommandContext(t.Context(), path, parentArgument)
		cmd.Env = []string{"WTSIM_TEST_PADDING=" + strings.Repeat("x", 17*len(name)), "QUIC_GO_DISABLE_ECN=true", "GODEBUG=tlsmlkem=0"}
		got, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want.Fingerprint {
			t.Errorf("seed 3: as %s: %s, want %s", name, got, want.Fingerprint)
		}
	}
}

func TestARunThatReachesItsTimeLimitSaysWhatWasUnfinished(t *testing.T) {
	r := real(t, lossy)
	r.Overrides = []string{"time_limit=500ms", "sessions.one.close={ by = \"client\" }", "sessions.one.flows.voice.count=1000", "sessions.one.flows.ping.count=1000"}
	result := do(t, r)
	if result.Ended != record.TimeLimit || result.Virtual != 500*time.Millisecond {
		t.Errorf("the run ended at %s: %s", result.Virtual, result.Ended)
	}
	for _, want := range []string{"a/flows.down waits in ", "b/flows.voice waits in ", "a/connections.one waits in "} {
		if !slices.ContainsFunc(result.Unfinished, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("unfinished: %q, want %q among them", result.Unfinished, want)
		}
	}
	info, err := record.ReadRun(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Ended != record.TimeLimit || !slices.Equal(info.Unfinished, result.Unfinished) {
		t.Errorf("run.json says %s, unfinished %q", info.Ended, info.Unfinished)
	}
}

func TestAStalledRunSaysWhoWaitsForWhat(t *testing.T) {
	// The CONNECT stream takes the only stream.
	_, err := Do(t.Context(), real(t, source+`
quic = { max_streams = 1, idle_timeout = "20h" }
flows.ask = { kind = "download", direction = "bidi", size = "1KB" }`), nil)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Stalled || !strings.Contains(err.Error(), "a/flows.ask waits in quic-go.(*outgoingStreamsMap[...]).OpenStreamSync") {
		t.Errorf("error: %v", err)
	}
}

func TestARecordingThatCannotBeWrittenIsReported(t *testing.T) {
	// A file where the worker is to make a folder.
	temporary := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(temporary, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	work := task{Name: "real", Scenario: []byte(source), Seed: 1, Dir: filepath.Join(t.TempDir(), "run"), Temporary: temporary}
	_, err := work.do(func(Progress) {})
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Input || !strings.Contains(err.Error(), "cannot write results to "+work.Dir) {
		t.Errorf("error: %v", err)
	}
}

// A full disk is played by a device that is always full.
func TestAFullDiskIsReported(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	logs := qlogs{dir: t.TempDir()}
	if err := os.Symlink("/dev/full", filepath.Join(logs.dir, "connections.main.client.sqlog")); err != nil {
		t.Fatal(err)
	}
	file := logs.open("connections.main.client")
	io.WriteString(file, "{}")
	file.Close()
	if logs.err == nil || !strings.Contains(logs.err.Error(), "writing qlog: ") || !strings.Contains(logs.err.Error(), "no space left on device") {
		t.Errorf("error: %v", logs.err)
	}
}

func TestAQlogFileThatCannotBeMadeIsReported(t *testing.T) {
	logs := qlogs{dir: filepath.Join(t.TempDir(), "missing")}
	file := logs.open("connections.main.client")
	io.WriteString(file, "{}")
	file.Close()
	if logs.err == nil || !errors.Is(logs.err, os.ErrNotExist) {
		t.Errorf("error: %v", logs.err)
	}
}
