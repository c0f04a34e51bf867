package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/capture"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
)

// captureFile is a capture in the folder of its run.
type captureFile struct {
	name   string
	points []capturePoint
}

// capturePoint is a direction of a link, or a host, of a scenario.
type capturePoint struct {
	name        string // links.NAME.DIRECTION or hosts.NAME
	description string // the ends of the link; empty for a host
}

// captureFiles returns the captures at links, directions of links and hosts: one for
// each name, capture.pcapng if there is one, and else capture-NAME.pcapng. The name
// of a group stands for all of it.
func captureFiles(s *scenario.Scenario, names []string) ([]captureFile, error) {
	if len(names) == 0 {
		return nil, nil
	}
	known := make(map[string][]capturePoint)
	var order []string
	add := func(p capturePoint, names ...string) {
		for _, name := range slices.Compact(names) {
			if known[name] == nil {
				order = append(order, name)
			}
			known[name] = append(known[name], p)
		}
	}
	for _, l := range s.LinkInstances() {
		for i, ends := range [][2]string{l.Between, {l.Between[1], l.Between[0]}} {
			group, link, direction := "links."+l.Link.Name, "links."+l.Name, "."+record.Direction(i).String()
			add(capturePoint{link + direction, ends[0] + " to " + ends[1]}, group, link, group+direction, link+direction)
		}
	}
	for i := range s.Hosts {
		for _, name := range s.Hosts[i].Instances() {
			add(capturePoint{name: "hosts." + name}, "hosts."+s.Hosts[i].Name, "hosts."+name)
		}
	}
	names = slices.Clone(names)
	slices.Sort(names)
	var captures []captureFile
	for _, name := range slices.Compact(names) {
		if known[name] == nil {
			hint := "; expected links.NAME, links.NAME.forward, links.NAME.reverse or hosts.NAME"
			near := nearest.Word(name, order)
			for _, whole := range []string{"links." + name, "hosts." + name} {
				if known[whole] != nil {
					near = whole
				}
			}
			if near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			return nil, fail(Input, "cannot capture at %q: the scenario has no such link or host%s", name, hint)
		}
		captures = append(captures, captureFile{"capture-" + escape(name) + ".pcapng", known[name]})
	}
	if len(captures) == 1 {
		captures[0].name = "capture.pcapng"
	}
	return captures, nil
}

// captures are the captures of a run.
type captures []*capturing

// capturing writes one of them.
type capturing struct {
	points  []capturePoint
	file    *os.File
	behind  *behind // between the capture and the file in real time, else nil
	capture *capture.Capture
}

// create begins a capture of a scenario in a folder.
func (c *captures) create(dir string, s *scenario.Scenario, f captureFile, realTime bool) error {
	file, err := os.Create(filepath.Join(dir, f.name))
	if err != nil {
		return err
	}
	comment := fmt.Sprintf("%s, seed %d. Times are virtual: the run begins at 1970-01-01T00:00:00Z.", s.Name, s.Seed)
	if realTime {
		comment = fmt.Sprintf("%s, seed %d, in real time. Times are since its start, which is 1970-01-01T00:00:00Z.", s.Name, s.Seed)
	}
	one := &capturing{points: f.points, file: file}
	var to io.Writer = file
	if realTime {
		one.behind = newBehind(file)
		to = one.behind
	}
	one.capture = capture.New(to, "wtsim "+Versions().Wtsim, comment)
	*c = append(*c, one)
	return nil
}

// attach begins to capture what a workload sends.
func (c captures) attach(w *workload.Workload) {
	if len(c) == 0 {
		return
	}
	paths, hosts := make(map[string]*netem.Path), make(map[string]*netem.Host)
	for link, directions := range w.Paths() {
		for i, path := range directions {
			paths["links."+link+"."+record.Direction(i).String()] = path
		}
	}
	for h := range w.Hosts() {
		hosts["hosts."+h.Name()] = h.Host
	}
	for _, one := range c {
		for _, p := range one.points {
			if path := paths[p.name]; path != nil {
				one.capture.Path(p.name, p.description, path)
			} else {
				one.capture.Host(p.name, hosts[p.name])
			}
		}
		for address, name := range w.Addresses() {
			one.capture.Name(address, name)
		}
	}
}

func (c captures) observe(o netem.Outcome) {
	for _, one := range c {
		one.capture.Observe(o)
	}
}

// keyLog returns what TLS secrets are logged to, or nil if there is no capture.
func (c captures) keyLog() io.Writer {
	if len(c) == 0 {
		return nil
	}
	var logs []io.Writer
	for _, one := range c {
		logs = append(logs, one.capture.KeyLog())
	}
	return io.MultiWriter(logs...)
}

// close ends the captures and returns the first error.
func (c *captures) close() error {
	var first error
	for _, one := range *c {
		if err := one.close(); first == nil {
			first = err
		}
	}
	*c = nil
	return first
}

func (c *capturing) close() error {
	err := c.capture.Close()
	if c.behind != nil {
		err = errors.Join(err, c.behind.Close())
	}
	return errors.Join(err, c.file.Close())
}
