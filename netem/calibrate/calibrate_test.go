package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The real run starts this program again, which in a test is the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], rolePrefix) {
		os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestTheExitStatusSaysWhatWentWrong(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("PATH", "")
	for _, c := range []struct {
		name   string
		ctx    context.Context
		args   []string
		status int
		stderr string
	}{
		{"help", t.Context(), []string{"--help"}, statusAgrees, ""},
		{"an unknown flag", t.Context(), []string{"--round=1"}, statusInput, "calibrate: unknown flag: --round\n"},
		{"an argument", t.Context(), []string{"x"}, statusInput, "calibrate: unknown command \"x\" for \"calibrate\"\n"},
		{"an unknown case", t.Context(), []string{"--cases=queue-5,x"}, statusInput, "calibrate: there is no case \"x\"; cases: " + strings.Join(caseNames(), ", ") + "\n"},
		{"a short time", t.Context(), []string{"--duration=1ms"}, statusInput, "calibrate: --duration is not between 1s and 1h\n"},
		{"no round", t.Context(), []string{"--rounds=0"}, statusInput, "calibrate: --rounds is not between 1 and 1000\n"},
		{"a file for a folder", t.Context(), []string{"-o", filepath.Join(blocked, "x")}, statusInput, "calibrate: mkdir " + blocked + ": not a directory\n"},
		{"no tools", t.Context(), nil, statusUnavailable, "calibrate: there is no ip here (Linux with iproute2 and util-linux is needed)\n"},
		{"an interrupt", interrupted, nil, statusInterrupted, "calibrate: interrupted\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := execute(c.ctx, c.args, &stdout, &stderr); got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			if stderr.String() != c.stderr {
				t.Errorf("printed %q, want %q", stderr.String(), c.stderr)
			}
		})
	}
}

func TestAFileAppearsOnlyWhenItIsComplete(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "results", "table.md")
	for _, publish := range []bool{false, true} {
		f, err := newFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if publish {
			if err := f.publish("table\n"); err != nil {
				t.Fatal(err)
			}
		}
		f.discard()
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 0, true: 1}[publish]; len(entries) != want {
			t.Errorf("published %t: the folder holds %v", publish, entries)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "table\n" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

// The kernel does what it is told to, and leaves nothing behind. How fast it is
// depends on the machine and is not looked at.
func TestATransferCrossesTheKernelsTokenBucket(t *testing.T) {
	for _, tool := range []string{"ip", "tc", "chrt"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s on this %s machine", tool, runtime.GOOS)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root may make network namespaces")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := newLab(ctx)
	if err != nil {
		t.Skipf("no network namespaces here: %v", err)
	}
	chosen, err := chooseCases([]string{"asymmetric"})
	if err != nil {
		t.Fatal(err)
	}
	missing, err := l.missing(ctx, chosen[0])
	if len(missing) > 0 {
		t.Logf("the kernel lacks %v", missing)
	} else if err == nil {
		var m measurement
		m, err = l.real(ctx, chosen[0], period{Window: time.Second / 5})
		if err == nil && (m.Goodput == 0 || m.MeanRTT < m.MinRTT || m.MinRTT == 0) {
			t.Errorf("measured %+v", m)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	names, err := command(ctx, "ip", "netns", "list")
	if err != nil || strings.Contains(string(names), l.prefix) {
		t.Errorf("namespaces left: %s, %v", names, err)
	}
}
