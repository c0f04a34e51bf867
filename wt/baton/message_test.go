package baton

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestTheExactBytesOfAMessage(t *testing.T) {
	for _, test := range []struct {
		padding int
		baton   byte
		want    []byte
	}{
		{0, 0, []byte{0, 0}},
		{0, 255, []byte{0, 255}},
		{3, 7, []byte{3, 0, 0, 0, 7}},
		{64, 1, append(append([]byte{0x40, 64}, make([]byte, 64)...), 1)},
	} {
		if got := appendMessage(nil, test.padding, test.baton); !bytes.Equal(got, test.want) {
			t.Errorf("message %x, want %x", got, test.want)
		}
	}
}

// However a message is cut, it is written and read the same.
func TestAMessageSurvivesBeingCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		padding := rapid.IntRange(0, 20_000).Draw(t, "padding")
		baton := rapid.Byte().Draw(t, "baton")
		want := appendMessage(nil, padding, baton)
		out := newOutgoing(padding, baton)
		var m message
		var got []byte
		for end := false; !end; {
			if m.state == complete {
				t.Fatal("the message was complete before its end")
			}
			p := bytes.Repeat([]byte{0xaa}, rapid.IntRange(1, 5000).Draw(t, "size"))
			var n int
			n, end = out.read(p)
			if n == 0 {
				t.Fatal("nothing was written")
			}
			got = append(got, p[:n]...)
			if err := m.add(p[:n]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) || m.state != complete || m.baton != baton {
			t.Fatalf("%d bytes, baton %d, state %d; want %d bytes, baton %d", len(got), m.baton, m.state, len(want), baton)
		}
		if m.add([]byte{0}) != errTooLong {
			t.Fatal("data after the message was accepted")
		}
	})
}

// What the parser makes of bytes does not depend on how they are cut, it keeps
// no more than a varint, and what it accepts as a whole has exactly its parts.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add([]byte{0, 1}, uint8(1))
	f.Add([]byte{0x40, 1, 0, 7}, uint8(2))
	f.Add([]byte{0xc0, 0, 0, 0, 0, 0, 0, 2, 9, 9, 255}, uint8(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, uint8(9))
	f.Add([]byte{0, 1, 2}, uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		var whole, parts message
		err := whole.add(b)
		i := min(int(cut), len(b))
		errParts := parts.add(b[:i])
		if errParts == nil {
			errParts = parts.add(b[i:])
		}
		if err != errParts || err == nil && (whole.state != parts.state || whole.padding != parts.padding || whole.baton != parts.baton) {
			t.Fatalf("%x: %+v, %v; cut at %d: %+v, %v", b, whole, err, i, parts, errParts)
		}
		if len(whole.length) > 8 {
			t.Fatalf("%x: keeps %d bytes", b, len(whole.length))
		}
		baton, err := parseMessage(b)
		if err == nil && baton != b[len(b)-1] {
			t.Fatalf("%x: baton %d", b, baton)
		}
	})
}
