package wt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// fuzzedConnect is a CONNECT stream whose peer has sent all of its bytes and
// FIN, a few at a time. What is written to it is dropped.
type fuzzedConnect struct {
	r     *bytes.Reader
	chunk int
}

func (f fuzzedConnect) Read(b []byte) (int, error)     { return f.r.Read(b[:min(len(b), f.chunk)]) }
func (fuzzedConnect) Write(b []byte) (int, error)      { return len(b), nil }
func (fuzzedConnect) TryWriteAll([]byte) error         { return nil }
func (fuzzedConnect) Close() error                     { return nil }
func (fuzzedConnect) CancelRead(quic.StreamErrorCode)  {}
func (fuzzedConnect) CancelWrite(quic.StreamErrorCode) {}
func (fuzzedConnect) SetReadDeadline(time.Time) error  { return nil }
func (fuzzedConnect) SetWriteDeadline(time.Time) error { return nil }
func (fuzzedConnect) Context() context.Context         { return context.Background() }

// capsuleEffects is what a sequence of capsules does to a session.
type capsuleEffects struct {
	datagrams  [][]byte
	draining   bool
	maxData    int64
	maxStreams [numDirections]int64
	closed     bool
	code       uint32
	reason     string
	fault      quic.StreamErrorCode // what the CONNECT stream is reset with, 0: nothing
}

// expectedEffects is a second opinion on a sequence of capsules, by http3's parser of them.
func expectedEffects(b []byte, e capsuleEffects) capsuleEffects {
	r := bytes.NewReader(b)
	parser := http3.NewCapsuleParser(quicvarint.NewReader(r))
	fail := func(code quic.StreamErrorCode) capsuleEffects {
		e.fault = code
		return e
	}
	for {
		left := r.Len()
		typ, c, err := parser.Next()
		if err == io.EOF && left == 0 {
			return e
		} else if err != nil {
			return fail(h3MessageError)
		}
		if typ == capsuleClose && c.Remaining() > 4+maxReason || typ == capsuleDrain && c.Remaining() > 0 {
			return fail(h3MessageError)
		}
		value, err := io.ReadAll(c)
		if err != nil || c.Remaining() > 0 {
			return fail(h3MessageError)
		}
		integer, n, err := quicvarint.Parse(value)
		isInteger := err == nil && n == len(value)
		raise := func(limit *int64, most uint64) bool {
			if integer > most || int64(integer) <= *limit {
				return false
			}
			*limit = int64(integer)
			return true
		}
		ok := true
		switch typ {
		case capsuleDatagram:
			if len(value) <= maxDatagramCapsule {
				e.datagrams = append(e.datagrams, value)
			}
		case capsuleDrain:
			e.draining = true
		case capsuleClose:
			if len(value) < 4 || !utf8.Valid(value[4:]) {
				return fail(h3MessageError)
			}
			e.closed, e.code, e.reason = true, binary.BigEndian.Uint32(value), string(value[4:])
			if r.Len() > 0 {
				return fail(h3MessageError)
			}
			return e
		case capsuleMaxData, capsuleMaxStreams, capsuleMaxUniStreams, capsuleDataBlocked, capsuleStreamsBlocked, capsuleUniStreamsBlocked:
			if !isInteger {
				return fail(h3MessageError)
			}
			switch typ {
			case capsuleMaxData:
				ok = raise(&e.maxData, 1<<62)
			case capsuleMaxStreams:
				ok = raise(&e.maxStreams[bidirectional], maxStreams)
			case capsuleMaxUniStreams:
				ok = raise(&e.maxStreams[unidirectional], maxStreams)
			case capsuleStreamsBlocked, capsuleUniStreamsBlocked:
				ok = integer <= maxStreams
			}
		case capsuleMaxStreamData, capsuleStreamDataBlocked:
			return fail(h3MessageError)
		}
		if !ok {
			return fail(codeFlowControlError)
		}
	}
}

// FuzzSession checks what the bytes of a peer on the CONNECT stream do to a
// session under flow control, against a second implementation.
func FuzzSession(f *testing.F) {
	sequence, boundaries := capsuleSequence()
	f.Add(sequence, uint8(255))
	start := 0
	for _, end := range boundaries {
		f.Add(sequence[start:end], uint8(1))
		start = end
	}
	f.Add(slices.Concat(appendClose(nil, 7, ""), capsule(0x17, "")), uint8(3))
	f.Add(capsule(capsuleMaxData, "\x00"), uint8(3))
	f.Add(capsule(capsuleMaxStreams, string(varints(maxStreams+1))), uint8(3))
	f.Add(capsule(capsuleMaxStreamData, "\x01\x02"), uint8(3))
	f.Add(varints(0x17, 1<<62-1, 0, 0), uint8(3))
	f.Add(capsule(capsuleClose, "\x00\x00\x00\x00\xed\xa0\x80"), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, chunk uint8) {
		c := &conn{limits: Limits{DatagramQueue: 1 << 20}.withDefaults()}
		c.table = newTable(c.limits, true)
		s := newSession(context.Background(), c, 0, nil)
		s.outFlow = newOutgoingFlow(&c.sched, peerSettings{maxData: 100, maxStreams: [numDirections]uint64{10, 10}})
		s.connect = fuzzedConnect{bytes.NewReader(b), max(1, int(chunk))}
		s.established = true
		before := capsuleEffects{maxData: 100, maxStreams: [numDirections]int64{10, 10}}
		want := expectedEffects(b, before)
		err := s.readCapsules()
		var got capsuleEffects
		for d, ok := s.datagrams.tryPop(); ok; d, ok = s.datagrams.tryPop() {
			got.datagrams = append(got.datagrams, d.payload)
		}
		select {
		case <-s.draining:
			got.draining = true
		default:
		}
		got.maxData = s.outFlow.data.limit
		for d := range got.maxStreams {
			got.maxStreams[d] = s.outFlow.streams[d].limit
		}
		if s.end != nil {
			got.closed, got.code, got.reason = true, s.end.Code, s.end.Reason
		}
		if err != io.EOF {
			got.fault = faultCode(err)
			if _, fault := errors.AsType[*sessionFault](err); !fault && !errors.Is(err, errCapsule) {
				t.Fatalf("unexpected error %v", err)
			}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(capsuleEffects{})); diff != "" {
			t.Fatalf("effects differ (-want +got):\n%s", diff)
		}
	})
}
