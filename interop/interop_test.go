package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wtsim/wtsim/interop/peer"
)

// programs holds the built peers. Each is a module of its own.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	programs, err = os.MkdirTemp("", "interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	for _, name := range []string{"wt", "webtransport-go"} {
		if err := Build(context.Background(), name, filepath.Join(programs, name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := buildRelay(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestWTAsClientOfWebTransportGo(t *testing.T) { testCases(t, "wt", "webtransport-go") }

func TestWTAsServerOfWebTransportGo(t *testing.T) { testCases(t, "webtransport-go", "wt") }

// What a case asks of a peer, wt does with itself.
func TestWTWithItself(t *testing.T) { testCases(t, "wt", "wt") }

func testCases(t *testing.T, client, server string) {
	for _, c := range peer.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			testCase(t, c.Name, client, server)
		})
	}
}

// testCase runs the two programs until both have printed how their part went.
func testCase(t *testing.T, name, client, server string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel) // after the programs have ended
	s := start(ctx, t, server, "serve", client, name)
	line, err := s.line()
	if err != nil {
		t.Fatalf("the server has no address: %v", err)
	}
	var address peer.Address
	if err := json.Unmarshal(line, &address); err != nil {
		t.Fatal(err)
	}
	reached, err := json.Marshal(across(ctx, t, address))
	if err != nil {
		t.Fatal(err)
	}
	c := start(ctx, t, client, "dial", server, name, string(reached))
	failed := make(chan error, 2)
	go func() { failed <- c.failure("client", client) }()
	go func() { failed <- s.failure("server", server) }()
	for range 2 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// process is a program that runs until its standard input is closed.
type process struct {
	stdout *bufio.Reader
}

// start starts a program, and ends it with the test, which fails if the
// program then fails.
func start(ctx context.Context, t *testing.T, program string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, program), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s %s: %v\n%s", program, args[0], err, stderr.Bytes())
		}
	})
	return &process{bufio.NewReader(stdout)}
}

func (p *process) line() ([]byte, error) { return p.stdout.ReadBytes('\n') }

func (p *process) failure(role, program string) error {
	line, err := p.line()
	if err != nil {
		return fmt.Errorf("%s at the %s ended before its part was over: %w", program, role, err)
	}
	var result peer.Result
	if err := json.Unmarshal(line, &result); err != nil {
		return err
	}
	if result.Failure != "" {
		return fmt.Errorf("%s at the %s: %s", program, role, result.Failure)
	}
	return nil
}
