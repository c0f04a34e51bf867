// Package run runs scenarios, each in a sealed process of its own, so that a
// run depends on nothing but the scenario, its overrides and the seed.
//
// [Do] is the parent: it starts this program again as a worker (see
// [WorkerArgument]), hears of its progress, and puts the finished recording
// into place. [Many] runs several at once.
package run
