package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// closings are twenty ways to close a session.
var closings = func() []SessionError {
	all := []SessionError{
		{Code: 0, Reason: ""},
		{Code: 0, Reason: "no error"},
		{Code: 42, Reason: "bye"},
		{Code: 0xff, Reason: "größer"},
		{Code: 0x7fffffff, Reason: strings.Repeat("r", 1024)},
		{Code: 0xffffffff, Reason: strings.Repeat("€", 341)},
	}
	for code := uint32(1); len(all) < 20; code *= 7 {
		all = append(all, SessionError{Code: code, Reason: fmt.Sprintf("reason %d", code)})
	}
	for k := range all {
		all[k].Remote = true // as the other end sees it
	}
	return all
}()

var closeCases = []Case{
	{
		Name:     "the client's close codes and reasons arrive, 20 of 20",
		Sessions: len(closings),
		Client: func(ctx context.Context, c *Client) error {
			for k, closing := range closings {
				s, str, err := openNumbered(ctx, c, k)
				if err != nil {
					return err
				}
				if err := expectByte(str, byte(k)); err != nil {
					return err
				}
				s.Close(closing.Code, closing.Reason)
			}
			return nil
		},
		Server: func(ctx context.Context, e *Server, s Session) error {
			str, k, err := acceptNumbered(ctx, s)
			if err != nil {
				return err
			}
			if _, err := str.Write([]byte{byte(k)}); err != nil {
				return err
			}
			return seeClose(e, s, str, closings[k])
		},
	},
	{
		Name:     "the server's close codes and reasons arrive, 20 of 20",
		Sessions: len(closings),
		Client: func(ctx context.Context, c *Client) error {
			for k, closing := range closings {
				s, str, err := openNumbered(ctx, c, k)
				if err != nil {
					return err
				}
				if err := seeClose(c, s, str, closing); err != nil {
					return err
				}
			}
			return nil
		},
		Server: func(ctx context.Context, _ *Server, s Session) error {
			_, k, err := acceptNumbered(ctx, s)
			if err != nil {
				return err
			}
			s.Close(closings[k].Code, closings[k].Reason)
			return nil
		},
	},
	{
		Name:     "close codes arrive from clients that close the connection too",
		Sessions: len(closings),
		Client: func(ctx context.Context, c *Client) error {
			for _, closing := range closings {
				s, err := c.DialSession(ctx, c.url+pathServe, c.tls, c.config)
				if err != nil {
					return err
				}
				if err := exchange(ctx, s, 0, 100); err != nil {
					return err
				}
				s.Close(closing.Code, closing.Reason)
			}
			return nil
		},
		Server: func(ctx context.Context, e *Server, s Session) error {
			if err := echoStreams(1)(ctx, e, s); err != nil {
				return err
			}
			if err := awaitOver(ctx, s); err != nil {
				return err
			}
			err := s.Err()
			if end, ok := errors.AsType[*SessionError](e.Translate(err)); ok && end.Remote && slices.Contains(closings, *end) {
				return nil
			}
			if e.Peer == "webtransport-go" {
				return notClean(e, err) // it closes the connection before the code is acknowledged
			}
			return fmt.Errorf("the session ended with %w", err)
		},
	},
	{
		Name: "a reason that is too long is cut between characters",
		Client: oneSession(func(_ context.Context, _ *Client, s Session) error {
			s.Close(7, strings.Repeat("€", 400))
			return nil
		}),
		Server: func(ctx context.Context, e *Server, s Session) error {
			_, err := s.AcceptStream(ctx)
			return closedWith(e, err, 7, strings.Repeat("€", 341))
		},
	},
	{
		Name: "the end of the connection ends its sessions",
		Client: func(ctx context.Context, c *Client) error {
			conn, err := c.Conn(ctx)
			if err != nil {
				return err
			}
			if _, err := c.Open(ctx, conn, pathServe, nil); err != nil {
				return err
			}
			conn.Close()
			return nil
		},
		Server: func(ctx context.Context, e *Server, s Session) error {
			_, err := s.AcceptStream(ctx)
			if e.Peer == "webtransport-go" {
				return notClean(e, err)
			}
			return closedWith(e, err, 0, "") // it closes its sessions first
		},
	},
}

// openNumbered opens a session and a stream that says which of many it is.
func openNumbered(ctx context.Context, c *Client, k int) (Session, Stream, error) {
	s, err := c.Session(ctx)
	if err != nil {
		return nil, nil, err
	}
	str, err := s.OpenStream(ctx)
	if err != nil {
		return nil, nil, err
	}
	_, err = str.Write([]byte{byte(k)})
	return s, str, err
}

func acceptNumbered(ctx context.Context, s Session) (Stream, int, error) {
	str, err := s.AcceptStream(ctx)
	if err != nil {
		return nil, 0, err
	}
	number := make([]byte, 1)
	if _, err := io.ReadFull(str, number); err != nil {
		return nil, 0, err
	}
	return str, int(number[0]), nil
}

func expectByte(r io.Reader, want byte) error {
	got := make([]byte, 1)
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	if got[0] != want {
		return fmt.Errorf("read byte %d, want %d", got[0], want)
	}
	return nil
}

// seeClose waits in a read, which must fail as the session ends.
func seeClose(i Implementation, s Session, str Stream, closing SessionError) error {
	_, err := str.Read(make([]byte, 1))
	if err := closedWith(i, err, closing.Code, closing.Reason); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	return closedWith(i, s.Err(), closing.Code, closing.Reason)
}

// notClean reports an error unless a session ended other than by being closed.
func notClean(i Implementation, err error) error {
	if err == nil {
		return errors.New("the session has not ended")
	}
	if e, ok := errors.AsType[*SessionError](i.Translate(err)); ok {
		return fmt.Errorf("the session ended with %q", e)
	}
	return nil
}
