// Package browsertest has tests only: Chromium, as the client of package wt on the
// loopback interface.
//
// One Chromium runs for all tests. Each test serves on a port of its own,
// hands the page a script, and compares what the script returns and what the
// server saw with what both should have.
//
// The tests are skipped where there is no Chromium. The environment variable CHROMIUM
// names the program to use, and makes its absence an error.
package browsertest
