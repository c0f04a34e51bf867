package capture_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/capture"
)

// read returns a capture as text: a line for each packet, with its interface, time,
// addresses, ECN field and size, and its options. It checks lengths and checksums.
func read(t *testing.T, file []byte) (*pcapgo.NgReader, []string) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for {
		data, ci, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return r, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		i, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		var ip layers.IPv4
		var udp layers.UDP
		if err := errors.Join(ip.DecodeFromBytes(data, gopacket.NilDecodeFeedback), udp.DecodeFromBytes(ip.Payload, gopacket.NilDecodeFeedback)); err != nil {
			t.Fatal(err)
		}
		udp.SetNetworkLayerForChecksum(&ip)
		for _, verify := range []func() (error, gopacket.ChecksumVerificationResult){ip.VerifyChecksum, udp.VerifyChecksum} {
			if err, result := verify(); err != nil || !result.Valid {
				t.Errorf("packet %d: checksum %+v, %v", len(lines), result, err)
			}
		}
		line := fmt.Sprintf("%s %s %s:%d>%s:%d ecn=%d size=%d id=%d", i.Name, time.Duration(ci.Timestamp.UnixNano()),
			ip.SrcIP, udp.SrcPort, ip.DstIP, udp.DstPort, ip.TOS, len(udp.Payload), *options.PacketID)
		if options.Flags != nil {
			line += " " + map[pcapgo.NgEpbFlag]string{pcapgo.NgEpbFlagDirectionInbound: "in", pcapgo.NgEpbFlagDirectionOutbound: "out"}[options.Flags.Direction]
		}
		for _, c := range options.Comments {
			line += " (" + c + ")"
		}
		lines = append(lines, line)
	}
}

// blocks returns the types of a file's blocks, and checks their lengths.
func blocks(t *testing.T, file []byte) (types []uint32, bodies [][]byte) {
	t.Helper()
	for len(file) > 0 {
		length := binary.LittleEndian.Uint32(file[4:])
		if length%4 != 0 || int(length) > len(file) || binary.LittleEndian.Uint32(file[length-4:]) != length {
			t.Fatalf("block %d has length %d", len(types), length)
		}
		types = append(types, binary.LittleEndian.Uint32(file))
		bodies = append(bodies, file[8:length-4])
		file = file[length:]
	}
	return types, bodies
}

// world runs two hosts, a and b, that a link joins, until 100 ms, with a capture to
// w. build says what is captured and sent.
func world(t *testing.T, w io.Writer, forward []netem.Element, build func(*sim.World, *capture.Capture, *sim.Host, *sim.Host, *netem.Link)) error {
	t.Helper()
	c := capture.New(w, "test", "a comment")
	_, err := sim.Run(sim.Config{Seed: 1, Observe: c.Observe}, func(w *sim.World) error {
		a, b := w.Host("a"), w.Host("b")
		build(w, c, a, b, w.Link("l", a, b, forward, nil))
		a.Go("wait", func(ctx context.Context) error { return w.SleepUntil(ctx, 100*time.Millisecond) })
		return nil
	})
	if err != nil {
		t.Fatal("seed 1:", err)
	}
	return c.Close()
}

// send sends a datagram at a time.
func send(t *testing.T, w *sim.World, at time.Duration, from, to *sim.Host, size int, ecn netem.ECN) {
	w.At(at, func() {
		if err := from.Send(1000, netip.AddrPortFrom(to.Addr(), 9999), make([]byte, size), ecn); err != nil {
			t.Error(err)
		}
	})
}

func TestACaptureHoldsWhatPassesLinksAndHosts(t *testing.T) {
	const ms = time.Millisecond
	forward := []netem.Element{
		netem.ListedLoss{Packets: []uint64{2}},
		netem.ECNFault{Mangle: 1, From: netem.ECT0, To: netem.CE},
		netem.Delay{Delay: 40*ms + 1},
	}
	var file bytes.Buffer
	err := world(t, &file, forward, func(w *sim.World, c *capture.Capture, a, b *sim.Host, l *netem.Link) {
		c.Path("links.l.forward", "a to b", l.Forward)
		c.Host("hosts.b", b.Host)
		c.Path("links.l.reverse", "b to a", l.Reverse)
		c.Name(a.Addr(), "a")
		c.Name(b.Addr(), "beta")
		send(t, w, 10*ms, a, b, 100, netem.ECT0)
		send(t, w, 20*ms, a, b, 200, netem.ECT0)  // is lost
		send(t, w, 60*ms, b, a, 0, netem.ECT1)    // takes no time
		send(t, w, 70*ms, a, b, 1001, netem.ECT1) // is on the link at the end
	})
	if err != nil {
		t.Fatal(err)
	}
	r, got := read(t, file.Bytes())
	want := []string{
		"links.l.forward 10ms 10.0.0.1:1000>10.0.0.2:9999 ecn=3 size=100 id=1",
		"links.l.forward 20ms 10.0.0.1:1000>10.0.0.2:9999 ecn=2 size=200 id=2 (dropped by listed_loss)",
		"hosts.b 50.000001ms 10.0.0.1:1000>10.0.0.2:9999 ecn=3 size=100 id=1 in",
		"hosts.b 60ms 10.0.0.2:1000>10.0.0.1:9999 ecn=1 size=0 id=3 out",
		"links.l.reverse 60ms 10.0.0.2:1000>10.0.0.1:9999 ecn=1 size=0 id=3",
		"links.l.forward 70ms 10.0.0.1:1000>10.0.0.2:9999 ecn=1 size=1001 id=4 (on the link when the run ended)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("seed 1: the capture holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if info := r.SectionInfo(); info.Application != "test" || info.Comment != "a comment" {
		t.Errorf("the section says %+v", info)
	}
	for i, want := range []string{"links.l.forward: a to b", "hosts.b: 10.0.0.2", "links.l.reverse: b to a"} {
		got, err := r.Interface(i)
		if err != nil || got.Name+": "+got.Description != want || got.TimestampResolution != 9 || got.LinkType != layers.LinkTypeRaw {
			t.Errorf("interface %d is %+v, want %s (%v)", i, got, want, err)
		}
	}
	for i, want := range []string{"10.0.0.1 [a]", "10.0.0.2 [beta]"} {
		got, err := r.Name(i)
		if err != nil || fmt.Sprint(got.Addr.(*pcapgo.NgIPAddress).Addr, " ", got.Names) != want {
			t.Errorf("name %d is %+v, want %s (%v)", i, got, want, err)
		}
	}
}

func TestAPacketThatStaysOnTheLinkDoesNotHoldUpTheFileForEver(t *testing.T) {
	const size, most = 60_000, 16 << 20
	var file bytes.Buffer
	err := world(t, &file, []netem.Element{netem.Delay{Delay: time.Second}}, func(w *sim.World, c *capture.Capture, a, b *sim.Host, l *netem.Link) {
		c.Path("forward", "", l.Forward)
		c.Path("reverse", "", l.Reverse)
		send(t, w, 1, a, b, 100, netem.NotECT)
		for i := range most/size + 10 {
			send(t, w, time.Duration(i+2), b, a, size, netem.NotECT)
		}
		send(t, w, time.Millisecond, a, b, 200, netem.NotECT)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, got := read(t, file.Bytes())
	for i, want := range map[int]string{
		0:            "forward 1ns 10.0.0.1:1000>10.0.0.2:9999 ecn=0 size=100 id=1 (on the link when this was written)",
		1:            "reverse 2ns 10.0.0.2:1000>10.0.0.1:9999 ecn=0 size=60000 id=2",
		len(got) - 1: "forward 1ms 10.0.0.1:1000>10.0.0.2:9999 ecn=0 size=200 id=291 (on the link when the run ended)",
	} {
		if got[i] != want {
			t.Errorf("seed 1: packet %d of %d is %s, want %s", i, len(got), got[i], want)
		}
	}
}

func TestSecretsComeBeforeThePacketsThatFollow(t *testing.T) {
	var file bytes.Buffer
	err := world(t, &file, nil, func(w *sim.World, c *capture.Capture, a, b *sim.Host, l *netem.Link) {
		c.Path("l", "", l.Forward)
		send(t, w, 1, a, b, 10, netem.NotECT)
		w.At(2, func() { io.WriteString(c.KeyLog(), "LABEL 00 11\n") })
		send(t, w, 3, a, b, 10, netem.NotECT)
		w.At(4, func() { io.WriteString(c.KeyLog(), "LABEL 22 33\n") })
	})
	if err != nil {
		t.Fatal(err)
	}
	types, bodies := blocks(t, file.Bytes())
	const section, iface, packet, secrets = 0x0a0d0d0a, 1, 6, 10
	if want := []uint32{section, iface, packet, secrets, packet, secrets}; !slices.Equal(types, want) {
		t.Fatalf("the blocks are %x, want %x", types, want)
	}
	// The type TLS key log, its length, and the text to a multiple of 4.
	if want := "KSLT\x0c\x00\x00\x00LABEL 00 11\n"; string(bodies[3]) != want {
		t.Errorf("the secrets are %q, want %q", bodies[3], want)
	}
}

func TestACaptureWithoutPacketsIsAValidFile(t *testing.T) {
	var file bytes.Buffer
	err := world(t, &file, nil, func(_ *sim.World, c *capture.Capture, _, _ *sim.Host, l *netem.Link) {
		c.Path("links.l.forward", "", l.Forward)
	})
	if err != nil {
		t.Fatal(err)
	}
	if types, _ := blocks(t, file.Bytes()); !slices.Equal(types, []uint32{0x0a0d0d0a, 1}) {
		t.Errorf("the blocks are %x", types)
	}
}

// meter counts what is written to it, and may refuse.
type meter struct {
	written int
	err     error
}

func (m *meter) Write(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	m.written += len(b)
	return len(b), nil
}

func TestPacketsAreWrittenWhileTheRunGoesOn(t *testing.T) {
	var file meter
	var early int
	err := world(t, &file, nil, func(w *sim.World, c *capture.Capture, a, b *sim.Host, l *netem.Link) {
		c.Path("l", "", l.Forward)
		for i := range 1000 {
			send(t, w, time.Duration(i), a, b, 1000, netem.NotECT)
		}
		w.At(2000, func() { early = file.written })
	})
	if err != nil {
		t.Fatal(err)
	}
	if held := file.written - early; early < 1_000_000 || held > 1<<16 {
		t.Errorf("seed 1: %d bytes were written before the end, and %d at the end", early, held)
	}
}

func TestACaptureReportsItsFirstError(t *testing.T) {
	full := errors.New("disk full")
	err := world(t, &meter{err: full}, nil, func(w *sim.World, c *capture.Capture, a, b *sim.Host, l *netem.Link) {
		c.Path("l", "", l.Forward)
		for i := range 1000 {
			send(t, w, time.Duration(i), a, b, 1000, netem.NotECT)
		}
	})
	if !errors.Is(err, full) || err.Error() != "capture: disk full" {
		t.Errorf("error %v", err)
	}
	for name, do := range map[string]func(*capture.Capture){
		"names":   func(c *capture.Capture) { c.Name(netip.MustParseAddr("10.0.0.1"), "a") },
		"secrets": func(c *capture.Capture) { io.WriteString(c.KeyLog(), "x") },
		"nothing": func(*capture.Capture) {},
	} {
		c := capture.New(io.Discard, "", "")
		do(c)
		if err := c.Close(); err == nil || err.Error() != "capture: there is no interface yet" {
			t.Errorf("%s without an interface: error %v", name, err)
		}
	}
}
