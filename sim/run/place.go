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
)

// DefaultOut is the folder of results unless a request names another.
const DefaultOut = "results/runs"

// Dir returns the folder of a run's recording below the folder of results:
// <scenario>/<overrides>/<seed>. Different overrides have different folders.
func Dir(out, scenario string, overrides []string, seed uint64) string {
	return filepath.Join(out, slug(scenario), overridesSlug(overrides), strconv.FormatUint(seed, 10))
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

func slug(name string) string { return shorten(escape(name)) }

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
	dir     string   // the recording's place
	scratch string   // a folder of this run alone
	created []string // folders made on the way, outermost first
}

// prepareFolder makes a scratch folder beside dir.
func prepareFolder(dir string) (*workplace, error) {
	w := &workplace{dir: dir}
	parent := filepath.Dir(dir)
	for p := parent; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		w.created = append([]string{p}, w.created...)
	}
	err := os.MkdirAll(parent, 0o777)
	if err == nil {
		w.scratch, err = os.MkdirTemp(parent, "."+filepath.Base(dir)+".*.tmp")
	}
	if err != nil {
		w.clear()
		return nil, fail(Input, "cannot write results to %s: %w", dir, err)
	}
	return w, nil
}

// recording is the folder for the worker to make.
func (w *workplace) recording() string { return filepath.Join(w.scratch, "recording") }

// clear removes the scratch folder, and those made on the way to it that are
// empty.
func (w *workplace) clear() {
	if w.scratch != "" {
		os.RemoveAll(w.scratch)
	}
	for i := len(w.created) - 1; i >= 0; i-- {
		os.Remove(w.created[i]) // fails where another run has put something
	}
}
