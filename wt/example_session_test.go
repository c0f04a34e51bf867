package wt_test

import (
	"context"
	"fmt"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// A server that gives its sessions half a second to end by themselves. One does, the other is closed.
func ExampleServer_Shutdown() {
	ln, clientTLS, err := listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	server := &wt.Server{}
	server.Handle("/polite", wt.Application{Serve: func(s *wt.Session) {
		<-s.Draining()
		s.Close(0, "good bye")
	}})
	server.Handle("/stubborn", wt.Application{Serve: func(s *wt.Session) { <-s.Context().Done() }})
	go server.Serve(ln)

	ctx := context.Background()
	dialer := &wt.Dialer{TLSConfig: clientTLS}
	c, err := dialer.DialConn(ctx, fmt.Sprintf("https://%s/", ln.Addr()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	var sessions []*wt.Session
	for _, path := range []string{"polite", "stubborn"} {
		s, _, err := c.OpenSession(ctx, fmt.Sprintf("https://%s/%s", ln.Addr(), path), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		sessions = append(sessions, s)
	}

	grace, cancel := context.WithTimeoutCause(ctx, time.Second/2, &wt.SessionError{Code: 1, Reason: "restart"})
	defer cancel()
	fmt.Println(server.Shutdown(grace))
	for _, s := range sessions {
		fmt.Println(context.Cause(s.Context()))
	}
	// Output:
	// context deadline exceeded
	// wt: session closed by the peer with code 0 ("good bye")
	// wt: session closed by the peer with code 1 ("restart")
}

// Live media: datagrams that are late are worth nothing, and of several
// frames under way the newest is sent first.
func ExampleSendStream_SetSendOrder() {
	stream := func(s *wt.Session, frames <-chan []byte) {
		s.SetDatagramOptions(wt.DatagramOptions{
			WhenFull:       wt.DatagramDropOldest,
			OutgoingMaxAge: 100 * time.Millisecond,
		})
		for number := int64(0); ; number++ {
			frame, ok := <-frames
			if !ok {
				return
			}
			str, err := s.OpenUniStream(s.Context())
			if err != nil {
				return
			}
			str.SetSendOrder(number)
			go func() {
				str.Write(frame)
				str.Close()
			}()
		}
	}
	server := &wt.Server{}
	server.Handle("/live", wt.Application{Serve: func(s *wt.Session) { stream(s, make(chan []byte)) }})
}
