package analysis

import (
	"fmt"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// Remark is what a person should know of a run: a word for what it is about, and a
// sentence.
type Remark struct{ About, Text string }

// mostClients bounds the clients of which there are remarks.
const mostClients = 20

// RealTimeRemarks says how a run in real time went: how late datagrams were, which were
// refused, what clients of other programs did, what the system does not allow, and what
// was told on the way. Of another run, whose r is nil, there is nothing to say.
func RealTimeRemarks(r *record.RealTime) []Remark {
	if r == nil {
		return nil
	}
	all := []Remark{{"Precision", Lateness(r)}, {"Programs", Wakeups(r.Wakeups)}}
	if len(r.Refused) > 0 {
		all = append(all, Remark{"Refused", Refusals(r.Refused)})
	}
	clients := r.Clients
	if !r.Emulated {
		clients = nil // they are those of the scenario
	}
	for _, c := range clients[:min(len(clients), mostClients)] {
		all = append(all, Remark{"Client", aboutClient(c)})
	}
	if more := len(clients) - mostClients; more > 0 {
		all = append(all, Remark{"", fmt.Sprintf("… and %d more in run.json", more)})
	}
	for _, note := range r.Notes {
		all = append(all, Remark{"Note", note})
	}
	return all
}

// keepsUp is the share of datagrams that may be late on a machine that is fast enough: of
// 100, one. Fewer than fewLate say nothing of it: a processor that slept is late once.
const (
	keepsUp = 0.01
	fewLate = 10
)

// Lateness says how late datagrams departed from the network to real sockets.
func Lateness(r *record.RealTime) string {
	if r.Departed == 0 {
		return "no departures"
	}
	d := func(t time.Duration) string { return quantity.Duration(t.Seconds()) }
	text := fmt.Sprintf("%s, %s late (p50), %s (p99), at most %s", quantity.Count(int(r.Departed), "departure"), d(r.P50), d(r.P99), d(r.Max))
	if r.Late == 0 {
		return text
	}
	share := float64(r.Late) / float64(r.Departed)
	text += fmt.Sprintf("; %d (%s) by more than 100 µs", r.Late, quantity.Format("late_ratio", share, "1"))
	if share > keepsUp && r.Late >= fewLate {
		text += ": this machine could not keep up"
	}
	return text
}

// promptly is how late of 100 wake-ups one may be on a machine that has time for the programs.
const promptly = 2 * time.Millisecond

// Wakeups says how late programs woke up.
func Wakeups(w record.Wakeups) string {
	d := func(t time.Duration) string { return quantity.Duration(t.Seconds()) }
	text := fmt.Sprintf("woke up %s late (p50), %s (p99), at most %s", d(w.P50), d(w.P99), d(w.Max))
	if w.P99 > promptly {
		text += ": this machine had other work, and they were slower than alone"
	}
	return text
}

// Refusals says how many datagrams were refused, by the reason.
func Refusals(all []record.Refusal) string {
	var parts []string
	for _, r := range all {
		parts = append(parts, fmt.Sprintf("%s (%s)", datagrams(r.Datagrams), r.Reason))
	}
	return strings.Join(parts, ", ")
}

func aboutClient(c record.Client) string {
	seen := "no server has seen it"
	for i, a := range c.Seen {
		if i == 0 {
			seen = "servers saw " + a.String()
		} else {
			seen += ", then " + a.String()
		}
	}
	return fmt.Sprintf("%s at %s: sent %s, received %d; %s", c.Address, c.Host, datagrams(c.Sent.Packets), c.Received.Packets, seen)
}

func datagrams(n uint64) string { return quantity.Count(int(n), "datagram") }
