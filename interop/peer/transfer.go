package peer

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The test cases of quic-interop-runner for WebTransport: one end asks for
// files with "GET name" and is sent them, on the same bidirectional stream, or
// as "PUSH name", a newline and the content on a unidirectional stream or in a datagram.
var transferCases = []Case{
	{
		Name:   "a subprotocol is agreed on",
		Config: Config{Protocols: []string{"proto-b", "proto-a"}},
		Client: oneSession(func(_ context.Context, _ *Client, s Session) error { return speaks(s, "proto-b") }),
		Server: func(_ context.Context, _ *Server, s Session) error { return speaks(s, "proto-b") },
	},
	byClient("the client fetches files on unidirectional streams", fetchOnUniStreams, serveFiles),
	byClient("the client fetches files on bidirectional streams", fetchOnStreams, serveFiles),
	byClient("the client fetches files in datagrams", fetchInDatagrams, serveFiles),
	byServer("the server fetches files on unidirectional streams", fetchOnUniStreams, serveFiles),
	byServer("the server fetches files on bidirectional streams", fetchOnStreams, serveFiles),
	byServer("the server fetches files in datagrams", fetchInDatagrams, serveFiles),
}

func speaks(s Session, protocol string) error {
	if got := s.Protocol(); got != protocol {
		return fmt.Errorf("the subprotocol is %q, want %q", got, protocol)
	}
	return nil
}

// A file's name is its size, which also determines its content.
var (
	fileSizes     = []int{0, 1, 1 << 10, 10 << 10, 100 << 10, 1 << 20}
	datagramSizes = []int{0, 1, 2, 10, 100, 500, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009}
)

func parseRequest(b []byte) (name string, data []byte, err error) {
	name, ok := strings.CutPrefix(string(b), "GET ")
	size, err := strconv.Atoi(name)
	if !ok || err != nil {
		return "", nil, fmt.Errorf("%q is no request", b)
	}
	return name, content(size, size), nil
}

func push(name string, data []byte) []byte { return append([]byte("PUSH "+name+"\n"), data...) }

func parsePush(b []byte) (size int, err error) {
	rest, ok := bytes.CutPrefix(b, []byte("PUSH "))
	name, data, found := bytes.Cut(rest, []byte("\n"))
	size, err = strconv.Atoi(string(name))
	switch {
	case !ok || !found || err != nil:
		return 0, fmt.Errorf("%.20q is no file", b)
	case !bytes.Equal(data, content(size, size)):
		return 0, fmt.Errorf("file %d arrived with %d other bytes", size, len(data))
	}
	return size, nil
}

// serveFiles answers all requests until the other end, which has what it asked
// for, closes the session.
func serveFiles(ctx context.Context, i Implementation, s Session) error {
	failed := make(chan error, 3)
	go func() {
		failed <- serveEach(ctx, s, s.AcceptStream, func(str Stream) error {
			_, data, err := readRequest(str)
			if err != nil {
				return err
			}
			return send(str, data)
		})
	}()
	go func() {
		failed <- serveEach(ctx, s, s.AcceptUniStream, func(str ReceiveStream) error {
			name, data, err := readRequest(str)
			if err != nil {
				return err
			}
			answer, err := s.OpenUniStream(ctx)
			if err != nil {
				return err
			}
			return send(answer, push(name, data))
		})
	}()
	go func() {
		failed <- serveEach(ctx, s, s.ReceiveDatagram, func(b []byte) error {
			name, data, err := parseRequest(b)
			if err != nil {
				return err
			}
			return s.SendDatagram(push(name, data))
		})
	}()
	if err := cmp.Or(<-failed, <-failed, <-failed); err != nil {
		return err
	}
	return closedWith(i, s.Err(), 0, "")
}

// serveEach serves the requests of one kind until the session ends.
func serveEach[T any](ctx context.Context, s Session, accept func(context.Context) (T, error), serve func(T) error) error {
	for {
		r, err := accept(ctx)
		if err != nil {
			return awaitOver(ctx, s)
		}
		if err := serve(r); err != nil {
			return err
		}
	}
}

func readRequest(r io.Reader) (name string, data []byte, err error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", nil, err
	}
	return parseRequest(b)
}

func request(size int) []byte { return []byte("GET " + strconv.Itoa(size)) }

// all runs f for each number at once, and returns the first error.
func all(numbers []int, f func(int) error) error {
	errs := make(chan error, len(numbers))
	for _, n := range numbers {
		go func() { errs <- f(n) }()
	}
	var first error
	for range numbers {
		first = cmp.Or(first, <-errs)
	}
	return first
}

// upTo returns the numbers below n.
func upTo(n int) []int {
	numbers := make([]int, n)
	for k := range numbers {
		numbers[k] = k
	}
	return numbers
}

func fetchOnStreams(ctx context.Context, s Session) error {
	return all(fileSizes, func(size int) error {
		str, err := s.OpenStream(ctx)
		if err != nil {
			return err
		}
		if err := send(str, request(size)); err != nil {
			return err
		}
		return expect(str, content(size, size))
	})
}

func fetchOnUniStreams(ctx context.Context, s Session) error {
	err := all(fileSizes, func(size int) error {
		str, err := s.OpenUniStream(ctx)
		if err != nil {
			return err
		}
		return send(str, request(size))
	})
	if err != nil {
		return err
	}
	arrived := make(map[int]bool)
	for range fileSizes {
		str, err := s.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		file, err := io.ReadAll(str)
		if err != nil {
			return err
		}
		size, err := parsePush(file)
		if err != nil {
			return err
		}
		arrived[size] = true
	}
	return expectFiles(arrived, fileSizes)
}

// fetchInDatagrams asks for a file at a time, so that no queue overflows.
func fetchInDatagrams(ctx context.Context, s Session) error {
	arrived := make(map[int]bool)
	for _, size := range datagramSizes {
		if err := s.SendDatagram(request(size)); err != nil {
			return err
		}
		file, err := s.ReceiveDatagram(ctx)
		if err != nil {
			return err
		}
		got, err := parsePush(file)
		if err != nil {
			return err
		}
		arrived[got] = true
	}
	return expectFiles(arrived, datagramSizes)
}

func expectFiles(arrived map[int]bool, sizes []int) error {
	for _, size := range sizes {
		if !arrived[size] {
			return fmt.Errorf("file %d has not arrived", size)
		}
	}
	return nil
}
