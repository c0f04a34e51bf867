// Package program identifies the program that is running by its content, for results
// that depend on it.
package program

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Program is a file with a program.
type Program struct {
	Digest [sha256.Size]byte // SHA-256 of its content

	path string
	file fs.FileInfo
}

// Open reads the file of the program that is running.
func Open() (*Program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return Of(path)
}

// Of reads the file of a program.
func Of(path string) (*Program, error) {
	p := &Program{path: path}
	if err := p.read(); err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	return p, nil
}

func (p *Program) read() error {
	file, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer file.Close()
	if p.file, err = file.Stat(); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return err
	}
	h.Sum(p.Digest[:0])
	return nil
}

// Replaced reports whether the file is no longer the one that was read: what is
// started from it now is another program.
func (p *Program) Replaced() bool {
	now, err := os.Stat(p.path)
	return err != nil || !os.SameFile(now, p.file) || now.Size() != p.file.Size() || !now.ModTime().Equal(p.file.ModTime())
}
