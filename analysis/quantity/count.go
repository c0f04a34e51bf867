package quantity

import "fmt"

// Count writes how many there are of something, such as "1 seed", "3 seeds" and "2
// losses": the plural is that of one with an s unless another is given.
func Count(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return fmt.Sprintf("%d %s", n, many[0])
	}
	return fmt.Sprintf("%d %ss", n, one)
}
