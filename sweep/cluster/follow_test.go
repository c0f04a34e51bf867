//go:build unix

package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// playSqueue puts a script in the place of squeue. In it, $n is how many times it has
// been called, with this one.
func playSqueue(t *testing.T, script string) (calls func() int) {
	t.Helper()
	dir := t.TempDir()
	count := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho >>'" + count + "'\nn=$(wc -l <'" + count + "')\n" + script
	if err := os.WriteFile(filepath.Join(dir, "squeue"), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() int {
		text, _ := os.ReadFile(count)
		return len(text)
	}
}

func TestAJobIsFollowedThoughSqueueFailsForAWhile(t *testing.T) {
	playSqueue(t, `case $n in
[1-5] | 7) echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1 ;;
6) printf '0 RUNNING 0\n1 PENDING 0\n' ;;
8) printf '1 RUNNING 1\n' ;;
esac
`)
	var got []State
	err := Follow(t.Context(), "7", time.Millisecond, func(s State) { got = append(got, s) })
	want := []State{{Waiting: 1, Running: 1}, {Running: 1, Restarted: 1}, {}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestFollowingEndsWhenSqueueFailsForLong(t *testing.T) {
	calls := playSqueue(t, `echo "Unable to contact slurm controller" >&2; exit 1`)
	err := Follow(t.Context(), "7", time.Millisecond, func(s State) { t.Errorf("%+v is known of a job of which squeue says nothing", s) })
	if err == nil || !strings.Contains(err.Error(), "Unable to contact slurm controller") || calls() != patience {
		t.Errorf("after %d calls: %v; want what squeue said after %d", calls(), err, patience)
	}
}

func TestAJobThatSlurmHasForgottenHasEnded(t *testing.T) {
	playSqueue(t, `echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1`)
	if s, err := Queue(t.Context(), "7"); err != nil || s.Left() != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestFollowingEndsWithTheContext(t *testing.T) {
	playSqueue(t, `echo "0 RUNNING 0"`)
	ctx, cancel := context.WithCancel(t.Context())
	err := Follow(ctx, "7", time.Hour, func(State) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want that the context was cancelled", err)
	}
}
