package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wtsim/wtsim/internal/nearest"
)

// maxFile is the size beyond which a file is no scenario.
const maxFile = 16 << 20

// Load reads a scenario file, applies overrides such as
// "links.access.rate=5Mbit/s" in order, fills in defaults and validates the
// result. Every error is an [*Error], of which there is one even if the file has
// several mistakes.
func Load(path string, overrides ...string) (*Scenario, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, overrides...)
}

// Parse is [Load] for a text in memory. The name stands for the file's in
// errors, and gives the scenario its default name.
func Parse(name string, data []byte, overrides ...string) (*Scenario, error) {
	return parseAll(name, data, overrides, true)
}

// LoadNetwork is [Load] for a scenario that need not say what happens on its hosts
// and links, because something else does.
func LoadNetwork(path string, overrides ...string) (*Scenario, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parseAll(path, data, overrides, false)
}

// parseAll is Parse; needy says whether the scenario needs sessions or traffic.
func parseAll(name string, data []byte, overrides []string, needy bool) (*Scenario, error) {
	root, err := parseTree(name, data)
	if err != nil {
		return nil, err
	}
	for _, o := range overrides {
		if _, err := override(root, o); err != nil {
			return nil, err
		}
	}
	s := &Scenario{}
	if err := decode(s, root); err != nil {
		return nil, err
	}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(name), ".toml")
	}
	if err := validate(s, root, needy); err != nil {
		return nil, err
	}
	return s, nil
}

func read(path string) ([]byte, error) {
	fail := func(format string, args ...any) ([]byte, error) {
		return nil, &Error{File: path, Message: fmt.Sprintf(format, args...)}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		like := path
		if dir := filepath.Dir(path); missing(dir) {
			if near := nearest.Folder(dir); near != "" {
				like = filepath.Join(near, filepath.Base(path))
			}
		}
		return fail("no such file%s", suggestFile(like, ".toml"))
	case err == nil && info.IsDir():
		return fail("is a folder; expected a scenario file%s", suggestFile(filepath.Join(path, "quickstart.toml"), ".toml"))
	}
	file, err := os.Open(path)
	if err != nil {
		return fail("cannot be read: %v", reason(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return fail("cannot be read: %v", reason(err))
	case len(data) > maxFile:
		return fail("is larger than %d MiB; expected a scenario file", maxFile>>20)
	}
	return data, nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// reason returns an error without the path that the message already names.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// suggestFile ends a message with the file nearest to a path, of those whose names
// end in the same way.
func suggestFile(path, suffix string) string {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"+suffix))
	if err != nil {
		return ""
	}
	return suggest(path, files)
}
