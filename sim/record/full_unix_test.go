//go:build unix

package record_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

// limitFiles makes writes beyond so many bytes of a file fail, as on a disk that is
// full.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	t.Cleanup(func() { signal.Reset(syscall.SIGXFSZ) })
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Skip("the size of files cannot be limited here:", err)
	}
	limit := before
	limit.Cur = bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skip("the size of files cannot be limited here:", err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before) })
}

// The limit is for all files of a process, so the test runs in one of its own: go
// test keeps a file, too.
func TestAFileThatCannotBeWrittenWholeIsReportedAndNothingIsLeft(t *testing.T) {
	const inChild = "WTSIM_TEST_LIMITED"
	if os.Getenv(inChild) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), inChild+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	all := someRows(20_000)
	for _, c := range []struct {
		file  string
		rows  rows
		opts  record.Options
		limit uint64
		info  record.Run
	}{
		{"packets.parquet", rows{packets: all.packets}, record.Options{}, 100_000, record.Run{}},
		{"packets.parquet", rows{packets: all.packets[:10]}, record.Options{}, 100, record.Run{}}, // its last bytes only
		{"series.parquet", rows{samples: all.samples}, record.Options{}, 50_000, record.Run{}},
		{"events.parquet", rows{events: all.events}, record.Options{}, 2_000, record.Run{}},
		{"packets.csv", rows{packets: all.packets}, record.Options{CSV: true, Without: []record.Table{record.TableSeries}}, 1_000_000, record.Run{}},
		{"run.json", rows{}, record.Options{Without: record.Tables()}, 5_000, record.Run{Scenario: json.RawMessage(`"` + strings.Repeat("x", 10_000) + `"`)}},
	} {
		t.Run(c.file, func(t *testing.T) {
			base := t.TempDir()
			w, err := record.Create(filepath.Join(base, "run"), c.opts)
			if err != nil {
				t.Fatal(err)
			}
			limitFiles(t, c.limit)
			for i := range c.rows.packets {
				w.Packet(&c.rows.packets[i])
			}
			for _, s := range c.rows.samples {
				w.Sample(s)
			}
			for _, e := range c.rows.events {
				w.Event(e)
			}
			err = w.Close(c.info)
			if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("error %v, want one of %s", err, c.file)
			}
			if left := filesBelow(t, base); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
