package scenario

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// around is what the examples of the reference are parts of.
const around = `
[hosts.server]
[hosts.client]
[links.access]
between = ["server", "client"]
delay = "20ms"
[sessions.main]
client = "client"
server = "server"
`

func TestTheExamplesOfTheReferenceArePartsOfAScenario(t *testing.T) {
	for _, table := range Reference() {
		if table.Example == "" {
			t.Errorf("%s has no example", table.Name)
			continue
		}
		text := completed(t, table.Example)
		if _, err := Parse("../../scenarios/example.toml", []byte(text)); err != nil {
			t.Errorf("the example of %s: %v in\n%s", table.Name, err, text)
		}
	}
}

func TestAnExampleShowsWhatItIsOf(t *testing.T) {
	for _, table := range Reference() {
		name, part, _ := strings.Cut(table.Name, ", ")
		last := name[strings.LastIndex(name, ".")+1:]
		want := []string{last}
		if kind, ok := strings.CutPrefix(part, "kind "); ok {
			want = append(want, `kind = "`+kind+`"`)
		} else if element, ok := strings.CutPrefix(part, "element "); ok {
			want = append(want, element)
		}
		for _, w := range want {
			if w != "NAME" && !strings.Contains(table.Example, w) {
				t.Errorf("the example of %s has no %q:\n%s", table.Name, w, table.Example)
			}
		}
	}
}

// completed returns a scenario that an example is part of.
func completed(t *testing.T, example string) string {
	var all, part map[string]any
	if err := toml.Unmarshal([]byte(around), &all); err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal([]byte(example), &part); err != nil {
		t.Fatalf("%v in\n%s", err, example)
	}
	if !strings.Contains(example, "trace = ") { // which stands in place of a rate
		merge(all, map[string]any{"links": map[string]any{"access": map[string]any{"rate": "20Mbit/s"}}})
	}
	merge(all, part)
	text, err := toml.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func merge(all, part map[string]any) {
	for key, value := range part {
		inner, isTable := value.(map[string]any)
		if outer, ok := all[key].(map[string]any); ok && isTable {
			merge(outer, inner)
		} else {
			all[key] = value
		}
	}
}
