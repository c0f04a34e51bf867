package figure

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/wtsim/wtsim/internal/wholefile"
)

// Save writes figures into a folder, which it creates for the first: each as NAME.svg
// and so on for every format. It returns the paths of the files in the order of
// the figures, on an error of those that are complete. A file appears complete or
// not at all.
func Save(figures []Figure, dir string, width Width, formats ...Format) (paths []string, err error) {
	if len(figures) == 0 {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	written, errs := make([][]string, len(figures)), make([]error, len(figures))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, f := range figures {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			for _, format := range formats {
				path := filepath.Join(dir, f.Name+"."+string(format))
				if _, err := wholefile.Write(path, func(w io.Writer) error { return f.Render(w, format, width) }); err != nil {
					errs[i] = fmt.Errorf("figures: %w", err)
					return
				}
				written[i] = append(written[i], path)
			}
		})
	}
	all.Wait()
	return slices.Concat(written...), cmp.Or(errs...)
}
