package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

var requestCases = []Case{
	{
		Name: "a session that the application refuses is refused with its status",
		Client: func(ctx context.Context, c *Client) error {
			return refused(ctx, c, pathRefused, nil, refusedStatus)
		},
		Server: idle,
	},
	{
		Name: "a session that has no application is refused",
		Client: func(ctx context.Context, c *Client) error {
			status := http.StatusMethodNotAllowed
			if c.Peer == "webtransport-go" {
				status = http.StatusNotFound // what its application answers for unknown paths
			}
			return refused(ctx, c, pathMissing, nil, status)
		},
		Server: idle,
	},
	{
		Name: "a session from another origin is refused",
		Client: func(ctx context.Context, c *Client) error {
			status := http.StatusForbidden
			if c.Peer == "webtransport-go" {
				status = http.StatusInternalServerError // its application answers as it likes
			}
			return refused(ctx, c, pathServe, http.Header{"Origin": {"https://elsewhere.example"}}, status)
		},
		Server: idle,
	},
	{
		Name: "a session that is drained can be used",
		Client: oneSession(func(ctx context.Context, _ *Client, s Session) error {
			s.Drain()
			return exchange(ctx, s, 0, 1000)
		}),
		Server: func(ctx context.Context, e *Server, s Session) error {
			s.Drain()
			return echoStreams(1)(ctx, e, s)
		},
	},
	{
		Name: "requests and sessions share a connection",
		Client: func(ctx context.Context, c *Client) error {
			conn, err := c.Conn(ctx)
			if err != nil {
				return err
			}
			if err := c.getPage(ctx, conn); err != nil {
				return err
			}
			s, err := c.Open(ctx, conn, pathServe, nil)
			if err != nil {
				return err
			}
			if err := c.getPage(ctx, conn); err != nil {
				return err
			}
			s.Close(0, "")
			return nil
		},
		Server: idle,
	},
}

// idle is the part of a server that leaves everything to the client.
func idle(context.Context, *Server, Session) error { return nil }

// refused reports an error unless a session is refused with a status, and
// the connection can be used for another.
func refused(ctx context.Context, c *Client, path string, header http.Header, status int) error {
	conn, err := c.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = c.Open(ctx, conn, path, header)
	if e, ok := errors.AsType[*RefusedError](c.Translate(err)); !ok || e.Status != status {
		return fmt.Errorf("the session was opened with %v, want status %d", err, status)
	}
	s, err := c.Open(ctx, conn, pathServe, nil)
	if err != nil {
		return fmt.Errorf("after the refusal: %w", err)
	}
	s.Close(0, "")
	return nil
}

func (c *Client) getPage(ctx context.Context, conn Conn) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+pathPage, nil)
	if err != nil {
		return err
	}
	response, err := conn.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("asking for a page: %w", err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(b) != pageContent {
		return fmt.Errorf("the page is %q, with status %d, %w", b, response.StatusCode, err)
	}
	return nil
}
