package run

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quic-go/qpack"
)

// tshark returns the fields of the packets of a capture that pass a filter, a line
// for each packet. The environment variable TSHARK names the program; without it
// the test is skipped where there is none.
func tshark(t *testing.T, file, filter string, fields ...string) []string {
	t.Helper()
	name := os.Getenv("TSHARK")
	if name == "" {
		if _, err := exec.LookPath("tshark"); err != nil {
			t.Skip("no tshark (Debian: apt-get install tshark):", err)
		}
		name = "tshark"
	}
	args := []string{
		"-r", file, "-Y", filter, "-T", "fields", "-E", "separator=|", "-N", "n",
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // without anybody's preferences
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestTsharkDecryptsEveryPacket(t *testing.T) {
	dir := captureLossy(t).Dir
	for _, name := range []string{"hosts.a", "links.l", "hosts.b"} {
		const wrong = "!quic || !quic.frame_type || quic.decryption_failed || _ws.malformed || !(ip.checksum.status == 1) || !(udp.checksum.status == 1)"
		got := tshark(t, filepath.Join(dir, "capture-"+name+".pcapng"), wrong, "frame.number", "_ws.col.Info")
		if len(got) != 0 {
			t.Errorf("seed 3: tshark finds %d packets of %s that are %s, such as %s", len(got), name, wrong, got[0])
		}
	}
}

func TestTsharkShowsTheRequestForAWebTransportSession(t *testing.T) {
	r := real(t, lossy)
	r.Overrides = []string{small, "sessions.one.path=/demo"}
	r.Capture = []string{"hosts.a"}
	file := filepath.Join(do(t, r).Dir, "capture.pcapng")
	const headers = "1"
	requests := tshark(t, file, "http3.frame_type == "+headers+` && quic.stream.stream_id == 0 && ip.src_host == "a"`, "http3.frame_type", "http3.frame_payload")
	var got []string
	for _, line := range requests {
		kind, payload, _ := strings.Cut(line, "|")
		text, err := hex.DecodeString(payload)
		if kind != headers || err != nil {
			t.Fatalf("seed 3: tshark prints %q: %v", line, err)
		}
		// The tshark of Debian 12 knows the frames of HTTP/3, but not QPACK.
		for decode := qpack.NewDecoder().Decode(text); ; {
			field, err := decode()
			if err != nil {
				break
			}
			got = append(got, field.Name+": "+field.Value)
		}
	}
	for _, want := range []string{":method: CONNECT", ":protocol: webtransport-h3", ":scheme: https", ":path: /demo"} {
		if !slices.Contains(got, want) {
			t.Errorf("seed 3: %d requests on stream 0 say %q, want %s among it", len(requests), got, want)
		}
	}
}

func TestTsharkShowsTheTimesOfTheRecording(t *testing.T) {
	dir := captureLossy(t).Dir
	got := tshark(t, filepath.Join(dir, "capture-links.l.pcapng"), "frame",
		"frame.interface_name", "frame.time_epoch", "frame.packet_id", "udp.length", "ip.dsfield.ecn", "frame.comment")
	var want []string
	for _, p := range recorded(t, dir, onLink) {
		want = append(want, fmt.Sprintf("%s|%d.%09d|%d|%d|%d|%s", p.point, p.at/1e9, p.at%1e9, p.id, 8+p.size, p.ecn, p.comment))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(got) != len(want) {
		t.Fatalf("seed 3: tshark shows %d packets of the link, the recording has %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("seed 3: tshark shows %s, want %s", got[i], want[i])
		}
	}
}

func TestTsharkOpensACaptureWithoutPackets(t *testing.T) {
	r := real(t, groups)
	r.Capture = []string{"hosts.idle"}
	if got := tshark(t, filepath.Join(do(t, r).Dir, "capture.pcapng"), "frame", "frame.number"); len(got) != 0 {
		t.Errorf("seed 1: tshark shows packets %q", got)
	}
}
