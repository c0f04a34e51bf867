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
				if errs[i] = writeWhole(path, func(w io.Writer) error { return f.Render(w, format, width) }); errs[i] != nil {
					return
				}
				written[i] = append(written[i], path)
			}
		})
	}
	all.Wait()
	return slices.Concat(written...), cmp.Or(errs...)
}

// writeWhole writes a file under another name and renames it when it is
// complete.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	// CreateTemp makes files for the owner alone; figures are for everyone.
	if err := file.Chmod(0o644); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return nil
}
