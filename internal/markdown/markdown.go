// Package markdown writes reports in GitHub's dialect of Markdown.
package markdown

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// mostRows bounds the rows of a table, as GitHub takes no more than a megabyte for a
// summary.
const mostRows = 100

// Writer writes Markdown. Its last method to be called is Flush.
type Writer struct{ *bufio.Writer }

// New returns a writer to another.
func New(w io.Writer) Writer { return Writer{bufio.NewWriter(w)} }

// Printf writes text that is Markdown.
func (m Writer) Printf(format string, args ...any) { fmt.Fprintf(m, format, args...) }

// Open begins a part that is folded up.
func (m Writer) Open(title string) { m.Printf("\n<details><summary>%s</summary>\n", title) }

// Close ends it.
func (m Writer) Close() { m.Printf("\n</details>\n") }

// Fenced writes lines as they are.
func (m Writer) Fenced(language, text string) {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	m.Printf("\n%s%s\n%s\n%s\n", fence, language, strings.TrimRight(text, "\n"), fence)
}

// Table writes a table, with a header before its first row.
type Table struct {
	To     Writer
	Header []string
	All    bool // however many rows there are

	rows int
}

// Row writes a row; its cells are Markdown.
func (t *Table) Row(cells ...string) {
	if t.rows++; t.rows > mostRows && !t.All {
		return
	}
	if t.rows == 1 {
		t.To.Printf("\n| %s |\n|%s\n", strings.Join(t.Header, " | "), strings.Repeat(" --- |", len(t.Header)))
	}
	cells = slices.Clone(cells)
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	t.To.Printf("| %s |\n", strings.Join(cells, " | "))
}

// End says how many rows were left out.
func (t *Table) End() {
	if t.rows > mostRows && !t.All {
		t.To.Printf("\nAnd %d more.\n", t.rows-mostRows)
	}
}

// Plain writes text so that Markdown takes none of it for its own.
func Plain(text string) string {
	var b strings.Builder
	for _, c := range strings.Join(strings.Fields(text), " ") {
		if strings.ContainsRune("\\`*_{}[]<>&~#", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Code writes text as it is into a line, between as many
// backticks as it takes (CommonMark 0.31, section 6.1).
func Code(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// longestRun returns the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, c := range text {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
