package analysis

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestLatenessSaysIfAMachineCannotKeepUp(t *testing.T) {
	at := func(departed, late uint64) *record.RealTime {
		return &record.RealTime{Departed: departed, Late: late, P50: time.Microsecond, P99: 90 * time.Microsecond, Max: 2 * time.Millisecond}
	}
	for _, test := range []struct {
		run  *record.RealTime
		want string
	}{
		{at(0, 0), "no departures"},
		{at(1, 0), "1 departure, 1.00 µs late (p50), 90.0 µs (p99), at most 2.00 ms"},
		{at(140, 9), "140 departures, 1.00 µs late (p50), 90.0 µs (p99), at most 2.00 ms; 9 (6.43 %) by more than 100 µs"},
		{at(140, 10), "140 departures, 1.00 µs late (p50), 90.0 µs (p99), at most 2.00 ms; 10 (7.14 %) by more than 100 µs: this machine could not keep up"},
		{at(1000, 10), "1000 departures, 1.00 µs late (p50), 90.0 µs (p99), at most 2.00 ms; 10 (1 %) by more than 100 µs"},
		{at(1000, 11), "1000 departures, 1.00 µs late (p50), 90.0 µs (p99), at most 2.00 ms; 11 (1.10 %) by more than 100 µs: this machine could not keep up"},
	} {
		if got := Lateness(test.run); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestWakeupsSayIfAMachineIsBusy(t *testing.T) {
	for p99, want := range map[time.Duration]string{
		2 * time.Millisecond: "woke up 100 µs late (p50), 2.00 ms (p99), at most 5.00 ms",
		3 * time.Millisecond: "woke up 100 µs late (p50), 3.00 ms (p99), at most 5.00 ms: this machine had other work, and they were slower than alone",
	} {
		if got := Wakeups(record.Wakeups{P50: 100 * time.Microsecond, P99: p99, Max: 5 * time.Millisecond}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestClientsAreOfOtherProgramsAndNotTooMany(t *testing.T) {
	if got := RealTimeRemarks(nil); got != nil {
		t.Errorf("of a simulated run: %q", got)
	}
	run := &record.RealTime{Notes: []string{"note"}}
	for i := range mostClients + 2 {
		run.Clients = append(run.Clients, record.Client{Address: netip.AddrPortFrom(netip.IPv6Loopback(), uint16(i)), Host: "c"})
	}
	prompt := Remark{"Programs", "woke up 0 s late (p50), 0 s (p99), at most 0 s"}
	want := []Remark{{"Precision", "no departures"}, prompt, {"Note", "note"}}
	if got := RealTimeRemarks(run); !reflect.DeepEqual(got, want) {
		t.Errorf("of the scenario's own clients: %q", got)
	}
	run.Emulated = true
	want = want[:2:2]
	for i := range mostClients {
		want = append(want, Remark{"Client", fmt.Sprintf("[::1]:%d at c: sent 0 datagrams, received 0; no server has seen it", i)})
	}
	want = append(want, Remark{"", "… and 2 more in run.json"}, Remark{"Note", "note"})
	if got := RealTimeRemarks(run); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
