package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// A Case is what two ends do with each other, and what each must see of the
// other. Each function checks its own end, and returns what is wrong there.
type Case struct {
	// Name is a sentence that holds if the case passes.
	Name   string
	Config Config
	// Sessions is how many sessions the client opens (1).
	Sessions int
	// Client is the client's part.
	Client func(context.Context, *Client) error
	// Server is the server's part in each session that is accepted.
	Server func(context.Context, *Server, Session) error
}

// Cases returns all cases.
func Cases() []Case {
	return slices.Concat(transferCases, streamCases, closeCases, datagramCases, requestCases, limitCases)
}

// Client is a client in a case.
type Client struct {
	Implementation
	// Peer is the name of the server's implementation.
	Peer string

	url    string
	tls    *tls.Config
	config Config
	closes []func()
}

// Conn opens a connection, which lasts as long as the case.
func (c *Client) Conn(ctx context.Context) (Conn, error) {
	conn, err := c.Dial(ctx, strings.TrimPrefix(c.url, "https://"), c.tls, c.config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	c.closes = append(c.closes, conn.Close)
	return conn, nil
}

// Session opens a session on a connection of its own.
func (c *Client) Session(ctx context.Context) (Session, error) {
	conn, err := c.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, conn, pathServe, nil)
}

// Open opens a session on a connection.
func (c *Client) Open(ctx context.Context, conn Conn, path string, header http.Header) (Session, error) {
	s, err := conn.Open(ctx, c.url+path, header)
	if err != nil {
		return nil, fmt.Errorf("opening a session: %w", err)
	}
	return s, nil
}

// Server is a server in a case.
type Server struct {
	Implementation
	// Peer is the name of the client's implementation.
	Peer string
}

// oneSession is the client's part of a case with one session, which it closes.
func oneSession(f func(context.Context, *Client, Session) error) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		s, err := c.Session(ctx)
		if err != nil {
			return err
		}
		if err := f(ctx, c, s); err != nil {
			return err
		}
		s.Close(0, "")
		return nil
	}
}

// byClient is a case with one session in which the client acts and the server
// sees it, byServer one the other way round. Who acts closes the session.
func byClient(name string, act func(context.Context, Session) error, see func(context.Context, Implementation, Session) error) Case {
	return Case{
		Name:   name,
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error { return act(ctx, s) }),
		Server: func(ctx context.Context, e *Server, s Session) error { return see(ctx, e, s) },
	}
}

func byServer(name string, act func(context.Context, Session) error, see func(context.Context, Implementation, Session) error) Case {
	return Case{
		Name:   name,
		Client: oneSession(func(ctx context.Context, e *Client, s Session) error { return see(ctx, e, s) }),
		Server: func(ctx context.Context, _ *Server, s Session) error {
			if err := act(ctx, s); err != nil {
				return err
			}
			s.Close(0, "")
			return nil
		},
	}
}

// closedWith reports an error unless a session ended with the code and reason of the peer.
func closedWith(i Implementation, err error, code uint32, reason string) error {
	want := SessionError{Code: code, Reason: reason, Remote: true}
	if got, ok := errors.AsType[*SessionError](i.Translate(err)); !ok || *got != want {
		return fmt.Errorf("the session ended with %q, want %q", err, want.Error())
	}
	return nil
}

// cancelledWith reports an error unless a stream ended with the code of the peer.
func cancelledWith(i Implementation, err error, code uint32) error {
	want := StreamError{Code: code, Remote: true}
	if got, ok := errors.AsType[*StreamError](i.Translate(err)); !ok || *got != want {
		return fmt.Errorf("the stream ended with %q, want %q", fmt.Sprint(err), want.Error())
	}
	return nil
}

// send writes a message and the end of the stream.
func send(w io.WriteCloser, message []byte) error {
	if _, err := w.Write(message); err != nil {
		return fmt.Errorf("sending %d bytes: %w", len(message), err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("ending a stream: %w", err)
	}
	return nil
}

// expect reads to the end of a stream, which must carry just the message.
func expect(r io.Reader, message []byte) error {
	got, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("reading after %d bytes: %w", len(got), err)
	}
	if !bytes.Equal(got, message) {
		return fmt.Errorf("read %d bytes that are not the %d expected", len(got), len(message))
	}
	return nil
}

// content returns n bytes that tell from others where they begin.
func content(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}
