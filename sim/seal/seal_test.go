//go:build unix

package seal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// programVariable makes the test binary run one of the programs below instead
// of the tests.
const programVariable = "SEAL_TEST_PROGRAM"

var programs = map[string]func(){
	"random":      printRandom,
	"environment": printEnvironment,
	"exit 3":      func() { os.Exit(3) },
	"kill itself": func() { syscall.Kill(os.Getpid(), syscall.SIGTERM); select {} },
	"crowd":       printCrowd,
	"block":       func() { fmt.Println("blocking"); io.Copy(io.Discard, os.Stdin) },
	"parent":      startAndAbandon,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		programs[name]()
		return
	}
	os.Exit(m.Run())
}

// printCrowd prints, for several numbers of turns that a processor has had before, in
// which order goroutines run of which so many become ready at once that its queue
// overflows.
func printCrowd() {
	for turns := range 70 {
		for range turns {
			runtime.Gosched()
		}
		Reseed(1)
		var order []string
		var crowd sync.WaitGroup
		start := make(chan struct{})
		for i := range 1000 {
			crowd.Go(func() {
				<-start
				order = append(order, strconv.Itoa(i))
			})
		}
		runtime.Gosched()
		Reseed(1)
		close(start)
		crowd.Wait()
		fmt.Println(strings.Join(order, " "))
	}
}

// printRandom prints what the runtime decides by its random generators: the
// order of a map, of select cases, and of goroutines that are ready together.
func printRandom() {
	m := map[int]bool{}
	for i := range 100 {
		m[i] = true
	}
	for k := range m {
		fmt.Print(k, " ")
	}
	a, b := make(chan int, 200), make(chan int, 200)
	for range 200 {
		a <- 0
		b <- 1
	}
	for range 200 {
		select {
		case v := <-a:
			fmt.Print(v)
		case v := <-b:
			fmt.Print(v)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 50 {
		wg.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			fmt.Print(" ", i)
		})
	}
	wg.Wait()
	fmt.Println()
}

func printEnvironment() {
	for _, name := range []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"} {
		fmt.Println(name + "=" + os.Getenv(name))
	}
	fmt.Println("inside:", Inside())
}

// startAndAbandon starts a sealed child that shares standard output, and
// leaves it running.
func startAndAbandon() {
	cmd := program(context.Background(), "block")
	cmd.Stdout = os.Stdout
	in, err := cmd.StdinPipe()
	if err != nil {
		panic(err)
	}
	p, err := Start(cmd, 1)
	if err != nil {
		panic(err)
	}
	p.Wait()
	in.Close()
}

func program(ctx context.Context, name string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), programVariable+"="+name,
		"GORACE=atexit_sleep_ms=0") // the race detector would sleep for a second
	cmd.Stderr = os.Stderr
	return cmd
}

func needSealing(t *testing.T) {
	t.Helper()
	if err := Supported(); err != nil {
		t.Skip("cannot seal here: ", err)
	}
}

// output runs a program to its end and returns what it printed.
func output(t *testing.T, name string, seed uint64) string {
	t.Helper()
	var out bytes.Buffer
	cmd := program(t.Context(), name)
	cmd.Stdout = &out
	p, err := Start(cmd, seed)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return ""
	}
	if sealed, reason := p.Sealed(); !sealed {
		t.Errorf("seed %d: not sealed: %s", seed, reason)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	return out.String()
}

func TestOneSeedGivesOneOrderOfMapsSelectsAndGoroutines(t *testing.T) {
	needSealing(t)
	want := output(t, "random", 7)
	if len(want) < 600 {
		t.Fatalf("the program printed only %q", want)
	}
	for range 19 {
		if got := output(t, "random", 7); got != want {
			t.Fatalf("seed 7 printed\n%s and\n%s", want, got)
		}
	}
	if got := output(t, "random", 8); got == want {
		t.Errorf("seeds 7 and 8 both printed\n%s", got)
	}
}

func TestACrowdRunsInOneOrderWhateverRanBefore(t *testing.T) {
	if err := errors.Join(Supported(), CanReseed()); err != nil {
		t.Skip("no process can be sealed here:", err)
	}
	orders := strings.Split(strings.TrimSpace(output(t, "crowd", 1)), "\n")
	if len(orders) != 70 {
		t.Fatalf("%d orders", len(orders))
	}
	for turns, order := range orders {
		if order != orders[0] {
			t.Errorf("%d turns before, goroutines ran in another order: %.60s…, and %.60s…", turns, order, orders[0])
		}
	}
}

func TestEightProcessesAtOnceKeepTheirSeedsApart(t *testing.T) {
	needSealing(t)
	outputs := make([]string, 32)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < len(outputs); i += 8 {
				outputs[i] = output(t, "random", uint64(i/16))
			}
		})
	}
	wg.Wait()
	if n := len(slices.Compact(slices.Clone(outputs))); n != 2 || outputs[0] == outputs[31] {
		t.Errorf("16 processes with seed 0 and 16 with seed 1 printed:\n%s", strings.Join(outputs, ""))
	}
}

func TestTheEnvironmentKeepsTheRuntimeQuiet(t *testing.T) {
	for _, test := range []struct{ before, want string }{
		{"", "asyncpreemptoff=1"},
		{"http2debug=1", "http2debug=1,asyncpreemptoff=1"},
		{"asyncpreemptoff=0,http2debug=1", "http2debug=1,asyncpreemptoff=1"},
	} {
		var out bytes.Buffer
		cmd := program(t.Context(), "environment")
		cmd.Env = append(cmd.Env, "GODEBUG=gctrace=1", "GODEBUG="+test.before, "GOGC=50", "GOMEMLIMIT=1GiB", "GOMAXPROCS=4")
		cmd.Stdout = &out
		p, err := Start(cmd, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		sealed, _ := p.Sealed()
		want := fmt.Sprintf("GOMAXPROCS=1\nGOGC=off\nGOMEMLIMIT=off\nGODEBUG=%s\ninside: %v\n", test.want, sealed)
		if out.String() != want {
			t.Errorf("with GODEBUG=%s the program saw\n%s want\n%s", test.before, out.String(), want)
		}
	}
}

func TestWaitReportsHowTheProcessEnded(t *testing.T) {
	for _, test := range []struct{ program, want string }{
		{"exit 3", "exit status 3"},
		{"kill itself", "signal: terminated"},
	} {
		p, err := Start(program(t.Context(), test.program), 1)
		if err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := p.Wait(); !errors.As(err, &exit) || err.Error() != test.want {
			t.Errorf("%s: Wait returned %v, want %s", test.program, err, test.want)
		}
	}
}

func TestAProgramThatCannotStartIsAnError(t *testing.T) {
	if _, err := Start(exec.Command("./no-such-program"), 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start returned %v, want %v", err, os.ErrNotExist)
	}
}

func TestAProgramThatStartsNoThreadIsNotSealed(t *testing.T) {
	needSealing(t)
	path, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	p, err := Start(exec.Command(path), 1)
	if err != nil {
		t.Fatal(err)
	}
	if sealed, reason := p.Sealed(); sealed || reason == "" {
		t.Errorf("Sealed() = %v, %q", sealed, reason)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// startBlocking returns a process that has said that it blocks.
func startBlocking(t *testing.T, ctx context.Context) *Process {
	t.Helper()
	cmd := program(ctx, "block")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(cmd, 1)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "blocking\n" {
		t.Fatalf("read %q, %v", line, err)
	}
	return p
}

func TestKillEndsAProcess(t *testing.T) {
	p := startBlocking(t, t.Context())
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("Wait returned %v", err)
	}
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Kill after Wait returned %v", err)
	}
}

func TestCancellingTheContextEndsAProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := startBlocking(t, ctx)
	cancel()
	if err := p.Wait(); !errors.Is(err, context.Canceled) && (err == nil || err.Error() != "signal: killed") {
		t.Errorf("Wait returned %v", err)
	}
}

// A process can be killed at any moment of being sealed; whenever that is,
// Start and Wait must return.
func TestCancellingAtAnyMomentOfStartLeavesNothingWaiting(t *testing.T) {
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range i * 20_000 { // reaches ever further into Start
				if ctx.Err() != nil {
					return
				}
			}
			cancel()
		}()
		if p, err := Start(program(ctx, "random"), 1); err == nil {
			p.Wait() // ends one way or the other
		}
		cancel()
	}
}

func TestAKilledParentLeavesNoChild(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	parent := program(t.Context(), "parent")
	parent.Stdout = write
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	lines := bufio.NewReader(read)
	if line, err := lines.ReadString('\n'); line != "blocking\n" {
		t.Fatalf("read %q, %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	// The end of the pipe comes when the last process that holds it is gone.
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Errorf("read %q, %v", rest, err)
	}
}
