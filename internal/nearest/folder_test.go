package nearest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheNearestFolderIsOneThatThereIs(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"runs/plain/default/1", "runs/plain/default,real-time/1", "runs/lossy"} {
		if err := os.MkdirAll(filepath.FromSlash(dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("rums", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"runs/plain/default,realtime":  "runs/plain/default,real-time",
		"runs/plain/default,realtime/": "runs/plain/default,real-time",
		"./runs/plian/default/1":       "runs/plain/default/1",
		"run/plain/default":            "runs/plain/default",
		"rums/plain":                   "runs/plain", // rums is a file
		"runs/losy/default":            "",           // there is no such folder in runs/lossy
		"runs/plain/other":             "",
		"elsewhere":                    "",
		"/no such/place":               "",
	} {
		if got := Folder(filepath.FromSlash(path)); got != filepath.FromSlash(want) {
			t.Errorf("%s is taken for %q, want %q", path, got, want)
		}
	}
}
