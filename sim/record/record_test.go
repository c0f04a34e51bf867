package record_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"pgregory.net/rapid"
)

var compareAddresses = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

// rows is the content of a recording.
type rows struct {
	packets []record.Packet
	samples []record.Sample
	events  []record.Event
}

func write(t testing.TB, dir string, r rows, info record.Run) {
	t.Helper()
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.packets {
		w.Packet(&r.packets[i])
	}
	for _, s := range r.samples {
		w.Sample(s)
	}
	for _, e := range r.events {
		w.Event(e)
	}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
}

func readBack(t testing.TB, dir string) (r rows) {
	t.Helper()
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range rec.Packets() {
		if err != nil {
			t.Fatal(err)
		}
		r.packets = append(r.packets, p)
	}
	for s, err := range rec.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		r.samples = append(r.samples, s)
	}
	for e, err := range rec.Events() {
		if err != nil {
			t.Fatal(err)
		}
		r.events = append(r.events, e)
	}
	return r
}

func genAddress() *rapid.Generator[netip.AddrPort] {
	return rapid.Custom(func(t *rapid.T) netip.AddrPort {
		port := rapid.Uint16().Draw(t, "port")
		if rapid.Bool().Draw(t, "v4") {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip"))), port)
		}
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip"))), port)
	})
}

func genDuration() *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64(), func(v int64) time.Duration { return time.Duration(v) })
}

func genPacket() *rapid.Generator[record.Packet] {
	return rapid.Custom(func(t *rapid.T) record.Packet {
		return record.Packet{
			ID:         rapid.Uint64().Draw(t, "id"),
			Sent:       genDuration().Draw(t, "sent"),
			Done:       genDuration().Draw(t, "done"),
			Link:       rapid.String().Draw(t, "link"),
			Direction:  rapid.SampledFrom([]record.Direction{record.Forward, record.Reverse}).Draw(t, "direction"),
			Source:     genAddress().Draw(t, "source"),
			Dest:       genAddress().Draw(t, "dest"),
			Size:       netem.Bytes(rapid.Int64Range(0, 65507).Draw(t, "size")),
			ECN:        rapid.Uint8Range(0, 3).Draw(t, "ecn"),
			SentECN:    rapid.Uint8Range(0, 3).Draw(t, "sentECN"),
			Fate:       rapid.SampledFrom([]record.Fate{record.Delivered, record.Dropped, record.InTransit}).Draw(t, "fate"),
			Reason:     rapid.SampledFrom([]string{"", "queue", "loss", "mtu"}).Draw(t, "reason"),
			QueueDelay: genDuration().Draw(t, "queueDelay"),
		}
	})
}

func genRows() *rapid.Generator[rows] {
	return rapid.Custom(func(t *rapid.T) (r rows) {
		r.packets = rapid.SliceOfN(genPacket(), 0, 40).Draw(t, "packets")
		r.samples = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Sample {
			return record.Sample{
				Time:   genDuration().Draw(t, "time"),
				Name:   rapid.String().Draw(t, "name"),
				Entity: rapid.String().Draw(t, "entity"),
				Value:  rapid.Float64().Draw(t, "value"),
			}
		}), 0, 40).Draw(t, "samples")
		r.events = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Event {
			return record.Event{
				Time:   genDuration().Draw(t, "time"),
				Kind:   rapid.String().Draw(t, "kind"),
				Entity: rapid.String().Draw(t, "entity"),
				Side:   rapid.SampledFrom([]string{"", "client", "server"}).Draw(t, "side"),
				Value:  rapid.Int64().Draw(t, "value"),
				Text:   rapid.String().Draw(t, "text"),
			}
		}), 0, 40).Draw(t, "events")
		return r
	})
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		dir := filepath.Join(base, fmt.Sprint(n))
		want := genRows().Draw(rt, "rows")
		write(t, dir, want, record.Run{})
		got := readBack(t, dir)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(rows{}), compareAddresses, cmp.Transformer("empty", emptyIsNil)); diff != "" {
			rt.Fatalf("read back (-written +read):\n%s", diff)
		}
		os.RemoveAll(dir)
	})
}

func emptyIsNil(r rows) [3]any {
	var all [3]any
	if len(r.packets) > 0 {
		all[0] = r.packets
	}
	if len(r.samples) > 0 {
		all[1] = r.samples
	}
	if len(r.events) > 0 {
		all[2] = r.events
	}
	return all
}

func TestLongTablesAreReadBackAcrossRowGroups(t *testing.T) {
	const n = 50_000 // several row groups, and more names than caches hold
	var want rows
	for i := range n {
		want.packets = append(want.packets, samplePacket(i))
		want.samples = append(want.samples, record.Sample{
			Time: time.Duration(i), Name: fmt.Sprintf("name-%d", i%7), Entity: fmt.Sprintf("connections.c-%d.client", i%900), Value: float64(i) / 3,
		})
		want.events = append(want.events, record.Event{
			Time: time.Duration(i), Kind: record.EventPacketLost, Entity: "connections.main", Side: "server", Value: int64(i), Text: fmt.Sprint("text ", i),
		})
	}
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir, want, record.Run{})
	got := readBack(t, dir)
	for i := range n {
		if want.packets[i] != got.packets[i] || want.samples[i] != got.samples[i] || want.events[i] != got.events[i] {
			t.Fatalf("row %d: wrote %+v %+v %+v, read %+v %+v %+v", i,
				want.packets[i], want.samples[i], want.events[i], got.packets[i], got.samples[i], got.events[i])
		}
	}
}

// samplePacket returns the i-th of a sequence of plausible packets: 1,000
// clients that take turns over two links.
func samplePacket(i int) record.Packet {
	p := record.Packet{
		ID: uint64(i + 1), Sent: time.Duration(i) * 115 * time.Microsecond, Done: time.Duration(i)*115*time.Microsecond + 20*time.Millisecond,
		Link: "access", Source: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 1000 / 250), byte(i % 250)}), 4433),
		Dest: netip.MustParseAddrPort("10.1.0.1:443"), Size: 1252, ECN: 2, SentECN: 2, QueueDelay: time.Duration(i%1000) * time.Microsecond,
	}
	if i%2 == 1 {
		p.Link, p.Direction = "core", record.Reverse
		p.Source, p.Dest = p.Dest, p.Source
	}
	if i%100 == 0 {
		p.Fate, p.Reason = record.Dropped, "loss"
	}
	return p
}

func BenchmarkPacket(b *testing.B) {
	client, server := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("10.0.0.2:443")
	packets := make([]record.Packet, 64)
	for i := range packets {
		packets[i] = record.Packet{Link: "access", Source: client, Dest: server, Size: 1252, ECN: 2, SentECN: 2}
		if i%3 == 0 {
			packets[i].Source, packets[i].Dest, packets[i].Direction, packets[i].Size = server, client, record.Reverse, 34
		}
	}
	benchmark(b, func(w *record.Writer, i int) {
		p := &packets[i%len(packets)]
		p.ID, p.Sent, p.Done = uint64(i), time.Duration(i)*115, time.Duration(i)*115+20e6
		p.QueueDelay = time.Duration(i % 1777 * 1000)
		w.Packet(p)
	})
}

func BenchmarkPacketOfThousandConnections(b *testing.B) {
	packets := make([]record.Packet, 4000)
	for i := range packets {
		packets[i] = samplePacket(i)
	}
	benchmark(b, func(w *record.Writer, i int) { w.Packet(&packets[i%len(packets)]) })
}

func BenchmarkSample(b *testing.B) {
	names := []string{record.SeriesCwnd, record.SeriesBytesInFlight, record.SeriesSmoothedRTT, record.SeriesLatestRTT, record.SeriesMinRTT}
	entities := []string{"connections.main.client", "connections.main.server"}
	benchmark(b, func(w *record.Writer, i int) {
		w.Sample(record.Sample{Time: time.Duration(i) * 1000, Name: names[i%5], Entity: entities[i/5%2], Value: float64(i % 1000)})
	})
}

func BenchmarkFingerprint(b *testing.B) {
	var f record.Fingerprint
	p := samplePacket(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Done++
		f.Packet(&p)
	}
}

func benchmark(b *testing.B, row func(w *record.Writer, i int)) {
	w, err := record.Create(filepath.Join(b.TempDir(), "run"), record.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		row(w, i)
	}
	if err := w.Finish(&record.Run{}); err != nil {
		b.Fatal(err)
	}
}
