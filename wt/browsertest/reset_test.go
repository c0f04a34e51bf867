package browsertest

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/wt"
)

// resetCodes are about the limits of the mapping to codes of HTTP/3, and of what pages can send.
var resetCodes = []uint32{0, 1, 29, 30, 255, 256, 0xffffffff}

// eachStream serves an application that runs f for each bidirectional stream
// of the page, in order, and hands on what it returns.
func eachStream[T any](t *testing.T, f func(i int, str *wt.Stream) T) (*server, <-chan T) {
	results := make(chan T, len(resetCodes))
	return serveApp(t, func(s *wt.Session) {
		for i := range resetCodes {
			str, err := s.AcceptStream(s.Context())
			if err != nil {
				return
			}
			results <- f(i, str)
		}
		<-s.Context().Done()
	}), results
}

// streamFailures is what the promises of a page become whose streams end with the codes.
func streamFailures() []outcome[string] {
	var want []outcome[string]
	for _, code := range resetCodes {
		want = append(want, outcome[string]{Error: &failure{Name: "WebTransportError", Source: "stream", Code: &code}})
	}
	return want
}

// checkCodes compares the errors of the server's streams with the codes that
// the page sent. Chromium makes 255 of those above (148 and 156).
func checkCodes(t *testing.T, sent []uint32, errs <-chan error) {
	t.Helper()
	for i, code := range resetCodes {
		if code <= 255 && sent[i] != code {
			t.Errorf("the page made %d of code %d", sent[i], code)
		}
		err, ok := receive(t, errs).(*wt.StreamError)
		if !ok || err.Code != sent[i] || !err.HasCode || !err.Remote {
			t.Errorf("the page sent code %d, the server's stream failed with %+v", sent[i], err)
		}
	}
}

func TestServerResetsStreams(t *testing.T) {
	p := sharedPage(t)
	srv, results := eachStream(t, func(i int, str *wt.Stream) string {
		str.Write([]byte("x"))
		rest := readString(str) // the page ends the stream when it has read the byte
		str.CancelWrite(resetCodes[i])
		return rest
	})
	got := run[[]outcome[string]](t, p, srv, `
		const session = await connect("/");
		const seen = [];
		for (const _ of args) {
			const str = await session.createBidirectionalStream();
			const reader = str.readable.getReader();
			const writer = str.writable.getWriter();
			await writer.write(encoder.encode("read "));
			await reader.read();
			await writer.write(encoder.encode("on"));
			await writer.close();
			seen.push(outcome(reader.closed));
		}
		return Promise.all(seen);
	`, resetCodes)
	if diff := cmp.Diff(streamFailures(), got); diff != "" {
		t.Error("the page's streams failed so (-want +got):\n", diff)
	}
	for range resetCodes {
		if got := receive(t, results); got != "read on" {
			t.Errorf("the server read %q", got)
		}
	}
}

func TestServerStopsStreams(t *testing.T) {
	p := sharedPage(t)
	srv, results := eachStream(t, func(i int, str *wt.Stream) error {
		_, err := str.Read(make([]byte, 1))
		str.CancelRead(resetCodes[i])
		str.Write([]byte("still open"))
		str.Close()
		return err
	})
	type seen struct {
		Written []outcome[string]
		Read    []string
	}
	got := run[seen](t, p, srv, `
		const session = await connect("/");
		const seen = { written: [], read: [] };
		for (const _ of args) {
			const str = await session.createBidirectionalStream();
			const writer = str.writable.getWriter();
			await writer.write(encoder.encode("x"));
			seen.written.push(await outcome(writer.closed));
			seen.read.push(await readText(str.readable));
		}
		return seen;
	`, resetCodes)
	want := seen{Written: streamFailures()}
	for range resetCodes {
		want.Read = append(want.Read, "still open")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
	for range resetCodes {
		if err := receive(t, results); err != nil {
			t.Errorf("the server's read failed: %v", err)
		}
	}
}

func TestPageResetsStreams(t *testing.T) {
	p := sharedPage(t)
	srv, errs := eachStream(t, func(_ int, str *wt.Stream) error {
		str.Write([]byte("x"))
		str.Close()
		_, err := io.ReadAll(str)
		return err
	})
	sent := run[[]uint32](t, p, srv, `
		const session = await connect("/");
		const sent = [];
		for (const code of args) {
			const str = await session.createBidirectionalStream();
			const writer = str.writable.getWriter();
			await writer.write(encoder.encode("x"));
			await readText(str.readable);
			const error = streamError(code);
			sent.push(error.streamErrorCode);
			await writer.abort(error);
		}
		return sent;
	`, resetCodes)
	checkCodes(t, sent, errs)
}

func TestPageStopsStreams(t *testing.T) {
	p := sharedPage(t)
	srv, errs := eachStream(t, func(_ int, str *wt.Stream) error {
		for {
			if _, err := str.Write(make([]byte, 1000)); err != nil {
				return err
			}
		}
	})
	sent := run[[]uint32](t, p, srv, `
		const session = await connect("/");
		const sent = [];
		for (const code of args) {
			const str = await session.createBidirectionalStream();
			await str.writable.getWriter().write(encoder.encode("x"));
			const reader = str.readable.getReader();
			await reader.read();
			const error = streamError(code);
			sent.push(error.streamErrorCode);
			await reader.cancel(error);
		}
		return sent;
	`, resetCodes)
	checkCodes(t, sent, errs)
}
