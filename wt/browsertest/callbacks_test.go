package browsertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/wt"
)

// callbackEcho echoes as echo does, by callbacks, and tells how streams and the session ended.
type callbackEcho struct {
	wt.NoCallbacks
	ends chan<- string
}

// echoing is what is to be sent back of a stream.
type echoing struct {
	to       *wt.EventStream
	bytes    []byte
	finished bool
}

func (c *callbackEcho) StreamOpened(st *wt.EventStream) {
	e := &echoing{to: st}
	if !st.Bidirectional() {
		e.to, _ = st.Session().OpenEventStream(false, e)
	}
	st.SetValue(e)
}

func (c *callbackEcho) Data(st *wt.EventStream, b []byte) {
	e := st.Value().(*echoing)
	e.bytes = append(e.bytes, b...)
	e.to.WantWrite()
}

func (c *callbackEcho) StreamFinished(st *wt.EventStream) {
	e := st.Value().(*echoing)
	e.finished = true
	e.to.WantWrite()
}

func (c *callbackEcho) Writable(st *wt.EventStream, p []byte) (int, wt.Next) {
	e := st.Value().(*echoing)
	n := copy(p, e.bytes)
	e.bytes = e.bytes[n:]
	switch {
	case len(e.bytes) > 0:
		return n, wt.More
	case e.finished:
		return n, wt.End
	}
	return n, wt.Wait
}

func (c *callbackEcho) StreamReset(_ *wt.EventStream, err *wt.StreamError) {
	c.ends <- fmt.Sprint("reset ", err.Code)
}

func (c *callbackEcho) StopSending(_ *wt.EventStream, err *wt.StreamError) {
	c.ends <- fmt.Sprint("stop sending ", err.Code)
}

func (c *callbackEcho) Datagram(s *wt.Session, b []byte) { s.SendDatagram(b) }

func (c *callbackEcho) Closed(_ *wt.Session, err *wt.SessionError) {
	c.ends <- fmt.Sprintf("closed %d %q", err.Code, err.Reason)
}

func (c *callbackEcho) Freed(*wt.Session) { c.ends <- "freed" }

func TestApplicationOfCallbacks(t *testing.T) {
	p := sharedPage(t)
	ends := make(chan string, 10)
	srv := &wt.Server{}
	srv.Handle("/", wt.Application{
		CheckOrigin: fromPage,
		Callbacks:   func(*wt.Session) wt.Callbacks { return &callbackEcho{ends: ends} },
	})
	target := serve(t, srv, nil)
	type seen struct {
		Bidi, Uni bool
		Datagram  string
	}
	got := run[seen](t, p, target, `
		const session = await connect("/");
		globalThis.called = session;
		const bytes = pattern(args);
		const hash = await sha256(bytes);

		const bidi = await session.createBidirectionalStream();
		const [echo] = await Promise.all([readAll(bidi.readable), send(bidi.writable, bytes)]);
		const uni = session.incomingUnidirectionalStreams.getReader();
		await send(await session.createUnidirectionalStream(), bytes);
		const uniEcho = await readAll((await uni.read()).value);

		const received = session.datagrams.readable.getReader().read();
		const writer = session.datagrams.writable.getWriter();
		const timer = setInterval(() => writer.write(encoder.encode("datagram")), 50);
		const datagram = decoder.decode((await received).value);
		clearInterval(timer);

		const str = await session.createBidirectionalStream();
		const strWriter = str.writable.getWriter();
		const strReader = str.readable.getReader();
		await strWriter.write(bytes.subarray(0, 10));
		await strReader.read();
		await strWriter.abort(streamError(7));
		const stopped = await session.createBidirectionalStream();
		const stoppedReader = stopped.readable.getReader();
		await stopped.writable.getWriter().write(bytes.subarray(0, 10));
		await stoppedReader.read();
		await stoppedReader.cancel(streamError(8));
		return { bidi: await sha256(echo) === hash, uni: await sha256(uniEcho) === hash, datagram };
	`, share(1_000_000))
	if want := (seen{true, true, "datagram"}); got != want {
		t.Errorf("the page saw %+v, want %+v", got, want)
	}
	// Streams end in the order in which the packets arrive that say so.
	streams := []string{receive(t, ends), receive(t, ends)}
	slices.Sort(streams)
	if diff := cmp.Diff([]string{"reset 7", "stop sending 8"}, streams); diff != "" {
		t.Error("the server's streams ended so (-want +got):\n", diff)
	}
	run[any](t, p, target, `called.close({ closeCode: 42, reason: "bye" });`, nil)
	if diff := cmp.Diff([]string{`closed 42 "bye"`, "freed"}, []string{receive(t, ends), receive(t, ends)}); diff != "" {
		t.Error("the server's session ended so (-want +got):\n", diff)
	}
}
