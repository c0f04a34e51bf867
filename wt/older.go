package wt

import (
	"net/http"

	"github.com/quic-go/quic-go/http3"
)

// What releases of quic-go before that of go.mod do otherwise. With this the package
// compiles with them too, so that 'wtsim ab' can compare them.

// releaseCredit lets the peer open a stream in place of this one once it is closed.
// Before v0.65.0 quic-go does so by itself.
func releaseCredit(stream any) {
	if s, ok := stream.(interface{ ReleaseStreamCredit() }); ok {
		s.ReleaseStreamCredit()
	}
}

// httpStream takes over the stream of a request. Before v0.65.0 that has no error.
func httpStream(w http.ResponseWriter) (*http3.Stream, error) {
	if s, ok := w.(interface{ HTTPStream() *http3.Stream }); ok {
		return s.HTTPStream(), nil
	}
	return w.(interface {
		HTTPStream() (*http3.Stream, error)
	}).HTTPStream()
}
