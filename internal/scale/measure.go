//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
)

// hosts is the number of clients that more sessions than that are spread over.
const hosts = 100

// opening is the time in which all sessions begin, and settled is when all are in
// use.
const (
	opening = 4500 * time.Millisecond
	settled = 9500 * time.Millisecond
)

// overrides are those of a scenario for so many sessions.
func overrides(sessions int) []string {
	clients := min(sessions, hosts)
	return []string{
		fmt.Sprintf("hosts.client.count=%d", clients),
		fmt.Sprintf("sessions.main.count=%d", sessions/clients),
		fmt.Sprintf("sessions.main.stagger=%dns", opening.Nanoseconds()/int64(sessions)),
	}
}

// cost is what a process took.
type cost struct {
	Datagrams int
	CPU       time.Duration
	Peak      int64 // bytes of memory, of the largest process
	Heap      int64 // bytes that live when all sessions are in use
	Stacks    int64 // likewise
}

func (c cost) perDatagram() time.Duration { return c.CPU / time.Duration(max(c.Datagrams, 1)) }

// row is what was measured of a number of sessions.
type row struct {
	sessions   int
	simulation cost // alone
	whole      cost // wtsim run, with the recording and the metrics
}

// measure measures a number of sessions, small ones several times, and keeps the median of
// the times.
func measure(wtsim, scratch, file string, sessions int) (row, error) {
	rounds := min(max(1, 1000/sessions), 5)
	var alone, whole []cost
	for range rounds {
		self, err := os.Executable()
		if err != nil {
			return row{}, err
		}
		c, err := took(exec.Command(self, "-scenario", file, "-simulate", fmt.Sprint(sessions)))
		if err != nil {
			return row{}, err
		}
		alone = append(alone, c)
		args := []string{"run", file, "--json", "--no-figures", "--out", filepath.Join(scratch, "runs")}
		for _, o := range overrides(sessions) {
			args = append(args, "--set", o)
		}
		if c, err = took(exec.Command(wtsim, args...)); err != nil {
			return row{}, err
		}
		whole = append(whole, c)
	}
	return row{sessions, median(alone), median(whole)}, nil
}

func median(costs []cost) cost {
	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(a.CPU, b.CPU) })
	return costs[len(costs)/2]
}

// took runs a program that prints a cost, or as much as it knows of it.
func took(cmd *exec.Cmd) (c cost, err error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return c, fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, err
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.Peak = usage.Maxrss << 10 // KiB on Linux
	return c, nil
}

// unkept is a recorder that keeps nothing.
type unkept struct{}

func (unkept) Sample(record.Sample) {}
func (unkept) Event(record.Event)   {}

// simulate runs so many sessions in this process, and prints the cost.
func simulate(file string, sessions int) error {
	s, err := scenario.Load(file, overrides(sessions)...)
	if err != nil {
		return err
	}
	var c cost
	result, err := sim.Run(sim.Config{Seed: s.Seed, TimeLimit: s.TimeLimit}, func(w *sim.World) error {
		w.At(settled, func() {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			c.Heap, c.Stacks = int64(m.HeapAlloc), int64(m.StackInuse)
		})
		_, err := workload.Build(w, s, unkept{}, workload.Options{WithoutSeries: true})
		return err
	})
	if err != nil {
		return err
	}
	c.Datagrams = int(result.Datagrams)
	return json.NewEncoder(os.Stdout).Encode(c)
}

// next to nothing: a single message.
const nothing = `
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
[sessions.main]
client = "client"
server = "server"
flows.ping = { kind = "echo", count = 1 }
`

// worker is the CPU time of a run of next to nothing, in this process and in one of its
// own.
type worker struct{ here, own time.Duration }

// startOfWorker measures what the process of a run costs: the medians of runs in turn.
func startOfWorker(ctx context.Context) (worker, error) {
	const rounds = 21
	var times [2][]time.Duration
	for range rounds {
		for i, here := range []bool{true, false} {
			before := cpuTime()
			if _, err := run.Do(ctx, run.Request{Scenario: "nothing", Source: []byte(nothing), Unwritten: true, Here: here}, nil); err != nil {
				return worker{}, err
			}
			times[i] = append(times[i], cpuTime()-before)
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	return worker{times[0][rounds/2], times[1][rounds/2]}, nil
}

// cpuTime is what this process and its children that ended have used.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			panic(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}
