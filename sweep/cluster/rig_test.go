//go:build linux

package cluster_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slurm is a Slurm with two nodes on this machine, started for a test.
type slurm struct {
	dir   string
	nodes map[string]*exec.Cmd
}

// startSlurm starts munged, slurmctld and slurmd twice, if the environment variable
// SLURM is set.
func startSlurm(t *testing.T) *slurm {
	t.Helper()
	if os.Getenv("SLURM") == "" {
		t.Skip("it takes a minute, and Debian's slurm-wlm and munge; SLURM=1 runs it")
	}
	dir, err := os.MkdirTemp("", "slurm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range []string{"slurmctld", "n1", "n2"} {
				text, _ := os.ReadFile(filepath.Join(dir, name+".log"))
				lines := strings.Split(string(text), "\n")
				t.Logf("%s:\n%s", name, strings.Join(lines[max(0, len(lines)-40):], "\n"))
			}
		}
		os.RemoveAll(dir)
	})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	ports := freePorts(t, 3)
	config := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[2]s(127.0.0.1)
SlurmctldPort=%[4]d
AuthType=auth/munge
AuthInfo=socket=%[1]s/munge.socket
CredType=cred/munge
SlurmUser=%[3]s
SlurmdUser=%[3]s
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool-%%n
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/%%n.pid
SlurmctldLogFile=%[1]s/slurmctld.log
SlurmdLogFile=%[1]s/%%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=3
MessageTimeout=3
BatchStartTimeout=5
JobRequeue=1
KillWait=1
MinJobAge=30
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=n1 NodeHostname=%[2]s NodeAddr=127.0.0.1 Port=%[5]d CPUs=2
NodeName=n2 NodeHostname=%[2]s NodeAddr=127.0.0.1 Port=%[6]d CPUs=2
PartitionName=all Nodes=n1,n2 Default=YES State=UP
`, dir, host, me.Username, ports[0], ports[1], ports[2])
	for name, text := range map[string]string{"slurm.conf": config, "munge.key": strings.Repeat("a key of this test alone ", 4)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))
	s := &slurm{dir: dir, nodes: map[string]*exec.Cmd{}}
	in := func(name string) string { return filepath.Join(dir, name) }
	start(t, "munged", "--foreground", "--force", "--key-file="+in("munge.key"), "--socket="+in("munge.socket"),
		"--pid-file="+in("munge.pid"), "--seed-file="+in("munge.seed"), "--log-file="+in("munge.log"))
	await(t, "munged", func() bool { _, err := os.Stat(in("munge.socket")); return err == nil })
	start(t, "slurmctld", "-D")
	s.startNode(t, "n1")
	s.startNode(t, "n2")
	await(t, "two idle nodes", func() bool { return s.count("sinfo", "-h", "-N", "-t", "idle") == 2 })
	return s
}

func (s *slurm) startNode(t *testing.T, name string) {
	t.Helper()
	s.nodes[name] = start(t, "slurmd", "-D", "-N", name)
}

// stopNode ends a node as a loss of power does: its slurmd, the slurmstepd of its
// tasks, and the tasks with all processes that they started. None can tell slurmctld.
func (s *slurm) stopNode(t *testing.T, name string) {
	t.Helper()
	stop(s.nodes[name])
	for again := true; again; time.Sleep(10 * time.Millisecond) {
		again = false
		for _, pid := range s.processes(name) {
			again = syscall.Kill(pid, syscall.SIGKILL) == nil || again
		}
	}
}

// processes returns those of a node, each before what it started: what has the node's
// log open or the node's name in its environment, and their descendants.
func (s *slurm) processes(node string) (pids []int) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	children := map[int][]int{}
	var add func(pid int)
	add = func(pid int) {
		if slices.Contains(pids, pid) {
			return
		}
		pids = append(pids, pid)
		for _, child := range children[pid] {
			add(child)
		}
	}
	var daemons, others []int
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		stat, _ := os.ReadFile(filepath.Join(folder, "stat"))
		words := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(words) < 2 || words[0] == "Z" {
			continue
		}
		parent, _ := strconv.Atoi(words[1])
		children[parent] = append(children[parent], pid)
		if s.logs(folder, node) {
			daemons = append(daemons, pid)
		}
		text, _ := os.ReadFile(filepath.Join(folder, "environ"))
		environment := strings.Split(string(text), "\x00")
		if slices.Contains(environment, "SLURMD_NODENAME="+node) && slices.Contains(environment, "SLURM_CONF="+filepath.Join(s.dir, "slurm.conf")) {
			others = append(others, pid)
		}
	}
	for _, pid := range append(daemons, others...) {
		add(pid)
	}
	return pids
}

// logs reports whether a process has the log of a node open.
func (s *slurm) logs(process, node string) bool {
	files, _ := filepath.Glob(filepath.Join(process, "fd", "*"))
	return slices.ContainsFunc(files, func(file string) bool {
		target, err := os.Readlink(file)
		return err == nil && target == filepath.Join(s.dir, node+".log")
	})
}

// count returns how many lines a command prints, or -1 if it fails.
func (s *slurm) count(name string, args ...string) int {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return -1
	}
	return strings.Count(string(out), "\n")
}

// start starts a daemon, which is killed at the end of the test.
func start(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
	return cmd
}

func stop(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
