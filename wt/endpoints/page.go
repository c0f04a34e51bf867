package endpoints

import (
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// newHandler returns what serves requests: the page, and descriptions of the endpoints.
func (s *Server) newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.serveIndex)
	for _, name := range []string{"page.css", "page.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			setPageHeader(w)
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	for _, e := range all {
		mux.HandleFunc("GET "+e.Path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Write([]byte(e.describe()))
		})
	}
	return mux
}

func (s *Server) serveIndex(w http.ResponseWriter, _ *http.Request) {
	data := struct {
		Port      int
		Hash      string // "" if browsers do not accept it
		Endpoints []*endpoint
	}{Port: s.port, Endpoints: all}
	if Hashable(s.certificate) {
		hash := Hash(s.certificate)
		data.Hash = base64.StdEncoding.EncodeToString(hash[:])
	}
	var b strings.Builder
	if err := pageTemplate.Execute(&b, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setPageHeader(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte(b.String()))
}

// setPageHeader keeps the page to its own scripts, and to sessions with any server.
func setPageHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}
