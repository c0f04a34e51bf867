package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/endpoints"
	"github.com/wtsim/wtsim/wt/probe"
)

// probeFlags are the flags of the command probe.
type probeFlags struct {
	run, hash, qlog    string
	headers, protocols []string
	size               netem.Bytes
	count              int
	timeout            time.Duration
	json, insecure     bool
}

func newProbe() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe https://host:port/path",
		Short: "Open a session with a WebTransport server and show what it supports",
		Long: `Probe connects to a WebTransport server over UDP, opens a session, and shows the
connection, the server's settings, the draft and subprotocol that were agreed
on, and the limits of the session. Nothing here is simulated.

--run says what is done with the session:
  none  nothing; it is closed
  echo  messages go out one after the other, on bidirectional streams, on
        unidirectional streams and in datagrams; each has to come back, of the
        datagrams one at least
  bulk  streams go out at once; all their data has to come back
  baton the client's end of Devious Baton, with baton and count of the URL's query
  wait  the server has to end the session

Exit status: 0 it worked, 1 it did not, and the message says what was unmet: the
server is unreachable, its certificate is not accepted, it does not support
WebTransport, it refused the session, or an exchange failed.`,
		Example: `  wtsim probe https://example.org/webtransport --header 'Authorization: Bearer TOKEN'
  wtsim probe https://localhost:4433/echo --insecure --run echo --count 100
  wtsim probe 'https://localhost:4433/close?code=42' --cert-hash HASH --run wait --json`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("expected one URL, got %d arguments", len(args))
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error { return f.probe(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.run, "run", string(probe.None), "`what` to do with the session: none, echo, bulk, baton or wait")
	flags.TextVar(&f.size, "size", netem.Bytes(0), "`bytes` of each message (default 100B), of each stream of bulk (default 10MB), or of the padding of baton (default 0B)")
	flags.Lookup("size").DefValue = "" // the usage says what it is
	flags.IntVar(&f.count, "count", 0, "`number` of messages of each kind (default 10), of the streams of bulk (default 1), or of batons (default 1)")
	flags.StringSliceVar(&f.protocols, "protocol", nil, "`subprotocols` to offer, most preferred first")
	flags.StringArrayVar(&f.headers, "header", nil, "field of the request, as `name:value`; may be repeated")
	flags.BoolVar(&f.insecure, "insecure", false, "accept any certificate")
	flags.StringVar(&f.hash, "cert-hash", "", "accept the certificate with this `SHA-256`, in hexadecimal or base64, and no other")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "`time` for connecting, for opening the session, and without progress after that")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, also if the probe fails")
	flags.StringVar(&f.qlog, "qlog", "", "`folder` for a qlog file (default: none)")
	cmd.MarkFlagDirname("qlog")
	cmd.RegisterFlagCompletionFunc("run", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var words []cobra.Completion
		for _, k := range probe.Kinds {
			words = append(words, string(k))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (f *probeFlags) probe(cmd *cobra.Command, url string) error {
	config, err := f.config(cmd, url)
	if err != nil {
		return &usageError{cmd, err}
	}
	report, err := probe.Run(cmd.Context(), config)
	if errors.Is(err, probe.ErrConfig) {
		return &usageError{cmd, errors.New(strings.TrimPrefix(err.Error(), probe.ErrConfig.Error()+": "))}
	}
	if cmd.Context().Err() != nil && err != nil {
		return &interruption{"interrupted"}
	}
	out := cmd.OutOrStdout()
	if f.json {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		printReport(out, report)
	}
	if err != nil {
		return &checkError{fmt.Sprintf("%s: %s", report.URL, unmet(report, err))}
	}
	return nil
}

// unmet says why a probe failed, and what to do about it.
func unmet(report *probe.Report, err error) string {
	text := strings.TrimPrefix(err.Error(), "wt: ")
	if _, ok := errors.AsType[*probe.CertificateError](err); ok {
		return text + "; --cert-hash accepts one by its SHA-256, --insecure any"
	}
	if errors.Is(err, wt.ErrRefused) && report.Session != nil {
		if reason := report.Session.Header.Get(endpoints.ReasonHeader); reason != "" {
			return text + ": " + printable(reason)
		}
	}
	return text
}

// config makes the configuration of the flags.
func (f *probeFlags) config(cmd *cobra.Command, url string) (probe.Config, error) {
	c := probe.Config{
		URL: url, Protocols: f.protocols, Insecure: f.insecure, Run: probe.Kind(f.run),
		Size: int(f.size), Count: f.count, Timeout: f.timeout, QLOG: f.qlog,
	}
	switch changed := cmd.Flags().Changed; {
	case changed("size") && f.size == 0:
		return c, errors.New("--size is 0B; expected at least 1B")
	case changed("count") && f.count == 0:
		return c, errors.New("--count is 0; expected at least 1")
	case f.timeout == 0:
		return c, errors.New("--timeout is 0s; expected more than that")
	}
	for _, field := range f.headers {
		name, value, ok := strings.Cut(field, ":")
		if !ok {
			return c, fmt.Errorf("--header is %q; expected name:value", field)
		}
		if c.Header == nil {
			c.Header = http.Header{}
		}
		c.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if f.hash != "" {
		hash, err := parseHash(f.hash)
		if err != nil {
			return c, fmt.Errorf("--cert-hash is %q; %w", f.hash, err)
		}
		c.CertificateHash = &hash
	}
	return c, nil
}

// parseHash reads a SHA-256 in hexadecimal, with or without colons, or in base64.
func parseHash(text string) (hash [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	if err != nil || len(b) != len(hash) {
		return hash, errors.New("expected a SHA-256 in hexadecimal (64 digits) or base64 (44 characters)")
	}
	copy(hash[:], b)
	return hash, nil
}
