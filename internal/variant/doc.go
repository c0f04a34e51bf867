// Package variant builds wtsim against other versions of quic-go than that of its
// go.mod: released ones, checkouts, and patched ones.
//
// It needs the tool go, the source of wtsim, and for patches the tool git.
package variant
