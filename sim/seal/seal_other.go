//go:build !linux || !(amd64 || arm64)

package seal

import (
	"fmt"
	"runtime"
)

// Supported returns nil if processes can be sealed here, and otherwise the
// reason why not.
func Supported() error {
	return fmt.Errorf("sealing needs Linux on amd64 or arm64, not %s/%s", runtime.GOOS, runtime.GOARCH)
}

func (p *Process) start(uint64, bool) error {
	close(p.ended) // nothing has to happen before the process is waited for
	return p.cmd.Start()
}
