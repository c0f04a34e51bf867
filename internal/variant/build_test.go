package variant

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// needs skips a test where a tool is missing.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("the tool %s is not there", tool)
	}
}

func TestAPatchAppliesWhereItSaysOrNotAtAll(t *testing.T) {
	needs(t, "git")
	original := write(t, map[string]string{"internal/sender.go": "package internal\n\nconst beta = 0.7\n", "doc.go": "package quic\n"})
	for name, c := range map[string]struct{ patch, err string }{
		"fits":        {"--- a/internal/sender.go\n+++ b/internal/sender.go\n@@ -1,3 +1,3 @@\n package internal\n \n-const beta = 0.7\n+const beta = 0.5\n", ""},
		"other lines": {"--- a/internal/sender.go\n+++ b/internal/sender.go\n@@ -1,3 +1,3 @@\n package internal\n \n-const beta = 0.8\n+const beta = 0.5\n", "patch failed: internal/sender.go:1"},
		"other file":  {"--- a/internal/receiver.go\n+++ b/internal/receiver.go\n@@ -1 +1 @@\n-package internal\n+package other\n", "internal/receiver.go: No such file"},
		"half a fit":  {"--- a/doc.go\n+++ b/doc.go\n@@ -1 +1 @@\n-package quic\n+package q\n--- a/internal/sender.go\n+++ b/internal/sender.go\n@@ -1 +1 @@\n-package other\n+package o\n", "patch failed: internal/sender.go:1"},
		"outside":     {"--- a/../doc.go\n+++ b/../doc.go\n@@ -1 +1 @@\n-package quic\n+package q\n", "../doc.go: No such file"},
		"no patch":    {"hello\n", "No valid patches in input"},
		"empty":       {"", "No valid patches in input"},
	} {
		file := filepath.Join(write(t, map[string]string{"x.patch": c.patch}), "x.patch")
		folder := filepath.Join(t.TempDir(), "copy")
		err := patched(t.Context(), folder, original, file)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "does not apply to") {
				t.Errorf("%s: %v; want an error with %s", name, err, c.err)
			}
			continue
		}
		text, _ := os.ReadFile(filepath.Join(folder, "internal", "sender.go"))
		if want := "package internal\n\nconst beta = 0.5\n"; err != nil || string(text) != want {
			t.Errorf("%s: %v; the file is %q, want %q", name, err, text, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(original, "doc.go")); err != nil || string(text) != "package quic\n" {
		t.Errorf("the original is %q (%v)", text, err)
	}
}

// Git would pass over files that are not in the repository around them.
func TestAPatchAppliesInAFolderOfARepository(t *testing.T) {
	needs(t, "git")
	home := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	original := write(t, map[string]string{"doc.go": "package quic\n"})
	file := filepath.Join(write(t, map[string]string{"x.patch": "--- a/doc.go\n+++ b/doc.go\n@@ -1 +1 @@\n-package quic\n+package q\n"}), "x.patch")
	folder := filepath.Join(home, ".cache", "copy")
	if err := patched(t.Context(), folder, original, file); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "doc.go")); err != nil || string(text) != "package q\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// repository is a builder for the source that this test is part of.
func repository(t *testing.T) *Builder {
	t.Helper()
	source, err := Source("")
	if err != nil {
		t.Fatal(err)
	}
	return &Builder{Source: source, Cache: t.TempDir()}
}

func TestAVersionThatDoesNotCompileSaysWhatTheCompilerSays(t *testing.T) {
	needs(t, "git")
	b := repository(t)
	patch := filepath.Join(write(t, map[string]string{"syntax.patch": "--- /dev/null\n+++ b/internal/congestion/broken.go\n@@ -0,0 +1,3 @@\n+package congestion\n+\n+func broken( {\n"}), "syntax.patch")
	program, err := b.Build(t.Context(), Spec{Patch: patch})
	failed, ok := errors.AsType[*CompileError](err)
	if !ok || failed.Spec.Patch != patch || !strings.Contains(err.Error(), "wtsim does not compile against quic-go "+patch+":\n") || !strings.Contains(err.Error(), "broken.go:3:14: syntax error") {
		t.Errorf("built %q: %v", program, err)
	}
	if left, _ := os.ReadDir(b.Cache); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestALongMessageOfTheCompilerIsCut(t *testing.T) {
	err := &CompileError{Spec{Version: "v0.1.0"}, strings.Repeat("x.go:1: undefined\n", 12)}
	if got := err.Error(); strings.Count(got, "undefined") != 10 || !strings.HasSuffix(got, "…") {
		t.Errorf("it says %s", got)
	}
}

func TestWhatIsFetchedIsNoComplaint(t *testing.T) {
	for printed, want := range map[string]string{
		"go: downloading a v1.0.0\ngo: downloading b v1.0.0\n# c\nc.go:1: undefined: x\n": "# c\nc.go:1: undefined: x",
		"go: a@v1.0.0: no such host\n": "go: a@v1.0.0: no such host",
		"go: downloading a v1.0.0\n":   "go: downloading a v1.0.0",
	} {
		if got := complaint(printed); got != want {
			t.Errorf("of %q it is %q, want %q", printed, got, want)
		}
	}
}

func TestADigestCoversTheSourceAndWhatReplacesIt(t *testing.T) {
	b := repository(t)
	files := map[string]string{"go.mod": "module " + Module + "\n", "a.go": "package quic\n", "a_test.go": "package quic\n", ".git/HEAD": "x"}
	of := func(files map[string]string) string {
		t.Helper()
		dir := write(t, files)
		d, err := b.digest(t.Context(), Spec{Folder: dir}, dir, "")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := of(files)
	files["a_test.go"], files[".git/HEAD"] = "package quic_test\n", "y"
	if of(files) != first {
		t.Error("a test and the repository make another program")
	}
	files["a.go"] = "package quic // changed\n"
	if of(files) == first {
		t.Error("a changed file makes no other program")
	}
	version := func(v string) string {
		t.Helper()
		d, err := b.digest(t.Context(), Spec{Version: v}, "", v)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if version("v0.1.0") == version("v0.2.0") {
		t.Error("another version is no other program")
	}
}

func TestABuildThatIsInterruptedLeavesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no interrupts and no shell on Windows")
	}
	tools := t.TempDir()
	begun := filepath.Join(tools, "begun")
	// It stands for the tool go, whose compiler would go on for long.
	const slow = "#!/bin/sh\nif [ \"$1\" != build ]; then exec %s \"$@\"; fi\ntouch \"$GOTMPDIR/left\"\nsleep 600 &\necho $! > %s.new\nmv %[2]s.new %[2]s\ntrap '' INT\nwait\nwait\n"
	real, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the tool go is not there")
	}
	if err := os.WriteFile(filepath.Join(tools, "go"), fmt.Appendf(nil, slow, real, begun), 0o777); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	b := repository(t)
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for i := 0; i < 6000; i++ {
			if _, err := os.Stat(begun); err == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := b.Build(ctx, Spec{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, folder := range []string{b.Cache, temporary} {
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%v is left in %s", left, folder)
		}
	}
	text, err := os.ReadFile(begun)
	if err != nil {
		t.Fatal(err)
	}
	if !ended(t, strings.TrimSpace(string(text))) {
		t.Errorf("process %s goes on", text)
	}
}

// ended reports whether a process ends soon; the one that it is left to may take a while
// to bury it.
func ended(t *testing.T, pid string) bool {
	t.Helper()
	for range 500 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
