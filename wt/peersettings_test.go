package wt

import (
	"slices"
	"testing"

	"github.com/quic-go/quic-go/quicvarint"
)

func TestThePeersSettingsAreKeptInTheirOrder(t *testing.T) {
	s, err := parseSettings([]byte{0x33, 1, 0x80, 0xff, 0xd2, 0x77, 1, 0xac, 0x7c, 0xf0, 0, 1, 0x6b, 0x61, 0x40, 0x64, 0x21, 7})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, setting := range s.all {
		names = append(names, setting.Name())
	}
	if want := []Setting{{0x33, 1}, {0xffd277, 1}, {0x2c7cf000, 1}, {0x2b61, 100}, {0x21, 7}}; !slices.Equal(s.all, want) {
		t.Errorf("kept %v, want %v", s.all, want)
	}
	if want := []string{"H3_DATAGRAM", "H3_DATAGRAM (draft-04 of RFC 9297)", "WT_ENABLED (draft-15)", "WT_INITIAL_MAX_DATA", "0x21"}; !slices.Equal(names, want) {
		t.Errorf("their names are %q, want %q", names, want)
	}
}

func TestAFloodOfSettingsIsNotKept(t *testing.T) {
	var b []byte
	for id := range uint64(1000) {
		b = quicvarint.Append(quicvarint.Append(b, 0x1000+id), id)
	}
	s, err := parseSettings(b)
	if err != nil || len(s.all) != maxSettingsKept {
		t.Errorf("kept %d settings, %v", len(s.all), err)
	}
}
