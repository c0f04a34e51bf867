package browsertest

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/wt/endpoints"
)

// proxy serves the page of a server of package endpoints below /endpoints/, where
// the page of the tests may look into it.
func (p *page) proxy(w http.ResponseWriter, r *http.Request) {
	target := p.endpoints.Load()
	if target == nil {
		http.NotFound(w, r)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			policy := r.Header.Get("Content-Security-Policy")
			r.Header.Set("Content-Security-Policy", strings.ReplaceAll(policy, "frame-ancestors 'none'", "frame-ancestors 'self'"))
			return nil
		},
	}
	http.StripPrefix("/endpoints", proxy).ServeHTTP(w, r)
}

// serveEndpoints serves the endpoints, behind a network by wtsim serve, and returns the URL of their page and its query.
func serveEndpoints(t *testing.T) (page string, query url.Values) {
	t.Helper()
	const listen = "127.0.0.1:0"
	if through != "" {
		var ready struct{ URL, Page string }
		start(t, &ready, "serve", "--listen", listen)
		address := strings.TrimPrefix(ready.URL, "https://")
		return ready.Page, url.Values{"server": {"https://" + relay(t, address)}, "bytes": {strconv.Itoa(tenMegabytes)}}
	}
	srv, err := endpoints.Start(endpoints.Config{Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv.PageURL(), nil
}

func TestThePageOfTheEndpointsPassesItsChecks(t *testing.T) {
	p := sharedPage(t)
	page, query := serveEndpoints(t)
	target, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	p.endpoints.Store(target)
	t.Cleanup(func() { p.endpoints.Store(nil) })
	t.Cleanup(func() { p.reload(t) })

	type seen struct {
		Verdict string
		Checks  []string
	}
	got := run[seen](t, p, &server{}, `
		const frame = document.createElement("iframe");
		frame.src = "/endpoints/?" + args;
		await new Promise((resolve) => {
			frame.onload = resolve;
			document.body.append(frame);
		});
		const page = frame.contentDocument;
		const verdict = page.getElementById("verdict");
		await new Promise((resolve) => {
			new MutationObserver(() => verdict.className && resolve()).observe(verdict, { attributes: true });
			page.getElementById("run").click();
		});
		const checks = Array.from(page.querySelectorAll("#checks tr"), (row) => row.cells[0].textContent + ": " + row.cells[1].textContent);
		return { verdict: verdict.textContent, checks };
	`, query.Encode())
	if !strings.HasPrefix(got.Verdict, "all ") {
		t.Errorf("%s:\n%s", got.Verdict, strings.Join(got.Checks, "\n"))
	}
	if len(got.Checks) == 0 {
		t.Error("the page has no checks")
	}
}
