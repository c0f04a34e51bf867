//go:build !portable

package realtime

import (
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wtsim/wtsim/internal/lawtest"
	"github.com/wtsim/wtsim/netem"
)

// departed is a datagram as a real server received it.
type departed struct {
	number uint32 // in the order of sending
	size   netem.Bytes
	at     time.Time // as the system tells
}

// sinkhole receives datagrams, and tells them.
func sinkhole(t *testing.T) (netip.AddrPort, <-chan departed) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadBuffer(8 << 20)
	option(t, conn, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	data, oob := make([]byte, 1<<16), make([]byte, 256)
	next := func() (d departed, err error) {
		n, oobn, _, _, err := conn.ReadMsgUDPAddrPort(data, oob)
		d = departed{number: binary.BigEndian.Uint32(data), size: netem.Bytes(n), at: time.Now()}
		for rest := oob[:oobn]; len(rest) > 0; {
			header, body, remainder, err := unix.ParseOneSocketControlMessage(rest)
			if err != nil {
				break
			}
			if header.Level == unix.SOL_SOCKET && header.Type == unix.SO_TIMESTAMPNS {
				d.at, _ = timestamp(body)
			}
			rest = remainder
		}
		return d, err
	}
	// A while after it was asked to, the system begins to note when datagrams arrive.
	// Until then it tells when they are read.
	for ready := false; !ready; {
		conn.WriteToUDPAddrPort(data[:4], conn.LocalAddr().(*net.UDPAddr).AddrPort())
		written := time.Now()
		time.Sleep(time.Millisecond)
		d, err := next()
		if err != nil {
			t.Fatal(err)
		}
		ready = d.at.Before(written)
	}
	all, ended := make(chan departed, 100_000), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			d, err := next()
			if err != nil {
				return
			}
			all <- d
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), all
}

// flood sends datagrams of one size, from number 0 on, no faster than the relay
// reads them.
func (b *testbed) flood(conn *net.UDPConn, size, count int) {
	b.Helper()
	const atOnce = 1024
	data := make([]byte, size)
	for i := range count {
		binary.BigEndian.PutUint32(data, uint32(i))
		if _, err := conn.Write(data); err != nil {
			b.Fatal(err)
		}
		if (i+1)%atOnce == 0 || i == count-1 {
			b.await("the datagrams at the relay", func() bool {
				all, _ := b.clients()
				return len(all) > 0 && all[0].Sent.Packets == int64(i+1)
			})
		}
	}
}

// receive returns so many datagrams.
func (b *testbed) receive(from <-chan departed, count int) []departed {
	b.Helper()
	var all []departed
	for len(all) < count {
		select {
		case d := <-from:
			all = append(all, d)
		case <-time.After(patient):
			b.Fatalf("%d of %d datagrams came", len(all), count)
		}
	}
	return all
}

// slack is by how much departures may differ from the model: the lateness of
// the latest, and what a change of the system's clock of real time makes of its
// times.
func (b *testbed) slack() (most time.Duration) {
	b.Helper()
	if err := b.loop.Do(func() { most = b.loop.lateness.max }); err != nil {
		b.Fatal(err)
	}
	return most + 100*time.Microsecond
}

func TestRealDeparturesKeepToATokenBucket(t *testing.T) {
	const (
		rate  = 16 * netem.MbitPerSecond
		burst = 20 * netem.KB
		size  = 1000
		count = 600
	)
	upstream, arrived := sinkhole(t)
	entered := make(chan time.Duration, count)
	b := begin(t, world{
		forward: []netem.Element{netem.Rate{Rate: rate, Burst: burst}},
		observe: func(o netem.Outcome) { entered <- o.Packet.Sent },
	}, upstream)
	b.flood(b.dial(), size, count)
	all := b.receive(arrived, count)
	slack := b.slack()
	for i := range all {
		sum := netem.Bytes(0)
		for j := i + 1; j < len(all); j++ {
			sum += all[j].size
			within := all[j].at.Sub(all[i].at)
			if most := burst + netem.Bytes(float64(rate)/8*(within+slack).Seconds()); sum > most {
				t.Fatalf("%s left within %s, from datagram %d to %d; want at most %s (slack %s)", sum, within, i, j, most, slack)
			}
		}
	}
	// What leaves from when datagram j entered until datagram i has left takes as long as it
	// is more than a full bucket, for every j.
	var sent []time.Duration
	for i, d := range all {
		sent = append(sent, <-entered)
		var want time.Duration
		for j, at := range sent {
			want = max(want, at+rate.TransmissionTime(max(0, netem.Bytes(i-j+1)*size-burst)))
		}
		if left := d.at.Sub(b.loop.Started()); left < want-slack || left > want+slack {
			t.Fatalf("datagram %d left after %s, want %s ± %s", i, left, want, slack)
		}
	}
}

func TestRealDeparturesTakeTheOpportunitiesOfATrace(t *testing.T) {
	// Full packets take one opportunity each: two at 3 ms, none in a gap of 20 ms.
	ms := time.Millisecond
	trace := netem.Trace{Opportunities: []time.Duration{1 * ms, 2 * ms, 3 * ms, 3 * ms, 23 * ms, 24 * ms}, Period: 24 * ms}
	const rounds = 10
	count := rounds * len(trace.Opportunities)
	upstream, arrived := sinkhole(t)
	entered := make(chan time.Duration, count)
	b := begin(t, world{
		forward: []netem.Element{trace},
		observe: func(o netem.Outcome) { entered <- o.Packet.Sent },
	}, upstream)
	b.flood(b.dial(), int(netem.MahimahiBytes), count)
	all := b.receive(arrived, count)
	slack := b.slack()
	at := func(opportunity int) time.Duration {
		k := len(trace.Opportunities)
		return time.Duration(opportunity/k)*trace.Period + trace.Opportunities[opportunity%k]
	}
	n := 0 // the next opportunity
	for i, d := range all {
		if d.number != uint32(i) {
			t.Fatalf("datagram %d came in place %d", d.number, i)
		}
		// Opportunities that nothing waited for are lost.
		for sent := <-entered; at(n) < sent; n++ {
		}
		if left := d.at.Sub(b.loop.Started()); left < at(n)-slack || left > at(n)+slack {
			t.Fatalf("datagram %d left after %s, want %s ± %s", i, left, at(n), slack)
		}
		n++
	}
}

func TestRealLossesFollowTheModel(t *testing.T) {
	const (
		p, r  = 0.02, 0.25
		count = 20_000
	)
	upstream, arrived := sinkhole(t)
	b := begin(t, world{forward: []netem.Element{netem.GilbertElliott{P: p, R: r, Bad: 1}}}, upstream)
	b.flood(b.dial(), 100, count)
	var out netem.Count
	b.loop.Do(func() { out = b.relay.network.Held() })
	if out.Packets != 0 {
		t.Fatalf("the network holds %d datagrams without a delay", out.Packets)
	}
	var delivered uint64
	b.await("the departures", func() bool {
		b.loop.Do(func() { delivered = b.loop.lateness.total })
		return delivered == uint64(len(arrived))
	})
	lost, bursts := make([]float64, count), []float64(nil)
	for i := range lost {
		lost[i] = 1
	}
	for _, d := range b.receive(arrived, int(delivered)) {
		lost[d.number] = 0
	}
	run := 0.0
	for _, l := range lost {
		if l == 1 {
			run++
		} else if run > 0 {
			bursts, run = append(bursts, run), 0
		}
	}
	mean, half := lawtest.BatchMeans(lost)
	if want := p / (p + r); mean < want-half || mean > want+half {
		t.Errorf("seed 1: %g of the datagrams were lost, ± %g; want %g", mean, half, want)
	}
	// The lengths of bursts are geometric with the mean 1/r.
	lawtest.Mean(t, 1, "length of bursts", bursts, 1/r, math.Sqrt(1-r)/r)
}
