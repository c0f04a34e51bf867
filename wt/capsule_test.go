package wt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/quic-go/quic-go/quicvarint"
	"pgregory.net/rapid"
)

func TestCloseCapsuleBytes(t *testing.T) {
	for _, test := range []struct {
		code   uint32
		reason string
		want   string
	}{
		{0, "", "68430400000000"},
		{42, "bye", "6843070000002a627965"},
	} {
		if got := hex.EncodeToString(appendClose(nil, test.code, test.reason)); got != test.want {
			t.Errorf("CLOSE_SESSION(%d, %q) is %s, want %s", test.code, test.reason, got, test.want)
		}
	}
}

// readClose skips capsules up to a CLOSE_SESSION.
func readClose(b []byte) (code uint32, reason string, err error) {
	r := newCapsuleReader(iotest.OneByteReader(bytes.NewReader(b)))
	for {
		typ, length, err := r.next()
		if err != nil {
			return 0, "", err
		}
		if typ == capsuleClose {
			return r.parseClose(length)
		}
	}
}

func capsule(typ uint64, value string) []byte {
	b := quicvarint.Append(nil, typ)
	b = quicvarint.Append(b, uint64(len(value)))
	return append(b, value...)
}

func TestMalformedCapsules(t *testing.T) {
	for name, b := range map[string][]byte{
		"a CLOSE_SESSION without a code":              capsule(capsuleClose, "abc"),
		"a CLOSE_SESSION with a reason of 1025 bytes": capsule(capsuleClose, "\x00\x00\x00\x00"+strings.Repeat("x", 1025)),
		"a CLOSE_SESSION with a reason not in UTF-8":  capsule(capsuleClose, "\x00\x00\x00\x00\xff"),
		"the end of the stream inside a type":         {0x68},
		"the end of the stream before a length":       {0x68, 0x43},
		"the end of the stream inside a CLOSE":        appendClose(nil, 42, "bye")[:7],
		"the end of the stream inside a skipped one":  capsule(0x17, "grease")[:4],
	} {
		if _, _, err := readClose(b); !errors.Is(err, errCapsule) {
			t.Errorf("%s: error %v, want a malformed capsule", name, err)
		}
	}
}

func TestStreamEndsBetweenCapsules(t *testing.T) {
	for _, b := range [][]byte{nil, capsule(0x17, "grease"), capsule(0x78ae, "")} {
		if _, _, err := readClose(b); err != io.EOF {
			t.Errorf("after %x: error %v, want io.EOF", b, err)
		}
	}
}

// endless is a reader of n zero bytes after a prefix.
func endless(prefix []byte, n int64) io.Reader {
	return io.MultiReader(bytes.NewReader(prefix), io.LimitReader(zeros{}, n))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestUnknownCapsulesAreSkippedWithoutStoringThem(t *testing.T) {
	const size = 1 << 24
	header := quicvarint.Append(quicvarint.Append(nil, 0x17), size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := newCapsuleReader(io.MultiReader(endless(header, size), bytes.NewReader(appendClose(nil, 1, ""))))
	if _, _, err := r.next(); err != nil {
		t.Fatal(err)
	}
	if typ, _, err := r.next(); err != nil || typ != capsuleClose {
		t.Fatal(typ, err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size/100 {
		t.Errorf("skipping %d bytes allocated %d", size, allocated)
	}
}

func TestCloseCapsulesSurviveTheRoundTripAmongOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.Uint32().Draw(t, "code")
		reason := closeReason(rapid.String().Draw(t, "reason"))
		var b []byte
		for _, value := range rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "others") {
			b = append(b, capsule(0x29*rapid.Uint64Range(0, 1<<40).Draw(t, "n")+0x17, value)...)
		}
		gotCode, gotReason, err := readClose(appendClose(b, code, reason))
		if err != nil || gotCode != code || gotReason != reason {
			t.Fatalf("got %d, %q, %v", gotCode, gotReason, err)
		}
	})
}

func TestCloseReasonsAreCutBetweenCodePoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reason := strings.Repeat("x", rapid.IntRange(1000, 1024).Draw(t, "n")) + rapid.String().Draw(t, "tail")
		got := closeReason(reason)
		if len(got) > maxReason || !utf8.ValidString(got) || !strings.HasPrefix(reason, got) {
			t.Fatalf("%q became %q", reason, got)
		}
		if len(reason) > maxReason && len(got) < maxReason-utf8.UTFMax+1 {
			t.Fatalf("%d bytes are left of %d", len(got), len(reason))
		}
	})
}

func FuzzCapsules(f *testing.F) {
	f.Add(appendClose(nil, 42, "bye"))
	f.Add(append(capsule(0x17, "grease"), capsule(capsuleDatagram, "datagram")...))
	f.Add([]byte{0x99, 0x0b, 0x4d, 0x3d, 0x04, 0x80, 0x01, 0x00, 0x00})
	f.Add([]byte{0x17, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		code, reason, err := readClose(b)
		if err != nil {
			if err != io.EOF && !errors.Is(err, errCapsule) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		if !bytes.Contains(b, appendClose(nil, code, reason)[6:]) {
			t.Fatalf("%d, %q is not in the input", code, reason)
		}
	})
}
