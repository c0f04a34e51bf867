// Package simtest simulates networks in other programs' tests.
//
// [Check] runs a scenario and fails the test if what the scenario expects is not
// met. [World] runs the test's own WebTransport application over a scenario's
// network, in virtual time:
//
//	func TestMain(m *testing.M) { simtest.Main(m) }
//
//	func TestThroughput(t *testing.T) { simtest.Check(t, "testdata/access.toml") }
//
//	func TestMyApplication(t *testing.T) {
//		simtest.World(t, "testdata/access.toml", func(w *simtest.Network) error {
//			…
//		})
//	}
//
// With [Main], Check runs scenarios in sealed processes, as the command wtsim
// does: every run of a scenario and seed has the same packets. Without it, and in
// World, a scenario runs within the test's process, where the Go runtime decides
// at random which of two goroutines that wake at one instant runs first: two runs with
// one seed nearly always agree, rather than always. Expectations should leave room
// for that. For as long as it runs, the process has GOMAXPROCS at 1, and crypto/rand
// draws from the seed: tests that need either otherwise must not run in parallel.
package simtest
