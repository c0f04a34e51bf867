// Command readme keeps the pages README.md and analysis/README.md true. Run it at
// the root of the repository:
//
//	go run ./.ci/readme           fails if a page or a figure is out of date
//	go run ./.ci/readme -update   rewrites what is
//
// It looks at three things in a page:
//
//   - A block of code marked console begins with "$ " and a command. The rest of
//     the block is what the command prints; wall-clock times, which differ, do not
//     count.
//   - A block of code below a line <!-- file: PATH --> is that file.
//   - A picture below results is what a command of the page wrote there, or else,
//     as results/NAME/FIGURE.png, that figure of scenarios/NAME.toml.
//
// The commands of a page run in an empty folder that has the repository's
// scenarios, with "go run ./cmd/wtsim" and "wtsim" standing for one program,
// built once.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

var pages = []string{"README.md", filepath.Join("analysis", "README.md")}

func main() {
	update := flag.Bool("update", false, "rewrite what is out of date")
	flag.Parse()
	if err := run(*update); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

func run(update bool) error {
	bin, err := os.MkdirTemp("", "wtsim-readme-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "wtsim"), "./cmd/wtsim")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	now := map[string][]byte{} // files that are out of date
	var stale []string
	for _, page := range pages {
		text, what, err := refresh(bin, page, now)
		if err != nil {
			return err
		}
		if len(what) > 0 {
			now[page] = []byte(text)
			stale = append(stale, page+":\n"+strings.Join(what, "\n"))
		}
	}
	if len(now) == 0 {
		return nil
	}
	if !update {
		return fmt.Errorf("out of date; 'go run ./.ci/readme -update' rewrites:\n%s", strings.Join(stale, "\n"))
	}
	for path, content := range now {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// refresh returns the text of a page as it should be and what has changed, and
// adds the pictures that have.
func refresh(bin, page string, pictures map[string][]byte) (string, []string, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return "", nil, err
	}
	s, err := newShell(bin)
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(s.dir)
	now, stale, err := s.refresh(string(text))
	if err != nil {
		return "", nil, err
	}
	figures, err := s.figures(string(text))
	for path, picture := range figures {
		pictures[path] = picture
		stale = append(stale, path)
	}
	return now, stale, err
}

// shell runs commands in a folder of its own.
type shell struct{ bin, dir string }

func newShell(bin string) (*shell, error) {
	dir, err := os.MkdirTemp("", "wtsim-readme-")
	if err != nil {
		return nil, err
	}
	scenarios, err := filepath.Abs("scenarios")
	if err != nil {
		return nil, err
	}
	return &shell{bin, dir}, os.Symlink(scenarios, filepath.Join(dir, "scenarios"))
}

// run returns what a command prints: its standard output and, if it fails, its
// standard error.
func (s *shell) run(command string) (string, error) {
	var stdout, stderr strings.Builder
	cmd := exec.Command("bash", "-c", strings.ReplaceAll(command, "go run ./cmd/wtsim", "wtsim"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &stdout, &stderr
	cmd.Env = append(os.Environ(), "PATH="+s.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return stdout.String() + stderr.String(), nil // README shows failures too
	}
	return stdout.String(), err
}

var (
	blocks  = regexp.MustCompile("(?ms)^```console\n\\$ ([^\n]+)\n(.*?)^```$")
	files   = regexp.MustCompile("(?ms)^<!-- file: (\\S+) -->\n```\\w*\n(.*?)^```$")
	images  = regexp.MustCompile(`\]\((?:\.\./)?(results/([^)]+)/([^/)]+\.png))\)`)
	elapsed = regexp.MustCompile(`in \S+ \S+ \([^)]*real time\)|; took \S+`)
)

// refresh returns the text with what commands print and what files hold now,
// and what of it has changed.
func (s *shell) refresh(text string) (now string, stale []string, err error) {
	replace := func(pattern *regexp.Regexp, current func(string) (string, error)) {
		text = pattern.ReplaceAllStringFunc(text, func(block string) string {
			parts := pattern.FindStringSubmatch(block)
			got, e := current(parts[1])
			if e != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", parts[1], e))
				return block
			}
			if elapsed.ReplaceAllString(got, "") == elapsed.ReplaceAllString(parts[2], "") {
				return block
			}
			stale = append(stale, "the block of "+parts[1])
			return strings.TrimSuffix(block, parts[2]+"```") + got + "```"
		})
	}
	replace(blocks, s.run)
	replace(files, func(path string) (string, error) {
		b, err := os.ReadFile(path)
		return string(b), err
	})
	return text, stale, err
}

// figures returns the pictures that differ from those in the repository, by
// their paths.
func (s *shell) figures(text string) (map[string][]byte, error) {
	stale := map[string][]byte{}
	drawn := map[string]bool{}
	for _, image := range images.FindAllStringSubmatch(text, -1) {
		path, scenario, figure := image[1], image[2], image[3]
		picture, err := os.ReadFile(filepath.Join(s.dir, path))
		if err != nil {
			if !drawn[scenario] {
				drawn[scenario] = true
				if out, err := s.run("wtsim run --quiet --out figures scenarios/" + scenario + ".toml"); err != nil || out != "" {
					return nil, fmt.Errorf("drawing figures of %s: %s: %w", scenario, out, err)
				}
			}
			runs, err := filepath.Glob(filepath.Join(s.dir, "figures", scenario, "*", "*", "figures", figure))
			if err != nil || len(runs) != 1 {
				return nil, fmt.Errorf("%s: no command wrote it, and scenarios/%s.toml has no such figure", path, scenario)
			}
			if picture, err = os.ReadFile(runs[0]); err != nil {
				return nil, err
			}
		}
		if committed, err := os.ReadFile(path); err != nil || !bytes.Equal(committed, picture) {
			stale[path] = picture
		}
	}
	return stale, nil
}
