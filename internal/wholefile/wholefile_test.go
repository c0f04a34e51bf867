package wholefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileAppearsWhenItIsComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	size, err := Write(path, func(w io.Writer) error {
		if _, err := os.Stat(path); err == nil {
			t.Error("it is there before it is complete")
		}
		_, err := io.WriteString(w, "whole")
		return err
	})
	if err != nil || size != 5 {
		t.Errorf("%d bytes, %v", size, err)
	}
	if b, err := os.ReadFile(path); string(b) != "whole" || err != nil {
		t.Errorf("it holds %q, %v", b, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAFileThatFailsLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(path, []byte("before"), 0o666); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no more")
	if _, err := Write(path, func(w io.Writer) error { io.WriteString(w, "half"); return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "before" {
		t.Errorf("it holds %q", b)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%v is left", all)
	}
}

func TestAFolderThatIsNotThereIsAnErrorThatNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "a.txt")
	_, err := Write(path, func(io.Writer) error { return nil })
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path+":") {
		t.Error(err)
	}
}

func TestAFolderInItsPlaceIsAnErrorThatNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(path, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "create "+path+":") {
		t.Error(err)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%v is left", all)
	}
}
