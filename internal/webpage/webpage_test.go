package webpage

import (
	"strings"
	"testing"
)

func TestAPolicyAllowsTheScriptsOfThePageAndNothingElse(t *testing.T) {
	// SHA-256 of nothing, and of "abc" (FIPS 180-4, example B.1), in base64.
	const nothing, abc = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
	want := "default-src 'none'; script-src 'sha256-" + nothing + "' 'sha256-" + abc + "'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
	if got := Policy("", "abc"); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestNamesBreakBehindTheirDots(t *testing.T) {
	if got := Breakable("flows.<b>.goodput"); got != "flows.<wbr>&lt;b&gt;.<wbr>goodput" {
		t.Errorf("%s", got)
	}
}

func TestStyleAndScriptLoadNothing(t *testing.T) {
	for _, never := range []string{"@import", "url(", "http:", "https:", "</"} {
		if strings.Contains(Style, never) || strings.Contains(Script, never) {
			t.Errorf("there is %q", never)
		}
	}
}
