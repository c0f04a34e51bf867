package probe

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/wt"
)

// Kind is what a probe does once the session is open.
type Kind string

// The kinds of probes.
const (
	// None opens the session and closes it.
	None Kind = "none"
	// Echo sends messages, one after the other, each on a bidirectional stream of its own, then
	// on unidirectional streams, then in datagrams, and expects each back.
	Echo Kind = "echo"
	// Bulk sends data on bidirectional streams, all at once, and expects it back.
	Bulk Kind = "bulk"
	// Baton is the client's end of Devious Baton, of package baton.
	Baton Kind = "baton"
	// Wait waits until the server ends the session.
	Wait Kind = "wait"
)

// Kinds are all kinds of probes.
var Kinds = []Kind{None, Echo, Bulk, Baton, Wait}

// The bounds of what a probe sends.
const (
	MaxSize  = 1_000_000_000 // bytes of a stream
	MaxCount = 10_000        // messages or streams
)

// Config says what to try. All but the URL may be left out.
type Config struct {
	// URL is the https URL of the session.
	URL string
	// Header is sent with the request.
	Header http.Header
	// Protocols are the subprotocols to offer, most preferred first.
	Protocols []string
	// Insecure accepts any certificate.
	Insecure bool
	// CertificateHash, if not nil, is the SHA-256 of the certificate that is
	// accepted, whoever issued it and for whatever name, as browsers accept serverCertificateHashes.
	CertificateHash *[sha256.Size]byte
	// Run is what to do with the session (None).
	Run Kind
	// Size is the size of each message of Echo (100 bytes; datagrams have at most 1000), of each
	// stream of Bulk (10 MB), and of the padding of each message of Baton (none).
	Size int
	// Count is the number of messages of Echo (10 of each kind), of the streams of
	// Bulk (1), and of the batons of Baton (what the query of the URL says, or 1).
	Count int
	// Timeout bounds connecting, and opening the session, each, and how long
	// nothing may come back afterwards (10 s).
	Timeout time.Duration
	// QLOG is a folder for a qlog file of the connection. If it is empty none is written.
	QLOG string
}

// ErrConfig is wrapped by the errors of a Config that cannot be used.
var ErrConfig = errors.New("probe: bad configuration")

// complete checks the configuration and fills in the defaults.
func (c Config) complete() (Config, error) {
	mistake := func(format string, args ...any) (Config, error) {
		return c, fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	u, err := parseURL(c.URL)
	switch {
	case err != nil:
		return mistake("%v", err)
	case c.Insecure && c.CertificateHash != nil:
		return mistake("a certificate is accepted by its hash or whatever it is, not both")
	}
	if err := wt.CheckProtocols(c.Protocols); err != nil {
		return mistake("%v", err)
	}
	for name, values := range c.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return mistake("header %q: not the name of a field", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return mistake("header %s: %q is not the value of a field", name, value)
			}
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.Fragment, u.RawFragment = "", ""
	c.URL = u.String()
	size, count := 100, 10
	switch c.Run {
	case "":
		c.Run = None
	case Bulk:
		size, count = 10_000_000, 1
	case Baton:
		size, count = 0, 0
		if _, err := batonConfig(u.Query()); err != nil {
			return mistake("%v", err)
		}
	case None, Echo, Wait:
	default:
		if near := nearest.Word(string(c.Run), kindNames()); near != "" {
			return mistake("run %q: did you mean %q?", c.Run, near)
		}
		return mistake("run %q: expected one of %s", c.Run, strings.Join(kindNames(), ", "))
	}
	setDefault(&c.Size, size)
	setDefault(&c.Count, count)
	setDefault(&c.Timeout, 10*time.Second)
	switch {
	case c.Size < 0 || c.Size > MaxSize:
		return mistake("size %d: expected 1 to %d bytes", c.Size, MaxSize)
	case c.Count < 0 || c.Count > MaxCount:
		return mistake("count %d: expected 1 to %d", c.Count, MaxCount)
	case c.Timeout < 0:
		return mistake("timeout %v: expected more than 0s", c.Timeout)
	}
	return c, nil
}

// parseURL returns an https URL. The error says if only the scheme is missing.
func parseURL(text string) (*url.URL, error) {
	https := func(text string) *url.URL {
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" && u.Hostname() != "" {
			return u
		}
		return nil
	}
	if u := https(text); u != nil {
		return u, nil
	}
	if whole := "https://" + text; !strings.Contains(text, "://") && https(whole) != nil {
		return nil, fmt.Errorf("URL %q: expected https://host/path; did you mean %q?", text, whole)
	}
	return nil, fmt.Errorf("URL %q: expected https://host/path", text)
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

func kindNames() (names []string) {
	for _, k := range Kinds {
		names = append(names, string(k))
	}
	return names
}
