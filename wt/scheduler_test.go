package wt

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// counting is an application that counts what the streams of each session
// carry, by the path of the session, and reads nothing where the path ends in "unread".
type counting struct {
	mu    sync.Mutex
	bytes map[string]int
}

func (c *counting) serve(s *Session) {
	path := s.Request().URL.Path
	for {
		str, err := s.AcceptUniStream(s.Context())
		if err != nil {
			return
		}
		if strings.HasSuffix(path, "unread") {
			continue
		}
		go func() {
			b := make([]byte, 4096)
			for {
				n, err := str.Read(b)
				c.mu.Lock()
				c.bytes[path] += n
				c.mu.Unlock()
				if err != nil {
					return
				}
			}
		}()
	}
}

func (c *counting) count(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes[path]
}

// share runs sessions at the given paths, each of which writes without end on
// so many streams, over a connection that may have 256 KiB under way, and returns what came for each.
func share(t *testing.T, d time.Duration, streams map[string]int, change func(*world)) map[string]int {
	t.Helper()
	app := &counting{bytes: make(map[string]int)}
	server := &Server{FlowControl: FlowControl{InitialData: 4 << 20, MaxData: 64 << 20}}
	for path := range streams {
		server.Handle(path, Application{Serve: app.serve})
	}
	got := make(map[string]int)
	configure := func(w *world) {
		w.serveQUIC.InitialConnectionReceiveWindow, w.serveQUIC.MaxConnectionReceiveWindow = 256<<10, 256<<10
		w.serveQUIC.InitialStreamReceiveWindow, w.serveQUIC.MaxStreamReceiveWindow = 256<<10, 256<<10
		if change != nil {
			change(w)
		}
	}
	inWorld(t, server, configure, func(w *world) {
		c := w.dial(nil)
		var writers sync.WaitGroup
		for path, n := range streams { // the order decides only who is first
			s := w.open(c, path)
			for range n {
				str, err := s.OpenUniStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				writers.Go(func() { io.Copy(str, zeroes{}) })
			}
		}
		time.Sleep(d)
		for path := range streams {
			got[path] = app.count(path)
		}
		c.Conn().CloseWithError(quic.ApplicationErrorCode(h3NoError), "")
		writers.Wait()
		c.Close()
	})
	return got
}

// zeroes is a source of zeroes that never ends.
type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { return len(b), nil }

func TestSessionsShareAConnectionEquallyWhateverTheirStreams(t *testing.T) {
	got := share(t, 2*time.Second, map[string]int{"/one": 1, "/many": 30, "/some": 5}, nil)
	total := got["/one"] + got["/many"] + got["/some"]
	for path, n := range got {
		if n < total*30/100 || n > total*37/100 {
			t.Errorf("%s got %d of %d bytes, want a third", path, n, total)
		}
	}
	if least := 2 * int(2*time.Second/rtt) * (256 << 10) / 3; total < least {
		t.Errorf("%d bytes in all, the connection can carry more than %d", total, least)
	}
}

func TestASessionThatIsNotReadDoesNotHoldUpAnother(t *testing.T) {
	largeWindow := func(w *world) {
		w.serveQUIC.InitialConnectionReceiveWindow, w.serveQUIC.MaxConnectionReceiveWindow = 4<<20, 4<<20
	}
	alone := share(t, time.Second, map[string]int{"/read": 4}, largeWindow)
	both := share(t, time.Second, map[string]int{"/read": 4, "/unread": 2}, largeWindow)
	if both["/read"] < alone["/read"]*90/100 {
		t.Errorf("%d bytes beside a session that is not read, %d alone", both["/read"], alone["/read"])
	}
}

func TestASessionWithoutCreditDoesNotHoldUpAnother(t *testing.T) {
	server := &Server{}
	var unread *Session
	app := &counting{bytes: make(map[string]int)}
	server.Handle("/read", Application{Serve: app.serve})
	server.Handle("/unread", Application{Serve: func(s *Session) {
		unread = s
		<-s.Context().Done()
	}})
	server.FlowControl = FlowControl{InitialData: 10_000, MaxData: 8 << 20}
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		var writers sync.WaitGroup
		for _, path := range []string{"/unread", "/read"} {
			str, err := w.open(c, path).OpenUniStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			writers.Go(func() { io.Copy(str, zeroes{}) })
		}
		time.Sleep(2 * time.Second)
		if n := app.count("/read"); n < 8<<20 {
			t.Errorf("%d bytes in 2 s beside a session without credit", n)
		}
		if in := unread.in; in.limit != 10_000 {
			t.Errorf("the session that is not read has credit for %d bytes", in.limit)
		}
		c.Conn().CloseWithError(h3NoError, "")
		writers.Wait()
		c.Close()
	})
}

func TestASessionOfItsOwnPaysNothingForTurns(t *testing.T) {
	f := newOutgoingFlow(&scheduler{}, peerSettings{maxData: 1 << 40})
	f.sched.begin(&f.turn, defaultUrgency)
	for range 1000 {
		if n := f.take(1200); n != 1200 {
			t.Fatalf("took %d of 1200 bytes", n)
		}
	}
	if o := f.obstacle(); o.ready != nil {
		t.Error("it has to wait for a turn")
	}
	f.sched.end(&f.turn)
}
