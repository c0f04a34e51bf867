// Package webpage holds what HTML pages of wtsim have in common: how they look, on
// screens, phones and paper, light and dark, and that they load nothing and run no
// script but their own.
package webpage

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"
)

// Style is the style sheet of all pages, before what a page adds.
//
//go:embed page.css
var Style string

// Script makes tables sortable by their headers, and those with many rows
// searchable. A button with data-copy copies the text of the element of that ID,
// and one with data-save saves it as a file called data-name. It opens details for
// printing. The root element has the class "script" where scripts run.
//
// A table stands in an element of class "scroll" and has a caption; its cells are
// sorted by data-key, and its first column, of headers, by their text.
//
//go:embed page.js
var Script string

//go:embed head.html
var head string

// Parse returns the template of a page. It begins with the template "head", which has
// all up to the body and needs the fields Policy, Title and Style, and defines
// "command", the command that writes it.
func Parse(text string, functions template.FuncMap) (*template.Template, error) {
	page, err := template.New("page").Funcs(template.FuncMap{"breakable": Breakable}).Funcs(functions).Parse(head)
	if err != nil {
		return nil, err
	}
	return page.Parse(text)
}

// Policy returns a Content-Security-Policy with which a page loads nothing and runs no
// scripts but those given.
func Policy(scripts ...string) string {
	var b strings.Builder
	b.WriteString("default-src 'none'; script-src")
	for _, s := range scripts {
		b.WriteString(" '" + hash(s) + "'")
	}
	b.WriteString("; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'")
	return b.String()
}

// hash returns the source expression that allows a script (CSP level 3, section
// 2.3.1).
func hash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Breakable escapes a name and lets the lines of a narrow page end behind its dots.
func Breakable(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), ".", ".<wbr>"))
}
