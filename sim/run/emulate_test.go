package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// emulated has two servers, of which one is behind two links, a NAT that is bound anew,
// and a session and expectations that are not to run.
const emulated = `
seed = 3
time_limit = "1s"
[hosts.client]
count = 2
[hosts.near]
[hosts.far]
[hosts.alone]
[routers.hub]
[links.access]
between = ["client", "hub"]
rate = "20Mbit/s"
delay = "5ms"
[links.lan]
between = ["hub", "near"]
[links.wan]
between = ["hub", "far"]
delay = "10ms"
nat = { inside = "hub" }
rebinds = [{ at = "600ms" }]
[sessions.one]
client = "client"
server = "near"
flows.down = { kind = "download", size = "10MB" }
[[expect]]
metric = "flows.down.goodput"
min = "1Tbit/s"
`

// emulating is an emulation of a test.
type emulating struct {
	*testing.T
	listening []Listening
	end       context.CancelFunc
	result    *Result
	err       error
	ended     chan struct{}

	mu      sync.Mutex
	notices []string
	lives   []Live
}

// emulate begins the emulation of a scenario, which ends with the test or before.
func emulate(t *testing.T, text string, r EmulateRequest) *emulating {
	t.Helper()
	r.Scenario = filepath.Join(t.TempDir(), "emulated.toml")
	if err := os.WriteFile(r.Scenario, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if r.Out == "" {
		r.Out = filepath.Join(t.TempDir(), "runs")
	}
	e := &emulating{T: t, ended: make(chan struct{})}
	ready := make(chan struct{})
	r.Ready = func(l []Listening) {
		e.listening = l
		close(ready)
	}
	r.Notice = func(text string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.notices = append(e.notices, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	e.end = cancel
	go func() {
		defer close(e.ended)
		e.result, e.err = Emulate(ctx, r, func(l Live) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.lives = append(e.lives, l)
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-e.ended
	})
	select {
	case <-ready:
	case <-e.ended:
	}
	return e
}

// finish ends the emulation, and returns its result.
func (e *emulating) finish() *Result {
	e.Helper()
	e.end()
	<-e.ended
	if e.err != nil {
		e.Fatal(e.err)
	}
	return e.result
}

// echoes answers datagrams, with its name before them.
func echoes(t *testing.T, name string) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(append([]byte(name+" "), b[:n]...), from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// ask sends a text to an address, and returns the answer and how long it took.
func ask(t *testing.T, to netip.AddrPort, text string) (string, time.Duration) {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	begin, b := time.Now(), make([]byte, 100)
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), time.Since(begin)
}

var anywhere = netip.MustParseAddrPort("127.0.0.1:0")

func TestAnEmulationRelaysToSeveralServers(t *testing.T) {
	e := emulate(t, emulated, EmulateRequest{
		Listen: []netip.AddrPort{anywhere}, FirstDatagram: true,
		Upstream: []Upstream{{Addr: echoes(t, "first")}, {Server: "far", Addr: echoes(t, "second")}, {Server: "far", Addr: echoes(t, "third")}},
	})
	if e.err != nil {
		t.Fatal(e.err)
	}
	for i, want := range []struct {
		answer, server string
		least          time.Duration
	}{{"first hello", "near", 10 * time.Millisecond}, {"second hello", "far", 30 * time.Millisecond}, {"third hello", "far", 30 * time.Millisecond}} {
		l := e.listening[i]
		if got, took := ask(t, l.Listen, "hello"); got != want.answer || took < want.least || l.Server != want.server {
			t.Errorf("%s answered %q after %s, want %s, %q after at least %s", l.Server, got, took, want.server, want.answer, want.least)
		}
	}
	result := e.finish()
	if result.Determinism != record.InReal || result.Ended != record.Complete || result.RealTime == nil || !result.RealTime.Emulated {
		t.Errorf("the result is %+v", result)
	}
	r := result.RealTime
	if r.Departed != 6 || len(r.Clients) != 3 || len(r.Refused) != 0 {
		t.Errorf("the relay did %+v", r)
	}
	var at []string
	for _, c := range r.Clients {
		at = append(at, c.Host)
	}
	if want := []string{"client-1", "client-2", "client-1"}; !slices.Equal(at, want) {
		t.Errorf("the clients were at %v, want %v", at, want)
	}
	var flows []string
	for _, f := range result.Flows {
		flows = append(flows, f.Entity+" "+f.From+" "+f.To)
	}
	if want := []string{"flows.down-1 near client-1", "flows.up-1 client-1 near", "flows.down-2 near client-2", "flows.up-2 client-2 near", "flows.down-3 near client-1", "flows.up-3 client-1 near"}; !slices.Equal(flows, want) {
		t.Errorf("the flows are %q, want %q", flows, want)
	}
	if len(result.Sessions) != 0 || result.Datagrams != 6 {
		t.Errorf("%d sessions and %d datagrams, want none and 6", len(result.Sessions), result.Datagrams)
	}
	recording, err := record.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := analysis.Compute(recording)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := metrics.Get("flows.down-1.bytes"); !ok || m.Value != float64(len("first hello")) {
		t.Errorf("the first client got %+v bytes, want %d", m, len("first hello"))
	}
	if rows := recording.Run.Rows[record.TablePackets]; rows != 12 {
		t.Errorf("%d packets on links were recorded, want 12: each on two", rows)
	}
	if !strings.HasSuffix(result.Dir, filepath.Join("emulated", "default,emulated", "3")) {
		t.Errorf("the recording is at %s", result.Dir)
	}
}

func TestAnEmulationEndsAfterItsDuration(t *testing.T) {
	e := emulate(t, emulated, EmulateRequest{Listen: []netip.AddrPort{anywhere}, Upstream: []Upstream{{Addr: echoes(t, "x")}}, Duration: 100 * time.Millisecond})
	<-e.ended
	if e.err != nil || e.result.Virtual < 100*time.Millisecond || e.result.Ended != record.Complete {
		t.Errorf("it ended after %+v, error %v", e.result, e.err)
	}
}

func TestAnEmulationOfOneLinkHasNoOther(t *testing.T) {
	e := emulate(t, emulated, EmulateRequest{Link: "access-2", Listen: []netip.AddrPort{anywhere}, Upstream: []Upstream{{Addr: echoes(t, "x")}}, FirstDatagram: true})
	if e.err != nil {
		t.Fatal(e.err)
	}
	if l := e.listening[0]; l.Server != "hub" {
		t.Errorf("the server is at %s, want the other end of the link", l.Server)
	}
	ask(t, e.listening[0].Listen, "hello")
	result := e.finish()
	if len(result.Links) != 1 || result.Links[0].Name != "access-2" || result.RealTime.Clients[0].Host != "client-2" {
		t.Errorf("links %+v, clients %+v", result.Links, result.RealTime.Clients)
	}
}

func TestAnEmulationTellsHowItGoes(t *testing.T) {
	e := emulate(t, emulated, EmulateRequest{Listen: []netip.AddrPort{anywhere}, Upstream: []Upstream{{Addr: echoes(t, "x")}}, FirstDatagram: true})
	if e.err != nil {
		t.Fatal(e.err)
	}
	ask(t, e.listening[0].Listen, "hello")
	var live Live
	for end := time.Now().Add(20 * time.Second); len(live.Links) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		e.mu.Lock()
		for _, l := range e.lives {
			if !l.Waiting {
				live = l
			}
		}
		e.mu.Unlock()
	}
	if len(live.Links) == 0 {
		t.Fatal("it told nothing")
	}
	forward := live.Links[0]
	if live.Clients != 1 || live.Precision.Departed != 2 || forward.Entity != "links.access-1.forward" || forward.Delivered != 1 || forward.Delay < 5*time.Millisecond || forward.Throughput == 0 {
		t.Errorf("it told %+v", live)
	}
}

func TestMistakesOfAnEmulationAreNamed(t *testing.T) {
	one := []Upstream{{Addr: netip.MustParseAddrPort("127.0.0.1:9")}}
	for want, r := range map[string]EmulateRequest{
		`the scenario has no link "acces-1"; did you mean "access-1"?`:                 {Link: "acces-1", Upstream: one, Listen: []netip.AddrPort{anywhere}},
		`"access" is 2 links; expected one of them, such as access-1`:                  {Link: "access", Upstream: one, Listen: []netip.AddrPort{anywhere}},
		`the clients' host: the scenario has no host "cleint"; did you mean "client"?`: {Client: "cleint", Upstream: one, Listen: []netip.AddrPort{anywhere}},
		`has no host "fart"; did you mean "far"?`:                                      {Upstream: []Upstream{{Server: "fart", Addr: one[0].Addr}}, Listen: []netip.AddrPort{anywhere}},
		"there is no upstream":                                                           {Listen: []netip.AddrPort{anywhere}},
		"there are 2 addresses to listen on for 1 upstreams":                             {Upstream: one, Listen: []netip.AddrPort{anywhere, anywhere}},
		"127.0.0.1:9001 would be where clients find far, and is an upstream itself":      {Upstream: []Upstream{{Addr: netip.MustParseAddrPort("127.0.0.1:9001")}, {Server: "far", Addr: netip.MustParseAddrPort("127.0.0.1:9002")}}, Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9000")}},
		"no links lead from client-1 to alone":                                           {Upstream: []Upstream{{Server: "alone", Addr: one[0].Addr}}, Listen: []netip.AddrPort{anywhere}},
		"clients and the server 127.0.0.1:9 are both at host near":                       {Client: "near", Upstream: []Upstream{{Addr: netip.MustParseAddrPort("127.0.0.1:9")}}, Listen: []netip.AddrPort{anywhere}},
		"there is no port for each of 2 upstreams from 127.0.0.1:65535 on":               {Upstream: append(one, one...), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:65535")}},
		"cannot listen for clients of near: realtime: the server at 192.0.2.1:9":         {Upstream: []Upstream{{Addr: netip.MustParseAddrPort("192.0.2.1:9")}}, Listen: []netip.AddrPort{anywhere}},
		`cannot capture at "links.wann": the scenario has no such link or host; did you`: {Upstream: one, Listen: []netip.AddrPort{anywhere}, Capture: []string{"links.wann"}},
	} {
		e := emulate(t, emulated, r)
		var failed *Error
		if !errors.As(e.err, &failed) || failed.Kind != Input || !strings.Contains(e.err.Error(), want) {
			t.Errorf("error %v, want %q", e.err, want)
		}
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	taken := echoes(t, "x")
	e := emulate(t, emulated, EmulateRequest{Listen: []netip.AddrPort{taken}, Upstream: []Upstream{{Addr: echoes(t, "y")}}})
	var failed *Error
	want := fmt.Sprintf("cannot listen on %s for clients of near: address already in use; expected a free address of this machine (--listen)", taken)
	if !errors.As(e.err, &failed) || failed.Kind != Input || e.err.Error() != want {
		t.Errorf("error %v, want %q", e.err, want)
	}
}

func TestARunInRealTimeDoesWhatItsScenarioSays(t *testing.T) {
	r := real(t, lossy)
	r.RealTime, r.QLog, r.Capture = true, true, []string{"hosts.a"}
	result := do(t, r)
	if result.Determinism != record.InReal || result.Ended != record.Complete || result.RealTime == nil || result.RealTime.Emulated {
		t.Errorf("the result is %+v", result)
	}
	if result.RealTime.Departed == 0 || len(result.RealTime.Refused) > 0 {
		t.Errorf("the relay did %+v", result.RealTime)
	}
	if got := filepath.Base(filepath.Dir(result.Dir)); got != "default,real-time" {
		t.Errorf("the recording is at %s", result.Dir)
	}
	for _, name := range []string{"capture.pcapng", "qlog/connections.one.client.sqlog", "qlog/connections.two.server.sqlog"} {
		if info, err := os.Stat(filepath.Join(result.Dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, error %v", name, info, err)
		}
	}
	finished := 0
	recording, err := record.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	last := time.Duration(0)
	for e, err := range recording.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Time < last {
			t.Errorf("%s at %s comes after one at %s", e.Kind, e.Time, last)
		}
		last = e.Time
		if e.Kind == record.EventFlowFinished {
			finished++
		}
	}
	// The download does not end before its session does.
	if finished != 5 {
		t.Errorf("%d flows finished, want 5", finished)
	}
}

func TestAnEmulationNeedsNoSessions(t *testing.T) {
	e := emulate(t, `
[hosts.laptop]
[hosts.cloud]
[links.dsl]
between = ["laptop", "cloud"]
delay = "5ms"
`, EmulateRequest{Listen: []netip.AddrPort{anywhere}, Upstream: []Upstream{{Addr: echoes(t, "x")}}, FirstDatagram: true})
	if e.err != nil {
		t.Fatal(e.err)
	}
	if got, _ := ask(t, e.listening[0].Listen, "hello"); got != "x hello" {
		t.Errorf("the answer is %q", got)
	}
	if r := e.finish().RealTime; len(r.Clients) != 1 || r.Clients[0].Host != "laptop" {
		t.Errorf("the clients were %+v", r.Clients)
	}
}
