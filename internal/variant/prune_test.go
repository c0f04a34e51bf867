package variant

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestProgramsThatNobodyAsksForAreRemoved(t *testing.T) {
	now := time.Now()
	b := &Builder{Cache: t.TempDir()}
	put := func(name string, age time.Duration) {
		t.Helper()
		place := filepath.Join(b.Cache, name)
		if err := os.Mkdir(place, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, "wtsim"), nil, 0o777); err != nil {
			t.Fatal(err)
		}
		use(place, now.Add(-age))
	}
	var want []string
	for i := range kept + 5 {
		name := fmt.Sprintf("old-%02d", i)
		put(name, 2*unused+time.Duration(i)*time.Minute)
		if i < kept-3 { // the three that follow are newer
			want = append(want, name)
		}
	}
	put("used-a", time.Hour)
	put("used-b", 0)
	put("used-c", unused-time.Minute)
	put(".build-running", time.Hour)
	put(".build-killed", unused+time.Minute)
	want = append(want, "used-a", "used-b", "used-c", ".build-running")
	b.prune(now)
	var got []string
	entries, err := os.ReadDir(b.Cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("kept are %v, want %v", got, want)
	}
}

func TestProgramsThatMayBeInUseAreKeptHoweverManyThereAre(t *testing.T) {
	now := time.Now()
	b := &Builder{Cache: t.TempDir()}
	for i := range 2 * kept {
		place := filepath.Join(b.Cache, fmt.Sprint(i))
		if err := os.Mkdir(place, 0o777); err != nil {
			t.Fatal(err)
		}
		use(place, now.Add(-unused+time.Minute))
	}
	b.prune(now)
	if entries, err := os.ReadDir(b.Cache); err != nil || len(entries) != 2*kept {
		t.Errorf("%d are left of %d, %v", len(entries), 2*kept, err)
	}
}
