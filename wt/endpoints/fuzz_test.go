package endpoints

import (
	"errors"
	"testing"

	"github.com/wtsim/wtsim/wt"
)

// Whatever the query, an endpoint either serves it or says why not, and
// only /refuse refuses what it understands.
func FuzzQuery(f *testing.F) {
	for _, raw := range []string{"", "bytes=1&streams=3&kind=bidi", "code=42&reason=bye&after=1s", "status=404&header=a:b", "%zz", "bytes=18446744073709551616"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, e := range all {
			if e.open == nil {
				continue
			}
			q := parseQuery(raw, e)
			serve := e.open(q)
			switch {
			case q.err == nil && serve == nil:
				t.Errorf("%s?%s is neither served nor refused", e.Path, raw)
			case errors.Is(q.err, wt.ErrRefused) && e != &refuse:
				t.Errorf("%s?%s is refused with %v", e.Path, raw, q.err)
			}
		}
	})
}
