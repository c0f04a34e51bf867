package endpoints

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/wt"
)

func TestTheGeneratedCertificateIsOneThatBrowsersAcceptByItsHash(t *testing.T) {
	c, err := Generate("example.org", "192.0.2.1", "::", "localhost", "")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if key := leaf.PublicKey.(*ecdsa.PublicKey); key.Curve != elliptic.P256() {
		t.Error("the key is not on P-256")
	}
	if d := leaf.NotAfter.Sub(leaf.NotBefore); d != 13*24*time.Hour {
		t.Errorf("it is valid for %v", d)
	}
	if want := []string{"localhost", "example.org"}; !slices.Equal(leaf.DNSNames, want) {
		t.Errorf("names %v, want %v", leaf.DNSNames, want)
	}
	for i, want := range []string{"127.0.0.1", "::1", "192.0.2.1"} {
		if len(leaf.IPAddresses) != 3 || !leaf.IPAddresses[i].Equal(net.ParseIP(want)) {
			t.Errorf("addresses %v", leaf.IPAddresses)
		}
	}
	if !Hashable(c) {
		t.Error("it is not hashable")
	}
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response, string(read(t, response.Body))
}

func TestThePageHoldsTheHashAndThePort(t *testing.T) {
	s := start(t, Config{})
	hash := Hash(s.Certificate())
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL(), "https://"))
	response, page := get(t, s.PageURL())
	if !strings.Contains(page, `<body data-port="`+port+`" data-hash="`+strings.ReplaceAll(base64.StdEncoding.EncodeToString(hash[:]), "+", "&#43;")+`">`) {
		t.Errorf("the page is %.900s", page)
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'") {
		t.Errorf("the policy is %q", policy)
	}
	for file, kind := range map[string]string{"page.js": "text/javascript", "page.css": "text/css"} {
		response, text := get(t, s.PageURL()+file)
		if !strings.HasPrefix(response.Header.Get("Content-Type"), kind) || text == "" {
			t.Errorf("%s is %s of %d bytes", file, response.Header.Get("Content-Type"), len(text))
		}
	}
}

func TestThePageAndDescriptionsAreServedOverHTTP3Too(t *testing.T) {
	s := start(t, Config{})
	conn, err := dialer(t, s).DialConn(within(t), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for path, want := range map[string]string{
		"/":      "<title>wtsim serve</title>",
		"/close": "  code     close code, 0 to 4294967295 (0)\n",
		"/echo":  "/echo is an endpoint for WebTransport sessions.\n",
		"/none":  "404 page not found",
	} {
		request, err := http.NewRequestWithContext(within(t), http.MethodGet, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := conn.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(read(t, response.Body)); !strings.Contains(text, want) {
			t.Errorf("%s is %.300q", path, text)
		}
		response.Body.Close()
	}
}

func TestLocalhostIsServedOnBothLoopbackAddresses(t *testing.T) {
	s := start(t, Config{Listen: "localhost:0"})
	if !strings.HasPrefix(s.URL(), "https://localhost:") || !strings.HasPrefix(s.PageURL(), "http://localhost:") {
		t.Errorf("serving %s with the page %s", s.URL(), s.PageURL())
	}
	_, port, _ := net.SplitHostPort(s.Addrs()[0].String())
	if s.PageURL() != "http://localhost:"+port+"/" {
		t.Errorf("the page %s has another port than %s", s.PageURL(), port)
	}
	for _, addr := range s.Addrs() {
		session, _, err := dialer(t, s).Dial(within(t), "https://"+addr.String()+"/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		session.Close(0, "")
		<-session.Conn().Context().Done()
	}
}

func TestAServerWithoutAPageHasNone(t *testing.T) {
	if s := start(t, Config{Page: NoPage}); s.PageURL() != "" {
		t.Errorf("the page is at %s", s.PageURL())
	}
}

func TestAnAddressThatCannotBeListenedOnIsAnError(t *testing.T) {
	taken := start(t, Config{})
	address := taken.Addrs()[0].String()
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Listen: address}, "endpoints: listen udp " + address + ": bind: address already in use"},
		{Config{Listen: "localhost"}, `endpoints: address "localhost": expected host:port`},
		{Config{Listen: "localhost:x"}, `endpoints: address "localhost:x": the port is not a number from 0 to 65535`},
		{Config{Listen: "localhost:65536"}, `endpoints: address "localhost:65536": the port is not a number from 0 to 65535`},
		{Config{Listen: "127.0.0.1:0", Page: "here"}, `endpoints: address "here": expected host:port`},
	} {
		s, err := Start(test.config)
		if err == nil {
			s.Close()
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%+v: %v; want %s", test.config, err, test.want)
		}
	}
}

func TestOriginsThatAreNotListedAreRefused(t *testing.T) {
	s := start(t, Config{Origins: []string{"https://one.example", "https://two.example"}})
	if r := refused(t, s, "/echo", http.Header{"Origin": {"https://three.example"}}); r.StatusCode != http.StatusForbidden ||
		r.Header.Get(ReasonHeader) != `origin "https://three.example" may not open sessions here` {
		t.Errorf("status %s, %v", r.Status, r.Header)
	}
	visit(t, s, "/echo", http.Header{"Origin": {"https://two.example"}})
	visit(t, s, "/echo", nil)
	visit(t, start(t, Config{}), "/echo", http.Header{"Origin": {"https://any.example"}})
}

func TestOriginsThatNoBrowserSendsAreMistakes(t *testing.T) {
	for _, origin := range []string{"", "example.org", "https://example.org/", "https://Example.org", "HTTPS://example.org", "https://a b", "https://u@h"} {
		s, err := Start(Config{Listen: "127.0.0.1:0", Origins: []string{origin}})
		if err == nil {
			s.Close()
			t.Errorf("%q is taken", origin)
		}
	}
	start(t, Config{Origins: []string{"null", "http://localhost:8080", "https://[::1]", "chrome-extension://abc"}})
}

func TestShutdownWaitsForClientsToEndTheirSessions(t *testing.T) {
	s := start(t, Config{})
	session := visit(t, s, "/echo", nil)
	go func() {
		<-session.Draining()
		session.Close(0, "")
	}()
	if err := s.Shutdown(within(t)); err != nil {
		t.Error(err)
	}
}

func TestShutdownClosesSessionsThatStay(t *testing.T) {
	s := start(t, Config{})
	session := visit(t, s, "/echo", nil)
	st := opened(t, session.OpenStream)
	st.Close()
	read(t, st) // the server has seen the session open too
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&wt.SessionError{Code: 9, Reason: "over"})
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutting down: %v", err)
	}
	<-session.Context().Done()
	if e, ok := errors.AsType[*wt.SessionError](context.Cause(session.Context())); !ok || e.Code != 9 || e.Reason != "over" || !e.Clean {
		t.Errorf("the session ended with %+v", e)
	}
}

func TestCloseEndsSessions(t *testing.T) {
	s := start(t, Config{})
	session := visit(t, s, "/source?streams=10", nil)
	st := opened(t, session.AcceptUniStream)
	io.ReadFull(st, make([]byte, 1))
	s.Close()
	<-session.Context().Done()
	if context.Cause(session.Context()) == nil {
		t.Error("the session has not ended")
	}
}

func TestEveryConnectionHasAQLOGFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "qlog")
	s := start(t, Config{QLOG: dir})
	for range 2 {
		session, _, err := dialer(t, s).Dial(within(t), s.URL()+"/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		session.Close(0, "")
		<-session.Conn().Context().Done()
	}
	s.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*_server.sqlog"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(text, []byte("connection_closed")) || !bytes.HasSuffix(text, []byte("}\n")) {
			t.Errorf("%s is not complete, %v: %.300q", file, err, text[max(0, len(text)-300):])
		}
	}
}
