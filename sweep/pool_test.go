package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/pagetest"
	"github.com/wtsim/wtsim/sim/run"
)

// The delays with which a worker does not simulate.
const (
	panics   = "links.l.delay=13ms"
	hangs    = "links.l.delay=14ms"
	isKilled = "links.l.delay=15ms"
)

const parentArgument = "__parent"

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would sleep for a second in each worker
	if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument {
		os.Exit(work())
	}
	if len(os.Args) == 3 && os.Args[1] == parentArgument {
		beParent(os.Args[2])
		return
	}
	pagetest.Main(m)
}

// work is a worker, which does as the task's delay says.
func work() int {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var task struct{ Overrides []string }
	if err := json.Unmarshal(text, &task); err != nil {
		panic(err)
	}
	switch {
	case slices.Contains(task.Overrides, panics):
		panic("a defect")
	case slices.Contains(task.Overrides, hangs):
		select {}
	case slices.Contains(task.Overrides, isKilled):
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		w.Write(text)
		w.Close()
	}()
	os.Stdin = r
	return run.Worker()
}

// delays is a study of a small download over links with several delays.
func delays(seeds int, delays ...string) *Study {
	s := &Study{
		Name: "small", Path: "small.toml", Source: []byte(`
time_limit = "2s"
[quic]
path_mtu_discovery = false
[hosts.client]
[hosts.server]
[links.l]
between = ["client", "server"]
rate = "10Mbit/s"
loss = 0.01
[sessions.s]
client = "client"
server = "server"
close = { at = "300ms" }
[sessions.s.flows.f]
kind = "download"
size = "20KB"
`),
		Axes: []Axis{{Path: "links.l.delay", Values: delays}},
	}
	for _, d := range delays {
		s.Cells = append(s.Cells, Cell{Values: []string{d}, Digest: "digest of " + d})
	}
	for i := range seeds {
		s.Seeds = append(s.Seeds, uint64(i+1))
	}
	return s
}

func open(t *testing.T, folder string, study *Study) *Store {
	t.Helper()
	store, err := Open(folder, study)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// fingerprints returns those of all results.
func fingerprints(t *testing.T, s *Store) map[Run]string {
	t.Helper()
	prints := make(map[Run]string)
	for _, r := range s.Study.All() {
		result, err := s.Get(r)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		prints[r] = result.Info.Fingerprint
	}
	return prints
}

// watcher counts what it hears.
type watcher struct {
	planned, done, failed int
	onDone                func()
}

func (w *watcher) Plan(runs int) { w.planned = runs }

func (w *watcher) Report(_ int, _ run.Progress, done bool, err error) {
	if !done {
		return
	}
	w.done++
	if err != nil {
		w.failed++
	}
	if w.onDone != nil {
		w.onDone()
	}
}

func TestAStudyIsRunOnceAndOnlyWhatIsNewWhenItGrows(t *testing.T) {
	folder := t.TempDir()
	store := open(t, folder, delays(2, "5ms", "10ms"))
	var first watcher
	outcome, err := store.Do(t.Context(), store.Study.All(), 2, &first)
	if err != nil || outcome.Done != 4 || outcome.Found != 0 || len(outcome.Failed) != 0 {
		t.Fatalf("outcome %+v, %v; want 4 runs done", outcome, err)
	}
	if first.planned != 4 || first.done != 4 || first.failed != 0 {
		t.Errorf("heard %+v; want 4 of 4 runs", first)
	}
	before := fingerprints(t, store)
	if outcome, err = store.Do(t.Context(), store.Study.All(), 2, nil); err != nil || outcome.Done != 0 || outcome.Found != 4 {
		t.Errorf("again: outcome %+v, %v; want that all were found", outcome, err)
	}
	larger := open(t, folder, delays(3, "10ms", "5ms", "20ms"))
	if outcome, err = larger.Do(t.Context(), larger.Study.All(), 0, nil); err != nil || outcome.Done != 5 || outcome.Found != 4 {
		t.Errorf("a larger study: outcome %+v, %v; want 4 found and 5 done", outcome, err)
	}
	after := fingerprints(t, larger)
	for i, of := range []int{1, 0} { // the first two cells have changed places
		for _, seed := range store.Study.Seeds {
			if was, is := before[Run{of, seed}], after[Run{i, seed}]; was == "" || was != is {
				t.Errorf("the result with delay %s and seed %d was %q and is %q", larger.Study.Cells[i].Values[0], seed, was, is)
			}
		}
	}
}

func TestFailedRunsAreReportedAndEndNoOther(t *testing.T) {
	study := delays(1, "5ms", "13ms", "14ms", "15ms", "20ms")
	study.Limits.Wall = 2 * time.Second
	store := open(t, t.TempDir(), study)
	outcome, err := store.Do(t.Context(), store.Study.All(), 3, nil)
	if err != nil || outcome.Done != 2 || len(outcome.Failed) != 3 {
		t.Fatalf("outcome %+v, %v; want 2 runs done and 3 failed", outcome, err)
	}
	for i, want := range []string{"panic: a defect", "after 2s of wall-clock time", "signal: killed"} {
		failed := outcome.Failed[i]
		kept, err := store.GetFailure(failed.Run)
		if failed.Cell != i+1 || !strings.Contains(failed.Err.Error(), want) || err != nil || kept.Why != failed.Err.Error() {
			t.Errorf("cell %d failed with %q, of which is kept %q, %v; want cell %d and %q", failed.Cell, failed.Err, kept.Why, err, i+1, want)
		}
		if store.Has(failed.Run) {
			t.Errorf("cell %d failed and has a result", failed.Cell)
		}
	}
}

func TestAFailureIsForgottenWhenTheRunSucceeds(t *testing.T) {
	store := open(t, t.TempDir(), delays(1, "5ms"))
	r := store.Study.Run(0)
	if err := store.PutFailure(r, errors.New("a storm")); err != nil {
		t.Fatal(err)
	}
	if outcome, err := store.Do(t.Context(), store.Study.All(), 1, nil); err != nil || outcome.Done != 1 {
		t.Fatalf("outcome %+v, %v", outcome, err)
	}
	if kept, err := store.GetFailure(r); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still known: %+v, %v", kept, err)
	}
}

func TestAnInterruptedStudyKeepsWhatIsDone(t *testing.T) {
	store := open(t, t.TempDir(), delays(3, "5ms", "10ms"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcome, err := store.Do(ctx, store.Study.All(), 1, &watcher{onDone: cancel})
	if !errors.Is(err, context.Canceled) || outcome.Done != 1 || len(outcome.Failed) != 0 {
		t.Fatalf("outcome %+v, %v; want one run, and that it was interrupted", outcome, err)
	}
	if outcome, err = store.Do(t.Context(), store.Study.All(), 2, nil); err != nil || outcome.Found != 1 || outcome.Done != 5 {
		t.Errorf("the rest: outcome %+v, %v; want 1 found and 5 done", outcome, err)
	}
}

// beParent works on a study in a folder, until it is killed.
func beParent(folder string) {
	store, err := Open(folder, delays(20, "5ms"))
	if err != nil {
		panic(err)
	}
	store.Do(context.Background(), store.Study.All(), 2, &watcher{onDone: func() { fmt.Println("done") }})
}

func TestAStudyWhoseProcessIsKilledGoesOnWhereItWas(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends the workers of a process that was killed")
	}
	t.Setenv("TMPDIR", t.TempDir())
	folder := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(program, parentArgument, folder)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	three := make([]byte, len("done\n")*3)
	if _, err := io.ReadFull(out, three); err != nil {
		t.Fatal(err)
	}
	parent.Process.Kill()
	parent.Wait()

	store := open(t, folder, delays(20, "5ms"))
	outcome, err := store.Do(t.Context(), store.Study.All(), 2, nil)
	if err != nil || outcome.Found < 3 || outcome.Found+outcome.Done != 20 {
		t.Errorf("outcome %+v, %v; want at least 3 found, and 20 with those done", outcome, err)
	}
	whole := open(t, t.TempDir(), store.Study)
	if _, err := whole.Do(t.Context(), whole.Study.All(), 2, nil); err != nil {
		t.Fatal(err)
	}
	for r, want := range fingerprints(t, whole) {
		if got := fingerprints(t, store)[r]; got != want {
			t.Errorf("seed %d has %s, and %s where nobody was killed", r.Seed, got, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAHalfWrittenResultDoesNotCount(t *testing.T) {
	store := open(t, t.TempDir(), delays(1, "5ms"))
	if _, err := store.Do(t.Context(), store.Study.All(), 1, nil); err != nil {
		t.Fatal(err)
	}
	r := store.Study.Run(0)
	text, err := os.ReadFile(store.place(r))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{nil, text[:len(text)/2], bytes.Repeat([]byte{0}, len(text))} {
		if err := os.WriteFile(store.place(r), part, 0o666); err != nil {
			t.Fatal(err)
		}
		if outcome, err := store.Do(t.Context(), store.Study.All(), 1, nil); err != nil || outcome.Done != 1 {
			t.Errorf("with %d bytes of %d: outcome %+v, %v; want that it is run again", len(part), len(text), outcome, err)
		}
	}
}

func TestResultsOfAnotherProgramAreNotSeen(t *testing.T) {
	store := open(t, t.TempDir(), delays(1, "5ms"))
	if _, err := store.Do(t.Context(), store.Study.All(), 1, nil); err != nil {
		t.Fatal(err)
	}
	store.program.Digest[0]++
	if store.Has(store.Study.Run(0)) {
		t.Error("a result of another program is one of this")
	}
}

func TestTwoResultsOfOneRunMustHaveTheSamePackets(t *testing.T) {
	store := open(t, t.TempDir(), delays(1, "5ms"))
	if _, err := store.Do(t.Context(), store.Study.All(), 1, nil); err != nil {
		t.Fatal(err)
	}
	result, err := store.Get(store.Study.Run(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(result); err != nil {
		t.Errorf("the same again: %v", err)
	}
	result.Info.Fingerprint = "another"
	if err := store.Put(result); err == nil || !strings.Contains(err.Error(), "two runs of one scenario and seed differ") {
		t.Errorf("another fingerprint: error %v", err)
	}
}
