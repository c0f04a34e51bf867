package wt

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

func varints(vs ...uint64) []byte {
	var b []byte
	for _, v := range vs {
		b = quicvarint.Append(b, v)
	}
	return b
}

func frame(typ uint64, payload []byte) []byte {
	return append(varints(typ, uint64(len(payload))), payload...)
}

func settingsFrame(pairs ...uint64) []byte { return frame(frameSettings, varints(pairs...)) }

// controlLog records what a control stream said.
type controlLog struct {
	settings   []peerSettings
	goAways    []uint64
	priorities []earlyPriority
}

func (l *controlLog) handleSettings(s peerSettings) error {
	l.settings = append(l.settings, s)
	return nil
}

func (l *controlLog) handleGoAway(id uint64) error {
	l.goAways = append(l.goAways, id)
	return nil
}

func (l *controlLog) handlePriorityUpdate(id quic.StreamID, p priority) error {
	l.priorities = append(l.priorities, earlyPriority{id, p})
	return nil
}

func TestControlStreamFrames(t *testing.T) {
	var log controlLog
	stream := slices.Concat(
		settingsFrame(settingH3Datagram, 1, settingWebTransport, 1, 0x1f*7+0x21, 99),
		frame(frameGoAway, varints(8)),
		frame(0x1f*3+0x21, []byte("grease")),
		frame(framePriorityUpdate, append(varints(4), "u=1, i"...)),
		frame(framePriorityUpdate, append(varints(8), "u=9;;"...)),
	)
	err := readControl(bytes.NewReader(stream), true, &log)
	if e, ok := errors.AsType[*connError](err); !ok || e.code != h3ClosedCriticalStream {
		t.Errorf("its end is the error %v, want H3_CLOSED_CRITICAL_STREAM", err)
	}
	if want := []peerSettings{{h3Datagram: true, webTransport: 1,
		all: []Setting{{settingH3Datagram, 1}, {settingWebTransport, 1}, {0x1f*7 + 0x21, 99}}}}; !reflect.DeepEqual(log.settings, want) {
		t.Errorf("settings %+v, want %+v", log.settings, want)
	}
	if want := []uint64{8}; !slices.Equal(log.goAways, want) {
		t.Errorf("GOAWAY %v, want %v", log.goAways, want)
	}
	if want := []earlyPriority{{4, priority{1, true}}, {8, priority{3, false}}}; !slices.Equal(log.priorities, want) {
		t.Errorf("priorities %+v, want %v", log.priorities, want)
	}
}

func TestControlStreamErrors(t *testing.T) {
	ok := settingsFrame()
	for _, test := range []struct {
		name   string
		stream []byte
		client bool // the reader is a client
		code   uint64
	}{
		{"no SETTINGS first", frame(frameGoAway, varints(0)), false, h3MissingSettings},
		{"a second SETTINGS", slices.Concat(ok, ok), false, h3FrameUnexpected},
		{"a setting twice", settingsFrame(7, 1, 7, 1), false, h3SettingsError},
		{"a setting of HTTP/2", settingsFrame(2, 0), false, h3SettingsError},
		{"H3_DATAGRAM = 2", settingsFrame(settingH3Datagram, 2), false, h3SettingsError},
		{"ENABLE_CONNECT_PROTOCOL = 2", settingsFrame(settingEnableConnect, 2), true, h3SettingsError},
		{"truncated SETTINGS", frame(frameSettings, varints(7)), false, h3FrameError},
		{"huge SETTINGS", varints(frameSettings, 1<<40), false, h3FrameError},
		{"a DATA frame", slices.Concat(ok, frame(frameData, nil)), false, h3FrameUnexpected},
		{"a frame of HTTP/2", slices.Concat(ok, frame(0x06, nil)), false, h3FrameUnexpected},
		{"a WebTransport header", slices.Concat(ok, varints(frameWebTransport, 0)), false, h3FrameError},
		{"a GOAWAY with a tail", slices.Concat(ok, frame(frameGoAway, varints(0, 0))), true, h3FrameError},
		{"a GOAWAY without an ID", slices.Concat(ok, frame(frameGoAway, nil)), true, h3FrameError},
		{"a priority of a server's stream", slices.Concat(ok, frame(framePriorityUpdate, varints(1))), false, h3IDError},
		{"a priority of a push", slices.Concat(ok, frame(framePriorityUpdatePush, varints(1))), false, h3IDError},
		{"a priority from a server", slices.Concat(ok, frame(framePriorityUpdate, varints(0))), true, h3FrameUnexpected},
		{"MAX_PUSH_ID from a server", slices.Concat(ok, frame(frameMaxPushID, varints(0))), true, h3FrameUnexpected},
		{"its end", ok, false, h3ClosedCriticalStream},
		{"its end inside a frame", slices.Concat(ok, varints(0x21, 100)), false, h3ClosedCriticalStream},
	} {
		err := readControl(bytes.NewReader(test.stream), !test.client, &controlLog{})
		if e, ok := errors.AsType[*connError](err); !ok || e.code != test.code {
			t.Errorf("%s: error %v, want code %#x", test.name, err, test.code)
		}
	}
}

func FuzzControlStream(f *testing.F) {
	f.Add(settingsFrame(settingH3Datagram, 1, settingWebTransport, 1), true)
	f.Add(slices.Concat(settingsFrame(), frame(frameGoAway, varints(8))), false)
	f.Add(slices.Concat(settingsFrame(), frame(framePriorityUpdate, append(varints(4), "u=1, i"...))), true)
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		err := readControl(bytes.NewReader(b), server, &controlLog{})
		if _, ok := errors.AsType[*connError](err); !ok {
			t.Fatalf("error %v closes no connection", err)
		}
	})
}

// peekReader is a quic stream that has received all of its data.
type peekReader struct{ *bytes.Reader }

func (p peekReader) Peek(b []byte) (int, error) {
	n, err := p.ReadAt(b, p.Size()-int64(p.Len()))
	if n == len(b) {
		err = nil
	}
	return n, err
}

func FuzzStreamHeader(f *testing.F) {
	f.Add([]byte{0x40, 0x54, 0x04, 'x'})
	f.Add([]byte{0x40, 0x41, 0xc0, 0, 0, 0, 0, 0, 0, 4, 'x'})
	f.Add([]byte{0x40, 0x54, 0x03})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := peekReader{bytes.NewReader(b)}
		id, length, err := (&conn{}).readHeader(r)
		if err != nil {
			if _, ok := errors.AsType[*connError](err); !ok && err != io.EOF {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		_, n, err1 := quicvarint.Parse(b)
		want, m, err2 := quicvarint.Parse(b[n:])
		if err1 != nil || err2 != nil || uint64(id) != want || want%4 != 0 || length != n+m || r.Len() != len(b)-length {
			t.Fatalf("session %d, %d bytes left of %x", id, r.Len(), b)
		}
	})
}

func FuzzDatagram(f *testing.F) {
	f.Add([]byte{0x00, 'x'})
	f.Add([]byte{0xd0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, payload, err := parseDatagram(b)
		if err != nil {
			if e, ok := errors.AsType[*connError](err); !ok || e.code != h3DatagramError {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		if id%4 != 0 || id < 0 || !bytes.HasSuffix(b, payload) {
			t.Fatalf("session %d, payload %x of %x", id, payload, b)
		}
	})
}
