package shell

import "testing"

func TestOnlyWordsThatAShellWouldChangeAreQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"scenarios/quickstart.toml":   "scenarios/quickstart.toml",
		"links.access.rate=20Mbit/s":  "links.access.rate=20Mbit/s",
		"":                            "''",
		"-n":                          "'-n'",
		"my scenario.toml":            "'my scenario.toml'",
		"it's":                        `'it'\''s'`,
		"a;rm":                        "'a;rm'",
		"$HOME":                       "'$HOME'",
		`links.access.loss={p = 0.1}`: `'links.access.loss={p = 0.1}'`,
	} {
		if got := Quote(word); got != want {
			t.Errorf("Quote(%q) = %s; want %s", word, got, want)
		}
	}
}
