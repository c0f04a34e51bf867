package wt

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleConnectionsAreClosed(t *testing.T) {
	const timeout = 4 * time.Second
	for name, test := range map[string]struct {
		do   func(*world, *ClientConn) // before the connection is idle
		last time.Duration             // how long before the end of do the server became idle
	}{
		"unused":       {func(*world, *ClientConn) {}, 0},
		"a request":    {func(w *world, c *ClientConn) { get(w, c) }, oneWay},
		"two requests": {func(w *world, c *ClientConn) { get(w, c); time.Sleep(timeout / 2); get(w, c) }, oneWay},
		"a long session": {func(w *world, c *ClientConn) {
			s := w.open(c, "/echo")
			time.Sleep(10 * timeout)
			s.Close(0, "")
			<-s.Done()
		}, oneWay},
		"a session of a client that falls silent": {func(w *world, c *ClientConn) {
			s := w.open(c, "/echo")
			s.Close(0, "")
			time.Sleep(oneWay)
			w.clientNet.setDrop(func() bool { return true })
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := echoServer()
			server.IdleTimeout = timeout
			inWorld(t, server, nil, func(w *world) {
				w.clientQUIC.KeepAlivePeriod = 10 * time.Second
				c := w.dial(nil)
				time.Sleep(oneWay) // the client is done with the handshake so much ahead of the server
				synctest.Wait()
				server.mu.Lock()
				qc := server.conns[0].quic
				server.mu.Unlock()
				test.do(w, c)
				start := time.Now().Add(-test.last)
				if code := connCode(t, qc); code != h3NoError {
					t.Errorf("connection closed with %#x", code)
				}
				if d := time.Since(start); d != timeout {
					t.Errorf("connection closed after %v, want %v", d, timeout)
				}
				w.clientNet.setDrop(nil)
				c.Conn().CloseWithError(h3NoError, "")
				c.Close()
			})
		})
	}
}

func get(w *world, c *ClientConn) {
	w.t.Helper()
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://server/", nil)
	response, err := c.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
}
