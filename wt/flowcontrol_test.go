package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// flowPeer is a raw client with one session, and the server's end of it.
type flowPeer struct {
	*rawClient
	connect *http3.RequestStream
	id      uint64
	server  *Session
}

// limits are the settings of flow control that a peer announces, beside those of draft 16.
func limits(data, streams, uniStreams uint64) map[uint64]uint64 {
	return map[uint64]uint64{
		settingWebTransport: 1, settingInitialMaxData: data,
		settingInitialMaxStreams: streams, settingInitialMaxUniStreams: uniStreams,
	}
}

// withFlowPeer runs a test with a server that has the given flow control, and
// a client that announces the given limits.
func withFlowPeer(t *testing.T, config FlowControl, settings map[uint64]uint64, test func(*world, *flowPeer)) {
	t.Helper()
	server := &Server{FlowControl: config}
	var sessions chan *Session
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		<-s.Context().Done()
	}})
	inWorld(t, server, func(*world) { sessions = make(chan *Session, 4) }, func(w *world) {
		c := w.dialRawWith(settings)
		defer c.close()
		connect := c.connect("/")
		test(w, &flowPeer{rawClient: c, connect: connect, id: uint64(connect.StreamID()), server: <-sessions})
	})
}

// send sends a capsule.
func (p *flowPeer) send(typ uint64, value ...byte) {
	p.connect.Write(append(varints(typ, uint64(len(value))), value...))
}

// capsules returns what the server has sent on the CONNECT stream and was not read yet.
func (p *flowPeer) capsules() []byte {
	p.w.t.Helper()
	time.Sleep(2 * rtt)
	p.connect.SetReadDeadline(time.Now().Add(time.Nanosecond))
	b, err := io.ReadAll(p.connect)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		p.w.t.Fatalf("CONNECT stream ended with %v", err)
	}
	return b
}

// wantCapsules compares what the server has sent with a sequence of types and their one value.
func (p *flowPeer) wantCapsules(what string, pairs ...uint64) {
	p.w.t.Helper()
	var want []byte
	for pair := range slices.Chunk(pairs, 2) {
		want = append(want, varints(pair[0], uint64(quicvarint.Len(pair[1])), pair[1])...)
	}
	if got := p.capsules(); !bytes.Equal(got, want) {
		p.w.t.Errorf("%s: capsules %x, want %x", what, got, want)
	}
}

// wantFault waits until the server has reset the CONNECT stream in both directions.
func (p *flowPeer) wantFault(code uint64) {
	p.w.t.Helper()
	p.connect.SetReadDeadline(time.Time{})
	if got := resetCode(p.w.t, p.connect); got != code {
		p.w.t.Errorf("CONNECT stream reset with %#x, want %#x", got, code)
	}
	if got := stopCode(p.w.t, p.connect.Context()); got != code {
		p.w.t.Errorf("CONNECT stream stopped with %#x, want %#x", got, code)
	}
	end := sessionError(p.w.t, context.Cause(p.server.Context()))
	if end.Clean || end.Remote {
		p.w.t.Errorf("session ended with %+v", end)
	}
	<-p.server.Done()
}

func TestTheExactBytesOfFlowControlCapsules(t *testing.T) {
	w := &capsuleWriter{}
	for kind := range numOutgoing {
		w.waiting[kind], w.values[kind] = true, 65536
	}
	w.values[sendMaxStreams] = 1
	want := []byte{
		0x99, 0x0b, 0x4d, 0x3d, 4, 0x80, 1, 0, 0, // WT_MAX_DATA
		0x99, 0x0b, 0x4d, 0x3f, 1, 1, // WT_MAX_STREAMS, bidirectional
		0x99, 0x0b, 0x4d, 0x40, 4, 0x80, 1, 0, 0, // unidirectional
		0x99, 0x0b, 0x4d, 0x41, 4, 0x80, 1, 0, 0, // WT_DATA_BLOCKED
		0x99, 0x0b, 0x4d, 0x43, 4, 0x80, 1, 0, 0, // WT_STREAMS_BLOCKED, bidirectional
		0x99, 0x0b, 0x4d, 0x44, 4, 0x80, 1, 0, 0, // unidirectional
		0x80, 0x00, 0x78, 0xae, 0, // WT_DRAIN_SESSION
	}
	if got := w.take(); !bytes.Equal(got, want) {
		t.Errorf("capsules %x, want %x", got, want)
	}
	if got := w.take(); got != nil {
		t.Errorf("the same capsules again: %x", got)
	}
}

func TestCreditIsGivenWhenTheApplicationHasReadAQuarterOfTheWindow(t *testing.T) {
	config := FlowControl{InitialData: 1000, MaxData: 1000}
	withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		p.sendStream(p.id, string(make([]byte, 600)))
		str, err := p.server.AcceptStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		p.wantCapsules("nothing was read")
		io.ReadFull(str, make([]byte, 249))
		p.wantCapsules("less than a quarter was read")
		io.ReadFull(str, make([]byte, 1))
		p.wantCapsules("a quarter was read", capsuleMaxData, 1250)
		p.sendUniStream(p.id, string(make([]byte, 500)))
		in, err := p.server.AcceptUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(in, make([]byte, 500))
		io.ReadFull(str, make([]byte, 100))
		p.wantCapsules("another stream was read", capsuleMaxData, 1750)
		io.ReadFull(str, make([]byte, 250))
		p.wantCapsules("all was read", capsuleMaxData, 2100)
	})
}

func TestALimitThatWasOvertakenIsNotSent(t *testing.T) {
	withFlowPeer(t, FlowControl{}, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		for _, limit := range []uint64{30, 20, 30, 40} {
			p.server.out.send(sendMaxStreams, limit)
		}
		p.server.out.send(sendDrain, 0)
		p.server.out.send(sendDrain, 0)
		want := slices.Concat(varints(capsuleMaxStreams, 1, 30), varints(capsuleMaxStreams, 1, 40), varints(capsuleDrain, 0))
		if got := p.capsules(); !bytes.Equal(got, want) {
			t.Errorf("capsules %x, want %x", got, want)
		}
	})
}

func TestTheWindowDoublesWhenItIsReadAtOnce(t *testing.T) {
	config := FlowControl{InitialData: 1000, MaxData: 3500}
	withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		str := p.sendStream(p.id, "")
		in, err := p.server.AcceptStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		exchange := func(n int) {
			str.Write(make([]byte, n))
			io.ReadFull(in, make([]byte, n))
		}
		exchange(600)
		exchange(1100)
		p.wantCapsules("at once, up to the maximum", capsuleMaxData, 600+2000, capsuleMaxData, 1700+3500)
		time.Sleep(time.Second)
		exchange(900)
		p.wantCapsules("slowly", capsuleMaxData, 2600+3500)
	})
}

func TestSessionsShareTheConnectionsWindow(t *testing.T) {
	config := FlowControl{InitialData: 1000, MaxData: 4000}
	withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		p.rawClient.connect("/")
		str := p.sendStream(p.id, "")
		in, _ := p.server.AcceptStream(w.ctx)
		for _, n := range []int{500, 1000, 1000} {
			str.Write(make([]byte, n))
			io.ReadFull(in, make([]byte, n))
		}
		p.wantCapsules("half of the maximum each", capsuleMaxData, 500+1000, capsuleMaxData, 1500+2000, capsuleMaxData, 2500+2000)
	})
}

func TestWhatIsLeftOfAStreamCountsAsConsumed(t *testing.T) {
	config := FlowControl{InitialData: 1000, MaxData: 1000}
	for name, end := range map[string]func(*quic.Stream, *Stream){
		"when the peer has reset it": func(peer *quic.Stream, s *Stream) {
			peer.CancelWrite(wireCode(1))
			time.Sleep(rtt)
			s.Read(make([]byte, 1))
		},
		"when the application stops it and the peer resets it": func(peer *quic.Stream, s *Stream) {
			s.CancelRead(1)
		},
		"when the application stops it after its end has come": func(peer *quic.Stream, s *Stream) {
			peer.Close()
			time.Sleep(rtt)
			s.CancelRead(1)
		},
		"when its end is read": func(peer *quic.Stream, s *Stream) {
			peer.Close()
			s.Read(make([]byte, 1000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
				peer := p.sendStream(p.id, string(make([]byte, 900)))
				s, err := p.server.AcceptStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(rtt)
				end(peer, s)
				p.wantCapsules(name, capsuleMaxData, 1900)
			})
		})
	}
}

func TestCreditForStreamsComesWhenTheyHaveEnded(t *testing.T) {
	config := FlowControl{Streams: 2, UniStreams: 2}
	withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		bidi, uni := p.sendStream(p.id, "x"), p.sendUniStream(p.id, "x")
		bidi.Close()
		uni.Close()
		str, _ := p.server.AcceptStream(w.ctx)
		in, _ := p.server.AcceptUniStream(w.ctx)
		io.ReadAll(str)
		p.wantCapsules("one direction of two has ended")
		str.Close()
		p.wantCapsules("both have ended", capsuleMaxStreams, 3)
		io.ReadAll(in)
		p.wantCapsules("the unidirectional stream has ended", capsuleMaxUniStreams, 3)
	})
}

func TestASessionMayAllowMoreStreamsThanOthers(t *testing.T) {
	config := FlowControl{Streams: 2, UniStreams: 2}
	withFlowPeer(t, config, limits(1000, 10, 10), func(w *world, p *flowPeer) {
		p.server.AllowStreams(5, 1)
		p.wantCapsules("more of one kind", capsuleMaxStreams, 5)
		str := p.sendStream(p.id, "x")
		str.Close()
		in, err := p.server.AcceptStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		io.ReadAll(in)
		p.wantCapsules("one has ended", capsuleMaxStreams, 6)
	})
}

func TestViolationsOfFlowControlEndTheSession(t *testing.T) {
	config := FlowControl{InitialData: 1000, MaxData: 1000, Streams: 2, UniStreams: 1}
	for name, test := range map[string]struct {
		do   func(*flowPeer)
		code uint64
	}{
		"too many streams": {func(p *flowPeer) {
			for range 3 {
				p.sendStream(p.id, "x")
			}
		}, codeFlowControlError},
		"too many unidirectional streams": {func(p *flowPeer) {
			for range 2 {
				p.sendUniStream(p.id, "x")
			}
		}, codeFlowControlError},
		"too much data, in final sizes": {func(p *flowPeer) {
			for range 2 {
				p.sendStream(p.id, string(make([]byte, 501))).Close()
			}
		}, codeFlowControlError},
		"too much data on a stream that is reset": {func(p *flowPeer) {
			str := p.sendStream(p.id, string(make([]byte, 1001)))
			time.Sleep(rtt)
			str.CancelWrite(wireCode(0))
		}, codeFlowControlError},
		"too much data, as it is read": {func(p *flowPeer) {
			p.sendStream(p.id, string(make([]byte, 1500)))
			str, _ := p.server.AcceptStream(p.w.ctx)
			io.ReadFull(str, make([]byte, 1500)) // in one step, so that there is no credit in between
		}, codeFlowControlError},
		"WT_MAX_DATA that stays":          {func(p *flowPeer) { p.send(capsuleMaxData, varints(2000)...) }, codeFlowControlError},
		"WT_MAX_DATA that falls":          {func(p *flowPeer) { p.send(capsuleMaxData, varints(1999)...) }, codeFlowControlError},
		"WT_MAX_STREAMS that stays":       {func(p *flowPeer) { p.send(capsuleMaxStreams, varints(10)...) }, codeFlowControlError},
		"WT_MAX_STREAMS out of range":     {func(p *flowPeer) { p.send(capsuleMaxUniStreams, varints(maxStreams+1)...) }, codeFlowControlError},
		"WT_STREAMS_BLOCKED out of range": {func(p *flowPeer) { p.send(capsuleStreamsBlocked, varints(maxStreams+1)...) }, codeFlowControlError},
		"WT_MAX_STREAM_DATA":              {func(p *flowPeer) { p.send(capsuleMaxStreamData, 0, 1) }, h3MessageError},
		"WT_STREAM_DATA_BLOCKED":          {func(p *flowPeer) { p.send(capsuleStreamDataBlocked, 0, 1) }, h3MessageError},
		"WT_MAX_DATA without value":       {func(p *flowPeer) { p.send(capsuleMaxData) }, h3MessageError},
		"WT_MAX_DATA and a byte more":     {func(p *flowPeer) { p.send(capsuleMaxData, 0x7f, 0xff, 0) }, h3MessageError},
		"WT_DATA_BLOCKED of nine bytes":   {func(p *flowPeer) { p.send(capsuleDataBlocked, make([]byte, 9)...) }, h3MessageError},
	} {
		t.Run(name, func(t *testing.T) {
			withFlowPeer(t, config, limits(2000, 10, 10), func(w *world, p *flowPeer) {
				test.do(p)
				p.wantFault(test.code)
			})
		})
	}
}

func TestWithoutFlowControlItsCapsulesAreIgnored(t *testing.T) {
	for name, settings := range map[string]map[uint64]uint64{
		"the peer announces none":   {settingWebTransport: 1},
		"the peer announces zeroes": limits(0, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			withFlowPeer(t, FlowControl{InitialData: 10, Streams: 1}, settings, func(w *world, p *flowPeer) {
				p.send(capsuleMaxData, varints(0)...)
				p.send(capsuleMaxStreams, varints(maxStreams+1)...)
				p.send(capsuleMaxStreamData, 1)
				for range 3 {
					p.sendStream(p.id, "more than ten bytes").Close()
					str, err := p.server.AcceptStream(w.ctx)
					if err != nil {
						t.Fatal(err)
					}
					if b, err := io.ReadAll(str); err != nil || len(b) != 19 {
						t.Errorf("read %q, %v", b, err)
					}
				}
				second := p.begin()
				second.SendRequestHeader(p.request("/"))
				_, err := second.ReadResponse()
				if e, ok := errors.AsType[*quic.StreamError](err); !ok || e.ErrorCode != h3RequestRejected {
					t.Errorf("a second session: %v, want a reset with H3_REQUEST_REJECTED", err)
				}
			})
		})
	}
}
