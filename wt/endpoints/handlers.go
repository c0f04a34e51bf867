package endpoints

import (
	"errors"
	"io"
	"sync"

	"github.com/wtsim/wtsim/wt"
)

// handlers serve what a client opens and sends. Streams without a handler are
// read and forgotten, and so are datagrams.
type handlers struct {
	stream   func(*wt.Stream)
	uni      func(*wt.ReceiveStream)
	datagram func([]byte)
}

// serve runs the handlers, each stream's on a goroutine of its own, until the
// session has ended and they have returned. QUIC's limit on streams is that of goroutines.
func (h handlers) serve(s *wt.Session) {
	ctx := s.Context()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for {
			st, err := s.AcceptStream(ctx)
			if err != nil {
				return
			}
			if h.stream == nil {
				st.Close()
				wg.Go(func() { io.Copy(io.Discard, st) })
				continue
			}
			wg.Go(func() { h.stream(st) })
		}
	})
	wg.Go(func() {
		for {
			st, err := s.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			if h.uni == nil {
				wg.Go(func() { io.Copy(io.Discard, st) })
				continue
			}
			wg.Go(func() { h.uni(st) })
		}
	})
	for {
		b, err := s.ReceiveDatagram(ctx)
		if err != nil {
			return
		}
		if h.datagram != nil {
			h.datagram(b)
		}
	}
}

type sender interface {
	io.WriteCloser
	CancelWrite(code uint32)
}

type receiver interface {
	io.Reader
	CancelRead(code uint32)
}

// copyBytes is what a stream that is copied holds, in bytes. A connection has thousands of them.
const copyBytes = 8 << 10

// pass copies a stream to another, with its end or its reset. If the reader
// of the copy wants no more, neither does pass.
func pass(dst sender, src receiver) {
	if _, err := io.CopyBuffer(dst, src, make([]byte, copyBytes)); err != nil {
		code := codeOf(err)
		dst.CancelWrite(code)
		src.CancelRead(code)
		return
	}
	dst.Close()
}

// codeOf returns the application's code of a stream's error, 0 if there is none.
func codeOf(err error) uint32 {
	if e, ok := errors.AsType[*wt.StreamError](err); ok {
		return e.Code
	}
	return 0
}
