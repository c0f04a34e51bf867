package sim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// task is a function that runs on a host.
type task struct {
	number     uint64 // in the order of the starts
	name       string // host/name
	goroutine  string // its ID, as stack traces print it; of the set's lock
	foreground bool
	started    time.Duration
}

// errGoexit is the error of a task that ended without returning.
var errGoexit = errors.New("ended by runtime.Goexit, as by t.FailNow; expected it to return, with an error or without")

// taskSet is the tasks of a run.
type taskSet struct {
	driver     driver
	ctx        context.Context
	cancelFunc context.CancelFunc
	foreground atomic.Int64 // tasks that keep the run going
	total      atomic.Int64

	mu      sync.Mutex
	held    []func() // goroutines that are to start when the world is built
	holding bool
	running map[*task]bool
	number  uint64 // of the task that was started last
	errs    []error
}

func (s *taskSet) init(d driver) {
	s.driver, s.running = d, make(map[*task]bool)
	s.ctx, s.cancelFunc = context.WithCancel(context.Background())
}

func (s *taskSet) start(h *Host, name string, f func(context.Context) error, foreground bool) {
	t := &task{name: h.Name() + "/" + name, foreground: foreground, started: s.driver.elapsed()}
	s.mu.Lock()
	s.number++
	t.number = s.number
	s.running[t] = true
	s.mu.Unlock()
	s.total.Add(1)
	if foreground {
		s.foreground.Add(1)
	}
	s.spawn(func() {
		id := goroutineID()
		s.mu.Lock()
		t.goroutine = id
		s.mu.Unlock()
		err := errGoexit
		defer func() { s.end(t, err) }()
		err = f(s.ctx)
	})
}

// spawn runs f on a goroutine, at once or when the tasks are released.
func (s *taskSet) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holding {
		s.held = append(s.held, f)
		return
	}
	go f()
}

// hold has tasks wait for release: where goroutines run at once, they would meet
// a world that is being built.
func (s *taskSet) hold() { s.holding = true }

func (s *taskSet) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = false
	for _, f := range s.held {
		go f()
	}
	s.held = nil
}

func (s *taskSet) end(t *task, err error) {
	s.mu.Lock()
	delete(s.running, t)
	if err != nil && !(s.ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		s.errs = append(s.errs, fmt.Errorf("%s: %w", t.name, err))
	}
	s.mu.Unlock()
	if t.foreground {
		s.foreground.Add(-1)
	}
	s.total.Add(-1)
	s.driver.rouse()
}

// await returns when no task runs any more, or false if some do after d.
func (s *taskSet) await(d time.Duration) bool {
	for end := time.Now().Add(d); !s.empty(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func (s *taskSet) finished() bool { return s.foreground.Load() == 0 }
func (s *taskSet) empty() bool    { return s.total.Load() == 0 }
func (s *taskSet) cancel()        { s.cancelFunc() }

func (s *taskSet) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// describe says what each running task waits for, a line a task.
func (s *taskSet) describe() string {
	var b strings.Builder
	for _, w := range s.waiting() {
		fmt.Fprintf(&b, "  %s\n", w)
	}
	return b.String()
}

// waiting lists the tasks that keep the run going, or all tasks if there are
// none, and what they wait for.
func (s *taskSet) waiting() []Waiting {
	stacks := goroutineStacks()
	s.mu.Lock()
	defer s.mu.Unlock()
	tasks := slices.SortedFunc(maps.Keys(s.running), func(a, b *task) int { return cmp.Compare(a.number, b.number) })
	if s.foreground.Load() > 0 {
		tasks = slices.DeleteFunc(tasks, func(t *task) bool { return !t.foreground })
	}
	var list []Waiting
	for _, t := range tasks {
		w := Waiting{Task: t.name, Since: t.started}
		if g, ok := stacks[t.goroutine]; ok {
			w.State, w.In = g.state, g.function
		}
		list = append(list, w)
	}
	return list
}

// goroutineID returns the ID of the calling goroutine. It is for people to
// read: the runtime offers it nowhere but in stack traces.
func goroutineID() string {
	var buf [64]byte
	header := string(buf[:runtime.Stack(buf[:], false)])
	id, _, _ := strings.Cut(strings.TrimPrefix(header, "goroutine "), " ")
	return id
}

type goroutineStack struct {
	state    string // "select", "chan receive", "sleep", …
	function string // the innermost function that is not the runtime's or the standard library's
}

// goroutineStacks returns the stacks of all goroutines by ID.
func goroutineStacks() map[string]goroutineStack {
	stacks := make(map[string]goroutineStack)
	for _, block := range bytes.Split(allStacks(), []byte("\n\n")) {
		header, body, _ := strings.Cut(string(block), "\n")
		header, ok := strings.CutPrefix(header, "goroutine ")
		if !ok {
			continue
		}
		id, state, _ := strings.Cut(header, " ")
		state = strings.Trim(state, "[]:")
		state, _, _ = strings.Cut(state, ",")
		state, _, _ = strings.Cut(state, " (")
		g := goroutineStack{state: state}
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			// Functions of modules have a dot in the first element of their path.
			first, _, _ := strings.Cut(line, "/")
			if !strings.HasPrefix(line, "/") && strings.Contains(line, "/") && strings.Contains(first, ".") {
				g.function = line[:max(0, strings.LastIndexByte(line, '('))]
				break
			}
		}
		stacks[id] = g
	}
	return stacks
}

// bubbleStacks returns the stack traces of all goroutines in bubbles.
func bubbleStacks() string {
	var b strings.Builder
	for _, block := range bytes.Split(allStacks(), []byte("\n\n")) {
		if header, _, _ := bytes.Cut(block, []byte("\n")); bytes.Contains(header, []byte("synctest bubble")) {
			b.Write(block)
			b.WriteString("\n\n")
		}
	}
	return b.String()
}

func allStacks() []byte {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= 64<<20 {
			return buf[:n]
		}
	}
}
