package analysis

import "testing"

func TestEntitiesAreInOrderOfTheNumbersInThemAndNoTwoAreTheSame(t *testing.T) {
	names := []string{"flows.a-1", "flows.a-02", "flows.a-2", "flows.a-2.x-01", "flows.a-2.x-1", "flows.a-10", "flows.b"}
	for i, a := range names {
		for j, b := range names {
			if got := compareEntities(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compareEntities(%q, %q) = %d", a, b, got)
			}
		}
	}
}
