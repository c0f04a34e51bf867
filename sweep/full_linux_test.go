package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk mounts a small disk, which the function that it returns makes larger.
func disk(t *testing.T, size string) (folder string, enlarge func()) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("a small disk cannot be mounted here:", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder, func() {
		if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, "size=10m"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStudyThatFillsTheDiskOfResultsStopsAndGoesOnWhenThereIsRoom(t *testing.T) {
	folder, enlarge := disk(t, "96k")
	store := open(t, folder, delays(20, "5ms"))
	outcome, err := store.Do(t.Context(), store.Study.All(), 1, nil)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || outcome.Done == 0 || outcome.Done == 20 {
		t.Fatalf("outcome %+v, %v; want some runs done, and that the disk is full", outcome, err)
	}
	kept := fingerprints(t, store)
	if len(kept) != outcome.Done {
		t.Errorf("%d results are kept of %d", len(kept), outcome.Done)
	}
	if err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("left behind: %s", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	enlarge()
	if outcome, err = store.Do(t.Context(), store.Study.All(), 2, nil); err != nil || outcome.Found != len(kept) || outcome.Found+outcome.Done != 20 {
		t.Errorf("with more room: outcome %+v, %v; want %d found, and the rest done", outcome, err, len(kept))
	}
}

func TestAStudyThatFillsTheDiskOfRecordingsStopsWithoutBlamingARun(t *testing.T) {
	scratch, enlarge := disk(t, "16k")
	t.Setenv("TMPDIR", scratch)
	store := open(t, t.TempDir(), delays(4, "5ms"))
	outcome, err := store.Do(t.Context(), store.Study.All(), 1, nil)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || outcome.Done != 0 {
		t.Fatalf("outcome %+v, %v; want that the disk is full", outcome, err)
	}
	if _, err := store.GetFailure(store.Study.Run(0)); !os.IsNotExist(err) {
		t.Errorf("a failure of the run is kept: %v", err)
	}
	enlarge()
	if outcome, err = store.Do(t.Context(), store.Study.All(), 2, nil); err != nil || outcome.Done != 4 {
		t.Errorf("with more room: outcome %+v, %v; want all runs done", outcome, err)
	}
}
