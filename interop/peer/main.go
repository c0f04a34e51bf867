package peer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Paths of a server.
const (
	pathServe   = "/serve"
	pathRefused = "/refused"
	pathMissing = "/missing"
	pathPage    = "/page"
)

const (
	refusedStatus = http.StatusTooManyRequests
	pageContent   = "a page\n"
)

// timeout bounds each end's part in a case.
const timeout = 20 * time.Second

// Address is where a server is, as it prints it on its first line.
type Address struct {
	UDP         string
	Certificate []byte // DER
}

// Result is what an end prints when its part in a case is over.
type Result struct {
	Failure string // "" if there is none
}

// Main is the program of an implementation:
//
//	PROGRAM serve PEER CASE            prints an Address, then a Result
//	PROGRAM dial PEER CASE ADDRESS     prints a Result
//	PROGRAM measure NAME [flow]        prints a Measurement
//
// What it prints is JSON, a value a line. Either end keeps its connections
// until its standard input ends, so that none is closed before the other end has seen all.
func Main(i Implementation) {
	flag.Parse()
	var err error
	switch args := flag.Args(); {
	case len(args) == 3 && args[0] == "serve":
		err = runServer(i, args[1], args[2])
	case len(args) == 4 && args[0] == "dial":
		err = runClient(i, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "measure":
		err = runMeasurement(i, args[1], false)
	case len(args) == 3 && args[0] == "measure" && args[2] == "flow":
		err = runMeasurement(i, args[1], true)
	default:
		err = errors.New("usage: serve PEER CASE | dial PEER CASE ADDRESS | measure NAME [flow]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, i.Name()+":", err)
		os.Exit(1)
	}
}

func findCase(name string) (Case, error) {
	for _, c := range Cases() {
		if c.Name == name {
			c.Sessions, c.Config.Sessions = max(1, c.Sessions), max(1, c.Config.Sessions)
			return c, nil
		}
	}
	return Case{}, fmt.Errorf("no case %q", name)
}

func print(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// printResult prints how a part went, and waits for the other end.
func printResult(failure error) error {
	var result Result
	if failure != nil {
		result.Failure = failure.Error()
	}
	if err := print(result); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func runServer(i Implementation, peer, name string) error {
	c, err := findCase(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ends := make(chan error, c.Sessions)
	serve := func(s Session) {
		err := c.Server(ctx, &Server{Implementation: i, Peer: peer}, s)
		if err == nil {
			err = awaitOver(ctx, s) // the client ends its sessions, as it may still be reading
		}
		select {
		case ends <- err:
		default: // it is known by now how the case went
		}
	}
	address, stop, err := listen(i, c.Config, serve)
	if err != nil {
		return err
	}
	defer stop()
	if err := print(address); err != nil {
		return err
	}
	return printResult(firstFailure(ctx, ends, c.Sessions))
}

// awaitOver waits for the end of a session, however it ends.
func awaitOver(ctx context.Context, s Session) error {
	select {
	case <-s.Context().Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the client has not ended the session: %w", ctx.Err())
	}
}

// firstFailure waits for the ends of n sessions, or the first that failed.
func firstFailure(ctx context.Context, ends <-chan error, n int) error {
	for k := range n {
		select {
		case err := <-ends:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions were served: %w", k, n, ctx.Err())
		}
	}
	return nil
}

// listen serves on a socket of its own.
func listen(i Implementation, config Config, serve func(Session)) (Address, func(), error) {
	der, tlsConfig, err := newCertificate()
	if err != nil {
		return Address{}, nil, err
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return Address{}, nil, err
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != pathPage || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		io.WriteString(w, pageContent)
	})
	apps := map[string]Application{pathServe: {Serve: serve}, pathRefused: {Status: refusedStatus}}
	stop, err := i.Listen(socket, tlsConfig, config, apps, page)
	if err != nil {
		return Address{}, nil, fmt.Errorf("listening: %w", err)
	}
	return Address{UDP: socket.LocalAddr().String(), Certificate: der}, func() {
		stop()
		socket.Close()
	}, nil
}

func runClient(i Implementation, peer, name, server string) error {
	c, err := findCase(name)
	if err != nil {
		return err
	}
	var address Address
	if err := json.Unmarshal([]byte(server), &address); err != nil {
		return fmt.Errorf("reading the server's address: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	client, err := newClient(i, peer, c.Config, address)
	if err != nil {
		return err
	}
	defer client.close()
	return printResult(c.Client(ctx, client))
}

func newClient(i Implementation, peer string, config Config, address Address) (*Client, error) {
	tlsConfig, err := trusting(address.Certificate)
	if err != nil {
		return nil, err
	}
	return &Client{Implementation: i, Peer: peer, url: "https://" + address.UDP, tls: tlsConfig, config: config}, nil
}

func (c *Client) close() {
	var closing sync.WaitGroup
	for _, f := range c.closes {
		closing.Go(f)
	}
	closing.Wait()
}
