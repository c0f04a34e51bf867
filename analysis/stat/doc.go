// Package stat says what numbers that vary from seed to seed tell: estimates
// that carry how many values they rest on, confidence intervals, tests of
// differences, and where the warm-up of a run ends.
//
// Everywhere, no values at all and values that are NaN or infinite are errors.
// One value is an estimate without an interval: it says nothing of chance.
// Values that are all equal have an interval of length 0. The same arguments
// always give the same result; the bootstrap draws from a seeded generator.
package stat
