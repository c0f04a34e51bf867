package probe

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/wt"
)

// Report is what a probe found. What it did not come to is nil. Durations are
// nanoseconds in JSON.
type Report struct {
	URL        string      `json:"url"`
	Connection *Connection `json:"connection,omitempty"`
	Settings   []Setting   `json:"settings,omitempty"` // of the server, in its order
	Session    *Session    `json:"session,omitempty"`
	Exchanges  []Exchange  `json:"exchanges,omitempty"`
	Batons     *Batons     `json:"batons,omitempty"`
	End        *End        `json:"end,omitempty"`
	// Error is why the probe failed; it is empty if all went well.
	Error string `json:"error,omitempty"`
}

// Connection is a QUIC connection once its handshake is done.
type Connection struct {
	Local       string        `json:"local"`
	Remote      string        `json:"remote"`
	Handshake   time.Duration `json:"handshake_ns"`
	QUIC        string        `json:"quic"`
	TLS         string        `json:"tls"`
	CipherSuite string        `json:"cipher_suite"`
	ALPN        string        `json:"alpn"`
	Certificate Certificate   `json:"certificate"`
	// Datagrams and ResetStreamAt say which extensions both ends have
	// (RFC 9221, draft-ietf-quic-reliable-stream-reset).
	Datagrams     bool `json:"datagrams"`
	ResetStreamAt bool `json:"reset_stream_at"`
}

// Certificate is the server's.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"` // base64
}

// Setting is one of HTTP/3.
type Setting struct {
	ID    uint64 `json:"id"`
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// Session is a session, or what a request for one was answered with.
type Session struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	// Opening is the time from the end of the handshake to the response.
	Opening time.Duration `json:"opening_ns"`
	// Draft, Token (the request's :protocol) and what follows are those of a session that was accepted.
	Draft    string `json:"draft,omitempty"`
	Token    string `json:"token,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	// Limits are the server's on what a session sends at first. Without them there is no flow control
	// of sessions, and a connection has one session at a time.
	Limits          *Limits       `json:"limits,omitempty"`
	MaxDatagramSize int           `json:"max_datagram_size,omitempty"` // bytes
	RTT             time.Duration `json:"rtt_ns,omitempty"`            // smoothed
	MinRTT          time.Duration `json:"min_rtt_ns,omitempty"`
	Draining        bool          `json:"draining,omitempty"`
}

// Limits are those of the flow control of sessions.
type Limits struct {
	Data       uint64 `json:"data"` // bytes
	Streams    uint64 `json:"bidirectional_streams"`
	UniStreams uint64 `json:"unidirectional_streams"`
}

// Exchange is what became of messages of one kind, or of bulk data.
type Exchange struct {
	What     string        `json:"what"`
	Sent     int           `json:"sent"`
	Returned int           `json:"returned"`
	Bytes    int64         `json:"bytes"` // returned
	Elapsed  time.Duration `json:"elapsed_ns"`
	// The times from sending a message to its return; zero if none returned.
	Min    time.Duration `json:"min_ns,omitempty"`
	Median time.Duration `json:"median_ns,omitempty"`
	Max    time.Duration `json:"max_ns,omitempty"`
}

// Batons is what became of the batons of [Baton], and how many messages there were.
type Batons struct {
	Count             int           `json:"count"`
	Arrived           int           `json:"arrived"`
	Lost              int           `json:"lost"`
	Sent              int           `json:"sent"`
	Received          int           `json:"received"`
	DatagramsSent     int           `json:"datagrams_sent"`
	DatagramsReceived int           `json:"datagrams_received"`
	Elapsed           time.Duration `json:"elapsed_ns"`
}

// End is how a session ended, as [wt.SessionError] has it.
type End struct {
	Code   uint32 `json:"code"`
	Reason string `json:"reason,omitempty"`
	Remote bool   `json:"remote"`
	Clean  bool   `json:"clean"`
	Error  string `json:"error,omitempty"` // of one that is not clean
}

// Rate returns the rate, in bits per second, at which data came back.
func (e Exchange) Rate() float64 {
	if e.Elapsed <= 0 {
		return 0
	}
	return float64(8*e.Bytes) / e.Elapsed.Seconds()
}

func newConnection(qc *quic.Conn, handshake time.Duration) *Connection {
	state := qc.ConnectionState()
	c := &Connection{
		Local: qc.LocalAddr().String(), Remote: qc.RemoteAddr().String(), Handshake: handshake,
		QUIC: state.Version.String(), TLS: tls.VersionName(state.TLS.Version),
		CipherSuite: tls.CipherSuiteName(state.TLS.CipherSuite), ALPN: state.TLS.NegotiatedProtocol,
		Datagrams:     state.SupportsDatagrams.Local && state.SupportsDatagrams.Remote,
		ResetStreamAt: state.SupportsStreamResetPartialDelivery.Local && state.SupportsStreamResetPartialDelivery.Remote,
	}
	if len(state.TLS.PeerCertificates) > 0 {
		c.Certificate = newCertificate(state.TLS.PeerCertificates[0])
	}
	return c
}

func newCertificate(c *x509.Certificate) Certificate {
	hash := sha256.Sum256(c.Raw)
	return Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		SHA256: base64.StdEncoding.EncodeToString(hash[:]),
	}
}

func newSettings(settings []wt.Setting) []Setting {
	var list []Setting
	for _, s := range settings {
		list = append(list, Setting{s.ID, s.Name(), s.Value})
	}
	return list
}

func newEnd(err error) *End {
	e, ok := errors.AsType[*wt.SessionError](err)
	if !ok {
		return &End{Error: err.Error()}
	}
	end := &End{Code: e.Code, Reason: e.Reason, Remote: e.Remote, Clean: e.Clean}
	if e.Err != nil {
		end.Error = e.Err.Error()
	}
	return end
}

// newLimits returns the limits that settings announce (draft-ietf-webtrans-http3-16, section 5.5).
func newLimits(settings []wt.Setting) *Limits {
	var l Limits
	for _, s := range settings {
		switch s.Name() {
		case "WT_INITIAL_MAX_DATA":
			l.Data = s.Value
		case "WT_INITIAL_MAX_STREAMS_BIDI":
			l.Streams = s.Value
		case "WT_INITIAL_MAX_STREAMS_UNI":
			l.UniStreams = s.Value
		}
	}
	if l == (Limits{}) {
		return nil
	}
	return &l
}
