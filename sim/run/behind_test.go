package run

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

// gated is a file that takes nothing before it is opened.
type gated struct {
	open chan struct{}
	bytes.Buffer
	err error
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.open
	if g.err != nil {
		return 0, g.err
	}
	return g.Buffer.Write(p)
}

func TestWhatIsBehindIsWrittenInOrder(t *testing.T) {
	file := &gated{open: make(chan struct{})}
	b := newBehind(file)
	for _, word := range []string{"one ", "two ", "three"} {
		if n, err := b.Write([]byte(word)); n != len(word) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	close(file.open)
	if err := b.Close(); err != nil || file.String() != "one two three" {
		t.Errorf("the file holds %q, error %v", file.String(), err)
	}
}

func TestWhatADiskIsTooSlowForIsLostAndSaid(t *testing.T) {
	file := &gated{open: make(chan struct{})}
	b := newBehind(file)
	chunk := make([]byte, 1<<20)
	for range 2 * maxBehind / len(chunk) { // of which the first may be on its way already
		b.Write(chunk)
	}
	b.Write([]byte("after what is lost, nothing is written"))
	close(file.open)
	err := b.Close()
	if err == nil || !strings.Contains(err.Error(), "bytes were lost, because the disk was too slow for them") {
		t.Errorf("error %v", err)
	}
	if n := file.Len(); n < maxBehind || n%len(chunk) != 0 {
		t.Errorf("the file holds %d bytes, want whole chunks from the beginning on", n)
	}
}

func TestAnErrorOfTheDiskIsKept(t *testing.T) {
	full := errors.New("full")
	file := &gated{open: make(chan struct{}), err: full}
	close(file.open)
	b := newBehind(file)
	b.Write([]byte("x"))
	if err := b.Close(); err != full {
		t.Errorf("error %v, want %v", err, full)
	}
}

func TestAQueueHandsPacketsOnInOrderAndCountsWhatIsTooMuch(t *testing.T) {
	var got []uint64
	q := &queue{sink: &packetSink{got: &got}}
	for id := range uint64(3) {
		q.Packet(&record.Packet{ID: id})
	}
	q.drain()
	q.packets = make([]record.Packet, maxQueued)
	q.Packet(&record.Packet{ID: 9})
	if q.lost != 1 {
		t.Errorf("%d packets are lost, want 1", q.lost)
	}
	if len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Errorf("the sink got %v", got)
	}
}

type packetSink struct {
	fingerprintOnly
	got *[]uint64
}

func (s *packetSink) Packet(p *record.Packet) { *s.got = append(*s.got, p.ID) }
