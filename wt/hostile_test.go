package wt

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// underAttack runs a test with a raw client against a server that serves another
// connection, of a well-behaved client, too. That one must not notice, and
// the server must have forgotten the attacker afterwards. configure may be nil.
// Sessions at /end report how they end, those at /ignore are not looked at by their application.
func underAttack(t *testing.T, limits Limits, configure func(*world), attack func(*world, *rawClient, ends)) {
	t.Helper()
	var end ends
	server := echoServer()
	server.Limits = limits
	server.Handle("/end", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	server.Handle("/ignore", Application{Serve: func(s *Session) { <-s.Context().Done() }})
	prepare := func(w *world) {
		end = make(ends, 16)
		w.clientQUIC.KeepAlivePeriod = 10 * time.Second
		if configure != nil {
			configure(w)
		}
	}
	inWorld(t, server, prepare, func(w *world) {
		good := w.dial(nil)
		session := w.open(good, "/echo")
		checkEcho(w, session)
		c := w.dialRaw()
		time.Sleep(rtt)
		synctest.Wait()
		attacked := w.server.conns[1]
		attack(w, c, end)
		checkEcho(w, session)
		w.settle()
		c.close()
		time.Sleep(rtt)
		synctest.Wait()
		checkForgotten(t, attacked)
		good.Close()
	})
}

func checkEcho(w *world, s *Session) {
	w.t.Helper()
	str, err := s.OpenStream(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	message := bytes.Repeat([]byte("wt"), 10_000)
	go func() {
		str.Write(message)
		str.Close()
	}()
	if got, err := io.ReadAll(str); err != nil || !bytes.Equal(got, message) {
		w.t.Errorf("a session of another client echoed %d bytes, %v", len(got), err)
	}
}

// checkForgotten checks that nothing is left in the tables of a connection.
func checkForgotten(t *testing.T, c *conn) {
	t.Helper()
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	for what, n := range map[string]int{
		"sessions": len(c.table.sessions), "requests": len(c.table.requests), "early items": len(c.table.early),
		"early streams": c.table.earlyStreams, "early datagrams": c.table.earlyDatagrams,
	} {
		if n != 0 {
			t.Errorf("%d %s are left", n, what)
		}
	}
}
