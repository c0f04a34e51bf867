package wt

import (
	"io"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestStatsCountStreamsAndTheirData(t *testing.T) {
	var sessions chan *Session
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		echo(s)
	}})
	inWorld(t, server, nil, func(w *world) {
		sessions = make(chan *Session, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		peer := <-sessions
		for _, size := range []int{100, 5000} { // in one write with the header, and in two
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			str.Write(make([]byte, size))
			str.Close()
			io.Copy(io.Discard, str)
		}
		if _, err := s.OpenStream(w.ctx); err != nil { // stays open, and unknown to the server
			t.Fatal(err)
		}
		uni, err := s.OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		uni.Write(make([]byte, 10))
		back, err := s.AcceptUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		back.Read(make([]byte, 4))
		w.settle()
		stats := s.Stats()
		if stats.Connection != c.Conn().ConnectionStats() || stats.Connection.SmoothedRTT == 0 {
			t.Errorf("the connection's statistics are %+v", stats.Connection)
		}
		if rate := stats.Connection.CongestionWindow * 8 * 1e6 / uint64(stats.Connection.SmoothedRTT.Microseconds()); stats.EstimatedSendRate != rate {
			t.Errorf("rate %d, want %d", stats.EstimatedSendRate, rate)
		}
		stats.Connection, stats.EstimatedSendRate = quic.ConnectionStats{}, 0
		if want := (Stats{BytesSent: 5110, BytesReceived: 5104, StreamsOpened: 4, StreamsReceived: 1, StreamsOpen: 3}); stats != want {
			t.Errorf("client counted %+v, want %+v", stats, want)
		}
		stats = peer.Stats()
		stats.Connection, stats.EstimatedSendRate = quic.ConnectionStats{}, 0
		if want := (Stats{BytesSent: 5110, BytesReceived: 5110, StreamsOpened: 1, StreamsReceived: 3, StreamsOpen: 2}); stats != want {
			t.Errorf("server counted %+v, want %+v", stats, want)
		}
		s.Close(0, "")
		<-s.Done()
		if stats := s.Stats(); stats.StreamsOpen != 0 || stats.StreamsOpened != 4 {
			t.Errorf("after the end %d of %d streams are open", stats.StreamsOpen, stats.StreamsOpened)
		}
		c.Close()
	})
}

func TestEstimatedSendRateIsAWindowEveryRoundTrip(t *testing.T) {
	for _, test := range []struct {
		window uint64
		rtt    time.Duration
		want   uint64
	}{
		{14720, 0, 0},
		{12500, 100 * time.Millisecond, 1_000_000},
		{1 << 30, time.Nanosecond, 8 << 30 * 1_000_000},
	} {
		if got := estimatedSendRate(quic.ConnectionStats{CongestionWindow: test.window, SmoothedRTT: test.rtt}); got != test.want {
			t.Errorf("a window of %d bytes every %v is %d bit/s, want %d", test.window, test.rtt, got, test.want)
		}
	}
}
