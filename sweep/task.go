package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mostTasks is in how many tasks a study is divided at most: what fits into one job
// array of a Slurm as it is installed (slurm.conf(5), MaxArraySize).
const mostTasks = 1000

// taskSize is how many runs a task has; the last one may have fewer. It follows from
// the study alone, so that all machines agree on it.
func (s *Study) taskSize() int { return (s.Runs() + mostTasks - 1) / mostTasks }

// Tasks returns in how many tasks the study is divided: one for each run, or for
// several of them where these are more than a thousand.
func (s *Study) Tasks() int {
	size := s.taskSize()
	return (s.Runs() + size - 1) / size
}

// Task returns the runs of the task with an index from 0.
func (s *Study) Task(i int) ([]Run, error) {
	if n := s.Tasks(); i < 0 || i >= n {
		return nil, fmt.Errorf("there is no task %d; expected 0 to %d", i, n-1)
	}
	first := i * s.taskSize()
	runs := make([]Run, min(s.taskSize(), s.Runs()-first))
	for k := range runs {
		runs[k] = s.Run(first + k)
	}
	return runs, nil
}

// Missing returns the tasks that have runs without a result, in order, and how many
// such runs there are.
func (s *Store) Missing() (tasks []int, runs int) {
	size := s.Study.taskSize()
	for i, r := range s.Study.All() {
		if s.Has(r) {
			continue
		}
		runs++
		if task := i / size; len(tasks) == 0 || tasks[len(tasks)-1] != task {
			tasks = append(tasks, task)
		}
	}
	return tasks, runs
}

// Count returns how many runs have a result and how many have failed, from the names of
// the files alone: it reads folders and opens no file, which is fast on shared folders.
func (s *Store) Count() (done, failed int, err error) {
	ours := map[string]bool{}
	for _, r := range s.Study.All() {
		ours[s.name(r)] = true
	}
	count := func(folder string, n *int) error {
		entries, err := os.ReadDir(folder)
		for _, e := range entries {
			if ours[e.Name()] {
				*n++
			}
		}
		return err
	}
	results := filepath.Join(s.folder, resultsFolder)
	folders, err := os.ReadDir(results)
	if err != nil {
		return 0, 0, err
	}
	for _, f := range folders {
		if err := count(filepath.Join(results, f.Name()), &done); err != nil {
			return 0, 0, err
		}
	}
	err = count(filepath.Join(s.folder, failedFolder), &failed)
	return done, failed, err
}

// Ranges writes increasing numbers as job arrays are given: 0-2,5.
func Ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		part := strconv.Itoa(numbers[i])
		if last > i {
			part += "-" + strconv.Itoa(numbers[last])
		}
		parts = append(parts, part)
		i = last + 1
	}
	return strings.Join(parts, ",")
}
