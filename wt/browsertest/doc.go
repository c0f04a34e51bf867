// Package browsertest has tests only: Chromium, as the client of package wt on the
// loopback interface.
//
// One Chromium runs for all tests. Each test serves on a port of its own,
// hands the page a script, and compares what the script returns and what the
// server saw with what both should have.
//
// The environment variable EMULATE names a scenario, from this folder, whose network is to be
// between Chromium and the servers: "wtsim emulate" relays then, one for each test,
// "wtsim serve" serves the endpoints, and the tests do less of what takes long.
//
// The tests are skipped where there is no Chromium. The environment variable CHROMIUM
// names the program to use, and makes its absence an error.
package browsertest
