// Package ab compares two builds of wtsim, against two versions of quic-go mostly: it
// runs scenarios with both, with the same seeds, and says what differs, by how much, and
// whether that is real. It finds the release that made a difference by bisection.
//
// Both builds run as workers of the program that compares them, which measures both in
// the same way; so they are to be built from its own source (see package
// internal/variant).
package ab
