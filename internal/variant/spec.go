package variant

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Module is the module of which there are variants.
const Module = "github.com/quic-go/quic-go"

// Current stands for the version of quic-go that wtsim's go.mod names.
const Current = "current"

// Spec says which quic-go is meant. The zero value is that of wtsim's go.mod.
type Spec struct {
	Version string // a released one, such as "v0.65.0"; empty: that of go.mod
	Folder  string // a checkout, which has no version and no patch
	Patch   string // a file with a unified diff that is applied to the version
}

// version matches versions as the module proxy has them, and pseudo-versions.
var version = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

// Parse reads what a person writes: a version, the folder of a checkout, a file with
// a patch, "VERSION+PATCH", and "current" or nothing for the version of go.mod.
func Parse(text string) (Spec, error) {
	if text == "" || text == Current {
		return Spec{}, nil
	}
	if version.MatchString(text) {
		return Spec{Version: text}, nil
	}
	// Without a version it is all a path, which may have a + in it.
	of, patch, patched := strings.Cut(text, "+")
	if patched && (version.MatchString(of) || of == Current) {
		if of == Current {
			of = ""
		}
		return Spec{Version: of, Patch: patch}, isFile(patch)
	}
	info, err := os.Stat(text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if near := "v" + text; version.MatchString(near) {
			return Spec{}, fmt.Errorf("%q is no version; did you mean %q?", text, near)
		}
		return Spec{}, fmt.Errorf("%q is neither a file nor a folder nor a version; expected a version such as v0.65.0, the folder of a checkout, or a file with a patch", text)
	case err != nil:
		return Spec{}, err
	case info.IsDir():
		return Spec{Folder: text}, isCheckout(text, Module)
	}
	return Spec{Patch: text}, isFile(text)
}

func isFile(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file; expected a unified diff", path)
	}
	return err
}

// moduleLine matches the line of a go.mod that names its module.
var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// isCheckout says why a folder is not that of a module.
func isCheckout(folder, module string) error {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is no checkout of %s: it has no go.mod", folder, module)
	}
	if err != nil {
		return err
	}
	if found := moduleLine.FindSubmatch(text); found == nil || string(found[1]) != module {
		is := "no module"
		if found != nil {
			is = string(found[1])
		}
		return fmt.Errorf("%s is no checkout of %s: its go.mod is that of %s", folder, module, is)
	}
	return nil
}

// String returns the text that Parse reads, for reports.
func (s Spec) String() string {
	switch {
	case s.Folder != "":
		return s.Folder
	case s.Patch != "" && s.Version != "":
		return s.Version + "+" + s.Patch
	case s.Patch != "":
		return s.Patch
	case s.Version != "":
		return s.Version
	}
	return Current
}

// Names returns what two specs are called in reports: without folders, unless that makes
// them the same.
func Names(a, b Spec) (string, string) {
	short := func(s Spec) string {
		if s.Folder != "" {
			if full, err := filepath.Abs(s.Folder); err == nil {
				s.Folder = full
			}
			s.Folder = filepath.Base(s.Folder)
		}
		if s.Patch != "" {
			s.Patch = filepath.Base(s.Patch)
		}
		return s.String()
	}
	if x, y := short(a), short(b); x != y {
		return x, y
	}
	return a.String(), b.String()
}
