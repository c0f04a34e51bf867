package cluster

import (
	"strings"
	"testing"
	"time"
)

func TestAJobScriptHasTheMissingTasksAndTheLimits(t *testing.T) {
	s := Slurm{
		Job: Job{Name: "study", Command: []string{"/opt/wtsim", "sweep", "a study.toml", "--task=auto"}, Tasks: []int{0, 1, 2, 9}, Parallel: 8,
			Wall: 26*time.Hour + time.Second, Memory: 1_000_000_000},
		Directory: "/home/me", Logs: "/shared/50%/logs", Options: []string{"--partition=long", "--comment=two words"},
	}
	// 26 h and 1 s, with a minute more, are rounded up to 26 h 2 min; 1256 MB to 1198 MiB.
	const want = `#!/bin/sh
#SBATCH --job-name=wtsim-study
#SBATCH --array=0-2,9%8
#SBATCH --chdir=/home/me
#SBATCH --output=/shared/50%%/logs/%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=1-02:02
#SBATCH --mem=1198M
#SBATCH --partition=long
#SBATCH "--comment=two words"
exec /opt/wtsim sweep 'a study.toml' '--task=auto'
`
	got, err := s.Script()
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestWhatCannotStandInAJobScriptIsRefused(t *testing.T) {
	for _, folder := range []string{"/it's", "/a\nb", `/a\b`, `/a"b`} {
		s := Slurm{Job: Job{Tasks: []int{0}}, Directory: folder}
		if text, err := s.Script(); err == nil || !strings.Contains(err.Error(), "expected no quotes") {
			t.Errorf("%q: %v, %s", folder, err, text)
		}
	}
	if _, err := new(Slurm).Script(); err == nil {
		t.Error("a job without tasks has a script")
	}
}

func TestTheQueueTellsWhichTasksHaveNotEnded(t *testing.T) {
	got, err := parseQueue("0           COMPLETED           0\n1           RUNNING             1\n2           COMPLETING          0\n3           PENDING             0\n\n")
	if want := (State{Waiting: 1, Running: 2, Restarted: 1}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := parseQueue("garbage\n"); err == nil {
		t.Error("garbage is a queue")
	}
}

func FuzzParseQueue(f *testing.F) {
	f.Add("1 RUNNING 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parseQueue(text); err == nil && (s.Left() > strings.Count(text, "\n")+1 || s.Restarted > s.Left()) {
			t.Errorf("%+v", s)
		}
	})
}

func TestAManifestNeedsAnImageAClaimAndAFolder(t *testing.T) {
	for want, k := range map[string]Kubernetes{
		"no task":   {Image: "i", Claim: "c", Folder: "/r"},
		"no image":  {Job: Job{Tasks: []int{0}}, Claim: "c", Folder: "/r"},
		"no name":   {Job: Job{Tasks: []int{0}}, Image: "i", Claim: "A claim", Folder: "/r"},
		"no folder": {Job: Job{Tasks: []int{0}}, Image: "i", Claim: "c", Folder: "r"},
	} {
		if _, err := k.Manifest(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
