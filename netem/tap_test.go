package netem

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// tapped returns what the taps of all hosts see, in order, as the host, the
// direction, the packet's ID and size, its addresses and ECN field, and the time.
func (n *testNet) tapped() *[]string {
	var seen []string
	for i, h := range n.hosts {
		h.Tap(func(p *Packet, at time.Duration, sent bool) {
			seen = append(seen, fmt.Sprintf("%d %t %d %d %s>%s %d %s", i, sent, p.ID, p.Size(), p.Source, p.Dest, p.ECN, at))
		})
	}
	return &seen
}

func TestATapSeesWhatAHostSendsAndWhatArrivesThere(t *testing.T) {
	n := newTestNet(t, 1, nil)
	lost := ListedLoss{Packets: []uint64{2}}
	n.connect("path", []Element{lost, Delay{5 * time.Millisecond}}, nil)
	seen := n.tapped()
	a := n.listen(0, 7)
	n.listen(1, 9)
	n.write(a, addrOf(2, 9), 100)
	n.write(a, addrOf(2, 9), 200) // is lost
	n.write(a, addrOf(2, 8), 300) // nobody listens
	n.clock.At(20*time.Millisecond, func() {
		if err := n.hosts[1].Send(9, addrOf(1, 7), someBytes[:400], ECT1); err != nil {
			t.Error(err)
		}
	})
	n.clock.runUntil(time.Second)
	want := []string{
		"0 true 1 100 10.0.0.1:7>10.0.0.2:9 0 0s",
		"0 true 2 200 10.0.0.1:7>10.0.0.2:9 0 0s",
		"0 true 3 300 10.0.0.1:7>10.0.0.2:8 0 0s",
		"1 false 1 100 10.0.0.1:7>10.0.0.2:9 0 5ms",
		"1 false 3 300 10.0.0.1:7>10.0.0.2:8 0 5ms",
		"1 true 4 400 10.0.0.2:9>10.0.0.1:7 1 20ms",
		"0 false 4 400 10.0.0.2:9>10.0.0.1:7 1 20ms",
	}
	if !slices.Equal(*seen, want) {
		t.Errorf("seed 1: seen %q, want %q", *seen, want)
	}
}

func TestATapOfAHostBehindANATSeesItsOwnAddress(t *testing.T) {
	n := newTestNet(t, 1, nil)
	l := n.connect("path", nil, nil)
	if _, err := n.AddNAT(l, n.hosts[0], NATConfig{}); err != nil {
		t.Fatal(err)
	}
	seen := n.tapped()
	a := n.listen(0, 7)
	n.write(a, addrOf(2, 9), 100)
	n.clock.At(time.Millisecond, func() {
		if err := n.hosts[1].Send(9, netip.MustParseAddrPort("100.64.0.1:1024"), someBytes[:200], NotECT); err != nil {
			t.Error(err)
		}
	})
	n.clock.runUntil(time.Second)
	want := []string{
		"0 true 1 100 10.0.0.1:7>10.0.0.2:9 0 0s",
		"1 false 1 100 100.64.0.1:1024>10.0.0.2:9 0 0s",
		"1 true 2 200 10.0.0.2:9>100.64.0.1:1024 0 1ms",
		"0 false 2 200 10.0.0.2:9>10.0.0.1:7 0 1ms",
	}
	if !slices.Equal(*seen, want) {
		t.Errorf("seed 1: seen %q, want %q", *seen, want)
	}
}

func TestATapOfAPathSeesPacketsAsTheyEnterIt(t *testing.T) {
	n := newTestNet(t, 1, nil)
	l := n.connect("path", []Element{Duplicate{P: 1}, ECNFault{Mangle: 1, From: ECT0, To: CE}, Delay{5 * time.Millisecond}}, nil)
	var seen, again []string
	l.Forward.Tap(func(p *Packet) {
		seen = append(seen, fmt.Sprintf("%d %d %d %s", p.ID, p.Size(), p.ECN, p.Sent))
	})
	l.Forward.Tap(func(p *Packet) { again = append(again, fmt.Sprint(p.ID)) })
	for i, size := range []int{100, 200} {
		n.clock.At(time.Duration(i)*time.Millisecond, func() {
			if err := n.hosts[0].Send(7, addrOf(2, 9), someBytes[:size], ECT0); err != nil {
				t.Error(err)
			}
		})
	}
	n.clock.runUntil(time.Second)
	if want := []string{"1 100 2 0s", "2 200 2 1ms"}; !slices.Equal(seen, want) || len(again) != 2 {
		t.Errorf("seed 1: seen %q, and %q by another tap, want %q", seen, again, want)
	}
	if left := n.seen["path.forward"]; len(left) != 4 || left[0].ecn != CE {
		t.Errorf("seed 1: %+v left the path", left)
	}
}
