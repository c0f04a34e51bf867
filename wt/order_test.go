package wt

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// What a client sends at the start of a session may arrive in any order
// (draft-ietf-webtrans-http3-16, section 4.6).
func TestSessionsBeginInWhateverOrderTheirPartsArrive(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		parts := []string{"SETTINGS", "CONNECT", "bidirectional stream", "unidirectional stream", "datagram"}
		permutations(parts, func(order []string) {
			if len(order) < len(parts) {
				return
			}
			c := &wireClient{w: w, quic: w.dialQUIC()}
			defer c.close()
			control, err := c.quic.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			uni, err := c.quic.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			connect, bidi := c.request(), c.request() // opened, and nothing sent
			id := uint64(connect.StreamID())
			want := append(varints(streamTypeWebTransport, id), "unidirectional"...)
			for _, part := range order {
				switch part {
				case "SETTINGS":
					control.Write(append(varints(streamTypeControl), draft16Settings()...))
				case "CONNECT":
					connect.Write(connectHeaders(protocolH3, "/echo"))
				case "bidirectional stream":
					bidi.Write(append(varints(frameWebTransport, id), "bidirectional"...))
					bidi.Close()
				case "unidirectional stream":
					uni.Write(want)
					uni.Close()
				case "datagram":
					c.quic.SendDatagram(append(varints(id/4), "datagram"...))
				}
				time.Sleep(time.Millisecond)
			}
			c.accepted(connect)
			if got, err := io.ReadAll(bidi); err != nil || string(got) != "bidirectional" {
				t.Errorf("%v: bidirectional stream echoed %q, %v", order, got, err)
			}
			if got := c.dataStream(); !bytes.Equal(got, want) {
				t.Errorf("%v: unidirectional stream echoed %q", order, got)
			}
			if got, err := c.quic.ReceiveDatagram(w.ctx); err != nil || !bytes.Equal(got, append(varints(id/4), "datagram"...)) {
				t.Errorf("%v: datagram echoed %q, %v", order, got, err)
			}
		})
	})
}
