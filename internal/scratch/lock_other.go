//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package scratch

import "os"

func own(string) *os.File { return nil }

func abandoned(string) bool { return false }
