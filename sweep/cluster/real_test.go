//go:build linux

package cluster_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const study = `time_limit = "2s"
[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
rate = "10Mbit/s"
delay = "20ms"
loss = { kind = "bernoulli", p = 0.01 }
[sessions.main]
client = "client"
server = "server"
close = { at = "300ms" }
[sessions.main.flows.bulk]
kind = "download"
size = "20KB"
`

func TestANodeStopsAndATaskIsKilledAndAllResultsAreThereOnce(t *testing.T) {
	s := startSlurm(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "wtsim")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/wtsim/wtsim/cmd/wtsim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "study.toml"), []byte(study), 0o666); err != nil {
		t.Fatal(err)
	}
	sweep := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(program, append([]string{"sweep", "study.toml", "--sweep", "links.access.delay=1ms..50ms:lin50", "--seeds", "2", "--no-figures"}, args...)...)
		var out bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
		return cmd, &out
	}

	first, said := sweep("--out", "shared", "--submit", "slurm")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	shared := filepath.Join(dir, "shared", "study")
	await(t, "20 results", func() bool { return len(fingerprints(t, shared)) >= 20 })
	text, err := os.ReadFile(filepath.Join(shared, "slurm.job"))
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(string(text))
	if out, err := exec.Command("scancel", id+"_99").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	killed := killTask(t, program, "n2")
	await(t, "a task on the node that stops", func() bool {
		return s.count("squeue", "-h", "-r", "-t", "running", "-w", "n1") > 0
	})
	s.stopNode(t, "n1")
	await(t, "Slurm to find that a node is down", func() bool { return s.count("sinfo", "-h", "-N", "-t", "down") == 1 })
	s.startNode(t, "n1")
	lost := startAgain(t, id)
	t.Logf("task %s killed, tasks %v lost with their node", killed, lost)
	if err := <-ended; err == nil || !strings.Contains(said.String(), "of these tasks: ") {
		t.Fatalf("with a task killed the sweep ended with %v:\n%s", err, said)
	}
	t.Logf("first submission:\n%s", said)

	again, said := sweep("--out", "shared", "--submit", "slurm")
	if err := again.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("second submission:\n%s", said)
	checkComputedOnce(t, filepath.Join(shared, "logs"), append(lost, killed))

	local, said := sweep("--out", "local")
	if err := local.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	got, want := fingerprints(t, shared), fingerprints(t, filepath.Join(dir, "local", "study"))
	if len(want) != 100 || !maps.Equal(got, want) {
		t.Errorf("%d results of the cluster, %d of this machine, not the same", len(got), len(want))
	}
}

// startAgain waits until Slurm has put the tasks of a lost node in the queue again and
// started them, and returns their indices. They would wait for two minutes there.
func startAgain(t *testing.T, job string) (tasks []string) {
	t.Helper()
	await(t, "Slurm to start the tasks of the lost node again", func() bool {
		out, err := exec.Command("squeue", "-h", "-r", "-j", job, "--Format=ArrayTaskID:12,RestartCnt:12,State:20").Output()
		waiting := err != nil
		for line := range strings.Lines(string(out)) {
			words := strings.Fields(line)
			if len(words) != 3 || words[1] == "0" {
				continue
			}
			if !slices.Contains(tasks, words[0]) {
				tasks = append(tasks, words[0])
			}
			if words[2] == "PENDING" {
				waiting = true
				exec.Command("scontrol", "update", "JobId="+job+"_"+words[0], "StartTime=now").Run()
			}
		}
		return len(tasks) > 0 && !waiting
	})
	return tasks
}

// checkComputedOnce checks in what the tasks printed that each has ended, and that
// none computed its run twice. Those that were lost may have done so without a word.
func checkComputedOnce(t *testing.T, logs string, lost []string) {
	t.Helper()
	for i := range 100 {
		task := strconv.Itoa(i)
		files, _ := filepath.Glob(filepath.Join(logs, "*_"+task+".log"))
		var printed strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			printed.Write(text)
		}
		ends := strings.Count(printed.String(), "task "+task+" of 100: ")
		computed := strings.Count(printed.String(), ": 1 run done, 0 had results before\n")
		if again := slices.Contains(lost, task); ends < 1 || computed > 1 || !again && (ends != 1 || computed != 1) {
			t.Errorf("task %s ended %d times and computed its run %d times (lost: %v):\n%s", task, ends, computed, again, &printed)
		}
	}
}

// killTask kills the process of a task on a node, at an instant at which there is one,
// and returns its index.
func killTask(t *testing.T, program, node string) (task string) {
	t.Helper()
	await(t, "a task that runs", func() bool {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range files {
			text, _ := os.ReadFile(file)
			if !strings.HasPrefix(string(text), program+"\x00sweep") || !strings.Contains(string(text), "--task=auto") {
				continue
			}
			environ, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
			environment := strings.Split(string(environ), "\x00")
			i := slices.IndexFunc(environment, func(v string) bool { return strings.HasPrefix(v, "SLURM_ARRAY_TASK_ID=") })
			if i < 0 || !slices.Contains(environment, "SLURMD_NODENAME="+node) {
				continue
			}
			_, task, _ = strings.Cut(environment[i], "=")
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				return true
			}
		}
		return false
	})
	return task
}

// fingerprints returns those of the results in a folder, by the names of their files.
func fingerprints(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "runs", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var result struct {
			Info struct{ Fingerprint string }
		}
		if err := json.Unmarshal(text, &result); err != nil || result.Info.Fingerprint == "" {
			t.Fatalf("%s holds %s, %v", file, text, err)
		}
		found[filepath.Base(file)] = result.Info.Fingerprint
	}
	return found
}
