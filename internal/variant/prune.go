package variant

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// kept is how many programs are kept, of some 40 MB each.
const kept = 20

// unused is for how long a program was not asked for, or a build not begun, that may
// be removed: another process may be at it.
const unused = 24 * time.Hour

// use notes that a program was asked for.
func use(place string, now time.Time) {
	os.Chtimes(place, now, now) // if it cannot be noted the program goes sooner, and is built again
}

// prune removes the programs that were asked for the longest ago, and what is left of builds
// that were killed. What cannot be removed now is left to the next time.
func (b *Builder) prune(now time.Time) {
	entries, err := os.ReadDir(b.Cache)
	if err != nil {
		return
	}
	type place struct {
		path  string
		asked time.Time
	}
	var programs []place
	for _, e := range entries {
		info, err := e.Info()
		if err != nil { // another process removed it
			continue
		}
		p := place{filepath.Join(b.Cache, e.Name()), info.ModTime()}
		if e.Name()[0] != '.' {
			programs = append(programs, p)
		} else if now.Sub(p.asked) > unused {
			os.RemoveAll(p.path)
		}
	}
	slices.SortFunc(programs, func(a, b place) int { return cmp.Or(b.asked.Compare(a.asked), cmp.Compare(a.path, b.path)) })
	for _, p := range programs[min(kept, len(programs)):] {
		if now.Sub(p.asked) > unused {
			os.RemoveAll(p.path)
		}
	}
}
