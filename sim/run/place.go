package run

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/wtsim/wtsim/internal/scratch"
)

// DefaultOut is the folder of results unless a request names another.
const DefaultOut = "results/runs"

// What follows the overrides in the folder of a run. No override is a word
// without "=".
const (
	simulatedRuns = ""
	realTimeRuns  = ",real-time"
	emulatedRuns  = ",emulated"
)

// folder returns the folder of a run's recording below the folder of results:
// <scenario>/<overrides>/<seed>. Different overrides have different folders.
func folder(out, scenario string, overrides []string, kind string, seed uint64) string {
	return filepath.Join(out, Slug(scenario), overridesSlug(overrides)+kind, strconv.FormatUint(seed, 10))
}

// overridesSlug is "default", or the overrides joined with commas.
func overridesSlug(overrides []string) string {
	if len(overrides) == 0 {
		return "default" // no override is a word without "="
	}
	parts := make([]string, len(overrides))
	for i, o := range overrides {
		parts[i] = escape(o)
	}
	return shorten(strings.Join(parts, ","))
}

// Slug writes a name so that it is safe as that of a file.
func Slug(name string) string { return shorten(escape(name)) }

// escape writes every byte that is not safe in file names, and a leading dot,
// as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '=', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// shorten keeps names within what file systems allow. The "~" is in no name
// that is not shortened.
func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s~%x", s[:most-33], sha256.Sum256([]byte(s)))[:most]
}

// workplace is where a recording is made before it is put into place.
type workplace struct {
	parent  string // absolute path of the folder that the recording will be in
	scratch *scratch.Folder
}

// made holds the folders that this process has made on the way to recordings.
// Runs share them, so the last one to leave an empty folder removes it.
var made = struct {
	sync.Mutex
	folders map[string]bool
}{folders: map[string]bool{}}

// prepareFolder makes a scratch folder beside dir.
func prepareFolder(dir string) (*workplace, error) {
	made.Lock()
	defer made.Unlock()
	parent, err := filepath.Abs(filepath.Dir(dir))
	if err != nil {
		return nil, fail(Internal, "finding the folder of results: %w", err)
	}
	for p := parent; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		made.folders[p] = true
	}
	w := &workplace{parent: parent}
	err = os.MkdirAll(filepath.Dir(dir), 0o777)
	if err == nil {
		w.scratch, err = scratch.Make(filepath.Dir(dir), "."+filepath.Base(dir)+".*.tmp")
	}
	if err != nil {
		w.removeEmpty()
		return nil, fail(Input, "cannot write results to %s: %w", dir, err)
	}
	return w, nil
}

// recording is the folder for the worker to make.
func (w *workplace) recording() string { return filepath.Join(w.scratch.Path, "recording") }

// clear removes the scratch folder, and what was made on the way to it if it is
// empty.
func (w *workplace) clear() {
	made.Lock()
	defer made.Unlock()
	w.scratch.Remove()
	w.removeEmpty()
}

func (w *workplace) removeEmpty() {
	for p := w.parent; made.folders[p]; p = filepath.Dir(p) {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // something is in it
		}
		delete(made.folders, p)
	}
}
