package wt

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestExporterContextIsThatOfTheDraft(t *testing.T) {
	for _, test := range []struct{ label, context, want string }{
		{"abc", "xyz", "0000000000000004" + "03" + "616263" + "03" + "78797a"},
		{"a", "", "0000000000000004" + "01" + "61" + "00"},
	} {
		got, err := exporterContext(4, test.label, []byte(test.context))
		if err != nil || hex.EncodeToString(got) != test.want {
			t.Errorf("context of %q and %q is %x, %v, want %s", test.label, test.context, got, err, test.want)
		}
	}
	longest := strings.Repeat("x", 255)
	if got, err := exporterContext(1<<60, longest, []byte(longest)); err != nil || len(got) != 8+1+255+1+255 || got[0] != 0x10 {
		t.Errorf("context of 255 bytes each is %x, %v", got, err)
	}
	for _, test := range []struct{ label, context string }{{"", ""}, {longest + "x", ""}, {"x", longest + "x"}} {
		if _, err := exporterContext(0, test.label, []byte(test.context)); err == nil {
			t.Errorf("a label of %d bytes and a context of %d are accepted", len(test.label), len(test.context))
		}
	}
}

func TestBothEndsExportTheSameKeyingMaterialForASession(t *testing.T) {
	type export struct {
		material []byte
		err      error
	}
	var exported chan export
	server := &Server{MaxSessions: 2}
	server.Handle("/", Application{Serve: func(s *Session) {
		b, err := s.ExportKeyingMaterial("label", []byte("context"), 40)
		exported <- export{b, err}
		<-s.Context().Done()
	}})
	inWorld(t, server, nil, func(w *world) {
		exported = make(chan export, 2)
		c := w.dial(&ClientConfig{MaxSessions: 2})
		var ours [][]byte
		for range 2 {
			s := w.open(c, "/")
			material, err := s.ExportKeyingMaterial("label", []byte("context"), 40)
			if err != nil {
				t.Fatal(err)
			}
			theirs := <-exported
			if theirs.err != nil || len(material) != 40 || !bytes.Equal(material, theirs.material) {
				t.Errorf("client exported %x, server %x, %v", material, theirs.material, theirs.err)
			}
			ours = append(ours, material)
			for _, length := range []int{-1, maxExport + 1} {
				if _, err := s.ExportKeyingMaterial("label", nil, length); err == nil {
					t.Errorf("exported %d bytes", length)
				}
			}
			other, _ := s.ExportKeyingMaterial("label", nil, 40)
			if bytes.Equal(other, material) {
				t.Error("the context makes no difference")
			}
		}
		if bytes.Equal(ours[0], ours[1]) {
			t.Error("two sessions export the same")
		}
		c.Close()
	})
}
