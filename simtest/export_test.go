package simtest

// WithoutMain makes checks run as in a program whose TestMain does not call Main,
// until the function that it returns is called.
func WithoutMain() (restore func()) {
	before := sealed
	sealed = false
	return func() { sealed = before }
}
