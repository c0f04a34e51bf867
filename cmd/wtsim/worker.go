package main

import "github.com/wtsim/wtsim/sim/run"

// work is the life of a worker process.
func work() int { return run.Worker() }
