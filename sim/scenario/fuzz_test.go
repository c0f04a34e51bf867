package scenario

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzed checks what holds for any input: an error is one line about one place,
// and a scenario is read back as it is explained.
func fuzzed(t *testing.T, s *Scenario, err error) {
	if err == nil {
		checkExplained(t, s, ".")
		return
	}
	var mistake *Error
	if !errors.As(err, &mistake) || mistake.Message == "" || mistake.File == "" ||
		strings.Contains(mistake.Error(), "\n") || !utf8.ValidString(mistake.Error()) {
		t.Fatalf("the error says not enough: %#v", err)
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/architecture.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(example), base, base + study, bursty, grouped(3, poisson, measured), "", "[[expect]]", "hosts.a = {}\nhosts.b.gso = false", "a = [[1, 2], {b = 3}]", "quic.ecn = 2020-01-01"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz.toml", data)
		fuzzed(t, s, err)
	})
}

func FuzzOverride(f *testing.F) {
	for _, text := range []string{
		"links.access.rate=5Mbit/s", "links.access.changes.0.rate=1kbit/s", "quic={ecn=false}", "seed=7", "=", "a..b=c",
		"sessions.main.flows.bulk.size=1MB", "hosts.x={}", "expect=[]", "links.access.loss=0.5", "name='x'", "links.access.rate.x=1", "hosts.client.routes.server.via=access",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, override string) {
		s, err := Load("testdata/architecture.toml", override)
		fuzzed(t, s, err)
	})
}
