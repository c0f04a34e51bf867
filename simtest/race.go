//go:build race

package simtest

// raceDetector says that the program watches for data races, which cannot be done
// in a sealed process.
const raceDetector = true
