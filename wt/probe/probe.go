package probe

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/internal/qlogdir"
	"github.com/wtsim/wtsim/wt"
)

// Run tries a server. It returns what it found in any case but that of a mistake in the
// configuration, for which the error wraps [ErrConfig] and the report is nil.
// Of other errors the report has the text too.
func Run(ctx context.Context, c Config) (*Report, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	p := &prober{config: c, report: &Report{URL: c.URL}}
	config := &quic.Config{}
	if c.QLOG != "" {
		dir, err := qlogdir.New(c.QLOG)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		config.Tracer = dir.Trace
		defer dir.Wait()
	}
	err = p.run(ctx, config)
	if err != nil {
		p.report.Error = err.Error()
	}
	return p.report, err
}

// prober tries one server.
type prober struct {
	config  Config
	report  *Report
	session *wt.Session
}

func (p *prober) run(ctx context.Context, config *quic.Config) error {
	config.HandshakeIdleTimeout = p.config.Timeout
	dialer := &wt.Dialer{TLSConfig: p.config.tls(), QUICConfig: config}
	conn, err := p.connect(ctx, dialer)
	if err != nil {
		return err
	}
	defer conn.Close()
	if p.config.Run == Baton {
		err = p.baton(ctx, conn)
	} else if _, err = p.open(ctx, conn, p.config.URL, &wt.SessionOptions{}); err == nil {
		err = p.exchange(ctx)
	}
	if p.session != nil {
		p.measure()
		p.end()
	}
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return err
}

// tls returns how the server's certificate is judged.
func (c *Config) tls() *tls.Config {
	config := &tls.Config{InsecureSkipVerify: c.Insecure || c.CertificateHash != nil}
	if want := c.CertificateHash; want != nil {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if got := sha256.Sum256(state.PeerCertificates[0].Raw); got != *want {
				return &hashError{got: got, want: *want}
			}
			return nil
		}
	}
	return config
}

func (p *prober) connect(ctx context.Context, dialer *wt.Dialer) (*wt.ClientConn, error) {
	timed, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	began := time.Now()
	conn, err := dialer.DialConn(timed, p.config.URL)
	if err != nil {
		return nil, p.explainConnect(ctx, err)
	}
	p.report.Connection = newConnection(conn.Conn(), time.Since(began))
	return conn, nil
}

// open opens the session, with what the configuration adds to the options. It
// sets p.session unless there is an error.
func (p *prober) open(ctx context.Context, conn *wt.ClientConn, rawURL string, options *wt.SessionOptions) (*http.Response, error) {
	timed, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	options.Header, options.Protocols = p.config.Header, p.config.Protocols
	began := time.Now()
	session, response, err := conn.OpenSession(timed, rawURL, options)
	opening := time.Since(began)
	p.report.Settings = newSettings(conn.PeerSettings())
	if response != nil {
		p.report.Session = &Session{Status: response.StatusCode, Header: response.Header, Opening: opening}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer to the request for a session within %v", p.config.Timeout)
	}
	if err != nil {
		return response, err
	}
	p.session = session
	s := p.report.Session
	s.Draft, s.Token, s.Protocol = session.Draft().String(), session.Request().Proto, session.Protocol()
	s.Limits = newLimits(conn.PeerSettings())
	s.MaxDatagramSize = session.MaxDatagramSize()
	return response, nil
}

// measure notes what is known of the path in the end.
func (p *prober) measure() {
	s, stats := p.report.Session, p.session.Conn().ConnectionStats()
	s.RTT, s.MinRTT = stats.SmoothedRTT, stats.MinRTT
	s.MaxDatagramSize = max(s.MaxDatagramSize, p.session.MaxDatagramSize())
	select {
	case <-p.session.Draining():
		s.Draining = true
	default:
	}
}

// end closes the session, unless the server has, and notes how it ended.
func (p *prober) end() {
	p.session.Close(0, "")
	p.report.End = newEnd(context.Cause(p.session.Context()))
}

// explainConnect says why there is no connection.
func (p *prober) explainConnect(ctx context.Context, err error) error {
	hash, isHash := errors.AsType[*hashError](err)
	trust, isTrust := errors.AsType[*tls.CertificateVerificationError](err)
	alert, isAlert := errors.AsType[*quic.TransportError](err)
	_, isVersion := errors.AsType[*quic.VersionNegotiationError](err)
	_, isHandshake := errors.AsType[*quic.HandshakeTimeoutError](err)
	_, isIdle := errors.AsType[*quic.IdleTimeoutError](err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isHash:
		return hash
	case isTrust:
		return &CertificateError{Err: trust.Err}
	case isHandshake, isIdle, errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("unreachable: no answer over UDP within %v", p.config.Timeout)
	case isVersion:
		return fmt.Errorf("the server speaks no common version of QUIC: %w", err)
	case isAlert && alert.ErrorCode == 0x100+alertNoApplicationProtocol:
		return fmt.Errorf("the server speaks QUIC but not HTTP/3: %w", alert)
	}
	return err
}

// alertNoApplicationProtocol is the alert of a server that has none of the ALPN (RFC 7301, section 3.2).
const alertNoApplicationProtocol = 120

// CertificateError says that the server's certificate is not accepted.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string { return "certificate: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *CertificateError) Unwrap() error { return e.Err }

type hashError struct{ got, want [sha256.Size]byte }

func (e *hashError) Error() string {
	return fmt.Sprintf("certificate: its SHA-256 is %s, not %s",
		base64.StdEncoding.EncodeToString(e.got[:]), base64.StdEncoding.EncodeToString(e.want[:]))
}
