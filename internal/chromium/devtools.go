package chromium

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// patience is how long an answer may take. It only bounds failures.
const patience = 60 * time.Second

// Tab is a tab of a Chromium of its own, steered by the DevTools protocol over
// a pipe (https://chromedevtools.github.io/devtools-protocol/).
type Tab struct {
	browser *Browser
	to      *os.File
	from    *os.File
	read    sync.WaitGroup
	session string

	mu      sync.Mutex
	last    int
	answers map[int]chan message
	events  []Event
	changed chan struct{} // closed at the next event
}

// Event is what Chromium tells of its own accord.
type Event struct {
	Method string
	Params json.RawMessage
}

// message is a message of the protocol, either way.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// OpenTab starts a Chromium with further flags and opens an empty tab. It fails
// with [ErrNone] where there is no Chromium.
func OpenTab(flags ...string) (*Tab, error) {
	read, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	from, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, read.Close(), to.Close())
	}
	t := &Tab{to: to, from: from, answers: map[int]chan message{}, changed: make(chan struct{})}
	// The protocol has the files 3 and 4.
	t.browser, err = start([]*os.File{read, write}, append(flags, "--remote-debugging-pipe", "about:blank"))
	read.Close()
	write.Close()
	if err != nil {
		return nil, errors.Join(err, to.Close(), from.Close())
	}
	t.read.Go(t.receive)
	if err := t.attach(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// attach opens the tab.
func (t *Tab) attach() error {
	var target struct{ TargetID string }
	if err := t.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var attached struct{ SessionID string }
	if err := t.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return err
	}
	t.session = attached.SessionID
	return nil
}

// Close ends Chromium.
func (t *Tab) Close() error {
	err := t.browser.Kill()
	t.to.Close()
	t.from.Close()
	t.read.Wait()
	return err
}

// Output returns what Chromium printed.
func (t *Tab) Output() string { return t.browser.Output.String() }

// receive takes messages until the pipe ends.
func (t *Tab) receive() {
	in := bufio.NewReader(t.from)
	for {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			message
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			continue
		}
		t.mu.Lock()
		if m.ID != 0 {
			if answer := t.answers[m.ID]; answer != nil {
				answer <- m.message
				delete(t.answers, m.ID)
			}
		} else {
			t.events = append(t.events, Event{m.Method, m.Params})
			close(t.changed)
			t.changed = make(chan struct{})
		}
		t.mu.Unlock()
	}
}

// Call calls a method, and stores what it returns in result unless that is nil.
func (t *Tab) Call(method string, params, result any) error {
	answer := make(chan message, 1)
	t.mu.Lock()
	t.last++
	m := message{ID: t.last, Session: t.session, Method: method, Params: params}
	t.answers[m.ID] = answer
	t.mu.Unlock()
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if _, err := t.to.Write(append(text, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer in time", method)
	}
}

// Events returns all events so far.
func (t *Tab) Events() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Event(nil), t.events...)
}

// Forget forgets the events so far.
func (t *Tab) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = nil
}

// Await waits for an event.
func (t *Tab) Await(method string) error {
	timeout := time.After(patience)
	for {
		t.mu.Lock()
		changed := t.changed
		for _, e := range t.events {
			if e.Method == method {
				t.mu.Unlock()
				return nil
			}
		}
		t.mu.Unlock()
		select {
		case <-changed:
		case <-timeout:
			return fmt.Errorf("no %s in time", method)
		}
	}
}

// Eval runs a script in the page and stores its value in result unless that is
// nil. A promise is awaited.
func (t *Tab) Eval(script string, result any) error {
	var answer struct {
		Result struct {
			Value json.RawMessage
		}
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	params := map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}
	if err := t.Call("Runtime.evaluate", params, &answer); err != nil {
		return err
	}
	if e := answer.ExceptionDetails; e != nil {
		return fmt.Errorf("the page threw %s %s", e.Text, e.Exception.Description)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result.Value, result)
}
