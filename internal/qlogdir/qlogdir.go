// Package qlogdir writes the qlog of connections into a folder.
package qlogdir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"sync"

	"github.com/quic-go/quic-go"
	http3qlog "github.com/quic-go/quic-go/http3/qlog"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// Dir is a folder of qlog files, one a connection, named ID_client.sqlog or
// ID_server.sqlog after the client's first destination connection ID.
type Dir struct {
	path string
	open sync.WaitGroup // files
}

// New makes the folder, unless it is there.
func New(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("folder of qlog files: %w", err)
	}
	return &Dir{path: path}, nil
}

// Trace begins the file of a connection; it is the Tracer of a quic.Config. A
// connection whose file cannot be created goes without, which is logged.
func (d *Dir) Trace(_ context.Context, isClient bool, id quic.ConnectionID) qlogwriter.Trace {
	side := "server"
	if isClient {
		side = "client"
	}
	f, err := os.Create(filepath.Join(d.path, fmt.Sprintf("%s_%s.sqlog", id, side)))
	if err != nil {
		log.Printf("qlog: %v", err)
		return nil
	}
	d.open.Add(1)
	trace := begin(&file{bufio.NewWriter(f), f, d.open.Done}, isClient, id)
	go trace.Run() // until the connection is done with the file and closes it
	return trace
}

// begin writes the beginning of a file. Before v0.65.0 quic-go has to be told the
// schemas of the events: with both, 'wtsim ab' can compare such releases.
func begin(w io.WriteCloser, isClient bool, id quic.ConnectionID) *qlogwriter.FileSeq {
	switch f := any(qlogwriter.NewConnectionFileSeq).(type) {
	case func(io.WriteCloser, bool, quic.ConnectionID, []string) *qlogwriter.FileSeq:
		return f(w, isClient, id, []string{qlog.EventSchema, http3qlog.EventSchema})
	case func(io.WriteCloser, bool, quic.ConnectionID) *qlogwriter.FileSeq:
		return f(w, isClient, id)
	}
	panic(fmt.Sprintf("qlogwriter.NewConnectionFileSeq is a %T", qlogwriter.NewConnectionFileSeq))
}

// Wait waits until the files of all connections that have ended are complete.
// No connection may begin or last any more.
func (d *Dir) Wait() { d.open.Wait() }

type file struct {
	*bufio.Writer
	f    *os.File
	done func()
}

func (w *file) Close() error {
	defer w.done()
	return errors.Join(w.Flush(), w.f.Close())
}
