package endpoints

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// query reads the parameters of a request. The first mistake is kept in err,
// and what follows it returns defaults.
type query struct {
	values url.Values
	err    error
}

// parseQuery checks that every parameter is one of the endpoint's, and that
// only those come several times that may.
func parseQuery(raw string, e *endpoint) *query {
	q := &query{}
	q.values, q.err = url.ParseQuery(raw)
	if q.err != nil {
		q.err = fmt.Errorf("query: %w", q.err)
		return q
	}
	var names []string
	for name := range q.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(e.Parameters, func(p parameter) bool { return p.Name == name })
		switch {
		case i < 0:
			q.fail("unknown parameter %q of %s%s", name, e.Path, e.suggest(name))
		case len(q.values[name]) > 1 && !e.Parameters[i].repeated:
			q.fail("parameter %q is given %d times", name, len(q.values[name]))
		}
	}
	return q
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = fmt.Errorf(format, args...)
	}
}

// get returns the value of a parameter, and false if it is missing or an
// earlier mistake makes it pointless to look.
func (q *query) get(name string) (string, bool) {
	if q.err != nil || !q.values.Has(name) {
		return "", false
	}
	return q.values.Get(name), true
}

// number returns a whole number from low to high.
func (q *query) number(name string, fallback, low, high uint64) uint64 {
	text, ok := q.get(name)
	if !ok {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < low || n > high {
		q.fail("%s is %q; expected a whole number from %d to %d", name, text, low, high)
		return fallback
	}
	return n
}

// duration returns a time of at most high, written as Go writes it.
func (q *query) duration(name string, high time.Duration) time.Duration {
	text, ok := q.get(name)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > high {
		q.fail("%s is %q; expected a time from 0s to %v, such as 500ms", name, text, high)
		return 0
	}
	return d
}

// text returns UTF-8 of at most high bytes.
func (q *query) text(name string, high int) string {
	text, _ := q.get(name)
	if len(text) > high {
		q.fail("%s has %d bytes; expected at most %d", name, len(text), high)
		return ""
	}
	if !utf8.ValidString(text) {
		q.fail("%s is not UTF-8", name)
		return ""
	}
	return text
}

// word returns one of the words, of which the first is the default.
func (q *query) word(name string, words ...string) string {
	text, ok := q.get(name)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, text) {
		q.fail("%s is %q; expected one of %s", name, text, strings.Join(words, ", "))
		return words[0]
	}
	return text
}
