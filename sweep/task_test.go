package sweep

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAStudyHasATaskForEachRunUpToAThousand(t *testing.T) {
	for _, c := range []struct{ cells, seeds, tasks, largest int }{
		{1, 1, 1, 1},
		{100, 10, 1000, 1},
		{1001, 1, 501, 2},
		{3000, 1, 1000, 3},
		{2501, 4, 910, 11},
	} {
		s := &Study{Cells: make([]Cell, c.cells), Seeds: make([]uint64, c.seeds)}
		first, err := s.Task(0)
		if err != nil || s.Tasks() != c.tasks || len(first) != c.largest {
			t.Errorf("%d cells with %d seeds: %d tasks of %d runs, %v; want %d of %d", c.cells, c.seeds, s.Tasks(), len(first), err, c.tasks, c.largest)
		}
	}
}

func TestTasksHaveEveryRunOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Study{Cells: make([]Cell, rapid.IntRange(1, 5000).Draw(t, "cells"))}
		for i := range rapid.IntRange(1, 4).Draw(t, "seeds") {
			s.Seeds = append(s.Seeds, uint64(10+i))
		}
		var runs []Run
		for i := range s.Tasks() {
			part, err := s.Task(i)
			if err != nil || len(part) == 0 {
				t.Fatalf("task %d of %d has %d runs, %v", i, s.Tasks(), len(part), err)
			}
			runs = append(runs, part...)
		}
		if s.Tasks() > mostTasks || !slices.Equal(runs, s.All()) {
			t.Errorf("%d tasks with %d runs; want at most %d with the study's %d in order", s.Tasks(), len(runs), mostTasks, s.Runs())
		}
	})
}

func TestATaskThatAStudyHasNotIsRefused(t *testing.T) {
	s := &Study{Cells: make([]Cell, 3), Seeds: make([]uint64, 1)}
	for _, i := range []int{-1, 3} {
		if _, err := s.Task(i); err == nil || err.Error() != fmt.Sprintf("there is no task %d; expected 0 to 2", i) {
			t.Errorf("task %d: error %v", i, err)
		}
	}
}

func TestAStoreKnowsWhichTasksAreMissing(t *testing.T) {
	store := open(t, t.TempDir(), delays(2, "5ms", "10ms"))
	two, err := store.Study.Task(2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Do(t.Context(), two, 1, nil); err != nil {
		t.Fatal(err)
	}
	if tasks, runs := store.Missing(); !slices.Equal(tasks, []int{0, 1, 3}) || runs != 3 {
		t.Errorf("tasks %v with %d runs are missing; want 0, 1 and 3", tasks, runs)
	}
}

func TestResultsAndFailuresAreCountedThoseOfOtherStudiesAreNot(t *testing.T) {
	study := gridOf(2, rates)
	store := opened(t, study)
	other, err := Open(store.Folder(), gridOf(3, rates)) // the same with a third seed
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		store.Put(madeResult(study, Run{Cell: 0, Seed: 1})),
		store.Put(madeResult(study, Run{Cell: 3, Seed: 2})),
		other.Put(madeResult(study, Run{Cell: 0, Seed: 3})),
		store.PutFailure(Run{Cell: 1, Seed: 1}, errors.New("too long")),
		other.PutFailure(Run{Cell: 1, Seed: 3}, errors.New("too long")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if done, failed, err := store.Count(); done != 2 || failed != 1 || err != nil {
		t.Errorf("%d done, %d failed, %v; want 2 and 1", done, failed, err)
	}
	if done, failed, err := other.Count(); done != 3 || failed != 2 || err != nil {
		t.Errorf("%d done, %d failed, %v in the larger study; want 3 and 2", done, failed, err)
	}
}

func TestRangesAreWrittenAsJobArraysAreGiven(t *testing.T) {
	for want, numbers := range map[string][]int{
		"":        nil,
		"4":       {4},
		"0-2,5":   {0, 1, 2, 5},
		"1,3,7-9": {1, 3, 7, 8, 9},
	} {
		if got := Ranges(numbers); got != want {
			t.Errorf("%v is written %q, want %q", numbers, got, want)
		}
	}
}
