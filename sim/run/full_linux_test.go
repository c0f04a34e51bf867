package run

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestARunThatFillsTheDiskIsReportedAndLeavesNothing(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"tables":  func(*Request) {},
		"CSV":     func(r *Request) { r.CSV = true },
		"qlog":    func(r *Request) { r.QLog = true },
		"capture": func(r *Request) { r.Capture = []string{"links.l"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := real(t, lossy)
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32k"); err != nil {
				t.Skip("a small disk cannot be mounted here:", err)
			}
			t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
			r.Out = disk
			change(&r)
			_, err := Do(t.Context(), r, nil)
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Input || !strings.Contains(err.Error(), "no space left on device") {
				t.Errorf("error %v", err)
			}
			if left := files(t, disk); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAnEmulationThatFillsTheDiskSaysSoAndGoesOn(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32k"); err != nil {
		t.Skip("a small disk cannot be mounted here:", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	e := emulate(t, emulated, EmulateRequest{Listen: []netip.AddrPort{anywhere}, Upstream: []Upstream{{Addr: echoes(t, "x")}}, FirstDatagram: true, Out: disk, CSV: true})
	if e.err != nil {
		t.Fatal(e.err)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(e.listening[0].Listen))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told := func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return slices.ContainsFunc(e.notices, func(n string) bool {
			return strings.Contains(n, "no space left on device; relaying goes on")
		})
	}
	for end := time.Now().Add(20 * time.Second); !told(); {
		if time.Now().After(end) {
			t.Fatalf("the notices are %q", e.notices)
		}
		for range 100 {
			conn.Write(make([]byte, 100))
		}
		time.Sleep(time.Millisecond)
	}
	// The queue of the link is full, and takes a while to empty.
	b := make([]byte, 200)
	for end := time.Now().Add(20 * time.Second); !strings.HasSuffix(string(b), "x still there?"); {
		if time.Now().After(end) {
			t.Fatalf("the last answer is %q", b)
		}
		conn.Write([]byte("still there?"))
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := conn.Read(b[:200])
		for err == nil && !strings.HasSuffix(string(b[:n]), "x still there?") { // of the flood
			n, err = conn.Read(b[:200])
		}
		b = b[:n]
	}
	e.end()
	<-e.ended
	var failed *Error
	if !errors.As(e.err, &failed) || failed.Kind != Input || !strings.Contains(e.err.Error(), "no space left on device") {
		t.Errorf("error %v", e.err)
	}
	if left := files(t, disk); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
