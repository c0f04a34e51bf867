package run

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTheFirstNoticesAreKept(t *testing.T) {
	var n noted
	for i := range mostNoted {
		n.add(time.Duration(i)*time.Second, "told")
	}
	if got := n.all(); len(got) != mostNoted || got[3] != "at 3s: told" {
		t.Errorf("it keeps %q", got)
	}
	n.add(time.Hour, "too late")
	n.add(time.Hour, "too late")
	got := n.all()
	if last := fmt.Sprint(got[mostNoted:]); last != "[… and 2 more that were told]" {
		t.Errorf("after the first there is %s", last)
	}
}

func TestTheResultSaysThatAServerTookNothing(t *testing.T) {
	gone, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	e := emulate(t, emulated, EmulateRequest{
		Listen: []netip.AddrPort{anywhere}, FirstDatagram: true, Upstream: []Upstream{{Addr: gone.LocalAddr().(*net.UDPAddr).AddrPort()}},
	})
	if e.err != nil {
		t.Fatal(e.err)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(e.listening[0].Listen))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told := func() int {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.notices)
	}
	for end := time.Now().Add(20 * time.Second); told() == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		conn.Write([]byte("hello"))
	}
	notes := e.finish().RealTime.Notes
	if len(notes) == 0 || !strings.HasPrefix(notes[len(notes)-1], "at ") || !strings.HasSuffix(notes[len(notes)-1], ": "+e.notices[0]) {
		t.Errorf("the notes are %q, want what was told: %q", notes, e.notices)
	}
}
