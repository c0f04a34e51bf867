//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package scratch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestWhatAKilledProcessHasLeftTheNextOneRemoves(t *testing.T) {
	dir := t.TempDir()
	make := func() *Folder {
		t.Helper()
		f, err := Make(dir, ".1.*.tmp")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	killed, alive := make(), make()
	if err := os.WriteFile(filepath.Join(killed.Path, "packets"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	killed.lock.Close() // as the end of a process does
	other := filepath.Join(dir, ".1.notes.tmp")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	next := make()
	for path, want := range map[string]bool{killed.Path: false, alive.Path: true, next.Path: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: error %v, want it to be there: %v", path, err, want)
		}
	}
	if err := alive.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(alive.Path); err == nil {
		t.Error("a removed folder is there")
	}
}

func TestNoFolderIsTakenForAbandonedWhileItIsMade(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				f, err := Make(dir, "scratch-")
				if err == nil {
					err = os.WriteFile(filepath.Join(f.Path, "packets"), nil, 0o666)
				}
				if err == nil {
					err = f.Remove()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d folders are left", len(left))
	}
}

func TestAFolderIsOfAPatternOnlyWithARandomText(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{".1.*.tmp", ".1.2847.tmp", true},
		{".1.*.tmp", ".1.tmp", false},
		{".1.*.tmp", ".1..tmp", false},
		{".1.*.tmp", ".12.2847.tmp", false},
		{"wtsim-check-", "wtsim-check-2847", true},
		{"wtsim-check-", "wtsim-check-", false},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%s of %s: %v, want %v", test.name, test.pattern, got, test.want)
		}
	}
}
