package nearest

import (
	"os"
	"path/filepath"
)

// Folder returns the folder that someone may have meant with a path at which there is
// nothing: its first element that is missing becomes the nearest one. It returns "" if
// none is near, or the rest of the path is not there.
func Folder(path string) string {
	path = filepath.Clean(path)
	for rest := ""; ; {
		parent, name := filepath.Dir(path), filepath.Base(path)
		if entries, err := os.ReadDir(parent); err == nil {
			var names []string
			for _, e := range entries {
				if e.IsDir() {
					names = append(names, e.Name())
				}
			}
			near := Word(name, names)
			if near == "" {
				return ""
			}
			whole := filepath.Join(parent, near, rest)
			if info, err := os.Stat(whole); err != nil || !info.IsDir() {
				return ""
			}
			return whole
		}
		if parent == path {
			return ""
		}
		path, rest = parent, filepath.Join(name, rest)
	}
}
