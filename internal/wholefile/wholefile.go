// Package wholefile writes files that appear complete or not at all.
package wholefile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts what write writes into a file, which everyone may read, and returns
// its size in bytes. The file has another name, in the same folder, until it is
// complete; on an error it is removed, and what stood at path before stays.
func Write(path string, write func(io.Writer) error) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		failed.Path = path // the name that the caller knows
	}
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	buffer := bufio.NewWriter(file)
	if err = write(buffer); err == nil {
		err = buffer.Flush()
	}
	if err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	// CreateTemp makes files for their owner alone.
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err != nil {
		return 0, err
	}
	err = os.Rename(file.Name(), path)
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		err = &fs.PathError{Op: "create", Path: path, Err: failed.Err}
	}
	return size, err
}
