// Command webtransport-go is github.com/quic-go/webtransport-go as an end of
// the tests of interoperability.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/wtsim/wtsim/interop/peer"
)

func main() { peer.Main(implementation{}) }

type implementation struct{}

func (implementation) Name() string { return "webtransport-go" }

func settings(config peer.Config) *webtransport.Config {
	return &webtransport.Config{
		MaxIncomingStreams: config.Streams, MaxIncomingUniStreams: config.Streams, MaxIncomingData: config.Data,
	}
}

func quicConfig() *quic.Config {
	return &quic.Config{
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		MaxIncomingStreams:               peer.MaxStreams,
		MaxIncomingUniStreams:            peer.MaxStreams,
	}
}

func (implementation) Listen(socket net.PacketConn, tlsConfig *tls.Config, config peer.Config, apps map[string]peer.Application, handler http.Handler) (func(), error) {
	mux := http.NewServeMux()
	server := &webtransport.Server{
		H3:                   &http3.Server{TLSConfig: tlsConfig, QUICConfig: quicConfig(), Handler: mux},
		Config:               settings(config),
		ApplicationProtocols: config.Protocols,
	}
	mux.Handle("/", handler)
	for path, app := range apps {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if app.Status != 0 {
				w.WriteHeader(app.Status)
				return
			}
			s, err := server.Upgrade(w, r)
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			app.Serve(session{s})
			s.CloseWithError(0, "")
		})
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(socket) })
	return func() {
		server.Close()
		serving.Wait()
	}, nil
}

func (implementation) Dial(ctx context.Context, address string, tlsConfig *tls.Config, config peer.Config) (peer.Conn, error) {
	qc, err := quic.DialAddr(ctx, address, tlsConfig, quicConfig())
	if err != nil {
		return nil, err
	}
	c, err := transport(tlsConfig, config).NewClientConn(qc)
	if err != nil {
		return nil, err
	}
	return conn{c, qc}, nil
}

func transport(tlsConfig *tls.Config, config peer.Config) *webtransport.Transport {
	return &webtransport.Transport{
		Config:               settings(config),
		TLSClientConfig:      tlsConfig,
		QUICConfig:           quicConfig(),
		ApplicationProtocols: config.Protocols,
	}
}

func (implementation) DialSession(ctx context.Context, url string, tlsConfig *tls.Config, config peer.Config) (peer.Session, error) {
	_, s, err := transport(tlsConfig, config).Dial(ctx, url, nil)
	return session{s}, err
}

func (implementation) Translate(err error) error {
	if e, ok := errors.AsType[*peer.RefusedError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*webtransport.SessionError](err); ok {
		return &peer.SessionError{Code: uint32(e.ErrorCode), Reason: e.Message, Remote: e.Remote}
	}
	if e, ok := errors.AsType[*webtransport.StreamError](err); ok {
		return &peer.StreamError{Code: uint32(e.ErrorCode), Remote: e.Remote}
	}
	return err
}

type conn struct {
	*webtransport.ClientConn
	quic *quic.Conn
}

func (c conn) Open(ctx context.Context, url string, header http.Header) (peer.Session, error) {
	response, s, err := c.Dial(ctx, url, header)
	if err != nil && response != nil && response.StatusCode >= 300 {
		return nil, &peer.RefusedError{Status: response.StatusCode}
	}
	if err != nil {
		return nil, err
	}
	return session{s}, nil
}

func (c conn) Close() { c.quic.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "") }

type session struct{ *webtransport.Session }

func (s session) OpenStream(ctx context.Context) (peer.Stream, error) {
	str, err := s.OpenStreamSync(ctx)
	return stream{str}, err
}

func (s session) OpenUniStream(ctx context.Context) (peer.SendStream, error) {
	str, err := s.OpenUniStreamSync(ctx)
	return sendStream{str}, err
}

func (s session) AcceptStream(ctx context.Context) (peer.Stream, error) {
	str, err := s.Session.AcceptStream(ctx)
	return stream{str}, err
}

func (s session) AcceptUniStream(ctx context.Context) (peer.ReceiveStream, error) {
	str, err := s.Session.AcceptUniStream(ctx)
	return receiveStream{str}, err
}

func (s session) Protocol() string { return s.SessionState().ApplicationProtocol }

func (s session) Drain() {}

func (s session) Close(code uint32, reason string) {
	s.CloseWithError(webtransport.SessionErrorCode(code), reason)
}

// Err asks for a stream, as the context does not say how the session ended.
func (s session) Err() error {
	_, err := s.Session.AcceptStream(context.Background())
	return err
}

// The streams are structures of one pointer, so that putting them into an
// interface allocates nothing.
type (
	stream        struct{ *webtransport.Stream }
	sendStream    struct{ *webtransport.SendStream }
	receiveStream struct{ *webtransport.ReceiveStream }
)

func (s stream) CancelWrite(code uint32) { s.Stream.CancelWrite(webtransport.StreamErrorCode(code)) }
func (s stream) CancelRead(code uint32)  { s.Stream.CancelRead(webtransport.StreamErrorCode(code)) }
func (s sendStream) CancelWrite(code uint32) {
	s.SendStream.CancelWrite(webtransport.StreamErrorCode(code))
}
func (s receiveStream) CancelRead(code uint32) {
	s.ReceiveStream.CancelRead(webtransport.StreamErrorCode(code))
}
