// Package probe tries a WebTransport server: it connects, opens a session,
// reports what both ends agreed on and what the server allows, and exchanges data.
// "wtsim probe" prints its [Report].
package probe
