package record_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
	"pgregory.net/rapid"
)

// blocks builds the hashed bytes from their description, without the code
// under test.
type blocks []byte

func (b *blocks) text(s string) {
	*b = append(*b, s...)
	for len(*b)%64 != 0 {
		*b = append(*b, 0)
	}
}

func (b *blocks) packet(p record.Packet, link, reason uint16) {
	le := binary.LittleEndian
	row := []byte{1, byte(p.Direction), byte(p.Fate), p.SentECN<<4 | p.ECN}
	row = le.AppendUint32(row, uint32(p.Size))
	row = le.AppendUint16(row, link)
	row = le.AppendUint16(row, reason)
	row = le.AppendUint64(row, uint64(p.Sent))
	row = le.AppendUint64(row, uint64(p.Done))
	for _, a := range []netip.AddrPort{p.Source, p.Dest} {
		ip := a.Addr().As16()
		row = append(row, ip[:]...)
		row = le.AppendUint16(row, a.Port())
	}
	*b = append(*b, row...)
}

func TestFingerprintOfTheDocumentedLayout(t *testing.T) {
	first := record.Packet{
		ID: 1, Sent: time.Millisecond, Done: 21 * time.Millisecond, Link: "access", Direction: record.Forward,
		Source: netip.MustParseAddrPort("10.0.0.1:50000"), Dest: netip.MustParseAddrPort("10.0.0.2:443"),
		Size: 1280, SentECN: 2, ECN: 3, Fate: record.Delivered, QueueDelay: time.Microsecond,
	}
	second := record.Packet{
		ID: 2, Sent: 2 * time.Millisecond, Done: 2 * time.Millisecond, Link: "core", Direction: record.Reverse,
		Source: netip.MustParseAddrPort("[fd00::2]:443"), Dest: netip.MustParseAddrPort("[fd00::1]:50000"),
		Size: 34, Fate: record.Dropped, Reason: "queue",
	}
	third := first
	third.Fate = record.InTransit

	var want blocks
	want.text("wtsim fingerprint 1")
	want.text("\x02\x00\x00\x06\x00\x00\x00access")
	want.text("\x03\x00\x00\x00\x00\x00\x00")
	want.packet(first, 0, 0)
	want.text("\x02\x01\x00\x04\x00\x00\x00core")
	want.text("\x03\x01\x00\x05\x00\x00\x00queue")
	want.packet(second, 1, 1)
	want.packet(third, 0, 0)
	sum := sha256.Sum256(want)

	var f record.Fingerprint
	f.Packet(&first)
	f.Packet(&second)
	f.Packet(&third)
	if got := f.Sum(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("fingerprint %s, want %x", got, sum)
	}
	// The same, as it was once: a change of the layout changes the header's
	// version and this value.
	const recorded = "2257ede7120d4e6a799de0d43d20bd37be9f65f3bc6c4a6c45b76ac5f567b9c9"
	if got := f.Sum(); got != recorded {
		t.Errorf("fingerprint %s, want %s", got, recorded)
	}
}

func TestFingerprintOfNoPacketIsThatOfTheHeader(t *testing.T) {
	var want blocks
	want.text("wtsim fingerprint 1")
	sum := sha256.Sum256(want)
	if got := new(record.Fingerprint).Sum(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("fingerprint %s, want %x", got, sum)
	}
}

func TestFingerprintChangesWithEveryFieldThatItCovers(t *testing.T) {
	base := samplePacket(100) // dropped
	fingerprint := func(p record.Packet) string {
		var f record.Fingerprint
		f.Packet(&p)
		return f.Sum()
	}
	for name, c := range map[string]struct {
		change  func(*record.Packet)
		differs bool
	}{
		"Sent":       {func(p *record.Packet) { p.Sent++ }, true},
		"Done":       {func(p *record.Packet) { p.Done++ }, true},
		"Link":       {func(p *record.Packet) { p.Link += "2" }, true},
		"Direction":  {func(p *record.Packet) { p.Direction = record.Reverse }, true},
		"Source":     {func(p *record.Packet) { p.Source = p.Dest }, true},
		"Dest":       {func(p *record.Packet) { p.Dest = p.Source }, true},
		"Size":       {func(p *record.Packet) { p.Size++ }, true},
		"ECN":        {func(p *record.Packet) { p.ECN = 3 }, true},
		"SentECN":    {func(p *record.Packet) { p.SentECN = 1 }, true},
		"Fate":       {func(p *record.Packet) { p.Fate = record.InTransit }, true},
		"Reason":     {func(p *record.Packet) { p.Reason = "queue" }, true},
		"ID":         {func(p *record.Packet) { p.ID++ }, false},
		"QueueDelay": {func(p *record.Packet) { p.QueueDelay++ }, false},
	} {
		changed := base
		c.change(&changed)
		if got := fingerprint(changed) != fingerprint(base); got != c.differs {
			t.Errorf("a change of %s changes the fingerprint: %v, want %v", name, got, c.differs)
		}
	}
}

func TestReadingTheFingerprintDoesNotDisturbIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var read, unread record.Fingerprint
		for _, p := range rapid.SliceOfN(genPacket(), 0, 80).Draw(t, "packets") {
			read.Packet(&p)
			unread.Packet(&p)
			if rapid.Bool().Draw(t, "read") {
				read.Sum()
			}
		}
		if a, b := read.Sum(), unread.Sum(); a != b {
			t.Fatalf("%s when it was read in between, %s otherwise", a, b)
		}
	})
}

func TestTheWriterReportsAndRecordsTheFingerprint(t *testing.T) {
	dir := t.TempDir() + "/run"
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var f record.Fingerprint
	for i := range 100 {
		p := samplePacket(i)
		f.Packet(&p)
		w.Packet(&p)
	}
	if got := w.Fingerprint(); got != f.Sum() {
		t.Errorf("the writer says %s, want %s", got, f.Sum())
	}
	if err := w.Close(record.Run{}); err != nil {
		t.Fatal(err)
	}
	info, err := record.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Fingerprint != f.Sum() {
		t.Errorf("run.json says %s, want %s", info.Fingerprint, f.Sum())
	}
}
