package baton

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// want compares a result without its End, whose code is given.
func want(t *testing.T, who string, got, want Result, code uint32) {
	t.Helper()
	end := got.End
	got.End = nil
	if got != want {
		t.Errorf("%s: %+v, want %+v", who, got, want)
	}
	if end == nil || end.Code != code || !end.Clean {
		t.Errorf("%s: session ended with %v, want code %d", who, end, code)
	}
}

// The baton 250 makes seven passes: U250 B251 b252 U253 B254 b255 U0.
func TestABatonIsPassedUntilItIsZero(t *testing.T) {
	server, client := play(t, Config{}, Config{Baton: 250}, world{})
	// 250, 252 and 254 are not 1 modulo 7, nor are 251, 253 and 255 0: there are no datagrams.
	want(t, "server", server, Result{Batons: 1, Arrived: 1, Sent: 4, Received: 3}, 0)
	want(t, "client", client, Result{Batons: 1, Arrived: 1, Sent: 3, Received: 4}, 0)
	if !server.End.Remote || client.End.Remote {
		t.Errorf("the session was closed by %v and %v, want by the client, who received 0", server.End, client.End)
	}
}

// The client receives 246, which is 1 modulo 7, and 252, which is not. Of a
// baton that begins with 251 the server receives 252, which is 0 modulo 7, and the client 253, which is 1.
func TestDatagramsTellOfSomeBatons(t *testing.T) {
	server, client := play(t, Config{}, Config{Baton: 246, Padding: 10}, world{})
	if client.DatagramsSent != 1 || server.DatagramsReceived != 1 || server.DatagramsSent != 0 {
		t.Errorf("client sent %d datagrams, server received %d and sent %d; want 1, 1, 0", client.DatagramsSent, server.DatagramsReceived, server.DatagramsSent)
	}
	server, client = play(t, Config{}, Config{Baton: 251}, world{})
	if server.DatagramsSent != 1 || client.DatagramsReceived != 1 || client.DatagramsSent != 1 || server.DatagramsReceived != 1 {
		t.Errorf("server %+v, client %+v; want one datagram each way", server, client)
	}
}

func TestManyBatonsAtOnceAndWithLoss(t *testing.T) {
	for _, test := range []struct {
		batons, first, padding int
		loss                   float64
	}{{255, 1, 0, 0}, {255, 200, 100, 0.05}, {7, 128, 100_000, 0.01}, {1, 255, 3_000_000, 0}} {
		t.Run(fmt.Sprintf("%d of %d", test.batons, test.first), func(t *testing.T) {
			config := Config{Baton: test.first, Count: test.batons, Padding: test.padding}
			w := world{streams: 600, loss: test.loss, limit: 10 * time.Minute}
			server, client := play(t, Config{Padding: test.padding}, config, w)
			messages := (256 - test.first + 1) * test.batons
			for who, r := range map[string]Result{"server": server, "client": client} {
				if r.Arrived != test.batons || r.Sent+r.Received != messages || r.Err() != nil {
					t.Errorf("%s: %+v, want %d batons in %d messages", who, r, test.batons, messages)
				}
			}
		})
	}
}

func TestARandomBatonComesFromTheSource(t *testing.T) {
	messages := func(seed uint64) int {
		server, _ := play(t, Config{Rand: rand.NewPCG(seed, 0)}, Config{}, world{})
		return server.Sent + server.Received
	}
	first := messages(1)
	if again := messages(1); again != first {
		t.Errorf("%d messages, and %d with the same seed", first, again)
	}
	if other := messages(2); other == first {
		t.Errorf("%d messages with another seed too", first)
	}
}

func TestQueriesThatAreWrongAreRefused(t *testing.T) {
	queries := []string{"version=1", "version=x", "baton=0", "baton=256", "baton=-1", "baton=", "count=0", "count=9", "count=1&count=2", "baton=1e1", "%zz"}
	world{app: Application(Config{MaxCount: 8}, nil), visit: func(v *visitor) {
		for _, query := range queries {
			_, response, err := v.conn.OpenSession(v.ctx, v.url+Path+"?"+query, nil)
			if !errors.Is(err, wt.ErrRefused) || response == nil || response.StatusCode != http.StatusBadRequest {
				v.Errorf("%s: response %v, error %v, want status 400", query, response, err)
			}
		}
		s, _, err := v.conn.OpenSession(v.ctx, v.url+Path+"?version=0&baton=255&count=8&other=1", nil)
		if err != nil {
			v.Error(err)
			return
		}
		s.Close(0, "")
		<-s.Done()
	}}.run(t)
	_, client := play(t, Config{MaxCount: 8}, Config{Count: 9}, world{})
	if !errors.Is(client.Err(), wt.ErrRefused) {
		t.Errorf("the result of a client that is refused is %+v", client)
	}
}

func TestConfigurationsThatAreWrongAreRejected(t *testing.T) {
	for _, c := range []Config{{Baton: 256}, {Baton: -1}, {Count: -1}, {Padding: -1}, {Padding: MaxPadding + 1}, {Patience: -1}, {LieOneIn: -1}, {StopOneIn: -1}} {
		if _, err := Run(t.Context(), nil, "https://server", c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// errorCase is what a peer does wrong, and the code that the session is closed with.
type errorCase struct {
	name string
	do   func(*wt.Session)
	code uint32
}

// uni sends bytes on a new unidirectional stream.
func uni(b ...byte) func(*wt.Session) {
	return func(s *wt.Session) {
		str, err := s.OpenUniStream(s.Context())
		if err != nil {
			return
		}
		str.Write(b)
		str.Close()
	}
}

func datagram(b ...byte) func(*wt.Session) {
	return func(s *wt.Session) { s.SendDatagram(b) }
}

// bidi answers the baton that arrives on a bidirectional stream.
func bidi(first byte, answer ...byte) func(*wt.Session) {
	return func(s *wt.Session) {
		uni(0, first)(s)
		str, err := s.AcceptStream(s.Context())
		if err != nil {
			return
		}
		io.ReadAll(str)
		str.Write(answer)
		str.Close()
	}
}

func TestTheClientClosesForEachError(t *testing.T) {
	for _, test := range []errorCase{
		{"nothing before FIN", uni(), Bruh},
		{"FIN in the length", uni(0x40), Bruh},
		{"FIN in the padding", uni(4, 0, 0), Bruh},
		{"FIN before the baton", uni(2, 0, 0), Bruh},
		{"more than the message", uni(0, 20, 20), Bruh},
		{"an incomplete datagram", datagram(3, 0, 0), Bruh},
		{"an empty datagram", datagram(), Bruh},
		{"a datagram with more", datagram(0, 1, 2), Bruh},
		{"a baton that was not asked for", uni(0, 21), Sus},
		{"more batons than were asked for", func(s *wt.Session) { uni(0, 20)(s); uni(0, 20)(s) }, Sus},
		{"a wrong answer", bidi(20, 0, 23), Sus},
		{"no answer at all", func(s *wt.Session) { uni(0, 20)(s) }, Bored},
		{"nothing at all", func(*wt.Session) {}, Bored},
		{"padding without end", func(s *wt.Session) {
			str, err := s.OpenUniStream(s.Context())
			if err != nil {
				return
			}
			str.Write([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
			for err == nil {
				_, err = str.Write(make([]byte, 100))
				time.Sleep(100 * time.Millisecond)
			}
		}, Bored},
		{"its only baton reset", func(s *wt.Session) {
			if str, err := s.OpenUniStream(s.Context()); err == nil {
				str.Write([]byte{1})
				str.CancelWrite(ILied)
			}
		}, Sus},
		{"its only baton stopped", func(s *wt.Session) {
			uni(0, 20)(s)
			if str, err := s.AcceptStream(s.Context()); err == nil {
				str.CancelRead(IDC)
				str.CancelWrite(IDC)
			}
		}, Sus},
	} {
		t.Run(test.name, func(t *testing.T) {
			world{app: serving(test.do), visit: func(v *visitor) {
				r, err := Run(v.ctx, v.conn.OpenSession, v.url, Config{Baton: 20, Patience: 10 * time.Second})
				if r.End == nil || r.End.Code != test.code || r.End.Remote || err == nil {
					v.Errorf("result %+v, error %v, want code %d", r, err, test.code)
				}
			}}.run(t)
		})
	}
}

func TestTheServerClosesForEachError(t *testing.T) {
	for _, test := range []errorCase{
		{"a baton that was not expected", uni(0, 7), Sus},
		{"a bidirectional stream with a wrong baton", func(s *wt.Session) {
			if str, err := s.OpenStream(s.Context()); err == nil {
				str.Write([]byte{0, 99})
				str.Close()
			}
		}, Sus},
		{"an incomplete message", uni(9, 0), Bruh},
		{"a malformed datagram", datagram(1), Bruh},
		{"no answer", func(*wt.Session) {}, Bored},
	} {
		t.Run(test.name, func(t *testing.T) {
			var server Result
			app := Application(Config{Patience: 10 * time.Second}, func(_ *wt.Session, r Result) { server = r })
			world{app: app, visit: func(v *visitor) {
				s, _, err := v.conn.OpenSession(v.ctx, v.url+Path+"?baton=20", nil)
				if err != nil {
					v.Error(err)
					return
				}
				test.do(s)
				<-s.Done()
			}}.run(t)
			if server.End == nil || server.End.Code != test.code || server.End.Remote {
				t.Errorf("result %+v, want code %d", server, test.code)
			}
		})
	}
}

func TestWithoutStreamCreditTheSessionEndsWithDaYamn(t *testing.T) {
	server, client := play(t, Config{}, Config{Count: 20}, world{streams: 10})
	for who, r := range map[string]Result{"server": server, "client": client} {
		if r.End == nil || r.End.Code != DaYamn || !r.End.Clean {
			t.Errorf("%s: session ended with %v, want DA_YAMN", who, r.End)
		}
	}
	if server.End.Remote {
		t.Error("the client closed the session, want the server")
	}
}

// Some peers close with code 0 and a reason when all is done.
func TestAReasonWithoutACodeIsNoError(t *testing.T) {
	app := serving(func(s *wt.Session) {
		bidi(255)(s)
		s.Close(0, "Have a nice day")
	})
	world{app: app, visit: func(v *visitor) {
		r, err := Run(v.ctx, v.conn.OpenSession, v.url, Config{Baton: 255})
		if err != nil || r.Arrived != 1 {
			v.Errorf("result %+v, error %v", r, err)
		}
	}}.run(t)
}

// Lies and lost interest end batons, not sessions, as long as one arrives.
func TestBatonsAreLostWithTheirStreams(t *testing.T) {
	devious := Config{LieOneIn: 30, StopOneIn: 40, Patience: 5 * time.Second, Rand: rand.NewPCG(7, 0)}
	client := devious
	client.Rand, client.Count, client.Baton = rand.NewPCG(8, 0), 50, 230
	atServer, atClient := play(t, devious, client, world{loss: 0.02})
	for who, r := range map[string]Result{"server": atServer, "client": atClient} {
		if r.Lost == 0 || r.Arrived == 0 || r.Arrived+r.Lost > r.Batons || r.Err() != nil && r.End.Code != Bored {
			t.Errorf("%s: %+v", who, r)
		}
	}
}

func TestTheContextEndsTheSession(t *testing.T) {
	world{app: serving(func(*wt.Session) {}), visit: func(v *visitor) {
		ctx, cancel := context.WithTimeout(v.ctx, 3*time.Second)
		defer cancel()
		start := time.Now()
		r, err := Run(ctx, v.conn.OpenSession, v.url, Config{})
		if r.End == nil || r.End.Code != Bored || err == nil || time.Since(start) > 4*time.Second {
			v.Errorf("result %+v, error %v after %v", r, err, time.Since(start))
		}
	}}.run(t)
}
