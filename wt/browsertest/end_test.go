package browsertest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/wt"
)

// openStreams makes one open stream of each kind and direction, on which a byte has passed.
const openStreams = `
	const byte = new Uint8Array(1);
	const mine = await session.createBidirectionalStream();
	const mineWriter = mine.writable.getWriter();
	await mineWriter.write(byte);
	const mineReader = mine.readable.getReader();
	await mineReader.read();
	const mineUni = (await session.createUnidirectionalStream()).getWriter();
	await mineUni.write(byte);
	const theirs = (await session.incomingBidirectionalStreams.getReader().read()).value;
	const theirsReader = theirs.readable.getReader();
	await theirsReader.read();
	const theirsWriter = theirs.writable.getWriter();
	await theirsWriter.write(byte);
	const theirsUni = (await session.incomingUnidirectionalStreams.getReader().read()).value.getReader();
	await theirsUni.read();
`

// serverStreams are the server's ends of those streams.
type serverStreams struct {
	theirs, mine *wt.Stream
	theirsUni    *wt.ReceiveStream
	mineUni      *wt.SendStream
}

func openServerStreams(ctx context.Context, s *wt.Session) (st serverStreams, err error) {
	one := make([]byte, 1)
	if st.theirs, err = s.AcceptStream(ctx); err != nil {
		return st, err
	}
	st.theirs.Read(one)
	st.theirs.Write(one)
	if st.theirsUni, err = s.AcceptUniStream(ctx); err != nil {
		return st, err
	}
	st.theirsUni.Read(one)
	if st.mine, err = s.OpenStream(ctx); err != nil {
		return st, err
	}
	st.mine.Write(one)
	st.mine.Read(one)
	if st.mineUni, err = s.OpenUniStream(ctx); err != nil {
		return st, err
	}
	_, err = st.mineUni.Write(one)
	return st, err
}

// errors are those of all calls that may be waiting, and of new ones.
func (st serverStreams) errors(ctx context.Context, s *wt.Session) []error {
	one := make([]byte, 1)
	_, err1 := st.theirs.Read(one)
	_, err2 := st.theirs.Write(one)
	_, err3 := st.theirsUni.Read(one)
	_, err4 := st.mine.Read(one)
	_, err5 := st.mine.Write(one)
	_, err6 := st.mineUni.Write(one)
	_, err7 := s.OpenStream(ctx)
	return []error{err1, err2, err3, err4, err5, err6, err7, s.SendDatagram(one)}
}

func TestStreamsFailWithTheirSession(t *testing.T) {
	p := sharedPage(t)
	info := closeInfo{99, "streams are open"}
	for _, byPage := range []bool{false, true} {
		name := "closed by the server"
		if byPage {
			name = "closed by the page"
		}
		t.Run(name, func(t *testing.T) {
			type serverSaw struct {
				end    *wt.SessionError
				errors []error
			}
			saw := make(chan serverSaw, rounds)
			srv := serveApp(t, func(s *wt.Session) {
				streams, err := openServerStreams(s.Context(), s)
				if err != nil {
					saw <- serverSaw{errors: []error{err}}
					return
				}
				if byPage {
					end := endOf(s)
					saw <- serverSaw{end, streams.errors(context.Background(), s)}
					return
				}
				streams.theirsUni.Read(make([]byte, 1)) // the page waits
				s.Close(info.CloseCode, info.Reason)
				saw <- serverSaw{endOf(s), streams.errors(context.Background(), s)}
			})
			type pageSaw struct {
				Closed  outcome[closeInfo]
				Streams []outcome[any]
			}
			got := run[[]pageSaw](t, p, srv, `
				const saw = [];
				for (let round = 0; round < args.rounds; round++) {
					const session = await connect("/");
					`+openStreams+`
					const pending = [
						mineReader.read(), mineWriter.closed, mineUni.closed,
						theirsReader.read(), theirsWriter.closed, theirsUni.read(),
						session.datagrams.readable.getReader().read(),
					].map(outcome);
					if (args.info) session.close(args.info);
					else await mineUni.write(byte);
					const closed = await outcome(session.closed);
					pending.push(outcome(mineWriter.write(byte)));
					saw.push({ closed, streams: await Promise.all(pending) });
				}
				return saw;
			`, map[string]any{"rounds": rounds, "info": map[bool]any{true: info}[byPage]})

			failed := outcome[any]{Error: &failure{Name: "WebTransportError", Source: "session"}}
			want := pageSaw{outcome[closeInfo]{Value: info}, []outcome[any]{failed, failed, failed, failed, failed, failed, failed, failed}}
			wantEnd := &wt.SessionError{Code: info.CloseCode, Reason: info.Reason, Remote: byPage, Clean: true}
			if len(got) != rounds {
				t.Fatalf("%d of %d sessions", len(got), rounds)
			}
			for _, got := range got {
				closed := []outcome[closeInfo]{got.Closed}
				p.forgive(t, []outcome[closeInfo]{want.Closed}, closed)
				got.Closed = closed[0]
				for i, s := range got.Streams {
					// The resets of the streams and the end of the session come on different
					// streams: Chromium may see a reset first.
					if !byPage && s.Error != nil && (s.Error.Source == "stream" || s.Error.Name == "NetworkError") {
						got.Streams[i] = failed
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error("the page saw (-want +got):\n", diff)
				}
				server := receive(t, saw)
				if diff := cmp.Diff(wantEnd, server.end); diff != "" {
					t.Error("the server's session ended so (-want +got):\n", diff)
				}
				for i, err := range server.errors {
					if err != error(server.end) {
						t.Errorf("call %d of the server returned %v, not the end of the session", i, err)
					}
				}
			}
		})
	}
}

func TestADrainedSessionGoesOn(t *testing.T) {
	p := sharedPage(t)
	drained := make(chan bool, 1)
	srv := serveApp(t, func(s *wt.Session) {
		s.Drain()
		select {
		case <-s.Draining():
			drained <- true
		default:
			drained <- false
		}
		echo(s)
	})
	got := run[string](t, p, srv, `
		const session = await connect("/");
		for (let i = 0; i < 10; i++) {
			const str = await session.createBidirectionalStream();
			await send(str.writable, "still here");
			if (i == 9) return readText(str.readable);
			await readText(str.readable);
		}
	`, nil)
	if got != "still here" {
		t.Errorf("the page read %q", got)
	}
	if !receive(t, drained) {
		t.Error("the server's session does not drain")
	}
}
