package sweep

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/analysis/quantity"
)

// Progress says in one line how far the study is.
func (s *Summary) Progress() string {
	all := s.Done + s.Failed + s.Missing
	words := fmt.Sprintf("%s, %s each: %d of %s done", quantity.Count(len(s.Cells), "cell"), quantity.Count(s.Seeds, "seed"), s.Done, quantity.Count(all, "run"))
	if s.Failed > 0 {
		words += fmt.Sprintf(", %d failed", s.Failed)
	}
	if s.Missing > 0 {
		words += fmt.Sprintf(", %d missing", s.Missing)
	}
	return words
}

// Of names the run by the values of its axes and its seed.
func (f FailedRun) Of(axes []Axis) string {
	var parts []string
	for i, a := range axes {
		parts = append(parts, a.Path+"="+f.Values[i])
	}
	return strings.Join(append(parts, fmt.Sprintf("seed %d", f.Seed)), ", ")
}
