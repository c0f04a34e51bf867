// Package baton is the Devious Baton protocol
// (draft-frindell-webtrans-devious-baton-00), which exercises all that a
// WebTransport session has: both ends pass batons, numbers of one byte, to and fro on
// streams of each kind, and tell of some of them in datagrams.
//
// The server sends the batons, on unidirectional streams. Who receives one
// that is not 0 adds 1 modulo 256, and sends it on: one that came on a
// unidirectional stream goes on a new bidirectional stream, one that
// came on the peer's bidirectional stream on the same, one that came on one's
// own bidirectional stream on a new unidirectional stream. A baton that
// reaches 0 has arrived; when none is left, who received the last one closes the session.
//
// [Application] is the server, [Run] the client. Both are written in
// callbacks ([wt.Callbacks]).
package baton
