package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// qdiscStats is what a queueing discipline did.
type qdiscStats struct {
	Kind    string `json:"kind"`
	Root    bool   `json:"root"`
	Packets uint64 `json:"packets"` // that left it
	Drops   uint64 `json:"drops"`   // there and in those within it
}

// parseStats reads what "tc -s -j qdisc show" prints of a device and returns
// the statistics of its outermost discipline.
func parseStats(output []byte) (qdiscStats, error) {
	var all []qdiscStats
	if err := json.Unmarshal(output, &all); err != nil {
		return qdiscStats{}, fmt.Errorf("tc printed no statistics in JSON: %w", err)
	}
	for _, q := range all {
		if q.Root {
			return q, nil
		}
	}
	return qdiscStats{}, errors.New("tc shows no root discipline")
}

// dropped returns the share of packets that were dropped.
func (q qdiscStats) dropped() float64 {
	all := float64(q.Packets) + float64(q.Drops)
	if all == 0 {
		return 0
	}
	return float64(q.Drops) / all
}

// unknownKind reports whether an error of tc, from its standard error, says
// that the kernel does not have the discipline.
func unknownKind(message string) bool {
	return strings.Contains(message, "Specified qdisc kind is unknown") ||
		strings.Contains(message, "Specified qdisc not found") || // kernels before 5.18
		strings.Contains(message, "RTNETLINK answers: No such file or directory") ||
		strings.Contains(message, "Unknown qdisc") // tc itself has no such module
}

// commands returns tc's arguments that set up a direction on a device.
func (l link) commands(device string) [][]string {
	var commands [][]string
	for i, q := range l.qdiscs() {
		at := []string{"root"}
		if i > 0 {
			at = []string{"parent", fmt.Sprintf("%d:1", i)}
		}
		command := append([]string{"qdisc", "add", "dev", device}, at...)
		command = append(command, "handle", fmt.Sprintf("%d:", i+1))
		commands = append(commands, append(command, q...))
	}
	return commands
}
