// Command wt is package wt as an end of the tests of interoperability.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/interop/peer"
	"github.com/wtsim/wtsim/wt"
)

func main() { peer.Main(implementation{}) }

type implementation struct{}

func (implementation) Name() string { return "wt" }

func quicConfig() *quic.Config {
	return wt.QUICConfig(&quic.Config{MaxIncomingStreams: peer.MaxStreams, MaxIncomingUniStreams: peer.MaxStreams})
}

func flowControl(config peer.Config) wt.FlowControl {
	return wt.FlowControl{Streams: config.Streams, UniStreams: config.Streams, InitialData: config.Data}
}

func (implementation) Listen(socket net.PacketConn, tlsConfig *tls.Config, config peer.Config, apps map[string]peer.Application, handler http.Handler) (func(), error) {
	server := &wt.Server{Handler: handler, MaxSessions: config.Sessions, FlowControl: flowControl(config)}
	for path, app := range apps {
		application := wt.Application{
			Serve:     func(s *wt.Session) { app.Serve(session{s}) },
			Protocols: config.Protocols,
		}
		if app.Status != 0 {
			application.Connecting = func(*wt.Session) error { return &wt.RefusedError{Status: app.Status} }
		}
		server.Handle(path, application)
	}
	ln, err := quic.ListenEarly(socket, tlsConfig, quicConfig())
	if err != nil {
		return nil, err
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(ln) })
	return func() {
		server.Close()
		serving.Wait()
		ln.Close()
	}, nil
}

func (implementation) Dial(ctx context.Context, address string, tlsConfig *tls.Config, config peer.Config) (peer.Conn, error) {
	c, err := dialer(tlsConfig, config).DialConn(ctx, "https://"+address)
	if err != nil {
		return nil, err
	}
	return conn{c, config.Protocols}, nil
}

func dialer(tlsConfig *tls.Config, config peer.Config) *wt.Dialer {
	return &wt.Dialer{
		TLSConfig:  tlsConfig,
		QUICConfig: quicConfig(),
		Config:     wt.ClientConfig{MaxSessions: config.Sessions, FlowControl: flowControl(config)},
	}
}

func (implementation) DialSession(ctx context.Context, url string, tlsConfig *tls.Config, config peer.Config) (peer.Session, error) {
	s, _, err := dialer(tlsConfig, config).Dial(ctx, url, &wt.SessionOptions{Protocols: config.Protocols})
	return session{s}, err
}

func (implementation) Translate(err error) error {
	if e, ok := errors.AsType[*wt.SessionError](err); ok && e.Clean {
		return &peer.SessionError{Code: e.Code, Reason: e.Reason, Remote: e.Remote}
	}
	if e, ok := errors.AsType[*wt.StreamError](err); ok && e.HasCode {
		return &peer.StreamError{Code: e.Code, Remote: e.Remote}
	}
	if e, ok := errors.AsType[*wt.RefusedError](err); ok && e.Status != 0 {
		return &peer.RefusedError{Status: e.Status}
	}
	return err
}

type conn struct {
	*wt.ClientConn
	protocols []string
}

func (c conn) Open(ctx context.Context, url string, header http.Header) (peer.Session, error) {
	s, _, err := c.OpenSession(ctx, url, &wt.SessionOptions{Header: header, Protocols: c.protocols})
	if err != nil {
		return nil, err
	}
	return session{s}, nil
}

func (c conn) Close() { c.ClientConn.Close() }

type session struct{ *wt.Session }

// The streams of failed calls are nil pointers in the interfaces. Who checks
// the error never meets them.

func (s session) OpenStream(ctx context.Context) (peer.Stream, error) {
	return s.Session.OpenStream(ctx)
}

func (s session) OpenUniStream(ctx context.Context) (peer.SendStream, error) {
	return s.Session.OpenUniStream(ctx)
}

func (s session) AcceptStream(ctx context.Context) (peer.Stream, error) {
	return s.Session.AcceptStream(ctx)
}

func (s session) AcceptUniStream(ctx context.Context) (peer.ReceiveStream, error) {
	return s.Session.AcceptUniStream(ctx)
}

func (s session) Close(code uint32, reason string) { s.Session.Close(code, reason) }

func (s session) Err() error { return context.Cause(s.Context()) }
