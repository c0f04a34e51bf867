package browsertest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/wt"
)

func TestSubprotocolIsTheFirstOfTheServersThatThePageOffers(t *testing.T) {
	p := sharedPage(t)
	for _, c := range []struct {
		name            string
		offered, spoken []string
		want            string
	}{
		{"the only one", []string{"a"}, []string{"a"}, "a"},
		{"in the server's order", []string{"a", "b", "c"}, []string{"c", "b"}, "c"},
		{"with characters that are quoted", []string{`a"b\c, d`}, []string{`a"b\c, d`}, `a"b\c, d`},
		{"none in common", []string{"a"}, []string{"b"}, ""},
		{"none offered", nil, []string{"a"}, ""},
		{"none spoken", []string{"a"}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen := make(chan string, 1)
			srv := &wt.Server{}
			srv.Handle("/", wt.Application{
				CheckOrigin: fromPage, Protocols: c.spoken,
				Serve: func(s *wt.Session) {
					chosen <- s.Protocol()
					echo(s)
				},
			})
			type seen struct{ Protocol, Echo string }
			got := run[seen](t, p, serve(t, srv, nil), `
				const session = await connect("/", args === null ? {} : { protocols: args });
				const str = await session.createBidirectionalStream();
				await send(str.writable, "hello");
				return { protocol: session.protocol, echo: await readText(str.readable) };
			`, c.offered)
			if want := (seen{c.want, "hello"}); got != want {
				t.Errorf("the page saw %+v, want %+v", got, want)
			}
			if got := receive(t, chosen); got != c.want {
				t.Errorf("the server chose %q, want %q", got, c.want)
			}
		})
	}
}

func TestRefusedSessionsAreNotReady(t *testing.T) {
	p := sharedPage(t)
	refusal := func(status int) func(*wt.Session) error {
		return func(*wt.Session) error { return &wt.RefusedError{Status: status} }
	}
	for _, c := range []struct {
		name string
		app  wt.Application
		path string
	}{
		{name: "an origin that is not the server's", app: wt.Application{}, path: "/"},
		{name: "status 404", app: wt.Application{CheckOrigin: fromPage, Connecting: refusal(http.StatusNotFound)}, path: "/"},
		{name: "status 429", app: wt.Application{CheckOrigin: fromPage, Connecting: refusal(http.StatusTooManyRequests)}, path: "/"},
		{name: "status 302", app: wt.Application{CheckOrigin: fromPage, Connecting: refusal(http.StatusFound)}, path: "/"},
		{name: "an error", app: wt.Application{CheckOrigin: fromPage, Connecting: func(*wt.Session) error { return errors.New("no") }}, path: "/"},
		{name: "no common subprotocol", app: wt.Application{CheckOrigin: fromPage, Protocols: []string{"a"}, RequireProtocol: true}, path: "/"},
		{name: "a path without application", app: wt.Application{CheckOrigin: fromPage}, path: "/other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { p.reload(t) }) // a page whose sessions fail has to wait ever longer for the next
			var events counter
			srv := &wt.Server{Trace: events.count}
			c.app.Serve = func(*wt.Session) {}
			srv.Handle("/", c.app)
			type seen struct{ Ready, Closed outcome[any] }
			got := run[seen](t, p, serve(t, srv, nil), `
				const session = open(args);
				return { ready: await outcome(session.ready), closed: await outcome(session.closed) };
			`, c.path)
			failed := outcome[any]{Error: &failure{Name: "WebTransportError", Source: "session"}}
			if diff := cmp.Diff(seen{failed, failed}, got); diff != "" {
				t.Error("the page saw (-want +got):\n", diff)
			}
			if events.of(wt.ConnectReceived) != 1 || events.of(wt.Established) != 0 {
				t.Errorf("%d requests, %d sessions", events.of(wt.ConnectReceived), events.of(wt.Established))
			}
		})
	}
}

// What a page can see of it is that a session is ready; what the server has is the request.
func TestRequestOfChromium(t *testing.T) {
	p := sharedPage(t)
	requests := make(chan *http.Request, 1)
	srv := serveApp(t, func(s *wt.Session) { requests <- s.Request() })
	origin := run[string](t, p, srv, `
		await connect("/?query=1");
		return location.origin;
	`, nil)
	r := receive(t, requests)
	if r.Method != http.MethodConnect || r.Proto != "webtransport" || "https://"+r.Host != srv.url || r.URL.RawQuery != "query=1" {
		t.Errorf("%s %s %s%s", r.Method, r.Proto, r.Host, r.URL)
	}
	if got := r.Header.Get("Origin"); got != origin {
		t.Errorf("Origin %q, want %q", got, origin)
	}
}

// Chromium speaks draft 02, and draft 07 by a flag.
func TestDraftsOfChromium(t *testing.T) {
	for _, c := range []struct {
		flag string
		want wt.Draft
	}{
		{"--disable-features=EnableWebTransportDraft07", wt.Draft02},
		{"--enable-features=EnableWebTransportDraft07", wt.Draft07},
	} {
		t.Run(c.want.String(), func(t *testing.T) {
			sharedPage(t) // or skip
			p, err := openPage(c.flag)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := p.close(); err != nil {
					t.Error(err)
				}
			})
			type serverSaw struct {
				draft wt.Draft
				end   *wt.SessionError
			}
			saw := make(chan serverSaw, 1)
			srv := serveApp(t, func(s *wt.Session) {
				echo(s)
				saw <- serverSaw{s.Draft(), endOf(s)}
			})
			got := run[string](t, p, srv, `
				const session = await connect("/");
				const str = await session.createBidirectionalStream();
				await send(str.writable, "hello");
				const text = await readText(str.readable);
				session.close({ closeCode: 42, reason: "bye" });
				return text;
			`, nil)
			if got != "hello" {
				t.Errorf("the page read %q", got)
			}
			server := receive(t, saw)
			if server.draft != c.want {
				t.Errorf("the server saw %v, want %v", server.draft, c.want)
			}
			if diff := cmp.Diff(&wt.SessionError{Code: 42, Reason: "bye", Remote: true, Clean: true}, server.end); diff != "" {
				t.Error("the server's session ended so (-want +got):\n", diff)
			}
		})
	}
}

func TestAServerWithoutLegacyDraftsHasNoSessionsOfChromium(t *testing.T) {
	p := sharedPage(t)
	t.Cleanup(func() { p.reload(t) })
	var events counter
	srv := &wt.Server{LegacyDisabled: true, Trace: events.count}
	srv.Handle("/", wt.Application{Serve: echo, CheckOrigin: fromPage})
	got := run[outcome[any]](t, p, serve(t, srv, nil), `return outcome(open("/").ready);`, nil)
	want := outcome[any]{Error: &failure{Name: "WebTransportError", Source: "session"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
	if n := events.of(wt.ConnectReceived); n != 0 {
		t.Errorf("%d requests", n)
	}
}
