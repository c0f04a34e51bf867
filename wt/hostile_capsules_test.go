package wt

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// capsuleSequence is one capsule of each kind that a peer may send, the last of
// which closes the session, and the offsets at which one ends.
func capsuleSequence() (b []byte, ends []int) {
	for _, c := range [][]byte{
		capsule(0x17, "grease"),
		capsule(capsuleDatagram, "datagram"),
		capsule(capsuleDatagram, ""),
		capsule(capsuleDrain, ""),
		capsule(capsuleMaxData, string(varints(1<<30))),
		capsule(capsuleMaxStreams, string(varints(200))),
		capsule(capsuleMaxUniStreams, string(varints(1<<60))),
		capsule(capsuleDataBlocked, string(varints(7))),
		capsule(capsuleStreamsBlocked, string(varints(1<<60))),
		capsule(capsuleUniStreamsBlocked, string(varints(0))),
		appendClose(nil, 7, "sé"),
	} {
		b = append(b, c...)
		ends = append(ends, len(b))
	}
	return b, ends
}

// answer returns how the server finished its end of a CONNECT stream: 0 for FIN, or the code of a reset.
func answer(t *testing.T, connect io.Reader) uint64 {
	t.Helper()
	_, err := io.Copy(io.Discard, connect)
	if err == nil {
		return 0
	}
	e, ok := errors.AsType[*quic.StreamError](err)
	if !ok {
		t.Fatalf("the CONNECT stream ended with %v", err)
	}
	return uint64(e.ErrorCode)
}

func TestACapsuleSequenceCutOffAnywhereIsMalformedInsideCapsulesOnly(t *testing.T) {
	sequence, boundaries := capsuleSequence()
	underAttack(t, Limits{}, nil, func(w *world, c *rawClient, end ends) {
		for n := range len(sequence) + 1 {
			connect := c.connect("/end")
			connect.Write(sequence[:n])
			connect.Close()
			e, code := <-end, answer(t, connect)
			switch {
			case n == len(sequence):
				if *e != (SessionError{Code: 7, Reason: "sé", Remote: true, Clean: true}) || code != 0 {
					t.Errorf("the whole sequence: session ended with %+v, answered with %#x", e, code)
				}
			case n == 0 || slices.Contains(boundaries, n):
				if *e != (SessionError{Remote: true, Clean: true}) || code != 0 {
					t.Errorf("%d bytes: session ended with %+v, answered with %#x", n, e, code)
				}
			default:
				if e.Clean || e.Remote || !errors.Is(e, errCapsule) || code != h3MessageError {
					t.Errorf("%d bytes: session ended with %+v, answered with %#x, want H3_MESSAGE_ERROR", n, e, code)
				}
			}
		}
	})
}

func TestCapsulesMayArriveByteByByte(t *testing.T) {
	sequence, _ := capsuleSequence()
	underAttack(t, Limits{}, nil, func(w *world, c *rawClient, end ends) {
		connect := c.connect("/end")
		for i := range sequence {
			connect.Write(sequence[i : i+1])
			time.Sleep(rtt)
		}
		if e := <-end; e.Code != 7 || e.Reason != "sé" || !e.Clean {
			t.Errorf("session ended with %+v", e)
		}
		connect.Close()
		if code := answer(t, connect); code != 0 {
			t.Errorf("answered with %#x, want FIN", code)
		}
	})
}

func TestCapsulesOfAnImpossibleSizeEndTheSession(t *testing.T) {
	varintKinds := map[string]uint64{
		"MAX_DATA": capsuleMaxData, "MAX_STREAMS bidi": capsuleMaxStreams, "MAX_STREAMS uni": capsuleMaxUniStreams,
		"DATA_BLOCKED": capsuleDataBlocked, "STREAMS_BLOCKED bidi": capsuleStreamsBlocked, "STREAMS_BLOCKED uni": capsuleUniStreamsBlocked,
	}
	cases := map[string][]byte{
		"CLOSE_SESSION without a value":                      capsule(capsuleClose, ""),
		"CLOSE_SESSION of 3 bytes":                           capsule(capsuleClose, "\x00\x00\x00"),
		"CLOSE_SESSION with 1025 bytes of reason":            capsule(capsuleClose, "\x00\x00\x00\x00"+strings.Repeat("x", 1025)),
		"the header of a CLOSE_SESSION of 2^62 - 1 bytes":    varints(capsuleClose, 1<<62-1),
		"CLOSE_SESSION whose reason ends inside a character": capsule(capsuleClose, "\x00\x00\x00\x00s\xc3"),
		"CLOSE_SESSION with a surrogate":                     capsule(capsuleClose, "\x00\x00\x00\x00\xed\xa0\x80"),
		"the header of a DRAIN_SESSION of 2^62 - 1 bytes":    varints(capsuleDrain, 1<<62-1),
		"MAX_STREAM_DATA":                                    capsule(capsuleMaxStreamData, "\x00\x01"),
		"STREAM_DATA_BLOCKED":                                capsule(capsuleStreamDataBlocked, "\x00\x01"),
	}
	for name, typ := range varintKinds {
		cases[name+" without a value"] = capsule(typ, "")
		cases[name+" with half a value"] = capsule(typ, "\x80\x00")
		cases[name+" with a tail"] = capsule(typ, "\x01\x00")
		cases[name+" of 9 bytes"] = capsule(typ, "\xc0\x00\x00\x00\x00\x00\x00\x00\x00")
		cases["the header of a "+name+" of 2^62 - 1 bytes"] = varints(typ, 1<<62-1)
	}
	underAttack(t, Limits{}, nil, func(w *world, c *rawClient, end ends) {
		for name, b := range cases {
			connect := c.connect("/end")
			connect.Write(b)
			if code := answer(t, connect); code != h3MessageError {
				t.Errorf("%s: answered with %#x, want H3_MESSAGE_ERROR", name, code)
			}
			if e := <-end; e.Clean || e.Remote || !errors.Is(e, errCapsule) {
				t.Errorf("%s: session ended with %+v", name, e)
			}
		}
	})
}

func TestAnythingAfterCloseSessionIsMalformed(t *testing.T) {
	for name, test := range map[string]struct {
		tail  []byte
		pause time.Duration
	}{
		"half a capsule in the same flight":     {[]byte{0x17}, 0},
		"another CLOSE_SESSION":                 {appendClose(nil, 8, "eight"), 0},
		"an unknown capsule later":              {capsule(0x17, ""), time.Second},
		"a CLOSE_SESSION that is bad in turn":   {capsule(capsuleClose, ""), time.Second},
		"more than any buffer, in one flight":   {make([]byte, 100_000), 0},
		"a capsule that never ends, long after": {varints(0x17, 1<<62-1), maxCloseWait - rtt},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{}, nil, func(w *world, c *rawClient, end ends) {
				connect := c.connect("/end")
				data := c.sendStream(uint64(connect.StreamID()), "x")
				if test.pause == 0 {
					connect.Write(append(appendClose(nil, 7, "seven"), test.tail...))
				} else {
					connect.Write(appendClose(nil, 7, "seven"))
					time.Sleep(test.pause)
					connect.Write(test.tail)
				}
				if e := <-end; *e != (SessionError{Code: 7, Reason: "seven", Remote: true, Clean: true}) {
					t.Errorf("session ended with %+v", e)
				}
				if code := answer(t, connect); code != h3MessageError {
					t.Errorf("answered with %#x, want H3_MESSAGE_ERROR", code)
				}
				if code := resetCode(t, data); code != codeSessionGone {
					t.Errorf("data stream reset with %#x, want WT_SESSION_GONE", code)
				}
			})
		})
	}
}

func TestAServerClosesASessionWhosePeerIsInTheMiddleOfACapsule(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                  nil,
		"a type":                   {0x99},
		"an unknown capsule":       varints(0x17, 1<<62-1, 0),
		"a CLOSE_SESSION":          appendClose(nil, 7, "seven")[:6],
		"a datagram":               varints(capsuleDatagram, 1000, 0),
		"a datagram beyond bounds": varints(capsuleDatagram, 1<<40, 0),
	} {
		t.Run(name, func(t *testing.T) {
			server := &Server{}
			server.Handle("/", Application{Serve: func(s *Session) {
				time.Sleep(time.Second)
				s.Close(9, "nine")
				<-s.Done()
			}})
			inWorld(t, server, nil, func(w *world) {
				c := w.dialRaw()
				defer c.close()
				connect := c.connect("/")
				connect.Write(b)
				start := time.Now()
				got, err := io.ReadAll(connect)
				if want := appendClose(nil, 9, "nine"); err != nil || string(got) != string(want) {
					t.Errorf("read %x, %v, want %x and FIN", got, err, want)
				}
				if code := stopCode(t, connect.Context()); code != codeSessionGone {
					t.Errorf("stopped with %#x, want WT_SESSION_GONE", code)
				}
				if d := time.Since(start); d > time.Second+maxCloseWait+rtt {
					t.Errorf("given up after %v", d)
				}
				checkForgotten(t, w.server.conns[0])
			})
		})
	}
}

// What http3 finds wrong with the frames around capsules is the end of the session, or of the connection.
func TestFramesThatHaveNoPlaceOnTheConnectStream(t *testing.T) {
	for name, test := range map[string]struct {
		b          []byte
		connection uint64 // the code that closes it, 0 if only the session ends
	}{
		"SETTINGS":                   {settingsFrame(), h3FrameUnexpected},
		"GOAWAY":                     {frame(frameGoAway, varints(0)), h3FrameUnexpected},
		"a frame of HTTP/2":          {frame(0x06, nil), h3FrameUnexpected},
		"trailers twice":             {slices.Repeat(headers("x", "y"), 2), 0},
		"data after trailers":        {append(headers("x", "y"), frame(frameData, []byte{0x17, 0})...), 0},
		"trailers that are invalid":  {headers(":path", "/"), 0},
		"trailers that are no QPACK": {frame(frameHeaders, []byte{0xff, 0xff, 0xff}), 0},
		"trailers beyond the limit":  {varints(frameHeaders, 1<<40), 0},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{}, nil, func(w *world, raw *rawClient, end ends) {
				c := w.dialWire(settings16(settingWebTransport, 1))
				defer c.close()
				connect := c.request(connectHeaders(protocolH3, "/end"))
				c.accepted(connect)
				connect.Write(test.b)
				e := <-end
				if e.Clean {
					t.Errorf("session ended with %+v", e)
				}
				if test.connection != 0 {
					if code := connCode(t, c.quic); code != test.connection {
						t.Errorf("connection closed with %#x, want %#x", code, test.connection)
					}
					return
				}
				if code := answer(t, connect); code != h3MessageError {
					t.Errorf("answered with %#x, want H3_MESSAGE_ERROR", code)
				}
			})
		})
	}
}

// http3 reports the end of a stream inside a frame as if the frame ended there.
func TestHTTP3HidesThatAFrameIsCutOff(t *testing.T) {
	for name, b := range map[string][]byte{
		"a DATA frame":            append(varints(frameData, 100), capsule(0x17, "grease")...),
		"the header of one":       {frameData},
		"a frame of unknown type": varints(0x21, 100),
	} {
		t.Run(name, func(t *testing.T) {
			hostileWorld(t, Limits{}, func(w *world, _ *rawClient, end ends) {
				c := w.dialWire(settings16(settingWebTransport, 1))
				defer c.close()
				connect := c.request(connectHeaders(protocolH3, "/end"))
				c.accepted(connect)
				connect.Write(b)
				connect.Close()
				if e := <-end; *e != (SessionError{Remote: true, Clean: true}) {
					t.Errorf("session ended with %+v", e)
				}
			})
		})
	}
}
