package run

import (
	"runtime"
	"runtime/debug"

	"github.com/wtsim/wtsim/sim/record"
)

// Versions returns what this program was built from and runs on.
func Versions() record.Versions {
	v := record.Versions{Wtsim: "unknown", QUICGo: "unknown", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	const self, quicGo = "github.com/wtsim/wtsim", "github.com/quic-go/quic-go"
	if info.Main.Path == self {
		v.Wtsim = info.Main.Version
	}
	for _, m := range info.Deps {
		version := m.Version
		if m.Replace != nil {
			version = m.Replace.Path + " " + m.Replace.Version
		}
		switch m.Path {
		case self:
			v.Wtsim = version
		case quicGo:
			v.QUICGo = version
		}
	}
	return v
}
