package wt_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// echo returns what it receives on bidirectional streams and in datagrams.
type echo struct{ wt.NoCallbacks }

// echoed is what is still to be returned on a stream.
type echoed struct {
	pending  []byte
	finished bool
}

const maxPending = 64 << 10

func (echo) StreamOpened(st *wt.EventStream) {
	st.SetValue(&echoed{})
	if !st.Bidirectional() {
		st.StopSending(1)
	}
}

func (echo) Data(st *wt.EventStream, p []byte) {
	e := st.Value().(*echoed)
	if e.pending = append(e.pending, p...); len(e.pending) > maxPending {
		st.Pause() // until the peer has taken some
	}
	st.WantWrite()
}

func (echo) StreamFinished(st *wt.EventStream) {
	st.Value().(*echoed).finished = true
	st.WantWrite()
}

func (echo) StreamReset(st *wt.EventStream, e *wt.StreamError) { st.Reset(e.Code) }

func (echo) Writable(st *wt.EventStream, p []byte) (int, wt.Next) {
	e := st.Value().(*echoed)
	n := copy(p, e.pending)
	e.pending = e.pending[n:]
	st.Resume()
	switch {
	case len(e.pending) > 0:
		return n, wt.More
	case e.finished:
		return n, wt.End
	}
	return n, wt.Wait
}

func (echo) Datagram(s *wt.Session, b []byte) { s.SendDatagram(b) }

// An echo server in callbacks.
func ExampleCallbacks() {
	ln, clientTLS, err := listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	server := &wt.Server{}
	server.Handle("/echo", wt.Application{Callbacks: func(*wt.Session) wt.Callbacks { return echo{} }})
	go server.Serve(ln)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &wt.Dialer{TLSConfig: clientTLS}
	session, _, err := dialer.Dial(ctx, fmt.Sprintf("https://%s/echo", ln.Addr()), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	str, err := session.OpenStream(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(str, "hello, echo")
	str.Close()
	answer, err := io.ReadAll(str)
	fmt.Println(string(answer), err)
	session.Close(0, "")
	<-session.Done()
	// Output: hello, echo <nil>
}
