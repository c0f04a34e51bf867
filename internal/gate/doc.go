// Package gate tests that wtsim check is a gate: a quic-go whose congestion
// control was changed on purpose does not pass it, and the one that go.mod names
// does. The tests build wtsim against copies of quic-go, so they run only when they
// are asked for:
//
//	GATE=1 go test ./internal/gate -v
//
// The programs are built in a folder of the test, or in that which GATE_BUILDS
// names, where they stay: GATE_BUILDS/unmodified/wtsim, and one for each patch.
package gate
