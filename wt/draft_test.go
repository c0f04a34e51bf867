package wt

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

const (
	settingDatagram04    = 0xffd277   // H3_DATAGRAM of its draft 04
	settingMaxSessions02 = 0x2b603743 // of an editor's copy of draft 02
	settingQPACKTable    = 0x01
	settingQPACKBlocked  = 0x07
)

func TestServerAnnouncesEveryDraft(t *testing.T) {
	for _, test := range []struct {
		name   string
		server *Server
		want   map[uint64]uint64
	}{
		{"all", &Server{}, map[uint64]uint64{
			settingEnableConnect: 1, settingH3Datagram: 1, settingWebTransport: 1,
			settingMaxSessions13: 1, settingMaxSessions07: 1, settingEnableDraft02: 1,
		}},
		{"no legacy", &Server{LegacyDisabled: true}, map[uint64]uint64{
			settingEnableConnect: 1, settingH3Datagram: 1, settingWebTransport: 1,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, test.server, nil, func(w *world) {
				c := w.dialWire(settingsFrame())
				defer c.close()
				got := c.serverSettings()
				maps.DeleteFunc(got, func(id, _ uint64) bool { return id < 0x08 || id>>8 == 0x2b }) // limits
				if !maps.Equal(got, test.want) {
					t.Errorf("settings %v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestEveryClientInUseIsServed(t *testing.T) {
	closeCapsule := appendClose(nil, 7, "seven")
	byCapsule := func(c *wireClient, connect *quic.Stream) {
		connect.Write(frame(frameData, closeCapsule))
		connect.Close()
	}
	for _, test := range []struct {
		name     string
		settings []byte
		resetAt  bool // sends the transport parameter reset_stream_at
		token    string
		fields   []string // of the request
		early    []byte   // after the request
		draft    Draft
		end      func(*wireClient, *quic.Stream) // ends the session with 7 and "seven"
	}{
		{
			name: "Chromium",
			settings: settingsFrame(settingQPACKTable, 65536, settingQPACKBlocked, 100, settingH3Datagram, 1,
				settingDatagram04, 1, settingEnableDraft02, 1, 0x1f*1000+0x21, 77),
			token:  protocolLegacy,
			fields: []string{"origin", "https://server", "sec-webtransport-http3-draft02", "1"},
			early:  frame(frameData, capsule(0x29*1000+0x17, "grease")),
			draft:  Draft02, end: byCapsule,
		},
		{
			name: "Firefox",
			settings: settingsFrame(settingQPACKTable, 65536, settingQPACKBlocked, 20, settingH3Datagram, 1,
				settingEnableConnect, 1, settingDatagram04, 1, settingEnableDraft02, 1),
			token:  protocolLegacy,
			fields: []string{"origin", "https://server", "sec-webtransport-http3-draft02", "1"},
			draft:  Draft02, end: byCapsule,
		},
		{
			name:     "Safari",
			settings: settingsFrame(settingH3Datagram, 1, settingEnableConnect, 1, settingMaxSessions13, 1),
			token:    protocolLegacy,
			fields:   []string{"origin", "https://server"},
			draft:    Draft13, end: byCapsule,
		},
		{
			name: "Deno",
			settings: settingsFrame(settingEnableDraft02, 1, settingMaxSessions02, 1, settingMaxSessions07, 1,
				settingDatagram04, 1, settingEnableConnect, 1, settingH3Datagram, 1),
			token: protocolLegacy,
			draft: Draft07,
			end: func(c *wireClient, _ *quic.Stream) {
				c.quic.CloseWithError(7, "seven")
			},
		},
		{
			name: "moq on quinn",
			settings: settingsFrame(settingEnableDraft02, 1, settingMaxSessions02, 1, settingMaxSessions07, 1,
				settingDatagram04, 1, settingEnableConnect, 1, settingH3Datagram, 1),
			token: protocolLegacy,
			draft: Draft07,
			end: func(c *wireClient, connect *quic.Stream) {
				byCapsule(c, connect)
				c.quic.CloseWithError(quic.ApplicationErrorCode(wireCode(7)), "seven")
			},
		},
		{
			name: "picoquic",
			settings: settingsFrame(settingEnableConnect, 1, settingH3Datagram, 1, settingQPACKTable, 0, settingQPACKBlocked, 0,
				settingMaxSessions13, 1, settingEnableDraft02, 1, settingWebTransport, 1, settingMaxSessions07, 1),
			resetAt: true,
			token:   protocolH3,
			fields:  []string{"wt-available-protocols", "spurious-baton-00"},
			draft:   Draft16, end: byCapsule,
		},
		{
			name:     "a client of draft 07 that announces nothing",
			settings: settingsFrame(settingH3Datagram, 1),
			token:    protocolLegacy,
			draft:    0, end: byCapsule,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sessions chan *Session
			server := &Server{}
			server.Handle("/", Application{Serve: func(s *Session) {
				sessions <- s
				echo(s)
			}})
			configure := func(w *world) {
				sessions = make(chan *Session, 1)
				w.clientQUIC = &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: test.resetAt}
			}
			inWorld(t, server, configure, func(w *world) {
				c := w.dialWire(test.settings)
				defer c.close()
				connect := c.request(connectHeaders(test.token, "/", test.fields...), test.early)
				block := c.accepted(connect)
				asked := bytes.Contains(connectHeaders("", "", test.fields...), []byte("draft02"))
				if got := contains(block, "sec-webtransport-http3-draft", "draft02"); got != asked {
					t.Errorf("the header field of draft 02 was asked for: %v, sent: %v", asked, got)
				}
				s := <-sessions
				if s.Draft() != test.draft || s.Protocol() != "" {
					t.Errorf("session of %v with subprotocol %q, want %v with none", s.Draft(), s.Protocol(), test.draft)
				}
				c.echoes(connect.StreamID())
				test.end(c, connect)
				<-s.Done()
				if e := sessionError(t, context.Cause(s.Context())); e.Code != 7 || e.Reason != "seven" || !e.Remote {
					t.Errorf("session ended with %+v, want 7 and seven", e)
				}
			})
		})
	}
}

func TestTheRequirementsOnClientsAreThoseOfTheirDraft(t *testing.T) {
	strict := []uint64{settingH3Datagram, 1, settingWebTransport, 1}
	for _, test := range []struct {
		name     string
		settings []uint64
		resetAt  bool
		token    string
		legacy   bool // drafts before 15 are spoken
		accepted bool
	}{
		{"draft 16", strict, true, protocolH3, true, true},
		{"draft 16 alone", strict, true, protocolH3, false, true},
		{"draft 15", []uint64{settingH3Datagram, 1, settingWebTransport, 4}, true, protocolH3, true, true},
		{"draft 16 without RESET_STREAM_AT", strict, false, protocolH3, true, false},
		{"draft 16 without H3_DATAGRAM", []uint64{settingWebTransport, 1}, true, protocolH3, true, false},
		{"draft 16 without WT_ENABLED", []uint64{settingH3Datagram, 1}, true, protocolH3, true, false},
		{"draft 16 with the token of older ones", strict, true, protocolLegacy, true, true},
		{"that without RESET_STREAM_AT", strict, false, protocolLegacy, true, false},
		{"draft 14", []uint64{settingH3Datagram, 1, settingMaxSessions13, 1}, false, protocolLegacy, true, true},
		{"draft 02", []uint64{settingEnableDraft02, 1}, false, protocolLegacy, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := echoServer()
			server.LegacyDisabled = !test.legacy
			configure := func(w *world) {
				w.clientQUIC = &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: test.resetAt}
			}
			inWorld(t, server, configure, func(w *world) {
				c := w.dialWire(settingsFrame(test.settings...))
				defer c.close()
				str := c.request(connectHeaders(test.token, "/echo"))
				if test.accepted {
					c.accepted(str)
				} else if code := resetCode(t, str); code != h3MessageError {
					t.Errorf("request reset with %#x, want H3_MESSAGE_ERROR", code)
				}
			})
		})
	}
}

func TestLegacyRequestsAreUnknownIfDisabled(t *testing.T) {
	server := echoServer()
	server.LegacyDisabled = true
	inWorld(t, server, nil, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		r := c.request("/echo")
		r.Proto = protocolLegacy
		if status := c.send(c.begin(), r); status != http.StatusNotImplemented {
			t.Errorf("status %d, want 501", status)
		}
	})
}

func TestClientSpeaksTheHighestDraftOfTheServer(t *testing.T) {
	for _, test := range []struct {
		settings []uint64
		draft    Draft
		token    string
	}{
		{[]uint64{settingWebTransport, 1}, Draft16, "webtransport-h3"},
		{[]uint64{settingEnableDraft02, 1, settingMaxSessions07, 1, settingMaxSessions13, 1, settingWebTransport, 1}, Draft16, "webtransport-h3"},
		{[]uint64{settingEnableDraft02, 1, settingMaxSessions07, 1, settingMaxSessions13, 1<<62 - 1}, Draft13, "webtransport"},
		{[]uint64{settingEnableDraft02, 1, settingMaxSessions07, 1}, Draft07, "webtransport"},
		{[]uint64{settingEnableDraft02, 1}, Draft02, "webtransport"},
	} {
		t.Run(test.draft.String(), func(t *testing.T) {
			againstRawServer(t, settings16(test.settings...), &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: test.draft == Draft16}, func(ctx context.Context, c *ClientConn, server *quic.Conn) {
				go func() {
					str, _ := server.AcceptStream(ctx)
					str.Write(okResponse)
				}()
				s, _, err := c.OpenSession(ctx, "https://server/", nil)
				if err != nil {
					t.Fatal(err)
				}
				if s.Draft() != test.draft || s.Request().Proto != test.token {
					t.Errorf("%v with the token %s, want %v with %s", s.Draft(), s.Request().Proto, test.draft, test.token)
				}
				want := ""
				if test.draft == Draft02 {
					want = "1"
				}
				if got := s.Request().Header.Get("Sec-Webtransport-Http3-Draft02"); got != want {
					t.Errorf("header field of draft 02 is %q, want %q", got, want)
				}
			})
		})
	}
}

func TestServersWithoutTheRequirementsAreNotUsed(t *testing.T) {
	for name, test := range map[string]struct {
		control []byte
		config  *quic.Config
		client  ClientConfig
	}{
		"no setting of WebTransport":   {settings16(), QUICConfig(nil), ClientConfig{}},
		"draft 02 with a value of 2":   {settings16(settingEnableDraft02, 2), QUICConfig(nil), ClientConfig{}},
		"no sessions of draft 14":      {settings16(settingMaxSessions13, 0), QUICConfig(nil), ClientConfig{}},
		"a legacy draft, and disabled": {settings16(settingMaxSessions13, 1), QUICConfig(nil), ClientConfig{LegacyDisabled: true}},
		"no extended CONNECT":          {settingsFrame(settingH3Datagram, 1, settingWebTransport, 1), QUICConfig(nil), ClientConfig{}},
		"no H3_DATAGRAM":               {settingsFrame(settingEnableConnect, 1, settingWebTransport, 1), QUICConfig(nil), ClientConfig{}},
		"no QUIC datagrams":            {settingsFrame(settingEnableConnect, 1, settingEnableDraft02, 1), &quic.Config{}, ClientConfig{}},
		"no RESET_STREAM_AT":           {settings16(settingWebTransport, 1), &quic.Config{EnableDatagrams: true}, ClientConfig{}},
		"no SETTINGS":                  {nil, QUICConfig(nil), ClientConfig{}},
	} {
		t.Run(name, func(t *testing.T) {
			withRawServer(t, test.control, test.config, func(ctx context.Context, transport *quic.Transport, addr net.Addr, accepted <-chan *quic.Conn) {
				dialer := &Dialer{TLSConfig: clientTLS(), Transport: transport, Config: test.client}
				url := "https://" + addr.String() + "/"
				_, response, err := dialer.Dial(ctx, url, nil)
				refused, ok := errors.AsType[*RefusedError](err)
				if !ok || refused.Status != 0 || !errors.Is(err, ErrRequirements) || response != nil {
					t.Errorf("error %v with response %v, want a RefusedError of ErrRequirements", err, response)
				}
				if code := connCode(t, <-accepted); code != codeRequirementsNotMet {
					t.Errorf("connection closed with %#x, want WT_REQUIREMENTS_NOT_MET", code)
				}
				// A connection that is shared stays.
				c, err := dialer.DialConn(ctx, url)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := c.OpenSession(ctx, url, nil); !errors.Is(err, ErrRequirements) {
					t.Errorf("error %v, want ErrRequirements", err)
				}
				time.Sleep(rtt)
				server := <-accepted
				if err := context.Cause(server.Context()); err != nil {
					t.Errorf("shared connection closed with %v", err)
				}
				c.Close()
				<-server.Context().Done()
			})
		})
	}
}
