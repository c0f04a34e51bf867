package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/internal/webpage"
)

//go:embed page/page.html
var pageTemplate string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

// The library that draws the figures: see uplot/README.md.
//
//go:embed uplot/uPlot.iife.min.js
var libraryScript string

//go:embed uplot/uPlot.min.css
var libraryStyle string

//go:embed uplot/LICENSE
var libraryLicence string

// page is the whole report.
type page struct {
	Title      string
	Parts      []part
	Comparison comparison

	Policy          string // Content-Security-Policy
	Style           template.CSS
	Library, Script template.JS
	Charts          map[string][]chart // by the ID of the figure; the keys are written in order
}

// finish puts together what all parts share.
func (p *page) finish() *page {
	p.Style = template.CSS(libraryStyle + webpage.Style + pageStyle)
	p.Library = template.JS("/* uPlot 1.6.32, https://github.com/leeoniya/uPlot\n" + libraryLicence + "\n*/" + libraryScript)
	p.Script = template.JS(webpage.Script + pageScript)
	p.Policy = webpage.Policy(string(p.Library), string(p.Script))
	p.Charts = map[string][]chart{}
	all := [][]picture{p.Comparison.Over}
	for _, part := range p.Parts {
		all = append(all, part.First, part.More, part.Over)
	}
	for _, pic := range slices.Concat(all...) {
		if pic.Charts > 0 {
			p.Charts[pic.ID] = pic.charts
		}
	}
	return p
}

var pageOf = template.Must(webpage.Parse(pageTemplate, template.FuncMap{
	// heading writes a heading, one level deeper for one of several parts.
	"heading": func(p part, level int, id, text string) template.HTML {
		if p.Letter != "" {
			level++
		}
		return template.HTML(fmt.Sprintf(`<h%d id="%s-%s">%s</h%d>`, level, p.ID, id, template.HTMLEscapeString(text), level))
	},
	"together": together,
	"join":     strings.Join,
}))

func (p *page) write(w io.Writer) error {
	if err := pageOf.Execute(w, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
