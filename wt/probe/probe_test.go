package probe

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/endpoints"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, c endpoints.Config) *endpoints.Server {
	t.Helper()
	c.Listen, c.Page = "127.0.0.1:0", endpoints.NoPage
	s, err := endpoints.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// patience is the timeout of probes of servers that answer, but not for ever. It has to
// be enough to connect on a busy machine.
const patience = time.Second

// pinned accepts the certificate of a server.
func pinned(s *endpoints.Server, path string) Config {
	hash := endpoints.Hash(s.Certificate())
	return Config{URL: s.URL() + path, CertificateHash: &hash}
}

func run(t *testing.T, c Config) (*Report, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return Run(ctx, c)
}

func mustRun(t *testing.T, c Config) *Report {
	t.Helper()
	r, err := run(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAProbeReportsWhatWasAgreedOn(t *testing.T) {
	s := start(t, endpoints.Config{})
	c := pinned(s, "/protocols")
	c.Protocols = []string{"other", "wtsim-1"}
	r := mustRun(t, c)
	if c := r.Connection; c.QUIC != "v1" || c.TLS != "TLS 1.3" || c.ALPN != "h3" || !c.Datagrams || !c.ResetStreamAt || c.Handshake <= 0 ||
		"https://"+c.Remote != s.URL() || c.Certificate.Subject != "CN=wtsim" || c.Certificate.NotAfter.Sub(c.Certificate.NotBefore) != 13*24*time.Hour {
		t.Errorf("the connection is %+v", c)
	}
	if s := r.Session; s.Status != 200 || s.Draft != "draft-16" || s.Token != "webtransport-h3" || s.Protocol != "wtsim-1" ||
		s.Opening <= 0 || s.MaxDatagramSize < 1000 || s.MinRTT <= 0 || s.RTT < s.MinRTT {
		t.Errorf("the session is %+v", s)
	}
	if l := r.Session.Limits; l == nil || *l != (Limits{Data: 1 << 20, Streams: 1000, UniStreams: 1000}) {
		t.Errorf("the limits are %+v", l)
	}
	settings := map[string]uint64{}
	for _, s := range r.Settings {
		settings[s.Name] = s.Value
	}
	if settings["WT_ENABLED (draft-15)"] != 1 || settings["ENABLE_CONNECT_PROTOCOL"] != 1 || settings["WT_INITIAL_MAX_DATA"] != 1<<20 {
		t.Errorf("the settings are %v", settings)
	}
	if *r.End != (End{Clean: true}) || r.Error != "" || r.Exchanges != nil {
		t.Errorf("the report is %+v", r)
	}
}

func TestEchoCountsWhatReturns(t *testing.T) {
	c := pinned(start(t, endpoints.Config{}), "/echo")
	c.Run, c.Count, c.Size = Echo, 20, 3000
	r := mustRun(t, c)
	if len(r.Exchanges) != 3 {
		t.Fatalf("exchanges %+v", r.Exchanges)
	}
	for i, what := range []string{onStreams, onUniStreams, inDatagrams} {
		e := r.Exchanges[i]
		if e.What != what || e.Sent != 20 || e.Returned < 1 || e.Min <= 0 || e.Min > e.Median || e.Median > e.Max || e.Rate() <= 0 {
			t.Errorf("%s: %+v", what, e)
		}
		if what != inDatagrams && (e.Returned != 20 || e.Bytes != 60_000) {
			t.Errorf("%s: %+v", what, e)
		}
		if what == inDatagrams && e.Bytes != int64(e.Returned*largestDatagram) {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

func TestBulkCountsTheBytesOfAllStreams(t *testing.T) {
	c := pinned(start(t, endpoints.Config{}), "/echo")
	c.Run, c.Count, c.Size = Bulk, 3, 1_000_001
	r := mustRun(t, c)
	if len(r.Exchanges) != 1 {
		t.Fatalf("exchanges %+v", r.Exchanges)
	}
	if e := r.Exchanges[0]; e.What != inBulk || e.Sent != 3 || e.Returned != 3 || e.Bytes != 3_000_003 || e.Rate() <= 0 {
		t.Errorf("%+v", e)
	}
}

func TestBatonReportsWhatBecameOfTheBatons(t *testing.T) {
	t.Parallel()
	s := start(t, endpoints.Config{})
	c := pinned(s, "?baton=250&count=2") // 250 to 255 and 0: 7 messages a baton, 4 of them the server's
	c.Run = Baton
	r := mustRun(t, c)
	if b := r.Batons; b == nil || b.Count != 2 || b.Arrived != 2 || b.Lost != 0 || b.Received != 8 || b.Sent != 6 || b.Elapsed <= 0 {
		t.Errorf("the batons are %+v", b)
	}
	if !r.End.Clean || r.End.Code != 0 || r.URL != s.URL()+"/webtransport/devious-baton?baton=250&count=2" {
		t.Errorf("the report is %+v", r)
	}
	c.URL = s.URL() + "/webtransport/devious-baton?version=1"
	fails(t, c, "refused with status 400 Bad Request")
	c.URL = s.URL() + "/echo"
	c.Timeout = patience
	if r := fails(t, c, `closed locally with code 4 ("nothing for 1s")`); r.Batons.Arrived != 0 {
		t.Errorf("the batons are %+v", r.Batons)
	}
}

func TestWaitReportsHowTheServerEndedTheSession(t *testing.T) {
	c := pinned(start(t, endpoints.Config{}), "/close?code=42&reason=bye&after=1ms")
	c.Run = Wait
	if r := mustRun(t, c); *r.End != (End{Code: 42, Reason: "bye", Remote: true, Clean: true}) {
		t.Errorf("it ended with %+v", r.End)
	}
}

func TestADrainedSessionIsReportedAsSuch(t *testing.T) {
	c := pinned(start(t, endpoints.Config{}), "/drain")
	c.Run = Echo
	if r := mustRun(t, c); !r.Session.Draining {
		t.Errorf("the session is %+v", r.Session)
	}
}

// fails expects an error of a kind, which the report has too.
func fails(t *testing.T, c Config, want string) *Report {
	t.Helper()
	r, err := run(t, c)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("%+v: %v; want %s", c, err, want)
	}
	if r == nil || r.Error != err.Error() {
		t.Errorf("the report is %+v", r)
	}
	return r
}

func TestExchangesFailWhereNothingReturns(t *testing.T) {
	t.Parallel()
	s := start(t, endpoints.Config{})
	for _, test := range []struct {
		path string
		kind Kind
		want string
	}{
		{"/sink", Echo, "echo on bidirectional streams: 3 bytes came back that are not the 100 bytes of message 1"},
		{"/sink", Bulk, "bulk: what came back is not what was sent, from byte 0 on"},
		{"/reset?code=5", Echo, "echo on bidirectional streams: wt: stream 4 cancelled by the peer with code 5"},
		{"/reset?code=6", Bulk, "bulk: wt: stream 4 cancelled by the peer with code 6"},
		{"/close?code=7", Echo, "closed by the peer with code 7"},
		{"/echo", Wait, "the server has not ended the session within 1s"},
	} {
		c := pinned(s, test.path)
		c.Run = test.kind
		if test.kind == Wait {
			c.Timeout = patience
		}
		if r := fails(t, c, test.want); r.Connection == nil || r.Session == nil {
			t.Errorf("%s: the report is %+v", test.path, r)
		}
	}
}

func TestARefusedSessionIsReportedWithStatusAndHeader(t *testing.T) {
	s := start(t, endpoints.Config{Origins: []string{"https://a.example"}})
	r := fails(t, pinned(s, "/refuse?status=503&header=Retry-After:5"), "refused with status 503 Service Unavailable")
	if r.Session.Status != 503 || r.Session.Header.Get("Retry-After") != "5" || r.Session.Draft != "" {
		t.Errorf("the session is %+v", r.Session)
	}
	fails(t, pinned(s, "/none"), "refused with status 405 Method Not Allowed")
	c := pinned(s, "/echo")
	c.Header = http.Header{"Origin": {"https://b.example"}}
	fails(t, c, "refused with status 403 Forbidden")
}

func TestACertificateHasToBeTrusted(t *testing.T) {
	s := start(t, endpoints.Config{})
	_, err := run(t, Config{URL: s.URL() + "/echo"})
	if _, ok := errors.AsType[*CertificateError](err); !ok || !strings.HasPrefix(err.Error(), "certificate: x509: certificate signed by unknown authority") {
		t.Errorf("without a hash: %v", err)
	}
	fails(t, Config{URL: s.URL() + "/echo", CertificateHash: &[sha256.Size]byte{}}, ", not AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	mustRun(t, Config{URL: s.URL() + "/echo", Insecure: true})
}

func TestAServerThatDoesNotAnswerIsUnreachable(t *testing.T) {
	fails(t, Config{URL: silentServer(t), Timeout: 50 * time.Millisecond}, "unreachable: no answer over UDP within 50ms")
}

// silentServer returns the URL of a port that takes packets and never answers.
func silentServer(t *testing.T) string {
	t.Helper()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	return "https://" + silent.LocalAddr().String() + "/"
}

func TestAServerWithoutFlowControlHasNoLimits(t *testing.T) {
	url := serveSessions(t, &wt.Server{FlowControl: wt.FlowControl{Disabled: true}}, endless)
	r := mustRun(t, Config{URL: url, Insecure: true})
	if r.Session.Limits != nil {
		t.Errorf("the limits are %+v", r.Session.Limits)
	}
}

func TestWhatAServerReturnsIsBoundedByWhatWasSent(t *testing.T) {
	server := &wt.Server{}
	url := serveSessions(t, server, endless)
	for kind, want := range map[Kind]string{
		Echo: "echo on bidirectional streams: more came back than was sent",
		Bulk: "bulk: more than the 1000 bytes sent came back",
	} {
		fails(t, Config{URL: url, Insecure: true, Run: kind, Size: 1000, Count: 1}, want)
	}
}

func TestAServerWithoutWebTransportIsReportedWithWhatItLacks(t *testing.T) {
	url := serveHTTP3(t)
	r := fails(t, Config{URL: url, Insecure: true}, wt.ErrRequirements.Error())
	if r.Connection == nil || len(r.Settings) == 0 || r.Session != nil {
		t.Errorf("the report is %+v", r)
	}
}

func TestEveryProbeWritesQLOG(t *testing.T) {
	dir := t.TempDir()
	c := pinned(start(t, endpoints.Config{}), "/echo")
	c.QLOG = dir
	mustRun(t, c)
	c.CertificateHash = &[sha256.Size]byte{}
	fails(t, c, "certificate: its SHA-256 is ")
	c.URL, c.Timeout = silentServer(t), 50*time.Millisecond
	fails(t, c, "unreachable")
	if files, err := filepath.Glob(filepath.Join(dir, "*_client.sqlog")); err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestAnInterruptedProbeEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	interrupted := errors.New("interrupted")
	s := start(t, endpoints.Config{Trace: func(e wt.Event) {
		if e.Type == wt.Established {
			cancel(interrupted)
		}
	}})
	c := pinned(s, "/echo")
	c.Run = Wait
	if _, err := Run(ctx, c); !errors.Is(err, interrupted) {
		t.Errorf("it ended with %v", err)
	}
}

func TestAConfigurationThatCannotBeUsedIsAnError(t *testing.T) {
	for want, c := range map[string]Config{
		`URL "http://localhost/": expected https://host/path`:                                                {URL: "http://localhost/"},
		`URL "": expected https://host/path`:                                                                 {},
		`run "ehco": did you mean "echo"?`:                                                                   {URL: "https://localhost", Run: "ehco"},
		`run "everything": expected one of none, echo, bulk, baton, wait`:                                    {URL: "https://localhost", Run: "everything"},
		`URL "127.0.0.1:4433": expected https://host/path; did you mean "https://127.0.0.1:4433"?`:           {URL: "127.0.0.1:4433"},
		`URL "localhost:4433/echo": expected https://host/path; did you mean "https://localhost:4433/echo"?`: {URL: "localhost:4433/echo"},
		`count=x in the URL: expected a number from 1 to 10000`:                                              {URL: "https://localhost?count=x", Run: Baton},
		`baton=0 in the URL: expected a number from 1 to 255`:                                                {URL: "https://localhost?baton=0", Run: Baton},
		`size -1: expected 1 to 1000000000 bytes`:                                                            {URL: "https://localhost", Size: -1},
		`count 10001: expected 1 to 10000`:                                                                   {URL: "https://localhost", Count: 10_001},
		`timeout -1s: expected more than 0s`:                                                                 {URL: "https://localhost", Timeout: -time.Second},
		`a certificate is accepted by its hash or whatever it is, not both`: {
			URL: "https://localhost", Insecure: true, CertificateHash: &[sha256.Size]byte{}},
	} {
		r, err := Run(context.Background(), c)
		if !errors.Is(err, ErrConfig) || err.Error() != "probe: bad configuration: "+want || r != nil {
			t.Errorf("%+v: %v; want %s", c, err, want)
		}
	}
}
