package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
)

// stepMarking marks packets that waited longer than Threshold in the queue in
// front of it, as far as they are ECN-capable. It shows that elements can be
// made outside netem.
type stepMarking struct{ Threshold time.Duration }

func (stepMarking) Kind() string { return "step" }

func (s stepMarking) Start(env *netem.Env) (netem.Runner, error) {
	return &stepMarker{env: env, threshold: s.Threshold}, nil
}

type stepMarker struct {
	env       *netem.Env
	threshold time.Duration
}

func (s *stepMarker) Configure(e netem.Element) error {
	s.threshold = e.(stepMarking).Threshold
	return nil
}

func (s *stepMarker) Receive(p *netem.Packet) {
	if p.ECN != netem.NotECT && p.QueueDelay > s.threshold {
		s.env.Mark(p)
	}
	s.env.Forward(p)
}

func (s *stepMarker) Held(func(*netem.Packet)) {}

// ackCounts keeps the ECN counts of the last ACK frame that a connection
// received.
type ackCounts struct{ ect0, ect1, ce uint64 }

func (a *ackCounts) AddProducer() qlogwriter.Recorder { return a }
func (a *ackCounts) Close() error                     { return nil }
func (a *ackCounts) RecordEvent(e qlogwriter.Event) {
	received, ok := e.(qlog.PacketReceived)
	if !ok || received.Header.PacketType != qlog.PacketType1RTT {
		return
	}
	for _, f := range received.Frames {
		if ack, ok := f.Frame.(*qlog.AckFrame); ok {
			a.ect0, a.ect1, a.ce = ack.ECT0, ack.ECT1, ack.ECNCE
		}
	}
}

func TestECNMarksReachTheSendersCountersAndReplaceLosses(t *testing.T) {
	const rate = 20 * netem.MbitPerSecond
	forward := path(rate, 25*time.Millisecond, netem.Limit{})
	reverse := path(rate, 25*time.Millisecond, netem.Limit{Bytes: 500_000})
	reverse = []netem.Element{reverse[0], stepMarking{Threshold: 12 * time.Millisecond}, reverse[1]}
	var counts ackCounts
	marked, dropped, sent := uint64(0), 0, 0
	client, server := download(5_000_000)
	_, err := connection{
		seed: 1, forward: forward, reverse: reverse, client: client, server: server,
		config: quic.Config{
			Tracer: func(_ context.Context, isClient bool, _ quic.ConnectionID) qlogwriter.Trace {
				if isClient {
					return nil
				}
				return &counts
			},
		},
		observe: func(o netem.Outcome) {
			if o.Path.Name() != "access.reverse" {
				return
			}
			sent++
			if o.Fate == netem.Dropped {
				dropped++
			}
			if o.Packet.ECN == netem.CE {
				marked++
			}
		},
	}.run()
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	if marked == 0 || dropped != 0 {
		t.Errorf("seed 1: %d of %d packets marked and %d dropped, want marks and no drops", marked, sent, dropped)
	}
	// The marks after the last acknowledged packet are not in the counters.
	if counts.ce == 0 || counts.ce > marked || counts.ect0 == 0 || counts.ect1 != 0 {
		t.Errorf("seed 1: the sender's counters are %+v after %d marks", counts, marked)
	}
}

func TestWithAndWithoutGSOTheSameBytesArrive(t *testing.T) {
	var datagrams [2]uint64
	for i, noGSO := range []bool{false, true} {
		const size = 3_000_000
		p := path(50*netem.MbitPerSecond, 10*time.Millisecond, netem.Limit{Bytes: 125_000})
		client, server := download(size) // checks the bytes
		gso := false
		result, err := connection{
			seed: 1, forward: p, reverse: p,
			options: netem.SocketOptions{NoGSO: noGSO},
			server: func(w *sim.World, conn *quic.Conn) error {
				gso = conn.ConnectionState().GSO
				return server(w, conn)
			},
			client: client,
		}.run()
		if err != nil {
			t.Fatalf("seed 1, no GSO %t: %v", noGSO, err)
		}
		if gso == noGSO {
			t.Errorf("quic-go uses GSO: %t, although the socket has none: %t", gso, noGSO)
		}
		datagrams[i] = result.Datagrams
	}
	if datagrams[0] == 0 || datagrams[1] == 0 {
		t.Errorf("datagrams with and without GSO: %v", datagrams)
	}
}
