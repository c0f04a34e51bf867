package scenario

import (
	"math"
	"strconv"

	"github.com/wtsim/wtsim/netem"
)

// checkBulk checks that data has one measure.
func (c *checker) checkBulk(b *Bulk, path func(...string) []string) error {
	drawn := b.Sizes.drawn()
	switch {
	case b.Size > 0 && b.Duration > 0:
		return c.fail(path("duration"), "set, and size is too; expected one of them")
	case drawn && b.Duration > 0:
		return c.fail(path("duration"), "set, and sizes is too; expected one of them")
	case drawn && b.Size > 0:
		return c.fail(path("size"), "set, and sizes is too; expected one of them")
	case drawn:
		return c.checkFlowSizes(b, path)
	case b.Sizes.Most > 0:
		return c.fail(path("sizes", "most"), "set, but there is no distribution; expected a kind, such as sizes = { kind = \"exponential\", mean = \"30KB\" }")
	case b.Size == 0 && b.Duration == 0:
		return c.fail(path("size"), "missing, and duration is too; expected one of them, such as size = \"10MB\"")
	case b.Size > 0 && b.Size < netem.Bytes(b.Streams):
		return c.fail(path("streams"), "%d streams cannot share %s; expected at least a byte for each", b.Streams, b.Size)
	}
	return nil
}

// checkFlowSizes checks a distribution of sizes.
func (c *checker) checkFlowSizes(b *Bulk, path func(...string) []string) error {
	if m, ok := b.Sizes.Config.(*MeasuredSizes); ok {
		if err := c.checkPoints(m.Points, path); err != nil {
			return err
		}
	}
	least := max(netem.Bytes(b.Sizes.Config.of(math.MaxUint64)), netem.Bytes(b.Streams))
	if most := b.Sizes.Most; most > 0 && most < least {
		return c.fail(path("sizes", "most"), "%s is below all sizes; expected at least %s", most, least)
	}
	return nil
}

// checkPoints checks that points are those of a distribution function.
func (c *checker) checkPoints(points Points, path func(...string) []string) error {
	at := func(i int, key string) []string { return path("sizes", "points", strconv.Itoa(i), key) }
	if len(points) == 0 {
		return c.fail(path("sizes", "points"), "this list is empty; expected points such as { size = \"10KB\", p = 0.5 }")
	}
	for i, p := range points[1:] {
		switch before := points[i]; {
		case p.Size < before.Size:
			return c.fail(at(i+1, "size"), "%s is less than the size before, %s; expected ascending sizes", p.Size, before.Size)
		case p.share() <= before.share():
			return c.fail(at(i+1, "p"), "%v is not above the share before, %v; expected ascending shares", p.P, before.P)
		}
	}
	if last := len(points) - 1; points[last].P != 1 {
		return c.fail(at(last, "p"), "%v is the share of the largest size; expected 1", points[last].P)
	}
	return nil
}
