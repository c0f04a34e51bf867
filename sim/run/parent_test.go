package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// The parent is tested with a worker that does not simulate, unless the
// scenario is called "real": its name says what it does instead.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArgument {
		playWorker()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == parentArgument {
		playParent()
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would sleep for a second in each worker
	os.Exit(m.Run())
}

func playWorker() {
	var t task
	if err := json.NewDecoder(os.Stdin).Decode(&t); err != nil {
		panic(err)
	}
	out := os.NewFile(messageFD, "messages")
	messages := json.NewEncoder(out)
	if t.Name == "real" {
		os.Exit(t.work(messages))
	}
	info := record.Run{Name: t.Name, Seed: t.Seed, Overrides: t.Overrides, Determinism: t.Determinism,
		Unsealed: t.Unsealed, Virtual: 10 * time.Second, Datagrams: t.Seed * 100, Ended: record.Complete}
	for i := range 3 {
		messages.Encode(message{Progress: &Progress{Virtual: time.Duration(i) * time.Second, Limit: 10 * time.Second, Datagrams: uint64(i)}})
	}
	var w *record.Writer
	if t.Dir != "" {
		var err error
		if w, err = record.Create(t.Dir, record.Options{Temporary: t.Temporary, CSV: t.CSV}); err != nil {
			messages.Encode(message{Error: &Error{Kind: Internal, Message: err.Error()}})
			return
		}
	}
	switch t.Name {
	case "stalled":
		messages.Encode(message{Error: &Error{Kind: Stalled, Message: "bulk waits for data"}})
		return
	case "panic":
		panic("a defect")
	case "silent":
		return
	case "babble":
		fmt.Fprintln(out, "hello")
		select {}
	case "hang":
		select {}
	case "spin":
		for turns := 0; turns >= 0; turns++ {
		}
	case "grow":
		var kept []byte
		for len(kept) >= 0 {
			kept = append(kept, bytes.Repeat([]byte{1}, 1<<20)...)
			time.Sleep(time.Millisecond)
		}
	}
	if w != nil {
		if err := w.Finish(&info); err != nil {
			panic(err)
		}
	}
	info.Fingerprint = fmt.Sprint("seed ", t.Seed)
	messages.Encode(message{Result: &info})
}

const source = `
seed = 7
[hosts.a]
[hosts.b]
[links.l]
between = ["a", "b"]
rate = "10Mbit/s"
delay = "20ms"
[sessions.s]
client = "a"
server = "b"
`

func request(t *testing.T, name string) Request {
	return Request{Scenario: name, Source: []byte(source), Out: filepath.Join(t.TempDir(), "results", "runs")}
}

// files lists the files below a folder, and the empty folders.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dir {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func TestARunPutsItsRecordingIntoPlace(t *testing.T) {
	r := request(t, "fine")
	r.Overrides = []string{"links.l.rate=5Mbit/s"}
	r.Complete = func(dir string) error {
		if _, err := record.ReadRun(dir); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "metrics.json"), []byte("{}"), 0o666)
	}
	var heard []Progress
	result, err := Do(t.Context(), r, func(p Progress) { heard = append(heard, p) })
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(r.Out, "fine", "links.l.rate=5Mbit%2Fs", "7"); result.Dir != want {
		t.Errorf("the recording is at %s, want %s", result.Dir, want)
	}
	got := files(t, r.Out)
	want := []string{"fine", "fine/links.l.rate=5Mbit%2Fs", "fine/links.l.rate=5Mbit%2Fs/7"}
	for _, name := range []string{"events.parquet", "metrics.json", "packets.parquet", "run.json", "series.parquet"} {
		want = append(want, "fine/links.l.rate=5Mbit%2Fs/7/"+name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder of results holds %q, want %q", got, want)
	}
	if result.Seed != 7 || result.Datagrams != 700 || result.Fingerprint != "seed 7" {
		t.Errorf("result: %+v", result)
	}
	if len(heard) != 3 || heard[2] != (Progress{Virtual: 2 * time.Second, Limit: 10 * time.Second, Datagrams: 2}) {
		t.Errorf("progress: %+v", heard)
	}
}

func TestARunWithoutARecordingWritesNothing(t *testing.T) {
	r := request(t, "fine")
	r.Unwritten = true
	r.Seed = new(uint64)
	result, err := Do(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Dir != "" || result.Seed != 0 || result.Fingerprint != "seed 0" {
		t.Errorf("result: %+v", result)
	}
	if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestAFailedRunLeavesNothingAndSaysWhy(t *testing.T) {
	for _, test := range []struct {
		scenario string
		kind     Kind
		contains string
	}{
		{"stalled", Stalled, "bulk waits for data"},
		{"panic", Internal, "panic: a defect"},
		{"silent", Internal, "the worker ended without a result"},
		{"babble", Internal, "the worker cannot be understood"},
	} {
		r := request(t, test.scenario)
		_, err := Do(t.Context(), r, nil)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != test.kind || !strings.Contains(err.Error(), test.contains) {
			t.Errorf("%s: error %#v, want kind %s and %q", test.scenario, err, test.kind, test.contains)
		}
		if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
			t.Errorf("%s: left %q", test.scenario, got)
		}
	}
}

func TestAMistakeInTheScenarioIsFoundBeforeAnythingIsWritten(t *testing.T) {
	r := request(t, "fine")
	r.Overrides = []string{"links.l.rat=5Mbit/s"}
	_, err := Do(t.Context(), r, nil)
	var mistake *scenario.Error
	if !errors.As(err, &mistake) || mistake.Key != "links.l.rat" {
		t.Errorf("error: %v", err)
	}
	if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestAnUnwritableFolderIsBadInput(t *testing.T) {
	r := request(t, "fine")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r.Out = file
	_, err := Do(t.Context(), r, nil)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Input || !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("error: %v", err)
	}
}

func TestAnErrorOfCompleteIsTheRunsAndLeavesNothing(t *testing.T) {
	r := request(t, "fine")
	want := errors.New("no figures today")
	r.Complete = func(string) error { return want }
	if _, err := Do(t.Context(), r, nil); !errors.Is(err, want) {
		t.Errorf("error: %v", err)
	}
	if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestCancellingARunLeavesNothing(t *testing.T) {
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := request(t, "hang")
	_, err := Do(ctx, r, func(Progress) { cancel(interrupted) })
	if err != interrupted {
		t.Errorf("error: %v", err)
	}
	if got := files(t, filepath.Dir(filepath.Dir(r.Out))); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestManyRunsKeepTheOrderOfTheirRequests(t *testing.T) {
	base := request(t, "fine")
	requests := make([]Request, 9)
	for i := range requests {
		requests[i] = base
		seed := uint64(i + 1)
		requests[i].Seed = &seed
	}
	done := map[int]uint64{}
	results, err := Many(t.Context(), requests, 3, func(i int, p Progress, finished bool) {
		if finished {
			done[i] = p.Datagrams
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if want := uint64(i+1) * 100; r.Datagrams != want || done[i] != want {
			t.Errorf("request %d: %d datagrams, and %d when done, want %d", i, r.Datagrams, done[i], want)
		}
	}
}

func TestTheFirstErrorEndsTheOtherRuns(t *testing.T) {
	requests := []Request{request(t, "hang"), request(t, "stalled"), request(t, "hang"), request(t, "fine")}
	for i := range requests {
		requests[i].Out = requests[0].Out
	}
	_, err := Many(t.Context(), requests, 2, nil)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Stalled {
		t.Errorf("error: %v", err)
	}
	if got := files(t, filepath.Dir(filepath.Dir(requests[0].Out))); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestFoldersOfRunsAreReadableSafeAndDistinct(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		scenario  string
		overrides []string
		want      string
	}{
		{"quickstart", nil, "out/quickstart/default/1"},
		{"quickstart", []string{"links.access.rate=5Mbit/s"}, "out/quickstart/links.access.rate=5Mbit%2Fs/1"},
		{"a", []string{"x=1", "y=2"}, "out/a/x=1,y=2/1"},
		{"a", []string{"x=1,y=2"}, "out/a/x=1%2Cy=2/1"},
		{"../a b", []string{"x=\"ü\""}, "out/%2E.%2Fa%20b/x=%22%C3%BC%22/1"},
		{"..", nil, "out/%2E./default/1"},
	} {
		if got := folder("out", test.scenario, test.overrides, simulatedRuns, 1); got != test.want {
			t.Errorf("%q %q: %s, want %s", test.scenario, test.overrides, got, test.want)
		}
	}
	a, b := folder("", "a", []string{"x=" + long + "1"}, simulatedRuns, 1), folder("", "a", []string{"x=" + long + "2"}, simulatedRuns, 1)
	if a == b || len(filepath.Base(filepath.Dir(a))) != 120 {
		t.Errorf("long overrides: %s and %s", a, b)
	}
}
