package netem

import (
	"errors"
	"syscall"
	"testing"
	"time"
)

func TestAPacketAboveTheMTUIsLost(t *testing.T) {
	b := newBench(t, 1, MTU{Size: 1500})
	b.send(1472)
	b.send(1473)
	b.configureAt(1, MTU{Size: 1300})
	b.sendAt(2, 1272)
	b.sendAt(2, 1273)
	b.configureAt(3, MTU{})
	b.sendAt(4, maxPayload)
	b.run()
	if got, want := b.fates(), "DxDxD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, s := range b.seen {
		if s.fate == Dropped && s.cause != "mtu" {
			t.Errorf("packet %d was dropped by %q", s.id, s.cause)
		}
	}
}

func TestTheSenderLearnsOfAnMTU(t *testing.T) {
	n := newTestNet(t, 1, nil)
	link := n.connect("a", []Element{
		MTU{Size: 1500, SendError: true},
		MTU{Size: 1400},
		MTU{Size: 1450, SendError: true},
		MTU{SendError: true},
	}, nil)
	conn := n.listen(0, 0)
	write := func(size int) error {
		_, err := conn.WriteTo(someBytes[:size], udp(addrOf(2, 9)))
		return err
	}
	configure := func(m MTU) {
		if err := link.Forward.Configure(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(1422); err != nil { // which the second element drops
		t.Errorf("a datagram of the least MTU that the sender knows: %v", err)
	}
	if err := write(1423); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("one byte above it: %v, want EMSGSIZE", err)
	}
	configure(MTU{Size: 1300, SendError: true})
	if err := write(1273); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("above an MTU that became smaller: %v, want EMSGSIZE", err)
	}
	configure(MTU{Size: 1300})
	if err := write(1400); err != nil {
		t.Errorf("above an MTU that the sender no longer knows, but below the other: %v", err)
	}
	n.clock.runUntil(time.Second)
	if in, _, _ := link.Forward.Totals(); in.Packets != 2 {
		t.Errorf("%d packets entered the path, want the 2 that were accepted", in.Packets)
	}
}

func TestMTURefuses(t *testing.T) {
	const want = "netem: path p: mtu: the MTU leaves no room for a payload"
	for _, size := range []Bytes{28, 1, -1} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{MTU{Size: size}}, nil, nil); err == nil || err.Error() != want {
			t.Errorf("MTU %d: error %v, want %s", size, err, want)
		}
	}
}
