package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/endpoints"
)

// serveFlags are the flags of the command serve.
type serveFlags struct {
	listen, page, cert, key, qlog, ready string
	origins, protocols                   []string
	verbose                              bool
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve WebTransport endpoints to try browsers and other clients against",
		Long: `Serve runs a WebTransport server on a UDP port, with endpoints that echo, send,
receive, close, reset and refuse, and a page that exercises them from a
browser on this machine: browsers offer WebTransport to pages of https, and of
http://localhost. Nothing here is simulated. Behind a relay such as wtsim emulate, give the
page the relay's address, and if it is slow less to send than 10 MB:
http://localhost:4434/?server=https://127.0.0.1:4433&bytes=1000000#run

Without --cert it makes a certificate that browsers accept by its SHA-256, which it
prints, for 13 days (serverCertificateHashes); restart it for another. Pages of
any origin may open sessions unless --origin lists those that may: the server is
for tests, holds nothing, and bounds what a session can ask for.

Ctrl-C ends the sessions in order and then the server, with exit status 0; a
second one ends it at once.

Endpoints and the parameters of their query:

` + indent(endpoints.Describe()),
		Example: `  wtsim serve
  wtsim serve --listen :4433 --cert cert.pem --key key.pem --origin https://app.example -v
  wtsim serve --listen 127.0.0.1:0 --ready-file ready.json &`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.serve(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", endpoints.DefaultListen, "UDP `address`; an empty host is all addresses of the machine, port 0 one that is free")
	flags.StringVar(&f.page, "page", "", "TCP `address` of the page, or none (default: localhost, with the port of --listen)")
	flags.StringVar(&f.cert, "cert", "", "`file` with the certificate, and those of its issuers, in PEM (default: one is generated)")
	flags.StringVar(&f.key, "key", "", "`file` with the key of the certificate, in PEM")
	flags.StringArrayVar(&f.origins, "origin", nil, "`origin` whose pages may open sessions; may be repeated (default: any)")
	flags.StringSliceVar(&f.protocols, "protocol", endpoints.DefaultProtocols(), "`subprotocols` of /protocols, most preferred first")
	flags.StringVar(&f.qlog, "qlog", "", "`folder` for qlog files, one a connection (default: none)")
	flags.StringVar(&f.ready, "ready-file", "", "write the URL and the SHA-256 to `file`, as JSON, when the server is ready")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print a line for each session when it ends")
	cmd.MarkFlagDirname("qlog")
	cmd.MarkFlagFilename("cert", "pem", "crt")
	cmd.MarkFlagFilename("key", "pem", "key")
	return cmd
}

// indent sets a text apart from its surroundings.
func indent(text string) string {
	text = "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
	return strings.ReplaceAll(text, "\n  \n", "\n\n")
}

func (f *serveFlags) serve(cmd *cobra.Command) error {
	config := endpoints.Config{Listen: f.listen, Page: f.page, Origins: f.origins, Protocols: f.protocols, QLOG: f.qlog}
	if (f.cert == "") != (f.key == "") {
		return &usageError{cmd, errors.New("--cert and --key go together")}
	}
	if f.cert != "" {
		certificate, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return &inputError{fmt.Errorf("--cert and --key: %w", err)}
		}
		config.Certificate = &certificate
	}
	out := cmd.OutOrStdout()
	if f.verbose {
		lines := &sessionLines{out: out}
		config.Ended = lines.print
	}
	server, err := endpoints.Start(config)
	if err != nil {
		return &inputError{errors.New(strings.TrimPrefix(err.Error(), "endpoints: "))}
	}
	defer server.Close()
	f.announce(out, server)
	if f.ready != "" {
		if err := writeReady(f.ready, server); err != nil {
			return &inputError{fmt.Errorf("--ready-file: %w", err)}
		}
		defer os.Remove(f.ready)
	}
	<-cmd.Context().Done()
	fmt.Fprintln(cmd.ErrOrStderr(), "wtsim: ending the sessions; Ctrl-C again ends at once")
	ctx, cancel := context.WithTimeoutCause(context.Background(), shutdownTime, &wt.SessionError{Reason: "the server ends"})
	defer cancel()
	server.Shutdown(ctx) // whether clients or the server ended the sessions does not matter
	return nil
}

// shutdownTime is how long a server waits for its clients to end their sessions.
const shutdownTime = 5 * time.Second

// announce prints what a user needs to know.
func (f *serveFlags) announce(out io.Writer, server *endpoints.Server) {
	var addresses []string
	for _, addr := range server.Addrs() {
		addresses = append(addresses, addr.String())
	}
	line := func(name, format string, args ...any) { printField(out, name, format, args...) }
	line("WebTransport", "%s (UDP %s)", server.URL(), strings.Join(addresses, ", "))
	if server.PageURL() != "" {
		line("Page", "%s", server.PageURL())
	}
	certificate := server.Certificate()
	how := f.cert
	if how == "" {
		how = "generated"
	}
	if leaf := certificate.Leaf; leaf != nil {
		how += ", valid until " + leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC")
	}
	line("Certificate", "%s", how)
	hash := endpoints.Hash(certificate)
	text := base64.StdEncoding.EncodeToString(hash[:])
	line("SHA-256", "%s", hex.EncodeToString(hash[:]))
	line("", "%s", text)
	if endpoints.Hashable(certificate) {
		line("In a page", "serverCertificateHashes: [{algorithm: 'sha-256', value: Uint8Array.from(atob('%s'), (c) => c.charCodeAt(0))}]", text)
	} else {
		line("In a page", "browsers do not accept this certificate by its hash, so it must be one that they trust")
	}
	origins := "any"
	if len(f.origins) > 0 {
		origins = strings.Join(f.origins, ", ")
	}
	line("Origins", "%s", origins)
}

// ready is what --ready-file holds.
type ready struct {
	URL    string `json:"url"`
	Page   string `json:"page,omitempty"`
	SHA256 string `json:"sha256"` // base64
}

// writeReady writes the file at once, for those who wait for it to appear.
func writeReady(path string, server *endpoints.Server) error {
	hash := endpoints.Hash(server.Certificate())
	text, err := json.Marshal(ready{server.URL(), server.PageURL(), base64.StdEncoding.EncodeToString(hash[:])})
	if err != nil {
		return err
	}
	_, err = wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	return err
}

// sessionLines prints a line for each session.
type sessionLines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *sessionLines) print(s *wt.Session, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s  %s  %s  %s  %s\n",
		s.Conn().RemoteAddr(), printable(s.Request().URL.RequestURI()), s.Draft(), orDash(s.Protocol()), ending(err))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// ending says how a session ended, without the words that are the same for all.
func ending(err error) string {
	if refused, ok := errors.AsType[*wt.RefusedError](err); ok {
		text := fmt.Sprintf("refused with status %d", refused.Status)
		if refused.Err != nil {
			text += ": " + refused.Err.Error()
		}
		return printable(text)
	}
	return printable(strings.TrimPrefix(err.Error(), "wt: session "))
}
