package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// captured is a packet of a capture, without its payload.
type captured struct {
	point        string
	at           time.Duration
	id           uint64
	source, dest string
	size         int
	ecn          uint8
	comment      string
}

// readCapture reads a capture of a run, and the names of its interfaces.
func readCapture(t *testing.T, dir, name string) (packets []captured, points []string) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		i, _ := r.Interface(ci.InterfaceIndex)
		var ip layers.IPv4
		var udp layers.UDP
		if err := errors.Join(ip.DecodeFromBytes(data, nil), udp.DecodeFromBytes(ip.Payload, nil)); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, captured{
			point: i.Name, at: time.Duration(ci.Timestamp.UnixNano()), id: *options.PacketID,
			source: fmt.Sprintf("%s:%d", ip.SrcIP, udp.SrcPort), dest: fmt.Sprintf("%s:%d", ip.DstIP, udp.DstPort),
			size: len(udp.Payload), ecn: ip.TOS, comment: strings.Join(options.Comments, "; "),
		})
	}
	for i := range r.NInterfaces() {
		p, _ := r.Interface(i)
		points = append(points, p.Name)
	}
	return packets, points
}

// recorded returns the packets of a recording that c makes something of, in the
// order of their times, places and IDs.
func recorded(t *testing.T, dir string, c func(*record.Packet) (captured, bool)) []captured {
	t.Helper()
	recording, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var packets []captured
	for p, err := range recording.Packets() {
		if err != nil {
			t.Fatal(err)
		}
		if made, ok := c(&p); ok {
			packets = append(packets, made)
		}
	}
	return inOrder(packets)
}

// inOrder sorts packets, as several may pass at one time.
func inOrder(packets []captured) []captured {
	slices.SortFunc(packets, func(a, b captured) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.point, b.point), cmp.Compare(a.id, b.id))
	})
	return packets
}

// onLink is a packet as a capture of its link shows it.
func onLink(p *record.Packet) (captured, bool) {
	c := captured{
		point: "links." + p.Link + "." + p.Direction.String(), at: p.Sent, id: p.ID,
		source: p.Source.String(), dest: p.Dest.String(), size: int(p.Size), ecn: p.ECN,
	}
	switch p.Fate {
	case record.Dropped:
		c.comment = "dropped by " + p.Reason
	case record.InTransit:
		c.comment = "on the link when the run ended"
	}
	return c, true
}

// small shortens a run.
const small = "sessions.one.flows.down.size=200KB"

// captureLossy captures a run with losses at its link and both hosts.
func captureLossy(t *testing.T) *Result {
	r := real(t, lossy)
	r.Overrides = []string{small}
	r.Capture = []string{"hosts.a", "links.l", "hosts.b"}
	return do(t, r)
}

func TestCapturesHaveThePacketsOfTheRecording(t *testing.T) {
	result := captureLossy(t)
	for name, c := range map[string]func(*record.Packet) (captured, bool){
		"links.l": onLink,
		// What a sends, and what arrives there.
		"hosts.a": func(p *record.Packet) (captured, bool) {
			c := captured{point: "hosts.a", at: p.Sent, id: p.ID, source: p.Source.String(), dest: p.Dest.String(), size: int(p.Size), ecn: p.SentECN}
			if p.Direction == record.Reverse {
				c.at, c.ecn = p.Done, p.ECN
			}
			return c, p.Direction == record.Forward || p.Fate == record.Delivered
		},
	} {
		got, _ := readCapture(t, result.Dir, "capture-"+name+".pcapng")
		if !slices.IsSortedFunc(got, func(a, b captured) int { return cmp.Compare(a.at, b.at) }) {
			t.Errorf("seed %d: the packets of %s are not in the order of their times", result.Seed, name)
		}
		want := recorded(t, result.Dir, c)
		if !slices.Equal(inOrder(got), want) {
			t.Errorf("seed %d: the capture of %s has %d packets, the recording %d, or they differ", result.Seed, name, len(got), len(want))
		}
		dropped := slices.ContainsFunc(got, func(p captured) bool { return p.comment == "dropped by loss" })
		if dropped != (name == "links.l") {
			t.Errorf("seed %d: that packets of %s were dropped is said: %t", result.Seed, name, dropped)
		}
	}
}

// Copies that a link makes do not enter it, so they are in the recording only.
func TestACaptureFollowsPacketsThroughNATsQueuesAndReordering(t *testing.T) {
	const text = `
time_limit = "20s"
[hosts.a]
[hosts.b]
[routers.r]
[links.home]
between = ["a", "r"]
nat = "a"
duplicate = 0.05
corrupt = 0.02
jitter = { deviation = "5ms", reorder = true }
delay = "10ms"
[links.core]
between = ["r", "b"]
rate = "5Mbit/s"
delay = "5ms"
queue = { kind = "codel" }
[[links.core.outages]]
at = "300ms"
for = "100ms"
packets = "hold"
[sessions.main]
client = "a"
server = "b"
close = { at = "1500ms" }
flows.down = { kind = "download", size = "300KB" }
`
	r := real(t, text)
	r.Capture = []string{"links.home", "links.core"}
	result := do(t, r)
	rows := make(map[string]bool)
	count := make(map[string]int) // of packets, without their copies
	seen := make(map[string]bool)
	for _, p := range recorded(t, result.Dir, onLink) {
		rows[fmt.Sprint(p)] = true
		if place := fmt.Sprint(p.point, p.id); !seen[place] {
			seen[place] = true
			count[strings.Split(p.point, ".")[1]]++
		}
	}
	for _, link := range []string{"home", "core"} {
		got, _ := readCapture(t, result.Dir, "capture-links."+link+".pcapng")
		copies := 0
		last := make(map[string]bool)
		for i, p := range got {
			if !rows[fmt.Sprint(p)] {
				t.Fatalf("seed 1: %+v is not in the recording", p)
			}
			if i > 0 && p.at < got[i-1].at {
				t.Errorf("seed 1: %+v comes after %+v", p, got[i-1])
			}
			if place := fmt.Sprint(p.point, p.id); last[place] {
				copies++
			} else {
				last[place] = true
			}
		}
		if len(last) != count[link] || link == "home" && copies > 0 {
			t.Errorf("seed 1: the capture of %s has %d packets and %d copies, the recording %d packets", link, len(last), copies, count[link])
		}
		if link == "core" && copies == 0 {
			t.Error("seed 1: no copy that the first link made came to the second")
		}
	}
}

const groups = `
time_limit = "5s"
[hosts.client]
count = 2
[hosts.server]
[hosts.idle]
[routers.r]
[links.access]
between = ["client", "r"]
[links.core]
between = ["r", "server"]
[links.unused]
between = ["r", "idle"]
[sessions.main]
client = "client"
server = "server"
close = { at = "100ms" }
`

func TestEachNameOfLinksDirectionsAndHostsHasACapture(t *testing.T) {
	want := map[string]string{
		"links.core":             "links.core.forward links.core.reverse",
		"links.core.forward":     "links.core.forward",
		"links.access":           "links.access-1.forward links.access-1.reverse links.access-2.forward links.access-2.reverse",
		"links.access.reverse":   "links.access-1.reverse links.access-2.reverse",
		"links.access-2":         "links.access-2.forward links.access-2.reverse",
		"links.access-2.forward": "links.access-2.forward",
		"hosts.client":           "hosts.client-1 hosts.client-2",
		"hosts.client-2":         "hosts.client-2",
	}
	r := real(t, groups)
	for name := range want {
		r.Capture = append(r.Capture, name, name)
	}
	dir := do(t, r).Dir
	for name, want := range want {
		packets, points := readCapture(t, dir, "capture-"+name+".pcapng")
		if got := strings.Join(points, " "); got != want {
			t.Errorf("seed 1: %s is %s, want %s", name, got, want)
		}
		for _, point := range points {
			if !slices.ContainsFunc(packets, func(p captured) bool { return p.point == point }) {
				t.Errorf("seed 1: no packet passed %s", point)
			}
		}
	}
}

func TestACaptureWhereNothingPassesIsEmpty(t *testing.T) {
	r := real(t, groups)
	r.Capture = []string{"links.unused"}
	packets, points := readCapture(t, do(t, r).Dir, "capture.pcapng")
	if len(packets) != 0 || len(points) != 2 {
		t.Errorf("seed 1: %d packets at %q", len(packets), points)
	}
}

func TestACaptureOfWhatTheScenarioDoesNotHaveNamesTheNearest(t *testing.T) {
	for name, want := range map[string]string{
		"links.acess":            `cannot capture at "links.acess": the scenario has no such link or host; did you mean "links.access"?`,
		"links.core.forwards":    `cannot capture at "links.core.forwards": the scenario has no such link or host; did you mean "links.core.forward"?`,
		"host.client-2":          `cannot capture at "host.client-2": the scenario has no such link or host; did you mean "hosts.client-2"?`,
		"core":                   `cannot capture at "core": the scenario has no such link or host; did you mean "links.core"?`,
		"client-2":               `cannot capture at "client-2": the scenario has no such link or host; did you mean "hosts.client-2"?`,
		"somewhere else":         `cannot capture at "somewhere else": the scenario has no such link or host; expected links.NAME, links.NAME.forward, links.NAME.reverse or hosts.NAME`,
		"":                       `cannot capture at "": the scenario has no such link or host; expected links.NAME, links.NAME.forward, links.NAME.reverse or hosts.NAME`,
		"links.access-3.forward": `cannot capture at "links.access-3.forward": the scenario has no such link or host; did you mean "links.access-1.forward"?`,
	} {
		r := real(t, groups)
		r.Capture = []string{"hosts.server", name}
		_, err := Do(t.Context(), r, nil)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Input || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if got := files(t, filepath.Dir(r.Out)); len(got) != 0 {
			t.Errorf("%q: left %q", name, got)
		}
	}
}

func TestARunWithoutCaptureHasNoCaptureFile(t *testing.T) {
	if got := files(t, do(t, real(t, groups)).Dir); slices.ContainsFunc(got, func(name string) bool { return strings.Contains(name, "pcapng") }) {
		t.Errorf("the recording holds %q", got)
	}
}

func TestACaptureThatCannotBeWrittenIsReported(t *testing.T) {
	s, err := scenario.Parse("groups", []byte(groups))
	if err != nil {
		t.Fatal(err)
	}
	var c captures
	dir := t.TempDir()
	file := captureFile{name: "capture.pcapng"}
	if err := c.create(filepath.Join(dir, "missing"), s, file, false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is missing: error %v", err)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(dir, file.name)); err != nil {
		t.Fatal(err)
	}
	if err := c.create(dir, s, file, false); err != nil {
		t.Fatal(err)
	}
	c[0].capture.Path("links.core.forward", "", new(netem.Path))
	if err := c.close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: error %v", err)
	}
	if err := c.close(); err != nil {
		t.Errorf("closed again: error %v", err)
	}
}
