package figure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	atLaptop = netip.MustParseAddrPort("10.0.0.1:49152")
	atCloud  = netip.MustParseAddrPort("10.0.0.2:443")
	public   = netip.MustParseAddrPort("192.0.2.1:1024") // of a NAT
	other    = netip.MustParseAddrPort("10.0.0.3:49152")
)

// theEnds are those of the one connection of the tests.
func theEnds() (client, server record.Connection) {
	return record.Connection{Entity: "connections.main.client", Host: "laptop", Addresses: []netip.AddrPort{atLaptop}},
		record.Connection{Entity: "connections.main.server", Host: "cloud", Addresses: []netip.AddrPort{atCloud}}
}

// twoLinks lead from the laptop over a router to the cloud.
var twoLinks = []record.Link{{Name: "home", Between: [2]string{"laptop", "router"}}, {Name: "wan", Between: [2]string{"cloud", "router"}}}

// follow returns what becomes of the rows, in words.
func follow(rows []record.Packet, server record.Connection) (told []string, ways [][]string) {
	client, _ := theEnds()
	j := newJourneys(twoLinks, func(id uint64, d *journey) {
		what := map[stage]string{underWay: "under way", arrived: "arrived", dropped: "dropped: " + d.fate, held: "held"}[d.stage]
		told = append(told, fmt.Sprintf("%d by %d, %d B: %v to %v, %d links to %s, %s", id, d.end, d.size, d.sent, d.done, d.hop, d.link, what))
	})
	j.follow(client, server)
	for i := range rows {
		j.packet(&rows[i])
	}
	j.finish()
	return told, j.ways
}

func packet(id uint64, link string, direction record.Direction, sent, done time.Duration, from, to netip.AddrPort) record.Packet {
	return record.Packet{ID: id, Link: link, Direction: direction, Sent: sent, Done: done, Source: from, Dest: to, Size: 1200}
}

func lost(p record.Packet, reason string) record.Packet {
	p.Fate, p.Reason = record.Dropped, reason
	return p
}

func TestADatagramIsFollowedOverAllLinksInTheOrderOfSending(t *testing.T) {
	_, server := theEnds()
	told, ways := follow([]record.Packet{
		packet(1, "home", record.Forward, 0, 5*ms, atLaptop, atCloud),
		lost(packet(3, "home", record.Forward, 6*ms, 6*ms, atLaptop, atCloud), "queue"),
		packet(1, "wan", record.Reverse, 5*ms, 25*ms, public, atCloud), // the router is a NAT
		packet(2, "home", record.Forward, 1*ms, 26*ms, atLaptop, atCloud),
		packet(4, "home", record.Forward, 7*ms, 27*ms, other, atCloud), // of another connection
		lost(packet(2, "wan", record.Reverse, 26*ms, 27*ms, public, atCloud), "loss"),
		packet(5, "wan", record.Forward, 26*ms, 40*ms, atCloud, public),
		packet(5, "home", record.Reverse, 40*ms, 45*ms, atCloud, atLaptop),
		packet(6, "wan", record.Forward, 41*ms, 46*ms, atCloud, public), // the router has lost its way
	}, server)
	want := []string{
		"1 by 0, 1200 B: 0s to 25ms, 2 links to wan, arrived",
		"2 by 0, 1200 B: 1ms to 27ms, 2 links to wan, dropped: loss",
		"3 by 0, 1200 B: 6ms to 6ms, 1 links to home, dropped: queue",
		"5 by 1, 1200 B: 26ms to 45ms, 2 links to home, arrived",
		"6 by 1, 1200 B: 41ms to 46ms, 1 links to wan, under way",
	}
	if !slices.Equal(told, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if got := fmt.Sprint(ways); got != "[[home wan] [wan home]]" {
		t.Errorf("the ways are %s", got)
	}
}

func TestADatagramArrivesAtAHostOfOneLinkIfTheServersIsUnknown(t *testing.T) {
	told, _ := follow([]record.Packet{
		packet(1, "home", record.Forward, 0, 5*ms, atLaptop, atCloud),
		packet(1, "wan", record.Reverse, 5*ms, 25*ms, atLaptop, atCloud),
	}, record.Connection{})
	if want := "1 by 0, 1200 B: 0s to 25ms, 2 links to wan, arrived"; len(told) != 1 || told[0] != want {
		t.Errorf("got %q, want %q", told, want)
	}
}

func TestOfCopiesTheFirstThatArrivesCounts(t *testing.T) {
	_, server := theEnds()
	told, _ := follow([]record.Packet{
		packet(2, "wan", record.Forward, 0, 3*ms, atCloud, atLaptop),
		packet(1, "wan", record.Reverse, 0, 4*ms, atLaptop, atCloud),
		packet(1, "wan", record.Reverse, 0, 9*ms, atLaptop, atCloud),
		lost(packet(2, "home", record.Reverse, 3*ms, 9*ms, atCloud, atLaptop), "queue"),
		packet(2, "home", record.Reverse, 3*ms, 11*ms, atCloud, atLaptop),
	}, server)
	want := []string{
		"1 by 0, 1200 B: 0s to 4ms, 1 links to wan, arrived",
		"2 by 1, 1200 B: 0s to 9ms, 2 links to home, dropped: queue",
	}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

func TestADatagramThatNeverEndsHoldsNothingUp(t *testing.T) {
	_, server := theEnds()
	rows := []record.Packet{packet(1, "home", record.Forward, 0, 1, atLaptop, atCloud)}
	for id := uint64(2); id < 2*maxOpen; id++ {
		rows = append(rows, packet(id, "wan", record.Reverse, 0, 2, atLaptop, atCloud))
	}
	rows = append(rows, packet(1<<63, "wan", record.Reverse, 5, 6, atLaptop, atCloud))
	client, _ := theEnds()
	next, most := uint64(1), 0
	var j *journeys
	j = newJourneys(twoLinks, func(id uint64, d *journey) {
		if id != next && id != 1<<63 {
			t.Fatalf("%d comes after %d", id, next-1)
		}
		next++
		most = max(most, len(j.open))
	})
	j.follow(client, server)
	for i := range rows {
		j.packet(&rows[i])
	}
	j.finish()
	if next != 2*maxOpen+1 || most > 2*maxOpen {
		t.Errorf("%d datagrams came, and %d were open", next-1, most)
	}
}

// TestEveryDatagramIsToldOnceInOrder takes the rows in any order in which links can
// give them.
func TestEveryDatagramIsToldOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "datagrams")
		var rows []record.Packet
		for id := range n {
			first := packet(uint64(id+1), "home", record.Forward, time.Duration(id), time.Duration(id+rapid.IntRange(0, 50).Draw(t, "first")), atLaptop, atCloud)
			if rapid.Bool().Draw(t, "lost") {
				rows = append(rows, lost(first, "loss"))
				continue
			}
			rows = append(rows, first, packet(first.ID, "wan", record.Reverse, first.Done, first.Done+time.Duration(rapid.IntRange(0, 50).Draw(t, "second")), atLaptop, atCloud))
		}
		slices.SortStableFunc(rows, func(a, b record.Packet) int { return int(a.Done - b.Done) })
		_, server := theEnds()
		told, _ := follow(rows, server)
		if len(told) != n {
			t.Fatalf("%d of %d datagrams", len(told), n)
		}
		for i, words := range told {
			if !strings.HasPrefix(words, fmt.Sprintf("%d by 0", i+1)) || strings.HasSuffix(words, "under way") {
				t.Errorf("datagram %d: %s", i+1, words)
			}
		}
	})
}
