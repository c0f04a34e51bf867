package main

import (
	"cmp"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

var fake = report{
	Kernel: "Linux 6.1", CPU: "Some CPU", CPUs: 4, Go: "go1.26.0", QUICGo: "v0.65.0", Rounds: 3, Window: 10, HostDelay: 35e-6,
	Rows: []row{
		{
			Case: "near", Path: "a near path", tolerance: exact,
			Linux: []measurement{{19e6, 2e-4, 0.045, 0.001, 0}, {18e6, 1e-4, 0.05, 0, 0}, {20e6, 3e-4, 0.04, 0.002, 0}},
			Wtsim: []measurement{{19.19e6, 35e-6, 0.0441, 0.0015, 0}, {19.19e6, 35e-6, 0.0441, 0.0015, 0}, {18e6, 35e-6, 0.0441, 0.0015, 0}},
		},
		{
			Case: "far", Path: "a far path", tolerance: exact,
			Linux: []measurement{{10e6, 0.04, 0.04, 0.1, 0}},
			Wtsim: []measurement{{9e6, 0.04, 0.041, 0.2, 0}},
		},
		{Case: "none", Path: "a none path", tolerance: exact, Skipped: "the kernel has no sch_netem", Wtsim: []measurement{{5e6, 0.04, 0.08, 0, 0}}},
	},
}

func TestAReportForATerminal(t *testing.T) {
	const want = `
case  path         Mbit/s: Linux  wtsim  ratio                 RTT min, mean / ms: Linux  wtsim         ratio                 loss / %: Linux  wtsim  ratio                 agrees
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
near  a near path  19.00          19.19  1.010 (0.96 to 1.07)  0.20, 45.00                0.03, 44.10   0.980 (0.88 to 1.10)  0.10             0.15   1.500 (0.75 to ∞)     yes
far   a far path   10.00          9.00   0.900 (0.90 to 0.90)  40.00, 40.00               40.00, 41.00  1.025 (1.02 to 1.02)  10.00            20.00  2.000 (2.00 to 2.00)  no: goodput, loss
none  a none path  –              5.00   –                     –                          40.00, 80.00  –                     –                0.00   –                     skipped: the kernel has no sch_netem

Linux 6.1, 4 × Some CPU, go1.26.0, quic-go v0.65.0; medians of 3 rounds of 10 s (six times as long with random loss); 35 µs for a round trip between the hosts alone.
`
	if got := "\n" + fake.text(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestAReportForAFile(t *testing.T) {
	const want = `
# Agreement with Linux

| case | path | Mbit/s: Linux | wtsim | ratio | RTT min, mean / ms: Linux | wtsim | ratio | loss / %: Linux | wtsim | ratio | agrees |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| near | a near path | 19.00 | 19.19 | 1.010 (0.96 to 1.07) | 0.20, 45.00 | 0.03, 44.10 | 0.980 (0.88 to 1.10) | 0.10 | 0.15 | 1.500 (0.75 to ∞) | yes |
| far | a far path | 10.00 | 9.00 | 0.900 (0.90 to 0.90) | 40.00, 40.00 | 40.00, 41.00 | 1.025 (1.02 to 1.02) | 10.00 | 20.00 | 2.000 (2.00 to 2.00) | no: goodput, loss |
| none | a none path | – | 5.00 | – | – | 40.00, 80.00 | – | – | 0.00 | – | skipped: the kernel has no sch_netem |

Linux 6.1, 4 × Some CPU, go1.26.0, quic-go v0.65.0; medians of 3 rounds of 10 s (six times as long with random loss); 35 µs for a round trip between the hosts alone.

Ratios are wtsim over Linux, of medians, and in brackets over the largest and the least of Linux's rounds. ` + "`" + `go run ./netem/calibrate --help` + "`" + ` says what was measured.
`
	if got := "\n" + fake.markdown(); got != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
}

func TestTheStatusOfAComparison(t *testing.T) {
	near, far, none := fake.Rows[0], fake.Rows[1], fake.Rows[2]
	for _, c := range []struct {
		rows []row
		want int
	}{
		{nil, statusAgrees},
		{[]row{near, near}, statusAgrees},
		{[]row{near, none}, statusSkipped},
		{[]row{none, far, near}, statusDiffers},
		{[]row{far}, statusDiffers},
	} {
		if got := judge(c.rows); got != c.want {
			t.Errorf("%d rows: status %d, want %d", len(c.rows), got, c.want)
		}
	}
}

func TestAMedianOfAnEvenNumberIsTheLowerOne(t *testing.T) {
	for want, values := range map[time.Duration][]time.Duration{1: {1}, 2: {3, 2}, 3: {9, 3, 1}, 4: {4, 1, 9, 5}} {
		if got := median(values); got != want {
			t.Errorf("%v: %d, want %d", values, got, want)
		}
	}
}

func TestTheNameOfTheProcessor(t *testing.T) {
	const info = "processor\t: 0\nmodel name\t: Some CPU: fast\nprocessor\t: 1\n"
	if got := cpuModel(info, "amd64"); got != "Some CPU: fast" {
		t.Error(got)
	}
	if got := cpuModel("processor\t: 0\n", "arm64"); got != "arm64" {
		t.Error(got)
	}
}

// In the simulator a case without random loss fills its link, and no case is
// faster than its link: 1252 bytes of data in 1322.
func TestEveryCaseRunsInTheSimulator(t *testing.T) {
	const seed = 1
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			m, err := simulate(c, period{2 * time.Second, 2 * time.Second}, 100*time.Microsecond, seed)
			if err != nil {
				t.Fatal(err)
			}
			rate, lossy := cmp.Or(c.Down.Rate, 5*netem.MbitPerSecond), strings.Contains(c.Down.Netem, "loss")
			capacity := float64(rate) * 1252 / float64(packetWire)
			if share := m.Goodput / capacity; share > 1.005 || !lossy && share < 0.9 {
				t.Errorf("seed %d: a goodput of %.3f of what the link can carry", seed, share)
			}
			base := 100 * time.Microsecond
			if strings.Contains(c.Down.Netem, "delay 40ms") {
				base += 80 * time.Millisecond
			}
			if got := time.Duration(m.MinRTT * 1e9); got < base-1 || m.MeanRTT < m.MinRTT {
				t.Errorf("seed %d: round-trip times of %v to %v s, on a path of %s", seed, m.MinRTT, m.MeanRTT, base)
			}
			if lossy && (m.Dropped == 0 || m.Lost == 0) {
				t.Errorf("seed %d: %v dropped, %v lost", seed, m.Dropped, m.Lost)
			}
		})
	}
}

func TestADirectionIsTheSameElementsAsDisciplines(t *testing.T) {
	n, err := netem.ParseNetem("delay 1ms loss random 1%", nil)
	if err != nil {
		t.Fatal(err)
	}
	bucket := netem.Rate{Rate: netem.MbitPerSecond, Burst: 3000, Overhead: 42, Queue: netem.FIFO{Limit: netem.Limit{Bytes: 9000}}}
	managed := bucket
	managed.Queue = netem.FQCoDel{}
	for _, c := range []struct {
		link link
		want []netem.Element
	}{
		{link{Netem: "delay 1ms loss random 1%", Rate: bucket.Rate, Burst: 3000, Limit: 9000}, []netem.Element{n, bucket}},
		{link{Rate: bucket.Rate, Burst: 3000, FQCoDel: true}, []netem.Element{managed}},
		{link{Netem: "delay 1ms loss random 1%"}, []netem.Element{n}},
	} {
		if got, err := c.link.elements(); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, %v, want %v", got, err, c.want)
		}
	}
	if _, err := (link{Netem: "dealy 1ms"}).elements(); err == nil {
		t.Error("no error")
	}
}

func TestAPathInWords(t *testing.T) {
	for name, want := range map[string]string{
		"rate-5":     "5Mbit/s, queue of 50 packets",
		"asymmetric": "20Mbit/s, queue of 100 packets; up 1Mbit/s, queue of 100 packets",
		"loss":       "netem delay 40ms loss random 1%, 5Mbit/s, queue of 50 packets; up netem delay 40ms, 5Mbit/s, queue of 50 packets",
		"netem-rate": "netem limit 100 delay 40ms rate 5mbit",
		"fq_codel":   "netem delay 40ms, 5Mbit/s, fq_codel",
	} {
		chosen, err := chooseCases([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		if got := chosen[0].String(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
