package wt

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/dunglas/httpsfv"
	"github.com/quic-go/quic-go"
)

func TestServerChoosesTheSubprotocolItPrefers(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Protocols: []string{"a", "b", `q"\`},
		Serve: func(s *Session) {
			str, err := s.OpenUniStream(context.Background())
			if err == nil {
				str.Write([]byte(s.Protocol()))
				<-s.Context().Done()
			}
		},
	})
	inWorld(t, server, nil, func(w *world) {
		for _, test := range []struct {
			name, value string // of the client's header field
			answer      string // name and value of the server's
		}{
			{headerAvailable, `"b", "a"`, `WT-Protocol: "a"`},
			{headerAvailable, `"c", "b"`, `WT-Protocol: "b"`},
			{headerAvailable, `"b";x=1;y`, `WT-Protocol: "b"`},
			{headerAvailable, `"q\"\\"`, `WT-Protocol: "q\"\\"`},
			{headerAvailable, `"c"`, ""},
			{headerAvailable, `a`, ""},
			{headerAvailable, `"a", b`, ""},
			{headerAvailable, `"a", 1`, ""},
			{headerAvailable, `("a")`, ""},
			{headerAvailable, `"a",`, ""},
			{headerAvailable, `"a`, ""},
			{headerAvailable, ``, ""},
			{headerAvailable09, `b, a`, "WebTransport-Subprotocol: a"},
			{headerAvailable09, `"a"`, ""},
		} {
			c := w.dialRaw()
			r := c.request("/")
			r.Header.Set(test.name, test.value)
			str := c.begin()
			str.SendRequestHeader(r)
			response, err := str.ReadResponse()
			if err != nil {
				t.Fatal(err)
			}
			answer := ""
			for _, name := range []string{headerProtocol, headerProtocol09} {
				if v := response.Header.Values(name); len(v) > 0 {
					answer += name + ": " + v[0]
				}
			}
			if response.StatusCode != http.StatusOK || answer != test.answer {
				t.Errorf("%s: %s: status %d with %q, want %q", test.name, test.value, response.StatusCode, answer, test.answer)
			}
			c.close()
		}
	})
}

func TestClientTakesOnlyASubprotocolItOffered(t *testing.T) {
	offer := []string{"a", "b"}
	for _, test := range []struct {
		answer   []string // values of the server's header field
		offer    []string
		required bool
		protocol string
		failed   bool
	}{
		{[]string{`"b"`}, offer, true, "b", false},
		{[]string{`"b";x`}, offer, false, "b", false},
		{nil, offer, false, "", false},
		{nil, offer, true, "", true},
		{[]string{`b`}, offer, false, "", false},
		{[]string{`b`}, offer, true, "", true},
		{[]string{`"a", "b"`}, offer, false, "", false},
		{[]string{`"a"`, `"b"`}, offer, false, "", false},
		{[]string{`"c"`}, offer, false, "", true},
		{[]string{`""`}, offer, false, "", true},
		{[]string{`"a"`}, nil, false, "", false},
		{[]string{`"a"`}, nil, true, "", true},
	} {
		h := http.Header{"Wt-Protocol": test.answer}
		p, err := acceptedProtocol(h, &SessionOptions{Protocols: test.offer, RequireProtocol: test.required})
		if p != test.protocol || errors.Is(err, ErrProtocol) != test.failed {
			t.Errorf("%q: subprotocol %q, %v", test.answer, p, err)
		}
	}
}

func TestASessionWithoutAnAgreedSubprotocolIsReset(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Serve: func(s *Session) { <-s.Context().Done() },
	})
	server.Handle("/requires", Application{
		Protocols: []string{"a"}, RequireProtocol: true,
		Serve: func(s *Session) { <-s.Context().Done() },
	})
	ended := make(chan *SessionError, 1)
	server.Trace = func(e Event) {
		if e.Type == Ended {
			ended <- e.End
		}
	}
	inWorld(t, server, func(*world) { ended = make(chan *SessionError, 1) }, func(w *world) {
		c := w.dial(nil)
		_, response, err := c.OpenSession(w.ctx, "https://server/", &SessionOptions{Protocols: []string{"a"}, RequireProtocol: true})
		if !errors.Is(err, ErrProtocol) || !errors.Is(err, ErrRefused) || response.StatusCode != http.StatusOK {
			t.Errorf("error %v, response %v", err, response)
		}
		e := <-ended
		if reset, ok := errors.AsType[*quic.StreamError](e.Err); !ok || reset.ErrorCode != codeALPNError {
			t.Errorf("the server's session ended with %v, want a reset with WT_ALPN_ERROR", e)
		}
		_, response, err = c.OpenSession(w.ctx, "https://server/requires", &SessionOptions{Protocols: []string{"b"}})
		if !errors.Is(err, ErrRefused) || response.StatusCode != http.StatusBadRequest {
			t.Errorf("error %v, want status 400", err)
		}
		s, _, err := c.OpenSession(w.ctx, "https://server/requires", &SessionOptions{Protocols: []string{"b", "a"}})
		if err != nil {
			t.Fatal(err)
		}
		if s.Protocol() != "a" {
			t.Errorf("subprotocol %q, want a", s.Protocol())
		}
		c.Close()
	})
}

func TestSubprotocolsThatNoFieldCanCarryAreErrors(t *testing.T) {
	for _, p := range []string{"", "é", "a\n", "\x7f"} {
		if err := checkProtocols([]string{"a", p}, false); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
	if err := checkProtocols(nil, true); err == nil {
		t.Error("none was accepted where one is required")
	}
}

func TestServersBeforeDraft10AreOfferedTokens(t *testing.T) {
	for _, test := range []struct {
		draft     Draft
		protocols []string
		available string
		before10  string
	}{
		{Draft16, []string{"a", "b"}, `"a", "b"`, ""},
		{Draft13, []string{"a", "b"}, `"a", "b"`, ""},
		{Draft07, []string{"a", "b"}, `"a", "b"`, "a, b"},
		{Draft07, []string{"a b", "c"}, `"a b", "c"`, "c"},
		{Draft07, []string{"a b"}, `"a b"`, ""},
		{Draft07, nil, "", ""},
	} {
		h := http.Header{}
		offerProtocols(h, test.protocols, test.draft)
		if got := h.Get(headerAvailable); got != test.available {
			t.Errorf("%v: offered %s, want %s", test.draft, got, test.available)
		}
		if got := h.Get(headerAvailable09); got != test.before10 {
			t.Errorf("%v: offered %s to servers before draft 10, want %s", test.draft, got, test.before10)
		}
	}
	answer := http.Header{}
	answer.Set(headerProtocol09, "b")
	if p, err := acceptedProtocol(answer, &SessionOptions{Protocols: []string{"a", "b"}}); p != "b" || err != nil {
		t.Errorf("their answer is %q, %v", p, err)
	}
}

func FuzzProtocols(f *testing.F) {
	f.Add(`"a", "b";q=1`, `"a"`)
	f.Add(`a, ("b" "c")`, `b`)
	f.Add(`"\"\\", @1, :YQ==:`, `"a`)
	f.Fuzz(func(t *testing.T, list, item string) {
		for _, test := range []struct {
			list func([]string) []string
			item func([]string) (string, bool)
			name string
		}{
			{parseList[string], parseItem[string], headerAvailable},
			{parseList[httpsfv.Token], parseItem[httpsfv.Token], headerAvailable09},
		} {
			if p, ok := test.item([]string{item}); ok && !slices.Equal(test.list([]string{item}), []string{p}) {
				t.Errorf("%q is the Item %q, but no List of it", item, p)
			}
			offered := slices.DeleteFunc(test.list([]string{list}), func(p string) bool { return p == "" })
			if err := checkProtocols(offered, false); err != nil {
				t.Fatalf("%q was parsed, and cannot be sent: %v", offered, err)
			}
			h := http.Header{}
			offerProtocols(h, offered, Draft07)
			if got := test.list(h.Values(test.name)); !slices.Equal(got, offered) {
				t.Fatalf("%q parsed as %q, and then as %q", list, offered, got)
			}
		}
	})
}
