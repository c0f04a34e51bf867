package main

import (
	"fmt"
	"os"
)

// work is the life of a worker process.
func work() int {
	fmt.Fprintln(os.Stderr, "this build has no simulation")
	return statusInternal
}
