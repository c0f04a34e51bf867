package markdown

import (
	"fmt"
	"strings"
	"testing"
)

// written returns what a function writes.
func written(t *testing.T, f func(Writer)) string {
	t.Helper()
	var b strings.Builder
	m := New(&b)
	f(m)
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextHasNoMarkup(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"as it is, 1.5 % - 2":      "as it is, 1.5 % - 2",
		"flows_a *b* [c](d) <e> #": `flows\_a \*b\* \[c\](d) \<e\> \#`,
		"a `b` ~c~ \\ {d} &amp;":   "a \\`b\\` \\~c\\~ \\\\ \\{d\\} \\&amp;",
		"two\nlines\t and  gaps ":  "two lines and gaps",
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestCodeIsBetweenMoreBackticksThanItHas(t *testing.T) {
	for text, want := range map[string]string{
		"flows.*.goodput": "`flows.*.goodput`",
		"a`b":             "``a`b``",
		"a``b`c":          "```a``b`c```",
		"`a":              "`` `a ``",
		"a\nb":            "`a b`",
	} {
		if got := Code(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAFenceIsLongerThanAnyInIt(t *testing.T) {
	for text, want := range map[string]string{
		"x\n":           "\n```sh\nx\n```\n",
		"````\na\n````": "\n`````sh\n````\na\n````\n`````\n",
	} {
		if got := written(t, func(m Writer) { m.Fenced("sh", text) }); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestATableHasAHeaderIfItHasARow(t *testing.T) {
	for want, rows := range map[string][][]string{
		"": nil,
		"\n| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 |  |\n": {{"1", "x|y"}, {"2", ""}},
	} {
		got := written(t, func(m Writer) {
			table := Table{To: m, Header: []string{"a", "b"}}
			for _, row := range rows {
				table.Row(row...)
			}
			table.End()
		})
		if got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
	}
}

func TestALongTableIsCutUnlessAllIsWanted(t *testing.T) {
	for _, all := range []bool{false, true} {
		got := written(t, func(m Writer) {
			table := Table{To: m, Header: []string{"a"}, All: all}
			for i := range mostRows + 3 {
				table.Row(fmt.Sprint(i))
			}
			table.End()
		})
		rows, cut := mostRows, "\nAnd 3 more.\n"
		if all {
			rows, cut = mostRows+3, fmt.Sprintf("| %d |\n", mostRows+2)
		}
		if n := strings.Count(got, "\n|") - 2; n != rows || !strings.HasSuffix(got, cut) {
			t.Errorf("all %t: %d rows, and it ends with %q", all, n, got[max(0, len(got)-20):])
		}
	}
}

func TestRowsLeaveTheCallersCellsAlone(t *testing.T) {
	cells := []string{"a|b"}
	written(t, func(m Writer) {
		table := Table{To: m, Header: []string{"a"}}
		table.Row(cells...)
		table.End()
	})
	if cells[0] != "a|b" {
		t.Errorf("the cell became %q", cells[0])
	}
}
