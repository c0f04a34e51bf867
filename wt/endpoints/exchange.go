package endpoints

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"

	"github.com/wtsim/wtsim/wt"
)

var echo = endpoint{
	Path:    "/echo",
	Summary: "Bidirectional streams come back on the same stream, unidirectional ones on a new unidirectional stream,\ndatagrams as datagrams. A reset comes back as a reset with the same code.",
	open:    func(*query) func(*wt.Session) { return serveEcho },
}

func serveEcho(s *wt.Session) {
	handlers{
		stream: func(st *wt.Stream) { pass(st, st) },
		uni: func(src *wt.ReceiveStream) {
			dst, err := s.OpenUniStream(s.Context())
			if err != nil {
				return
			}
			pass(dst, src)
		},
		datagram: func(b []byte) { s.SendDatagram(b) },
	}.serve(s)
}

var sink = endpoint{
	Path:    "/sink",
	Summary: "Everything is read and forgotten. The end of a bidirectional stream is answered with the number of its bytes,\nin decimal digits.",
	open: func(*query) func(*wt.Session) {
		return handlers{stream: func(st *wt.Stream) {
			n, err := io.Copy(io.Discard, st)
			if err != nil {
				st.CancelWrite(codeOf(err))
				return
			}
			io.WriteString(st, strconv.FormatInt(n, 10))
			st.Close()
		}}.serve
	},
}

// The bounds of what a session of /source sends.
const (
	sourceBytes     = 1_000_000     // of a stream, unless the query says else
	sourceMostBytes = 1_000_000_000 // of all streams
	sourceStreams   = 1000
	sourceDatagram  = 1000 // bytes of a datagram
)

var source = endpoint{
	Path:    "/source",
	Summary: "The server sends: streams that end, or datagrams of 1000 bytes. The byte at offset n is n mod 256.",
	Parameters: []parameter{
		{Name: "bytes", Fallback: "1000000", Meaning: "bytes of each stream, or of all datagrams; of all streams at most 1000000000"},
		{Name: "streams", Fallback: "1", Meaning: "number of streams, 1 to 1000; none for datagrams"},
		{Name: "kind", Fallback: "uni", Meaning: "uni, bidi or datagram"},
	},
	open: func(q *query) func(*wt.Session) {
		kind := q.word("kind", "uni", "bidi", "datagram")
		streams := q.number("streams", 1, 1, sourceStreams)
		bytes := q.number("bytes", sourceBytes, 0, sourceMostBytes)
		if streams*bytes > sourceMostBytes {
			q.fail("%d streams of %d bytes are more than %d bytes", streams, bytes, sourceMostBytes)
		}
		if _, given := q.get("streams"); given && kind == "datagram" {
			q.fail("streams does not go with kind=datagram")
		}
		return func(s *wt.Session) { serveSource(s, kind, int(streams), int64(bytes)) }
	},
}

func serveSource(s *wt.Session, kind string, streams int, bytes int64) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if kind == "datagram" {
			sendDatagrams(s, bytes)
			return
		}
		for range streams {
			var dst sender
			var err error
			if kind == "bidi" {
				var st *wt.Stream
				if st, err = s.OpenStream(s.Context()); err == nil {
					wg.Go(func() { io.Copy(io.Discard, st) })
					dst = st
				}
			} else {
				dst, err = s.OpenUniStream(s.Context())
			}
			if err != nil {
				return
			}
			wg.Go(func() {
				if send(dst, bytes) == nil {
					dst.Close()
				}
			})
		}
	})
	handlers{}.serve(s)
}

// pattern is what sources send, again and again.
var pattern = func() []byte {
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

// send writes n bytes of the pattern.
func send(dst io.Writer, n int64) error {
	for n > 0 {
		m, err := dst.Write(pattern[:min(n, int64(len(pattern)))])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// sendDatagrams sends n bytes of the pattern, as fast as the connection takes them.
func sendDatagrams(s *wt.Session, n int64) {
	for at := int64(0); at < n; {
		size := min(n-at, sourceDatagram)
		begin := at % 256
		if s.SendDatagram(pattern[begin:begin+size]) != nil {
			return
		}
		at += size
	}
}

var reset = endpoint{
	Path:    "/reset",
	Summary: "Streams that the client opens are reset with the code, and it is asked to stop sending with it when a byte has arrived.",
	Parameters: []parameter{
		{Name: "code", Fallback: "0", Meaning: "application error code, 0 to 4294967295"},
	},
	open: func(q *query) func(*wt.Session) {
		code := uint32(q.number("code", 0, 0, math.MaxUint32))
		// Chromium loses the code of a stream that is stopped before anything of it was read.
		stop := func(st interface {
			io.Reader
			CancelRead(uint32)
		}) {
			st.Read(make([]byte, 1))
			st.CancelRead(code)
		}
		return handlers{
			stream: func(st *wt.Stream) {
				st.CancelWrite(code)
				stop(st)
			},
			uni: func(st *wt.ReceiveStream) { stop(st) },
		}.serve
	},
}

var headers = endpoint{
	Path:    "/headers",
	Summary: "One unidirectional stream brings a JSON object: method, protocol, authority, path and header of the request,\nthe draft it was taken for, and the settings of the client.",
	open: func(*query) func(*wt.Session) {
		return func(s *wt.Session) {
			r, settings := s.Request(), map[string]uint64{}
			for _, setting := range s.PeerSettings() {
				settings[setting.Name()] = setting.Value
			}
			sendJSON(s, struct {
				Method    string            `json:"method"`
				Protocol  string            `json:"protocol"`
				Authority string            `json:"authority"`
				Path      string            `json:"path"`
				Header    http.Header       `json:"header"`
				Draft     string            `json:"draft"`
				Settings  map[string]uint64 `json:"settings"`
			}{r.Method, r.Proto, r.Host, r.URL.RequestURI(), r.Header, s.Draft().String(), settings})
		}
	},
}

var protocols = endpoint{
	Path:    "/protocols",
	Summary: "The server chooses a subprotocol of those offered. One unidirectional stream brings a JSON object: offered, the\nfield of the request as it came, and protocol, which is empty if none was chosen.",
	open: func(*query) func(*wt.Session) {
		return func(s *wt.Session) {
			sendJSON(s, struct {
				Offered  []string `json:"offered"`
				Protocol string   `json:"protocol"`
			}{s.Request().Header.Values("WT-Available-Protocols"), s.Protocol()})
		}
	},
}

// sendJSON sends a value on a unidirectional stream, and waits for the end of the session.
func sendJSON(s *wt.Session, v any) {
	if st, err := s.OpenUniStream(s.Context()); err == nil {
		json.NewEncoder(st).Encode(v)
		st.Close()
	}
	handlers{}.serve(s)
}
