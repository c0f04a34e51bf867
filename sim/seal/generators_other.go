//go:build !(amd64 || arm64) || go1.27

package seal

import (
	"errors"
	"unsafe"
)

var generators struct{ cheap, stackCache uintptr }

// CanReseed returns nil if [Reseed] has an effect, and why not otherwise.
func CanReseed() error {
	return errors.New("the runtime's random generators are only known on amd64 and arm64, up to Go 1.26")
}

func currentM() unsafe.Pointer             { return nil }
func word(unsafe.Pointer, uintptr) *uint64 { return nil }
func chacha8At(unsafe.Pointer) *chacha8    { return nil }
func resetTurns(unsafe.Pointer)            {}
