package wt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Dialer opens sessions on connections of their own. The zero value works.
type Dialer struct {
	// TLSConfig is the TLS configuration; its ALPN is set. Nil means the defaults.
	TLSConfig *tls.Config
	// QUICConfig is completed as by the function [QUICConfig].
	QUICConfig *quic.Config
	// Transport dials the connections. If it is nil, every connection has a UDP socket of its own.
	Transport *quic.Transport
	// Config is that of the connections.
	Config ClientConfig
}

// Dial connects to the host of an https URL and opens a session. The
// connection is closed when the session is gone. Errors are those of
// [ClientConn.OpenSession]. If the server lacks what WebTransport requires,
// the connection is closed with WT_REQUIREMENTS_NOT_MET.
func (d *Dialer) Dial(ctx context.Context, rawURL string, options *SessionOptions) (*Session, *http.Response, error) {
	c, err := d.DialConn(ctx, rawURL)
	if err != nil {
		return nil, nil, err
	}
	s, response, err := c.OpenSession(ctx, rawURL, options)
	if err != nil {
		code := quic.ApplicationErrorCode(h3NoError)
		if errors.Is(err, ErrRequirements) {
			code = codeRequirementsNotMet
		}
		c.conn.quic.CloseWithError(code, "")
		c.conn.wait()
		return nil, response, err
	}
	go func() {
		<-s.gone
		c.Close()
	}()
	return s, response, nil
}

// DialConn connects to the host of an https URL, for several sessions or requests.
func (d *Dialer) DialConn(ctx context.Context, rawURL string) (*ClientConn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("wt: %w", err)
	}
	tlsConfig := &tls.Config{}
	if d.TLSConfig != nil {
		tlsConfig = d.TLSConfig.Clone()
	}
	if !slices.Contains(tlsConfig.NextProtos, http3.NextProtoH3) {
		tlsConfig.NextProtos = []string{http3.NextProtoH3}
	}
	if tlsConfig.ServerName == "" {
		tlsConfig.ServerName = u.Hostname()
	}
	qc, err := d.dialQUIC(ctx, withPort(u.Host), tlsConfig)
	if err != nil {
		return nil, fmt.Errorf("wt: connecting to %s: %w", u.Host, err)
	}
	return NewClientConn(qc, &d.Config), nil
}

func (d *Dialer) dialQUIC(ctx context.Context, address string, tlsConfig *tls.Config) (*quic.Conn, error) {
	config := QUICConfig(d.QUICConfig)
	if d.Transport == nil {
		return quic.DialAddr(ctx, address, tlsConfig, config)
	}
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	return d.Transport.Dial(ctx, addr, tlsConfig, config)
}
