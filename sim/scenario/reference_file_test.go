package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	referenceFile = "../../scenarios/REFERENCE.md"
	readmeFile    = "../../README.md"
)

func TestTheReferenceInTheRepositoryIsThatOfTheCode(t *testing.T) {
	checkFile(t, referenceFile, referenceText())
}

func TestREADMEHasTheElementsOfALink(t *testing.T) {
	const begin, end = "<!-- elements -->\n", "<!-- /elements -->\n"
	file, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(file), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no lines %q and %q", readmeFile, begin, end)
	}
	checkFile(t, readmeFile, before+begin+elementTable()+end+after)
}

// checkFile compares a file with what it should be, which -update makes it.
func checkFile(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is out of date (rewritten by -update):\n%s", path, diff)
	}
}

func referenceText() string {
	var b strings.Builder
	b.WriteString(`<!-- Written by 'go test ./sim/scenario -update' from the types of the scenario language. -->

# Scenario reference

Every table and key of a scenario file, with types, defaults, ranges and examples. ` + "`wtsim list keys`" + ` prints the same,
` + "`wtsim list links`, `traffic`, `flows` and `types`" + ` parts of it, and ` + "`--json`" + ` all of it for programs. ` + "`wtsim explain`" + `
prints one scenario with every default written out.

NAME stands for a name of your choice. Keys with dots are in inner tables: ` + "`mtu.size`" + ` can be written
` + "`mtu = { size = \"1400B\" }`, `mtu.size = \"1400B\"`" + ` or below a header ` + "`[links.NAME.mtu]`" + `. A key marked *short* can be
written in place of its table: ` + "`mtu = \"1400B\"`" + `. The examples are parts of a scenario with the hosts client and server, the link
access and the session main.

## Types and units

`)
	row(&b, "type", "written", "meaning")
	row(&b, "---", "---", "---")
	for _, typ := range Types() {
		row(&b, typ.Name, code(typ.Example), typ.Doc)
	}
	b.WriteString(`
## The elements of a link

A datagram passes those elements that a direction of a link uses in this order. Queue and rate, or queue and trace, are one element: a
datagram waits in the queue for its transmission. So are delay and jitter. Each element draws from a random stream of its own. Loss and
queues have kinds: the keys of a kind stand in the same table as ` + "`kind`" + `.

`)
	b.WriteString(elementTable())
	b.WriteString("\nThe last column says what does the same in Linux: a discipline by its manual page, and its option after a colon.\n")
	for _, table := range Reference() {
		writeTable(&b, table)
	}
	return b.String()
}

// elementTable returns the elements of a link as a table: what they do, an
// example, and their counterparts in Linux.
func elementTable() string {
	var b strings.Builder
	row(&b, "element", "what it does", "example", "Linux")
	row(&b, "---", "---", "---", "---")
	for _, e := range linkElements {
		doc := e.doc
		switch e.name {
		case "loss":
			doc += ": " + code(strings.Join(namesOf(lossKinds[1:]), "`, `"))
		case "queue":
			doc += ": " + code(strings.Join(namesOf(queueKinds), "`, `"))
		}
		example, _, _ := strings.Cut(e.example, " # or")
		example, _, _ = strings.Cut(example, "\n")
		row(&b, "**"+e.name+"**", doc, code(example), e.linux)
	}
	return b.String()
}

func writeTable(b *strings.Builder, table Table) {
	name, part, _ := strings.Cut(table.Name, ", ")
	kind, word, _ := strings.Cut(part, " ")
	switch {
	case table.Name == "":
		b.WriteString("\n## The top of the file\n")
	case part == "":
		fmt.Fprintf(b, "\n## `%s`\n", name)
	default:
		fmt.Fprintf(b, "\n### `%s`: %s `%s`\n", name, kind, word)
	}
	fmt.Fprintf(b, "\n%s.", strings.ToUpper(table.Doc[:1])+table.Doc[1:])
	if table.Linux != "" {
		fmt.Fprintf(b, " Linux: %s.", table.Linux)
	}
	fmt.Fprintf(b, "\n\n```toml\n%s\n```\n", table.Example)
	if len(table.Keys) == 0 {
		return
	}
	b.WriteByte('\n')
	row(b, "key", "type", "default", "values", "meaning")
	row(b, "---", "---", "---", "---", "---")
	for _, k := range table.Keys {
		typ := k.Type
		if k.Short {
			typ += ", *short*"
		}
		row(b, code(k.Name), typ, k.Fallback(), k.Values(), k.Doc)
	}
}

// row writes a row of a table in Markdown.
func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", "\\|"))
		if c != "" {
			b.WriteByte(' ')
		}
	}
	b.WriteString("|\n")
}

func code(text string) string { return "`" + text + "`" }
