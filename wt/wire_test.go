package wt

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
	"golang.org/x/net/http2/hpack"
)

// wireClient is a client down to its control stream and QPACK: it sends just
// the bytes that it is told to.
type wireClient struct {
	w       *world
	quic    *quic.Conn
	control chan *quic.ReceiveStream // the server's, after its type
}

// dialWire connects, and sends a control stream with the given frames.
func (w *world) dialWire(control ...[]byte) *wireClient {
	w.t.Helper()
	c := &wireClient{w: w, quic: w.dialQUIC(), control: make(chan *quic.ReceiveStream, 1)}
	str, err := c.quic.OpenUniStream()
	if err != nil {
		w.t.Fatal(err)
	}
	str.Write(slices.Concat(varints(streamTypeControl), slices.Concat(control...)))
	return c
}

func (c *wireClient) close() { c.quic.CloseWithError(h3NoError, "") }

// serverSettings reads the server's SETTINGS.
func (c *wireClient) serverSettings() map[uint64]uint64 {
	c.w.t.Helper()
	str, err := c.quic.AcceptUniStream(c.w.ctx)
	if err != nil {
		c.w.t.Fatal(err)
	}
	r := quicvarint.NewReader(str)
	if typ, err := quicvarint.Read(r); err != nil || typ != streamTypeControl {
		c.w.t.Fatalf("stream of type %d, %v, want the control stream", typ, err)
	}
	typ, payload := readFrame(c.w.t, r)
	if typ != frameSettings {
		c.w.t.Fatalf("frame of type %d, want SETTINGS", typ)
	}
	settings := make(map[uint64]uint64)
	for len(payload) > 0 {
		id, n, _ := quicvarint.Parse(payload)
		value, m, _ := quicvarint.Parse(payload[n:])
		settings[id], payload = value, payload[n+m:]
	}
	return settings
}

func readFrame(t *testing.T, r quicvarint.Reader) (typ uint64, payload []byte) {
	t.Helper()
	typ, err := quicvarint.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	length, err := quicvarint.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return typ, payload
}

// headers is a HEADERS frame of the given names and values, each a literal
// field line of QPACK (RFC 9204, section 4.5.6) after an empty prefix.
func headers(fields ...string) []byte {
	block := []byte{0, 0}
	for field := range slices.Chunk(fields, 2) {
		if n := byte(len(field[0])); n < 7 {
			block = append(block, 0x20|n)
		} else {
			block = append(block, 0x27, n-7)
		}
		block = append(append(block, field[0]...), byte(len(field[1])))
		block = append(block, field[1]...)
	}
	return frame(frameHeaders, block)
}

// connectHeaders is the HEADERS frame of a CONNECT request for a session.
func connectHeaders(token, path string, fields ...string) []byte {
	return headers(append([]string{
		":method", "CONNECT", ":protocol", token, ":scheme", "https", ":authority", "server", ":path", path,
	}, fields...)...)
}

// request opens a stream and writes to it.
func (c *wireClient) request(b ...[]byte) *quic.Stream {
	c.w.t.Helper()
	str, err := c.quic.OpenStreamSync(c.w.ctx)
	if err != nil {
		c.w.t.Fatal(err)
	}
	str.Write(slices.Concat(b...))
	return str
}

// accepted reads the answer to a request, which must be status 200, and
// returns its field section.
func (c *wireClient) accepted(str *quic.Stream) []byte {
	c.w.t.Helper()
	typ, block := readFrame(c.w.t, quicvarint.NewReader(str))
	if typ != frameHeaders || !bytes.HasPrefix(block, okBlock) {
		c.w.t.Fatalf("answered with frame %d of %x, want HEADERS with status 200", typ, block)
	}
	return block
}

// contains reports whether a field section has a literal field line of the
// given name and value.
func contains(block []byte, name, value string) bool {
	encoded := hpack.AppendHuffmanString(nil, name)
	encoded = append(encoded, 0x80|byte(hpack.HuffmanEncodeLength(value)))
	return bytes.Contains(block, hpack.AppendHuffmanString(encoded, value))
}

// dataStream reads the next unidirectional stream of the server that is not one of HTTP/3's own.
func (c *wireClient) dataStream() []byte {
	c.w.t.Helper()
	for {
		str, err := c.quic.AcceptUniStream(c.w.ctx)
		if err != nil {
			c.w.t.Fatal(err)
		}
		first := make([]byte, 1)
		if _, err := str.Peek(first); err != nil || first[0] < 0x40 {
			continue
		}
		b, err := io.ReadAll(str)
		if err != nil {
			c.w.t.Fatal(err)
		}
		return b
	}
}

// echoes checks that the server echoes on every channel of a session.
func (c *wireClient) echoes(session quic.StreamID) {
	t, id := c.w.t, uint64(session)
	t.Helper()
	bidi := c.request(varints(frameWebTransport, id), []byte("bidirectional"))
	bidi.Close()
	if got, err := io.ReadAll(bidi); err != nil || string(got) != "bidirectional" {
		t.Errorf("bidirectional stream echoed %q, %v", got, err)
	}
	uni, err := c.quic.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	uni.Write(append(varints(streamTypeWebTransport, id), "unidirectional"...))
	uni.Close()
	want := append(varints(streamTypeWebTransport, id), "unidirectional"...)
	if got := c.dataStream(); !bytes.Equal(got, want) {
		t.Errorf("unidirectional stream echoed %q", got)
	}
	c.quic.SendDatagram(append(varints(id/4), "datagram"...))
	if got, err := c.quic.ReceiveDatagram(context.Background()); err != nil || !bytes.Equal(got, append(varints(id/4), "datagram"...)) {
		t.Errorf("datagram echoed %q, %v", got, err)
	}
}
