package browsertest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/wt"
)

// rounds is how often each close code has to arrive.
var rounds = share(20)

// closings are the codes and reasons that are tried.
var closings = []closeInfo{
	{0, ""},
	{42, "bye"},
	{0xffffffff, "all bits"},
	{7, "Grüße, 世界, 👋"},
	{1, strings.Repeat("x", 1024)},
	{2, strings.Repeat("ü", 512)},
}

func TestServerClosesWithCodeAndReason(t *testing.T) {
	p := sharedPage(t)
	for _, when := range []struct{ name, script string }{
		{"at once", ``},
		{"after an exchange", `
			const str = await session.createBidirectionalStream();
			await send(str.writable, "close");
			await readText(str.readable);`},
		{"while a stream is sent", `
			const str = await session.createUnidirectionalStream();
			const writer = str.getWriter();
			(async () => { for (;;) await writer.write(new Uint8Array(10000)); })().catch(() => {});`},
	} {
		t.Run(when.name, func(t *testing.T) {
			ended := make(chan *wt.SessionError, rounds*len(closings))
			srv := serveApp(t, func(s *wt.Session) {
				ctx := s.Context()
				switch when.name {
				case "after an exchange":
					str, err := s.AcceptStream(ctx)
					if err != nil {
						return
					}
					copyAndClose(str, str)
				case "while a stream is sent":
					str, err := s.AcceptUniStream(ctx)
					if err != nil {
						return
					}
					str.Read(make([]byte, 1))
				}
				i, _ := strconv.Atoi(s.Request().URL.Query().Get("i"))
				s.Close(closings[i].CloseCode, closings[i].Reason)
				ended <- endOf(s)
			})
			got := run[[]outcome[closeInfo]](t, p, srv, `
				const seen = [];
				for (let i = 0; i < args.n; i++) {
					for (let round = 0; round < args.rounds; round++) {
						const session = await connect("/?i=" + i);
						try {`+when.script+`
						} catch (e) {
							console.log(e); // the session may have ended
						}
						seen.push(await outcome(session.closed));
					}
				}
				return seen;
			`, map[string]int{"n": len(closings), "rounds": rounds})
			checkEnds(t, p, false, got, ended)
		})
	}
}

func TestServerWhoseApplicationReturnsClosesWithCode0(t *testing.T) {
	p := sharedPage(t)
	srv := serveApp(t, func(*wt.Session) {})
	got := run[[]outcome[closeInfo]](t, p, srv, `
		const seen = [];
		for (let round = 0; round < args; round++) seen.push(await outcome((await connect("/")).closed));
		return seen;
	`, rounds)
	want := make([]outcome[closeInfo], rounds)
	p.forgive(t, want, got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
}

func TestPageClosesWithCodeAndReason(t *testing.T) {
	p := sharedPage(t)
	for _, when := range []struct{ name, script string }{
		{"at once", ``},
		{"after an exchange", `
			const str = await session.createBidirectionalStream();
			await send(str.writable, "close");
			await readText(str.readable);`},
		{"while a stream is sent", `
			const str = await session.createUnidirectionalStream();
			const writer = str.getWriter();
			await writer.write(new Uint8Array(10000));
			writer.write(new Uint8Array(10000)).catch(() => {});`},
	} {
		t.Run(when.name, func(t *testing.T) {
			ended := make(chan *wt.SessionError, rounds*len(closings))
			srv := serveApp(t, func(s *wt.Session) {
				echo(s)
				ended <- endOf(s)
			})
			got := run[[]outcome[closeInfo]](t, p, srv, `
				const seen = [];
				for (const info of args.closings) {
					for (let round = 0; round < args.rounds; round++) {
						const session = await connect("/");`+when.script+`
						session.close(info);
						seen.push(await outcome(session.closed));
					}
				}
				return seen;
			`, map[string]any{"closings": closings, "rounds": rounds})
			checkEnds(t, p, true, got, ended)
		})
	}
}

// checkEnds compares how the sessions ended, which the server may learn in another order than the page.
func checkEnds(t *testing.T, p *page, remote bool, got []outcome[closeInfo], ended <-chan *wt.SessionError) {
	t.Helper()
	var want []outcome[closeInfo]
	wantEnds, ends := make(map[wt.SessionError]int), make(map[wt.SessionError]int)
	for _, info := range closings {
		wantEnds[wt.SessionError{Code: info.CloseCode, Reason: info.Reason, Remote: remote, Clean: true}] = rounds
		for range rounds {
			want = append(want, outcome[closeInfo]{Value: info})
			ends[*receive(t, ended)]++
		}
	}
	p.forgive(t, want, got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
	if diff := cmp.Diff(wantEnds, ends); diff != "" {
		t.Error("the server's sessions ended so (-want +got):\n", diff)
	}
}

func TestReasonsThatAreTooLongAreCutBetweenCharacters(t *testing.T) {
	p := sharedPage(t)
	ended := make(chan *wt.SessionError, 1)
	reason := "x" + strings.Repeat("ü", 600)
	const cut = 1 + 2*511 // bytes
	srv := serveApp(t, func(s *wt.Session) {
		if s.Request().URL.RawQuery == "server" {
			s.Close(1, reason)
		}
		ended <- endOf(s)
	})
	for _, by := range []string{"server", "page"} {
		got := []outcome[closeInfo]{run[outcome[closeInfo]](t, p, srv, `
			const session = await connect("/?" + args.by);
			if (args.by === "page") session.close({ closeCode: 1, reason: args.reason });
			return outcome(session.closed);
		`, map[string]string{"by": by, "reason": reason})}
		want := []outcome[closeInfo]{{Value: closeInfo{1, reason[:cut]}}}
		if by == "page" {
			want[0].Value.Reason = got[0].Value.Reason // whether it is cut there is the browser's affair
		}
		p.forgive(t, want, got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("the page saw (-want +got):\n", diff)
		}
		wantEnd := &wt.SessionError{Code: 1, Reason: reason[:cut], Remote: by == "page", Clean: true}
		if diff := cmp.Diff(wantEnd, receive(t, ended)); diff != "" {
			t.Error("the server's session ended so (-want +got):\n", diff)
		}
	}
}

func TestServerShutsDownWithCodeAndReason(t *testing.T) {
	p := sharedPage(t)
	const sessions = 5
	ended := make(chan *wt.SessionError, sessions)
	srv := &wt.Server{}
	srv.Handle("/", wt.Application{CheckOrigin: fromPage, Serve: func(s *wt.Session) {
		echo(s)
		ended <- endOf(s)
	}})
	target := serve(t, srv, nil)
	run[any](t, p, target, `
		globalThis.ends = [];
		for (let i = 0; i < args; i++) {
			const session = await connect("/");
			const str = await session.createBidirectionalStream();
			await str.writable.getWriter().write(encoder.encode("hello"));
			await str.readable.getReader().read();
			ends.push(outcome(session.closed));
		}
	`, sessions)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&wt.SessionError{Code: 77, Reason: "maintenance"})
	if err := srv.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v", err)
	}
	got := run[[]outcome[closeInfo]](t, p, target, `return Promise.all(ends);`, nil)
	var want []outcome[closeInfo]
	for range sessions {
		want = append(want, outcome[closeInfo]{Value: closeInfo{77, "maintenance"}})
		if diff := cmp.Diff(&wt.SessionError{Code: 77, Reason: "maintenance", Clean: true}, receive(t, ended)); diff != "" {
			t.Error("a session of the server ended so (-want +got):\n", diff)
		}
	}
	p.forgive(t, want, got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
}
