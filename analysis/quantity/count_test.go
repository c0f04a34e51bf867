package quantity

import "testing"

func TestThingsAreCounted(t *testing.T) {
	for want, got := range map[string]string{
		"0 seeds": Count(0, "seed"), "1 seed": Count(1, "seed"), "2 seeds": Count(2, "seed"),
		"1 loss": Count(1, "loss", "losses"), "2 losses": Count(2, "loss", "losses"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
