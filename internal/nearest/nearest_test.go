package nearest

import "testing"

func TestTheNearestWordTakesTheFewestChanges(t *testing.T) {
	words := []string{"at", "rate", "delay", "loss", "Listen"}
	for word, want := range map[string]string{
		"rtae": "rate", "rat": "rate", "dealy": "delay", "los": "loss", "listne": "Listen", "lo": "", "": "", "weather": "", "rate": "rate",
	} {
		if got := Word(word, words); got != want {
			t.Errorf("%q is taken for %q, want %q", word, got, want)
		}
	}
}

func FuzzEditDistance(f *testing.F) {
	f.Add("rate", "rtae")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 50 || len(b) > 50 {
			return
		}
		const limit = 1000
		there, back := editDistance(a, b, limit), editDistance(b, a, limit)
		if there != back || there > max(len(a), len(b)) || (there == 0) != (a == b) {
			t.Fatalf("from %q to %q it is %d, back %d", a, b, there, back)
		}
	})
}
