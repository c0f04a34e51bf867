package wt

import (
	"testing"

	"pgregory.net/rapid"
)

func TestErrorCodesMapAsInTheDraft(t *testing.T) {
	for code, wire := range map[uint32]uint64{
		0: 0x52e4a40fa8db, 1: 0x52e4a40fa8dc, 7: 0x52e4a40fa8e2, 29: 0x52e4a40fa8f8, 30: 0x52e4a40fa8fa,
		42: 0x52e4a40fa906, 59: 0x52e4a40fa917, 60: 0x52e4a40fa919, 255: 0x52e4a40fa9e2, 256: 0x52e4a40fa9e3,
		0x7fffffff: 0x52e52853ed1e, 0xfffffffe: 0x52e5ac983161, 0xffffffff: 0x52e5ac983162,
	} {
		if got := uint64(wireCode(code)); got != wire {
			t.Errorf("code %d is %#x on the wire, want %#x", code, got, wire)
		}
		if got, ok := applicationCode(wire); !ok || got != code {
			t.Errorf("%#x is code %d, %v, want %d", wire, got, ok, code)
		}
	}
}

func TestCodesOutsideTheRangeAreNoApplicationCodes(t *testing.T) {
	for _, wire := range []uint64{
		0, h3NoError, codeSessionGone, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e4a40fa918, 0x52e5ac983163, 1<<62 - 1,
	} {
		if code, ok := applicationCode(wire); ok {
			t.Errorf("%#x maps to code %d, want none", wire, code)
		}
	}
}

func TestErrorCodesSurviveTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.Uint32().Draw(t, "code")
		wire := uint64(wireCode(code))
		if (wire-0x21)%0x1f == 0 {
			t.Fatalf("%d maps to the reserved code point %#x", code, wire)
		}
		if got, ok := applicationCode(wire); !ok || got != code {
			t.Fatalf("%d comes back as %d, %v", code, got, ok)
		}
	})
}

func TestEveryCodePointInTheRangeIsReservedOrMapsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wire := rapid.Uint64Range(firstApplicationCode, lastApplicationCode).Draw(t, "wire")
		code, ok := applicationCode(wire)
		if reserved := (wire-0x21)%0x1f == 0; ok == reserved {
			t.Fatalf("%#x: mapped %v, reserved %v", wire, ok, reserved)
		}
		if ok && uint64(wireCode(code)) != wire {
			t.Fatalf("%#x maps to %d and back to %#x", wire, code, uint64(wireCode(code)))
		}
	})
}
