// Package baseline keeps what runs of a scenario achieved, to compare later
// versions of the software with: a JSON file for each scenario, small and in a
// fixed order, so that it belongs beside the scenarios in a repository and shows
// in its history what changed.
package baseline
