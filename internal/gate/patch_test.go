package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// patch is a change of quic-go's congestion behaviour.
type patch struct {
	name  string
	edits []edit
}

// edit replaces a text, which its file has exactly once.
type edit struct {
	file     string
	old, new string
}

var patches = []patch{
	{"window-decrease", []edit{{
		"internal/congestion/cubic_sender.go",
		"renoBeta                   = 0.7 ",
		"renoBeta                   = 0.5 ",
	}}},
	{"no-pacing", []edit{{
		"internal/congestion/cubic_sender.go",
		"return c.pacer.Budget(now, c.pacingRate()) >= c.maxDatagramSize",
		"return true",
	}}},
	{"slow-ack", []edit{{
		"internal/ackhandler/received_packet_tracker.go",
		"const packetsBeforeAck = 2\n",
		"const packetsBeforeAck = 10\n",
	}, {
		"internal/ackhandler/received_packet_tracker.go",
		"const MaxAckDelay = 25 * time.Millisecond\n",
		"const MaxAckDelay = 100 * time.Millisecond\n",
	}}},
}

// apply changes the copy of quic-go in a folder.
func (p patch) apply(dir string) error {
	for _, e := range p.edits {
		if err := e.apply(dir); err != nil {
			return fmt.Errorf("patch %s: %w", p.name, err)
		}
	}
	return nil
}

func (e edit) apply(dir string) error {
	file := filepath.Join(dir, filepath.FromSlash(e.file))
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("quic-go has changed: %w", err)
	}
	if n := strings.Count(string(text), e.old); n != 1 {
		return fmt.Errorf("quic-go has changed: %s has %q %d times; expected it once", e.file, e.old, n)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o666)
}

func TestAnEditNeedsItsTextExactlyOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "sender.go")
	if err := os.WriteFile(file, []byte("beta = 0.7\nalpha = 1\n// 1 or 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		edit edit
		err  string
	}{
		{edit{"sender.go", "beta = 0.8", ""}, `sender.go has "beta = 0.8" 0 times; expected it once`},
		{edit{"sender.go", "1", ""}, `sender.go has "1" 2 times; expected it once`},
		{edit{"receiver.go", "1", ""}, "receiver.go"},
	} {
		err := c.edit.apply(dir)
		if err == nil || !strings.Contains(err.Error(), "quic-go has changed") || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: error %v; expected that quic-go has changed, and %s", c.edit, err, c.err)
		}
	}
	if err := (edit{"sender.go", "0.7", "0.5"}).apply(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if want := "beta = 0.5\nalpha = 1\n// 1 or 2\n"; err != nil || string(text) != want {
		t.Errorf("the file is %q (%v), want %q", text, err, want)
	}
}

// What can be seen without building anything.
func TestThePatchesFitTheQuicGoOfGoMod(t *testing.T) {
	original := quicGo(t)
	for _, p := range patches {
		dir := t.TempDir()
		for _, e := range p.edits {
			text, err := os.ReadFile(filepath.Join(original, e.file))
			if err != nil {
				t.Fatalf("patch %s: quic-go has changed: %v", p.name, err)
			}
			file := filepath.Join(dir, e.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.apply(dir); err != nil {
			t.Error(err)
		}
	}
}
