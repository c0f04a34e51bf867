// Package check runs suites of scenarios and judges them: against what the
// scenarios expect of themselves (package expect), and against what an earlier
// version of the software achieved (package baseline).
//
// A suite is a folder of scenarios. The command wtsim check is this package with
// flags.
package check
