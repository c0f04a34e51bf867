package endpoints

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/wt"
)

// endpoint is a path and what its sessions do.
type endpoint struct {
	Path       string // those in capitals are read by the page's template
	Summary    string
	Parameters []parameter
	// open reads the parameters, and returns what serves a session with them.
	// What it returns is of no use if q has an error in the end; if that is a
	// *wt.RefusedError it is how the session is refused.
	open func(q *query) func(*wt.Session)
	// application, instead of open, is what serves the sessions, and says why it refuses one.
	application func(ended func(*wt.Session, error)) wt.Application
}

// parameter is one of the query.
type parameter struct {
	Name     string
	Fallback string // what is so without it
	Meaning  string // with unit and bounds
	repeated bool   // it may come several times
}

// all are the endpoints, in the order in which they are listed.
var all = []*endpoint{&echo, &sink, &source, &closing, &drain, &reset, &headers, &protocols, &refuse, &devious}

// suggest ends a message about an unknown parameter.
func (e *endpoint) suggest(name string) string {
	var names []string
	for _, p := range e.Parameters {
		names = append(names, p.Name)
	}
	if near := nearest.Word(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(names) == 0 {
		return ", which has none"
	}
	return ", which has " + strings.Join(names, ", ")
}

// describe says what the endpoint is, as text.
func (e *endpoint) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is an endpoint for WebTransport sessions.\n\n%s\n", e.Path, e.Summary)
	if len(e.Parameters) > 0 {
		b.WriteString("\nParameters of the query:\n")
	}
	for _, p := range e.Parameters {
		fmt.Fprintf(&b, "  %-8s %s (%s)\n", p.Name, p.Meaning, p.Fallback)
	}
	return b.String()
}

// Describe returns what the endpoints are, one a paragraph.
func Describe() string {
	var b strings.Builder
	for i, e := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n  %s\n", e.Path, strings.ReplaceAll(e.Summary, "\n", "\n  "))
		for _, p := range e.Parameters {
			fmt.Fprintf(&b, "    %-8s %s (%s)\n", p.Name, p.Meaning, p.Fallback)
		}
	}
	return b.String()
}
