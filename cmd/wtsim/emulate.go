package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// defaultEmulateListen is where emulate listens unless it is told otherwise.
const defaultEmulateListen = "127.0.0.1:4433"

// emulate is [run.Emulate], unless a test has another.
var emulate = run.Emulate

// startWords are the words for when an emulation starts.
var startWords = []string{"first-datagram", "now"}

// emulateFlags are the flags of the command emulate.
type emulateFlags struct {
	listen, upstream, set, capture, record []string
	link, client, start, ready, out        string
	seed                                   uint64
	duration, timeout                      time.Duration
	clients                                int
	remote, json, quiet, csv, bare, plain  bool
}

func newEmulate() *cobra.Command {
	var f emulateFlags
	cmd := &cobra.Command{
		Use:   "emulate scenario.toml --upstream [HOST=]ADDRESS:PORT",
		Short: "Put a scenario's network between real UDP programs, in real time",
		Long: `Emulate is a UDP relay: clients send to the address that it listens on, and each
datagram goes through the scenario's network to the server at the upstream
address. Answers come back the same way. What the scenario says of rates, delays,
losses, queues, NATs, changes, traces and cross traffic holds by the wall clock;
its sessions and expectations do not count. With --link it is one link alone.

Clients are at the host that is the client of the scenario's first session, or at
--client; each source address is another client. Servers see each of them from an
address of its own, which changes when a NAT of the scenario rebinds. Several
upstreams are several servers, each at its HOST of the scenario, and each with an
address to listen on: one --listen for each, or one whose ports follow on.

A datagram enters the network when the system received it. How late datagrams
left the network is measured and printed: on an idle machine, 99 of 100 by less
than 100 µs, at 20,000 a second; beside other work they are later. How late a
program wakes up that has no priority is measured, too: other work slows those at
both ends down before it does the relay. Datagrams that are refused are counted, by
the reason. While there is traffic the relay keeps one processor busy.

Without --allow-remote all addresses must be on loopback. A relay sends only to
its upstreams and to clients that have sent something. A client that is silent
for --timeout is forgotten; when there are --max-clients, the oldest that no
server has answered makes room for a new one.

Ctrl-C ends it in order: it prints what run prints, and the recording, marked as
one in real time, is at OUT/<scenario>/<overrides>,emulated/<seed>/. A second
Ctrl-C ends it at once, and nothing is kept.`,
		Example: `  wtsim serve --listen 127.0.0.1:4434 &
  wtsim emulate scenarios/quickstart.toml --upstream 127.0.0.1:4434
  wtsim emulate scenarios/lte.toml --listen 127.0.0.1:5000 --upstream localhost:4434 --set links.cell.loss.p=0.01
  wtsim emulate scenarios/quickstart.toml --link access --upstream 127.0.0.1:4434 --duration 30s --json
  wtsim emulate scenarios/star.toml --upstream server=127.0.0.1:4434 --client client-1`,
		Args:              arguments(oneScenario),
		ValidArgsFunction: completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.emulate(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.upstream, "upstream", nil, "`[HOST=]ADDRESS:PORT` of a real server, at a host of the scenario (default: the server of its first session);\nmay be repeated")
	flags.StringArrayVar(&f.listen, "listen", []string{defaultEmulateListen}, "`ADDRESS:PORT` for clients, over UDP; may be repeated, for each --upstream; port 0 is one that is free")
	flags.StringVar(&f.link, "link", "", "only this `link`, with clients at one end and servers at the other")
	flags.StringVar(&f.client, "client", "", "`host` at which clients are; of a group they get one after the other (default: the client of the first session)")
	flags.StringVar(&f.start, "start", "first-datagram", "`when` the scenario's time begins: first-datagram, now, a time of day such as 14:30:00, or one of RFC 3339;\nearlier datagrams are refused")
	flags.DurationVar(&f.duration, "duration", 0, "end after so much of the scenario's time, at most 24h (default: with Ctrl-C)")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Minute, "forget clients that are silent for so long")
	flags.IntVar(&f.clients, "max-clients", 256, "most clients at once")
	flags.BoolVar(&f.remote, "allow-remote", false, "listen on and relay to addresses that are not on loopback")
	flags.Uint64Var(&f.seed, "seed", 0, "`seed` of losses and jitter (default: the scenario's)")
	flagSet(cmd, &f.set)
	flags.StringVar(&f.out, "out", run.DefaultOut, "`folder` of results")
	flags.BoolVar(&f.json, "json", false, "print one JSON object at the end, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
	flags.StringVar(&f.ready, "ready-file", "", "write the addresses to `file`, as JSON, when it relays")
	addRecord(cmd, &f.record)
	addCapture(cmd, &f.capture, "the packets at `WHERE`, to which the programs have the keys")
	flags.BoolVar(&f.csv, "csv", false, "also write the tables as CSV")
	flags.BoolVar(&f.bare, "no-figures", false, "draw no figures")
	flags.BoolVar(&f.plain, "no-graph", false, "print no graphs")
	cmd.MarkFlagDirname("out")
	cmd.RegisterFlagCompletionFunc("link", completeNames(&f.set, func(s *scenario.Scenario) (names []string) {
		for _, l := range s.LinkInstances() {
			names = append(names, l.Name)
		}
		return names
	}))
	cmd.RegisterFlagCompletionFunc("client", completeNames(&f.set, func(s *scenario.Scenario) (names []string) {
		for _, h := range s.Hosts {
			names = append(names, h.Name)
		}
		return names
	}))
	cmd.RegisterFlagCompletionFunc("start", cobra.FixedCompletions(startWords, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"upstream", "listen"} {
		cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

// completeNames completes names that the scenario has which is an argument already.
func completeNames(overrides *[]string, of func(*scenario.Scenario) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []cobra.Completion
		if len(args) == 1 {
			if s, err := scenario.LoadNetwork(args[0], *overrides...); err == nil {
				found = slices.DeleteFunc(of(s), func(name string) bool { return !strings.HasPrefix(name, typed) })
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// request checks the flags.
func (f *emulateFlags) request(cmd *cobra.Command, path string) (r run.EmulateRequest, err error) {
	mistake := func(format string, args ...any) (run.EmulateRequest, error) {
		return r, &usageError{cmd, fmt.Errorf(format, args...)}
	}
	r = run.EmulateRequest{
		Scenario: path, Overrides: f.set, Link: f.link, Client: f.client, AllowRemote: f.remote, Timeout: f.timeout, MaxClients: f.clients,
		Duration: f.duration, Out: f.out, CSV: f.csv, Capture: f.capture,
	}
	switch {
	case len(f.upstream) == 0:
		return mistake("--upstream is missing; expected the address of a real server, such as --upstream 127.0.0.1:4434")
	case f.duration < 0 || f.duration > 24*time.Hour:
		return mistake("--duration is %s; expected a time from 0s to 24h", f.duration)
	case f.timeout < time.Second:
		return mistake("--timeout is %s; expected at least 1s", f.timeout)
	case f.clients < 1 || f.clients > 4096:
		return mistake("--max-clients is %d; expected 1 to 4096", f.clients)
	case f.out == "":
		return mistake("--out is empty; expected a folder")
	case f.link == "" && cmd.Flags().Changed("link"):
		return mistake("--link is empty; expected a link of the scenario")
	case f.client == "" && cmd.Flags().Changed("client"):
		return mistake("--client is empty; expected a host of the scenario")
	}
	if n, m := len(f.listen), len(f.upstream); n != 1 && n != m {
		return mistake("--listen is given %d times and --upstream %s; expected --listen for each --upstream, or once for all", n, times(m))
	}
	if r.Without, err = unrecorded(f.record); err != nil {
		return mistake("%w", err)
	}
	if cmd.Flags().Changed("seed") {
		r.Seed = &f.seed
	}
	for _, text := range f.upstream {
		host, addr, named := strings.Cut(text, "=")
		if !named {
			host, addr = "", text
		} else if host == "" {
			return mistake("--upstream is %q; expected a host of the scenario before =", text)
		}
		at, err := f.address(cmd.Context(), "--upstream", addr)
		if err != nil {
			return r, err
		}
		if at.Port() == 0 {
			return mistake("--upstream is %q; expected the port of the server, not 0", text)
		}
		r.Upstream = append(r.Upstream, run.Upstream{Server: host, Addr: at})
	}
	for _, text := range f.listen {
		at, err := f.address(cmd.Context(), "--listen", text)
		if err != nil {
			return r, err
		}
		r.Listen = append(r.Listen, at)
	}
	if r.Start, r.FirstDatagram, err = startTime(f.start, time.Now()); err != nil {
		return mistake("--start %w", err)
	}
	return r, f.checkNames(path)
}

// checkNames checks the names of the scenario that flags have.
func (f *emulateFlags) checkNames(path string) error {
	s, err := scenario.LoadNetwork(path, f.set...)
	if err != nil {
		return err
	}
	fault := func(flag string, err error) error { return &inputError{fmt.Errorf("%s: %w", flag, err)} }
	if s, err = s.Network(f.link, s.TimeLimit); err != nil {
		return fault("--link", err)
	}
	if f.client != "" {
		if _, err := s.HostsNamed(f.client); err != nil {
			return fault("--client", err)
		}
	}
	for _, text := range f.upstream {
		if host, _, named := strings.Cut(text, "="); named {
			if _, err := s.HostsNamed(host); err != nil {
				return fault("--upstream "+text, err)
			}
		}
	}
	return nil
}

// address reads an address that the relay may use, or a name that has one.
func (f *emulateFlags) address(ctx context.Context, flag, text string) (netip.AddrPort, error) {
	bad := func(format string, args ...any) (netip.AddrPort, error) {
		return netip.AddrPort{}, &inputError{fmt.Errorf("%s is %q; %s", flag, text, fmt.Sprintf(format, args...))}
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if near := nearAddress(flag, text); near != "" {
			return bad("expected ADDRESS:PORT; did you mean %q?", near)
		}
		return bad("expected ADDRESS:PORT, such as %s", map[string]string{"--upstream": "127.0.0.1:4434", "--listen": defaultEmulateListen}[flag])
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return bad("expected a port from 0 to 65535")
	}
	if host == "" {
		host = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			if unknown, ok := errors.AsType[*net.DNSError](err); ok {
				return bad("expected an address, or the name of one: %s", unknown.Err)
			}
			return bad("expected an address, or the name of one: %v", err)
		}
		addr = found[0].Unmap()
		for _, a := range found { // the address of most use is the one of the default listener's kind
			if a.Unmap().Is4() {
				addr = a.Unmap()
				break
			}
		}
	}
	switch {
	case addr.IsUnspecified():
		return bad("expected one address of this machine, such as 127.0.0.1:%d, because answers come from the address that was asked", number)
	case !addr.IsLoopback() && !f.remote:
		return bad("expected an address on loopback, such as 127.0.0.1:%d, or --allow-remote too", number)
	}
	return netip.AddrPortFrom(addr, uint16(number)), nil
}

// nearAddress is the address that someone may have meant with a URL, a port alone, or for an
// upstream a colon in place of HOST=, and otherwise "".
func nearAddress(flag, text string) string {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	whole := func(text string) bool {
		_, port, err := net.SplitHostPort(text)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		return err == nil
	}
	host, addr, _ := strings.Cut(text, ":")
	switch {
	case whole(text):
		return text
	case whole("127.0.0.1:" + text):
		return "127.0.0.1:" + text
	case flag == "--upstream" && host != "" && !strings.HasPrefix(addr, ":") && whole(addr):
		return host + "=" + addr
	}
	return ""
}

// startTime reads when an emulation's time begins.
func startTime(text string, now time.Time) (at time.Time, first bool, err error) {
	switch text {
	case "first-datagram":
		return time.Time{}, true, nil
	case "now":
		return time.Time{}, false, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		for _, layout := range []string{"15:04:05", "15:04"} {
			var of time.Time
			if of, err = time.ParseInLocation(layout, text, now.Location()); err == nil {
				at = time.Date(now.Year(), now.Month(), now.Day(), of.Hour(), of.Minute(), of.Second(), 0, now.Location())
				break
			}
		}
	}
	if err != nil {
		if near := nearest.Word(text, startWords); near != "" {
			return at, false, fmt.Errorf("is %q; did you mean %q?", text, near)
		}
		return at, false, fmt.Errorf("is %q; expected first-datagram, now, a time of day such as 14:30:00, or one of RFC 3339", text)
	}
	if at.Before(now) {
		return at, false, fmt.Errorf("is %q, which is past; expected a time to come", text)
	}
	return at, false, nil
}

func (f *emulateFlags) emulate(cmd *cobra.Command, path string) error {
	request, err := f.request(cmd, path)
	if err != nil {
		return err
	}
	talk := everything
	switch {
	case f.quiet:
		talk = silent
	case f.json:
		talk = notices
	}
	show := newLiveView(cmd.ErrOrStderr(), talk, f.awaited())
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	defer context.AfterFunc(cmd.Context(), show.ending)()
	request.Notice = show.notice
	said := false // by the file
	var unready error
	request.Ready = func(listening []run.Listening) {
		if f.ready != "" {
			if unready = writeListening(f.ready, listening); unready != nil {
				cancel()
				return
			}
			said = true
		}
		show.listening(listening)
	}
	defer func() {
		if said {
			os.Remove(f.ready)
		}
	}()
	var found findings
	graphs := !f.json && !f.quiet && !f.plain
	request.Complete = func(dir string) (err error) {
		if unready != nil {
			return unready
		}
		found, err = finish(dir, !f.bare, graphs)
		return err
	}
	result, err := emulate(ctx, request, show.live)
	show.end()
	if err = cmp.Or(unready, err); err != nil {
		if told := new(run.Error); cmd.Context().Err() != nil && errors.As(err, &told) {
			return &interruption{told.Message} // it is why nothing is kept
		}
		return err
	}
	o := outcome{Result: result, findings: found}
	if o.Outputs, err = outputs(result.Dir); err != nil {
		return err
	}
	switch {
	case f.json:
		return json.NewEncoder(cmd.OutOrStdout()).Encode(o)
	case f.quiet:
		return nil
	}
	return printRun(cmd.OutOrStdout(), o)
}

// awaited is what an emulation waits for before it starts.
func (f *emulateFlags) awaited() string {
	if f.start == "first-datagram" {
		return "the first datagram"
	}
	return f.start
}

// times writes how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// writeListening writes the file at once, for those who wait for it to appear.
func writeListening(path string, listening []run.Listening) error {
	text, err := json.Marshal(listening)
	if err != nil {
		return err
	}
	if _, err = wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	}); err != nil {
		return &inputError{fmt.Errorf("--ready-file: %w", err)}
	}
	return nil
}
