package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// small are limits of flow control that all the cases here exceed many times.
var small = Config{Streams: 4, Data: 64 << 10}

var limitCases = []Case{
	{
		Name:   "more data than a session's window goes through a stream, each way",
		Config: small,
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error {
			return exchange(ctx, s, 0, 4<<20)
		}),
		Server: echoStreams(1),
	},
	{
		Name:   "more streams than a session's limit go through one after the other",
		Config: small,
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error {
			for k := range 50 {
				if err := exchange(ctx, s, k, 10_000); err != nil {
					return err
				}
			}
			return nil
		}),
		Server: echoStreams(50),
	},
	{
		Name:   "more streams than a session's limit wait for their turn",
		Config: small,
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error {
			return all(upTo(50), func(k int) error { return exchange(ctx, s, k, 100_000) })
		}),
		Server: echoStreams(50),
	},
	{
		Name:   "the bytes of streams that are reset do not count for ever",
		Config: small,
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error {
			for range 20 {
				str, err := s.OpenStream(ctx)
				if err != nil {
					return err
				}
				if _, err := str.Write(content(0, 32<<10)); err != nil {
					return err
				}
				if err := expectByte(str, 1); err != nil {
					return err
				}
				str.CancelWrite(1)
			}
			return exchange(ctx, s, 0, 1<<20)
		}),
		Server: func(ctx context.Context, e *Server, s Session) error {
			for range 20 {
				str, err := s.AcceptStream(ctx)
				if err != nil {
					return err
				}
				if err := send(str, []byte{1}); err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, str)
				if err := cancelledWith(e, err, 1); err != nil {
					return err
				}
			}
			return echoStreams(1)(ctx, e, s)
		},
	},
	{
		Name:     "sessions share a connection and end on their own",
		Config:   Config{Streams: small.Streams, Data: small.Data, Sessions: pooled},
		Sessions: pooled,
		Client:   poolSessions,
		Server: func(ctx context.Context, e *Server, s Session) error {
			if err := echoStreams(1)(ctx, e, s); err != nil {
				return err
			}
			_, err := s.AcceptStream(ctx)
			if end, ok := errors.AsType[*SessionError](e.Translate(err)); !ok || !end.Remote || end.Code >= pooled {
				return fmt.Errorf("the session ended with %w", err)
			}
			return nil
		},
	},
	{
		Name: "without flow control a connection carries one session",
		Client: func(ctx context.Context, c *Client) error {
			conn, err := c.Conn(ctx)
			if err != nil {
				return err
			}
			s, err := c.Open(ctx, conn, pathServe, nil)
			if err != nil {
				return err
			}
			if _, err := c.Open(ctx, conn, pathServe, nil); err == nil {
				return errors.New("a second session was opened")
			}
			if err := exchange(ctx, s, 0, 100); err != nil {
				return fmt.Errorf("the first session, after the second was refused: %w", err)
			}
			s.Close(0, "")
			return nil
		},
		Server: echoStreams(1),
	},
}

const pooled = 5

// poolSessions opens sessions on one connection. While the last one transfers
// more than its window, the others end, each with a code of its own.
func poolSessions(ctx context.Context, c *Client) error {
	conn, err := c.Conn(ctx)
	if err != nil {
		return err
	}
	sessions := make([]Session, pooled)
	for k := range sessions {
		if sessions[k], err = c.Open(ctx, conn, pathServe, nil); err != nil {
			return fmt.Errorf("session %d: %w", k, err)
		}
	}
	last := sessions[pooled-1]
	exchanged := make(chan error, 1)
	go func() { exchanged <- exchange(ctx, last, 0, 2<<20) }()
	for k, s := range sessions[:pooled-1] {
		if err := exchange(ctx, s, k, 200_000); err != nil {
			return fmt.Errorf("session %d: %w", k, err)
		}
		s.Close(uint32(k), "")
		if err := last.Context().Err(); err != nil {
			return fmt.Errorf("the last session ended with another: %w", last.Err())
		}
	}
	if err := <-exchanged; err != nil {
		return fmt.Errorf("the last session: %w", err)
	}
	last.Close(0, "")
	return nil
}

// exchange sends content on a stream and expects it back.
func exchange(ctx context.Context, s Session, k, size int) error {
	str, err := s.OpenStream(ctx)
	if err != nil {
		return fmt.Errorf("opening stream %d: %w", k, err)
	}
	sent := make(chan error, 1)
	go func() { sent <- send(str, content(k, size)) }()
	return errors.Join(expect(str, content(k, size)), <-sent)
}

// echoStreams sends back what comes in on n streams.
func echoStreams(n int) func(context.Context, *Server, Session) error {
	return func(ctx context.Context, _ *Server, s Session) error {
		echoed := make(chan error)
		for k := range n {
			str, err := s.AcceptStream(ctx)
			if err != nil {
				return fmt.Errorf("accepting stream %d: %w", k, err)
			}
			go func() {
				_, err := io.Copy(str, str)
				echoed <- errors.Join(err, str.Close())
			}()
		}
		for range n {
			if err := <-echoed; err != nil {
				return err
			}
		}
		return nil
	}
}
