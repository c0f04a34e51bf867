package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/internal/nearest"
)

// Error is a mistake in a scenario. Its text is "file:line: key: message".
type Error struct {
	File    string // the file as it was named, or "--set" for an override
	Line    int    // counted from 1; 0 where no line is to blame
	Key     string // path of the key, such as "links.access.rate"; empty for the file as a whole
	Message string // what is wrong, what was expected, and the nearest valid name
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Message)
	return b.String()
}

// failAt returns an Error at the place a value comes from.
func failAt(at origin, key, format string, args ...any) error {
	return &Error{File: at.file, Line: at.line, Key: key, Message: fmt.Sprintf(format, args...)}
}

// fail returns an Error about the value itself.
func (n *node) fail(format string, args ...any) error {
	return failAt(n.at, n.path, format, args...)
}

// suggest returns the end of a message about an unknown word: the valid word
// nearest to it, or all of them where none is near.
func suggest(word string, valid []string) string {
	if best := nearest.Word(word, valid); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	switch {
	case len(valid) == 0:
		return ""
	case len(valid) == 1:
		return "; expected " + valid[0]
	case len(valid) > 20:
		valid = append(valid[:20:20], "…")
	}
	return "; expected one of " + strings.Join(valid, ", ")
}
