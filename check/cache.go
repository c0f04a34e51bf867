package check

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/internal/program"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
)

// cache keeps what runs achieved under a name that covers all that they depend on:
// the program, the scenario as resolved with the files that it names, and the seed.
// A nil cache keeps nothing.
type cache struct {
	folder  string
	program *program.Program
}

// entry is what a file of the cache holds.
type entry struct {
	Info   record.Run      `json:"info"`
	Judged json.RawMessage `json:"judged"`
}

// openCache opens a cache of what a program does, of this one if it is empty.
func openCache(folder, path string) (*cache, error) {
	if folder == "" {
		return nil, nil
	}
	open := program.Open
	if path != "" {
		open = func() (*program.Program, error) { return program.Of(path) }
	}
	own, err := open()
	if err != nil {
		return nil, fmt.Errorf("cached results depend on the program: %w", err)
	}
	return &cache{folder, own}, nil
}

// place returns where a run is kept of a scenario as resolved, which has its seed, with
// the files that it names.
func (c *cache) place(resolved string, inputs []record.Input) string {
	h := sha256.New()
	fmt.Fprintf(h, "%x\n%s", c.program.Digest, resolved)
	for _, input := range inputs {
		fmt.Fprintf(h, "%q %s\n", input.Name, input.SHA256)
	}
	name := hex.EncodeToString(h.Sum(nil))
	return filepath.Join(c.folder, name[:2], name[2:]+".json")
}

// wanted returns the place of a run that a case needs.
func (c *cache) wanted(of Case, seed uint64) string {
	s := *of.Scenario
	s.Seed = seed
	inputs := make([]record.Input, len(s.Inputs))
	for i, in := range s.Inputs {
		inputs[i] = record.Input{Name: in.Name, SHA256: hex.EncodeToString(in.SHA256[:])}
	}
	return c.place(string(s.Resolved()), inputs)
}

// get returns what a run achieved, if it is known. An entry that cannot be read is
// none.
func (c *cache) get(of Case, seed uint64) (Outcome, bool) {
	if c == nil {
		return Outcome{}, false
	}
	text, err := os.ReadFile(c.wanted(of, seed))
	if err != nil {
		return Outcome{}, false
	}
	var e entry
	if json.Unmarshal(text, &e) != nil {
		return Outcome{}, false
	}
	judged, err := expect.Restore(e.Info, e.Judged)
	if err != nil {
		return Outcome{}, false
	}
	return Outcome{Info: e.Info, judged: judged, Cached: true}, true
}

// put keeps what a run achieved, under the name of the scenario that it says it is
// of: the file may have changed since the case was loaded. That it cannot be kept is
// no error of the run.
func (c *cache) put(o Outcome) {
	if c == nil || c.program.Replaced() {
		return
	}
	resolved, err := o.Info.ScenarioText()
	if err != nil {
		return
	}
	judged, err := json.Marshal(o.judged)
	if err != nil {
		return
	}
	text, err := json.Marshal(entry{o.Info, judged})
	if err != nil {
		return
	}
	path := c.place(resolved, o.Info.Inputs)
	if os.MkdirAll(filepath.Dir(path), 0o777) != nil {
		return
	}
	wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
