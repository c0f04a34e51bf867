package run

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// processUsage returns what a process has used (proc(5), /proc/PID/stat).
func processUsage(pid int) (usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	// The program's name, in brackets, may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const state, user, system, resident = 0, 11, 12, 21
	if len(fields) <= resident {
		return usage{}, errors.New("too few fields")
	}
	if fields[state] == "Z" {
		return usage{}, errors.New("it has ended")
	}
	var n [3]int64
	for i, field := range []int{user, system, resident} {
		if n[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return usage{}, err
		}
	}
	// The kernel counts in hundredths of a second for all programs (USER_HZ).
	return usage{cpu: time.Duration(n[0]+n[1]) * 10 * time.Millisecond, memory: netem.Bytes(n[2] * int64(os.Getpagesize()))}, nil
}
