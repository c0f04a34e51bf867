//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package scratch

import (
	"os"
	"path/filepath"
	"syscall"
)

// own locks a folder. Where the file system has no locks, nobody owns it, and nobody
// takes it for abandoned. The file gets its name once it is locked: with that name and
// without a lock it would be taken for that of a process that is gone.
func own(folder string) *os.File {
	file, err := os.CreateTemp(folder, ownerFile)
	if err != nil {
		return nil
	}
	err = lock(file)
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(folder, ownerFile))
	}
	if err != nil {
		file.Close()
		os.Remove(file.Name())
		return nil
	}
	return file
}

// abandoned reports whether the owner of a folder is gone.
func abandoned(folder string) bool {
	file, err := os.OpenFile(filepath.Join(folder, ownerFile), os.O_RDWR, 0) // NFS locks only what may be written
	if err != nil {
		return false
	}
	defer file.Close()
	return lock(file) == nil
}

func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
