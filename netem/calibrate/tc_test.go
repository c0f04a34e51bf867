package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/netem"
)

func TestCommandsOfTC(t *testing.T) {
	for _, c := range []struct {
		name string
		link link
		want []string
	}{
		{"a token bucket with its own queue", link{Rate: 20 * netem.MbitPerSecond, Burst: 13220, Limit: 6610}, []string{
			"qdisc add dev d root handle 1: tbf rate 20000000bit burst 13220 limit 6610",
		}},
		{"a delay around it", link{Netem: "delay 1500us", Rate: netem.MbitPerSecond, Burst: 3000, Limit: 9000}, []string{
			"qdisc add dev d root handle 1: netem delay 1500us",
			"qdisc add dev d parent 1:1 handle 2: tbf rate 1000000bit burst 3000 limit 9000",
		}},
		{"netem alone", link{Netem: "limit 100  rate 20mbit"}, []string{
			"qdisc add dev d root handle 1: netem limit 100 rate 20mbit",
		}},
		{"bursts of loss and managed flows", link{Netem: "loss gemodel 0.5% 30%", Rate: netem.MbitPerSecond, Burst: 3000, FQCoDel: true}, []string{
			"qdisc add dev d root handle 1: netem loss gemodel 0.5% 30%",
			"qdisc add dev d parent 1:1 handle 2: tbf rate 1000000bit burst 3000 limit 3000",
			"qdisc add dev d parent 2:1 handle 3: fq_codel",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, command := range c.link.commands("d") {
				got = append(got, strings.Join(command, " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("commands\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// As iproute2 6.1 prints it.
const nested = `[{"kind":"netem","handle":"1:","root":true,"refcnt":3,"options":{"limit":100000,"ecn":false,"gap":0},"bytes":1322000,"packets":990,"drops":10,"overlimits":0,"requeues":0,"backlog":0,"qlen":0},
{"kind":"tbf","handle":"2:","parent":"1:1","options":{"rate":2500000,"burst":13220,"lat":0},"bytes":1322000,"packets":990,"drops":3,"overlimits":77,"requeues":0,"backlog":0,"qlen":0}]`

func TestTheStatisticsAreThoseOfTheRoot(t *testing.T) {
	got, err := parseStats([]byte(nested))
	if err != nil {
		t.Fatal(err)
	}
	if want := (qdiscStats{Kind: "netem", Root: true, Packets: 990, Drops: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if share := got.dropped(); share != 0.01 {
		t.Errorf("dropped %v of all, want 0.01", share)
	}
	if share := (qdiscStats{}).dropped(); share != 0 {
		t.Errorf("dropped %v of nothing", share)
	}
}

func TestStatisticsThatAreNoneAreRefused(t *testing.T) {
	for output, want := range map[string]string{
		"":                                      "tc printed no statistics in JSON: unexpected end of JSON input",
		"[]":                                    "tc shows no root discipline",
		"qdisc tbf 1: root refcnt 3 rate 5Mbit": "tc printed no statistics in JSON: invalid character 'q' looking for beginning of value",
		`[{"kind":"tbf","parent":"1:1"}]`:       "tc shows no root discipline",
	} {
		if _, err := parseStats([]byte(output)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", output, err, want)
		}
	}
}

func FuzzParseStats(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte(`[{"root":true,"packets":18446744073709551615,"drops":18446744073709551615}]`))
	f.Fuzz(func(t *testing.T, output []byte) {
		q, err := parseStats(output)
		if share := q.dropped(); err == nil && (!q.Root || share < 0 || share > 1) {
			t.Errorf("%q: %+v, of which a share of %v was dropped", output, q, share)
		}
	})
}

func TestAKernelWithoutADisciplineIsRecognised(t *testing.T) {
	for message, want := range map[string]bool{
		"Error: Specified qdisc kind is unknown.":                          true,
		"RTNETLINK answers: No such file or directory":                     true,
		"Unknown qdisc \"fq_codel\", hence option \"limit\" is unparsable": true,
		"RTNETLINK answers: Operation not permitted":                       false,
		"Cannot find device \"path\"":                                      false,
	} {
		if got := unknownKind(message); got != want {
			t.Errorf("%s: %t, want %t", message, got, want)
		}
	}
}
