//go:build race

package workload_test

// raceDetector says that the race detector watches. quic-go's
// Conn.ConnectionState, which its HTTP/3 calls for every response, reads without
// a lock what a switch to another path writes: a connection that migrates at the
// moment of a response is a race of quic-go's.
const raceDetector = true
