module github.com/wtsim/wtsim/interop/wt

go 1.26.0

require (
	github.com/quic-go/quic-go v0.65.0
	github.com/wtsim/wtsim v0.0.0
	github.com/wtsim/wtsim/interop v0.0.0
)

require (
	github.com/dunglas/httpsfv v1.1.2 // indirect
	github.com/quic-go/qpack v0.6.0 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/net v0.59.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace (
	github.com/wtsim/wtsim => ../..
	github.com/wtsim/wtsim/interop => ..
)
