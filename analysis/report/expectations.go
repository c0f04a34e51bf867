package report

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
)

// add tells the verdict what became of the scenario's expectations.
func (v *verdict) add(verdicts []expect.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	met, known, failed := 0, 0, 0
	for _, x := range verdicts {
		switch {
		case !x.OK():
			failed++
		case x.Status == expect.Known:
			known++
		default:
			met++
		}
	}
	line := fmt.Sprintf("Of %s %d met", quantity.Count(len(verdicts), "expectation"), met)
	if known > 0 {
		line += fmt.Sprintf(", %d known not to be", known)
	}
	if failed > 0 {
		v.Headline = strings.TrimSuffix(v.Headline, ".") + "; " + quantity.Count(failed, "expectation") + " failed."
		v.Level = "bad"
		line += fmt.Sprintf(", %d failed", failed)
	}
	v.Lines = append(v.Lines, line+".")
}

// expectations lists what became of the scenario's expectations, nil if it has
// none.
func expectations(verdicts []expect.Verdict, id string) *table {
	if len(verdicts) == 0 {
		return nil
	}
	t := &table{ID: id + "-expectations", Title: "Expectations", Columns: []header{
		{Title: "expectation", Text: true}, {Title: "measured"}, {Title: "expected"}, {Title: "margin"}, {Title: "verdict", Text: true}, {Title: "", Text: true},
	}}
	for _, v := range verdicts {
		w := v.Words()
		class := "text ok"
		if !v.OK() {
			class = "text bad"
		}
		t.Rows = append(t.Rows, row{w.What, []cell{
			{Text: w.Measured, Key: key(v.Measured)},
			{Text: w.Expected, Key: w.Expected},
			{Text: w.Margin, Key: key(v.Margin)},
			{Text: w.Status, Key: w.Status, Class: class},
			{Text: w.Note, Key: w.Note, Class: "text"},
		}})
	}
	return t
}
