package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
)

func TestHandshakeTakesARoundTripAndTwoTransmissions(t *testing.T) {
	var took time.Duration
	p := path(10*netem.MbitPerSecond, 20*time.Millisecond, netem.Limit{})
	_, err := connection{
		seed: 1, forward: p, reverse: p,
		config: quic.Config{DisablePathMTUDiscovery: true},
		client: func(w *sim.World, conn *quic.Conn) error {
			took = w.Now()
			return conn.CloseWithError(0, "")
		},
	}.run()
	if err != nil {
		t.Fatal(err)
	}
	// A datagram of 1280 bytes and its headers each way.
	want := 40*time.Millisecond + 2*(10*netem.MbitPerSecond).TransmissionTime(1308)
	if diff := took - want; diff < -5*time.Microsecond || diff > 5*time.Microsecond {
		t.Errorf("seed 1: handshake took %s, want %s", took, want)
	}
}

func TestAQueueOfOneBDPKeepsTheLinkFull(t *testing.T) {
	const (
		rate      = 20 * netem.MbitPerSecond
		roundTrip = 100 * time.Millisecond
		from, to  = 5 * time.Second, 25 * time.Second
	)
	p := path(rate, roundTrip/2, netem.Limit{BDP: 1000}.Resolve(rate, roundTrip))
	var received, at5s, at25s int64
	_, err := connection{
		seed: 1, forward: p, reverse: p,
		config: quic.Config{DisablePathMTUDiscovery: true},
		server: func(_ *sim.World, conn *quic.Conn) error {
			stream, err := conn.OpenUniStream()
			buf := make([]byte, 32<<10)
			for err == nil {
				_, err = stream.Write(buf)
			}
			return nil // the client has what it wants
		},
		client: func(w *sim.World, conn *quic.Conn) error {
			stream, err := conn.AcceptUniStream(context.Background())
			buf := make([]byte, 32<<10)
			for err == nil && w.Now() < to {
				var n int
				n, err = stream.Read(buf)
				if w.Now() < from {
					at5s += int64(n)
				}
				received += int64(n)
			}
			at25s = received
			conn.CloseWithError(0, "")
			return err
		},
	}.run()
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	goodput := float64(at25s-at5s) * 8 / (to - from).Seconds()
	// 1252 bytes of stream data in 1308 bytes on the link.
	if share := goodput / (float64(rate) * 1252 / 1308); share < 0.995 || share > 1.001 {
		t.Errorf("seed 1: the download got %.4f of what the link can carry, want at least 0.995", share)
	}
}
