// Package scratch makes folders for files that are of use only while a process lives,
// and removes those of processes that were killed.
package scratch

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Folder is such a folder. [Folder.Remove] removes it.
type Folder struct {
	Path string
	lock *os.File // nil where there are no locks
}

// Make makes a folder in dir, or where the system has temporary files if dir is empty. Its name is
// the pattern with a random text in the place of the last "*", or at the end. Folders in dir
// whose names have the pattern and whose processes are gone, on this machine or on another that
// shares dir, it removes.
func Make(dir, pattern string) (*Folder, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	removeAbandoned(dir, pattern)
	path, err := os.MkdirTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	f := &Folder{Path: path, lock: own(path)}
	ours.Store(f, nil)
	return f, nil
}

// ours are the folders that this process has made and not removed.
var ours sync.Map

// RemoveAll removes all folders that this process has made: it is to end at once.
func RemoveAll() {
	ours.Range(func(f, _ any) bool {
		f.(*Folder).Remove()
		return true
	})
}

// Remove removes the folder with all that is in it.
func (f *Folder) Remove() error {
	ours.Delete(f)
	err := os.RemoveAll(f.Path)
	if f.lock != nil {
		f.lock.Close()
	}
	return err
}

// removeAbandoned removes what it can; what it cannot is in nobody's way.
func removeAbandoned(dir, pattern string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if matches(pattern, e.Name()) && e.IsDir() && abandoned(path) {
			os.RemoveAll(path)
		}
	}
}

// ownerFile is the file of a folder that its owner has locked for as long as it lives.
// The system takes the lock away however a process ends.
const ownerFile = ".owner"

// matches reports whether MkdirTemp can have made a name of a pattern.
func matches(pattern, name string) bool {
	before, after := pattern, ""
	if i := strings.LastIndex(pattern, "*"); i >= 0 {
		before, after = pattern[:i], pattern[i+1:]
	}
	return len(name) > len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}
