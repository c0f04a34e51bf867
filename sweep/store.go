package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/program"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
)

// Result is what one run achieved.
type Result struct {
	Run
	Info    record.Run       // without the scenario's text
	Metrics analysis.Metrics // of the whole run
}

// Failure is why a run has no result.
type Failure struct {
	Seed      uint64   `json:"seed"`
	Overrides []string `json:"overrides,omitempty"`
	Why       string   `json:"why"`
}

// Store is a folder in which the results of a study are kept, a file for each run.
// Several processes, also on several machines, may use it at once.
type Store struct {
	Study   *Study
	folder  string
	program *program.Program
}

// The files and folders of a store.
const (
	studyFile     = "study.json"
	resultsFolder = "runs"
	failedFolder  = "failed"
)

// Open makes the folder ready for results of a study made by this program. Results
// that are there already stay; those of other studies, other versions of the scenario
// and other programs are not seen.
func Open(folder string, study *Study) (*Store, error) {
	own, err := program.Open()
	if err != nil {
		return nil, fmt.Errorf("results depend on this program: %w", err)
	}
	for _, sub := range []string{resultsFolder, failedFolder} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o777); err != nil {
			return nil, fmt.Errorf("make a folder for results: %w", err)
		}
	}
	s := &Store{Study: study, folder: folder, program: own}
	if err := s.write(filepath.Join(folder, studyFile), study); err != nil {
		return nil, err
	}
	return s, nil
}

// Folder returns the folder of the store.
func (s *Store) Folder() string { return s.folder }

// name returns the file name of a run: a hash of all that its packets depend on.
func (s *Store) name(r Run) string {
	h := sha256.New()
	fmt.Fprintf(h, "%x\n%s\n%d\n", s.program.Digest, s.Study.Cells[r.Cell].Digest, r.Seed)
	return hex.EncodeToString(h.Sum(nil))[:32] + ".json"
}

func (s *Store) place(r Run) string {
	name := s.name(r)
	return filepath.Join(s.folder, resultsFolder, name[:2], name)
}

func (s *Store) failedPlace(r Run) string { return filepath.Join(s.folder, failedFolder, s.name(r)) }

// Has reports whether a run has a result. A file that a machine lost the end of when
// it crashed is none.
func (s *Store) Has(r Run) bool {
	file, err := os.Open(s.place(r))
	if err != nil {
		return false
	}
	defer file.Close()
	const end = "}\n"
	var last [len(end)]byte
	if _, err := file.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return false
	}
	_, err = io.ReadFull(file, last[:])
	return err == nil && string(last[:]) == end
}

// stored is a result as JSON.
type stored struct {
	Info    record.Run      `json:"info"`
	Metrics json.RawMessage `json:"metrics"`
}

// Get returns the result of a run. The error is fs.ErrNotExist if it has none.
func (s *Store) Get(r Run) (Result, error) {
	text, err := os.ReadFile(s.place(r))
	if err != nil {
		return Result{}, err
	}
	var from stored
	if err := json.Unmarshal(text, &from); err != nil {
		return Result{}, fmt.Errorf("%s is damaged (%w); without it the run is made again", s.place(r), err)
	}
	metrics, err := analysis.ParseMetrics(from.Metrics, from.Info)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", s.place(r), err)
	}
	return Result{Run: r, Info: from.Info, Metrics: metrics}, nil
}

// Put keeps a result; an earlier failure of the run is forgotten. If the run has a
// result already, the two must have the same packets.
func (s *Store) Put(r Result) error {
	if s.program.Replaced() {
		return errors.New("this program's file has changed since it was started: workers are now another program, whose results do not belong together with the others")
	}
	if other, err := s.Get(r.Run); err == nil && other.Info.Fingerprint != r.Info.Fingerprint {
		return fmt.Errorf("two runs of one scenario and seed differ: %s is here, and was %s; 'wtsim verify' tells where they part", r.Info.Fingerprint, other.Info.Fingerprint)
	}
	r.Info.Scenario = nil
	metrics, err := json.Marshal(r.Metrics)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.place(r.Run)), 0o777); err != nil {
		return err
	}
	if err := s.write(s.place(r.Run), stored{r.Info, metrics}); err != nil {
		return err
	}
	if err := os.Remove(s.failedPlace(r.Run)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// PutFailure keeps why a run has no result.
func (s *Store) PutFailure(r Run, why error) error {
	return s.write(s.failedPlace(r), Failure{Seed: r.Seed, Overrides: s.Study.Of(r.Cell), Why: why.Error()})
}

// GetFailure returns why a run has no result. The error is fs.ErrNotExist if nothing is known.
func (s *Store) GetFailure(r Run) (f Failure, err error) {
	text, err := os.ReadFile(s.failedPlace(r))
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(text, &f)
}

func (s *Store) write(path string, what any) error {
	_, err := wholefile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(what) })
	return err
}
