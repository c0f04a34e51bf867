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
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// cache keeps what runs achieved under a name that covers all that they depend on:
// the program, the scenario as resolved with the files that it names, and the seed.
// A nil cache keeps nothing.
type cache struct {
	folder  string
	program [sha256.Size]byte
}

// entry is what a file of the cache holds.
type entry struct {
	Info   record.Run      `json:"info"`
	Judged json.RawMessage `json:"judged"`
}

func openCache(folder string) (*cache, error) {
	if folder == "" {
		return nil, nil
	}
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, on which cached results depend: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read this program, on which cached results depend: %w", err)
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, fmt.Errorf("read this program, on which cached results depend: %w", err)
	}
	c := &cache{folder: folder}
	h.Sum(c.program[:0])
	return c, nil
}

func (c *cache) path(of Case, seed uint64) string {
	h := sha256.New()
	fmt.Fprintf(h, "%x %d\n%s", c.program, seed, scenario.Explain(of.Scenario))
	for _, input := range of.Inputs {
		fmt.Fprintf(h, "%q %x\n", input.Name, input.SHA256)
	}
	name := hex.EncodeToString(h.Sum(nil))
	return filepath.Join(c.folder, name[:2], name[2:]+".json")
}

// get returns what a run achieved, if it is known. An entry that cannot be read is
// none.
func (c *cache) get(of Case, seed uint64) (Outcome, bool) {
	if c == nil {
		return Outcome{}, false
	}
	text, err := os.ReadFile(c.path(of, seed))
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
	return Outcome{Info: e.Info, Judged: judged, Cached: true}, true
}

// put keeps what a run achieved. That it cannot be kept is no error of the run.
func (c *cache) put(of Case, seed uint64, o Outcome) {
	if c == nil {
		return
	}
	judged, err := json.Marshal(o.Judged)
	if err != nil {
		return
	}
	text, err := json.Marshal(entry{o.Info, judged})
	if err != nil {
		return
	}
	path := c.path(of, seed)
	if os.MkdirAll(filepath.Dir(path), 0o777) != nil {
		return
	}
	wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
