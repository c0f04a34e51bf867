package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// The names of exchanges.
const (
	onStreams    = "bidirectional streams"
	onUniStreams = "unidirectional streams"
	inDatagrams  = "datagrams"
	inBulk       = "bulk"
)

func (p *prober) exchange(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { p.session.Close(0, "interrupted") })
	defer stop()
	switch p.config.Run {
	case Echo:
		return p.echo()
	case Bulk:
		return p.bulk()
	case Wait:
		return p.wait()
	}
	return nil
}

// wait waits for the server to end the session.
func (p *prober) wait() error {
	timer := time.NewTimer(p.config.Timeout)
	defer timer.Stop()
	select {
	case <-p.session.Context().Done():
	case <-timer.C:
		return fmt.Errorf("the server has not ended the session within %v", p.config.Timeout)
	}
	end, _ := errors.AsType[*wt.SessionError](context.Cause(p.session.Context()))
	if end != nil && end.Clean && end.Remote {
		return nil
	}
	return context.Cause(p.session.Context())
}

func (p *prober) echo() error {
	for _, kind := range []struct {
		what string
		echo func(message []byte) (returned []byte, err error)
	}{{onStreams, p.echoStream}, {onUniStreams, p.echoUniStream}, {inDatagrams, p.echoDatagram}} {
		if err := p.echoAll(kind.what, kind.echo); err != nil {
			return fmt.Errorf("echo on %s: %w", kind.what, err)
		}
	}
	return nil
}

// echoAll sends messages one after the other and measures when they are back.
// Of datagrams, which may be lost, one at least has to return.
func (p *prober) echoAll(what string, echo func([]byte) ([]byte, error)) error {
	size := p.config.Size
	if what == inDatagrams {
		size = min(size, largestDatagram, p.session.MaxDatagramSize())
	}
	e := Exchange{What: what}
	var times []time.Duration
	began := time.Now()
	var err error
	for i := range p.config.Count {
		message := message(i, size)
		sent := time.Now()
		var got []byte
		e.Sent++
		got, err = echo(message)
		if errors.Is(err, errLost) {
			if len(times) == 0 && i >= mostLost-1 {
				break
			}
			err = nil
			continue
		}
		if err == nil && !bytes.Equal(got, message) {
			err = fmt.Errorf("%d bytes came back that are not the %d bytes of message %d", len(got), len(message), i+1)
		}
		if err != nil {
			break
		}
		times = append(times, time.Since(sent))
		e.Returned++
		e.Bytes += int64(len(got))
	}
	e.Elapsed = time.Since(began)
	if len(times) > 0 {
		slices.Sort(times)
		e.Min, e.Median, e.Max = times[0], times[len(times)/2], times[len(times)-1]
	}
	if err == nil && e.Returned == 0 {
		err = errLost
	}
	p.report.Exchanges = append(p.report.Exchanges, e)
	return err
}

// largestDatagram is the size of the largest datagram that is sent, in bytes: what fits
// into QUIC's smallest packets, so that the server can return it whatever it knows of the path's MTU.
const largestDatagram = 1000

// mostLost is how many datagrams may be lost in a row before any has returned.
const mostLost = 3

var errLost = errors.New("nothing came back")

// message returns a message of the given size that differs from the others
// in its first bytes.
func message(i, size int) []byte {
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(j)
	}
	copy(b, binary.BigEndian.AppendUint32(nil, uint32(i)))
	return b
}

func (p *prober) echoStream(message []byte) ([]byte, error) {
	ctx, cancel := p.timeout()
	defer cancel()
	st, err := p.session.OpenStream(ctx)
	if err != nil {
		return nil, p.explain(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { p.send(st, message) })
	got, err := p.read(st, len(message))
	if err != nil {
		st.CancelWrite(0)
		st.CancelRead(0)
	}
	return got, p.explain(err)
}

func (p *prober) echoUniStream(message []byte) ([]byte, error) {
	ctx, cancel := p.timeout()
	defer cancel()
	st, err := p.session.OpenUniStream(ctx)
	if err != nil {
		return nil, p.explain(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { p.send(st, message) })
	back, err := p.session.AcceptUniStream(ctx)
	var got []byte
	if err == nil {
		got, err = p.read(back, len(message))
	}
	if err != nil {
		st.CancelWrite(0)
	}
	return got, p.explain(err)
}

// datagramTime is how long to wait for a datagram, unless the timeout is shorter.
const datagramTime = time.Second

func (p *prober) echoDatagram(message []byte) ([]byte, error) {
	if err := p.session.SendDatagram(message); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(datagramTime, p.config.Timeout))
	defer cancel()
	for {
		got, err := p.session.ReceiveDatagram(ctx)
		switch {
		case ctx.Err() != nil && p.session.Context().Err() == nil:
			return nil, errLost
		case err != nil || len(got) < 4 || len(message) < 4 || bytes.Equal(got[:4], message[:4]):
			return got, err
		} // else it is one that was thought lost
	}
}

// bulk sends streams at once and counts what comes back.
func (p *prober) bulk() error {
	var received atomic.Int64
	errs := make([]error, p.config.Count)
	began := time.Now()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	idle := time.AfterFunc(p.config.Timeout, func() {
		cancel(fmt.Errorf("the server allowed no further stream within %v", p.config.Timeout))
	})
	defer idle.Stop()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = p.bulkStream(ctx, idle, &received) })
	}
	wg.Wait()
	e := Exchange{What: inBulk, Sent: p.config.Count, Bytes: received.Load(), Elapsed: time.Since(began)}
	var first error
	for _, err := range errs {
		switch {
		case err == nil:
			e.Returned++
		case first == nil:
			first = err
		}
	}
	p.report.Exchanges = append(p.report.Exchanges, e)
	if first != nil {
		return fmt.Errorf("bulk: %w", first)
	}
	return nil
}

// bulkStream sends one stream, which it opens before ctx is done, and puts idle off as data comes back.
func (p *prober) bulkStream(ctx context.Context, idle *time.Timer, received *atomic.Int64) error {
	st, err := p.session.OpenStream(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for left := p.config.Size; left > 0; {
			n, err := st.Write(pattern[:min(left, len(pattern))])
			if err != nil {
				return // the reader says why
			}
			left -= n
		}
		st.Close()
	})
	buf := make([]byte, 16<<10)
	at := 0
	for {
		st.SetReadDeadline(time.Now().Add(p.config.Timeout))
		n, err := st.Read(buf)
		received.Add(int64(n))
		idle.Reset(p.config.Timeout)
		for rest := buf[:n]; len(rest) > 0; {
			want := pattern[at%256:]
			m := min(len(rest), len(want))
			if !bytes.Equal(rest[:m], want[:m]) {
				err = fmt.Errorf("what came back is not what was sent, from byte %d on", at)
				break
			}
			at, rest = at+m, rest[m:]
		}
		if err == io.EOF && at == p.config.Size {
			return nil
		}
		if err == io.EOF {
			err = fmt.Errorf("%d bytes of %d came back", at, p.config.Size)
		}
		if at > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%d bytes of %d came back, and no more within %v", at, p.config.Size, p.config.Timeout)
		}
		if err == nil && at > p.config.Size {
			err = fmt.Errorf("more than the %d bytes sent came back", p.config.Size)
		}
		if err != nil {
			st.CancelWrite(0)
			st.CancelRead(0)
			return p.explain(err)
		}
	}
}

// pattern is what bulk sends, again and again; its length is a multiple of 256.
var pattern = func() []byte {
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

func (p *prober) send(st io.WriteCloser, message []byte) {
	if _, err := st.Write(message); err == nil {
		st.Close()
	}
}

// read reads a stream of at most size bytes to its end.
func (p *prober) read(st interface {
	io.Reader
	SetReadDeadline(time.Time) error
}, size int) ([]byte, error) {
	var got []byte
	buf := make([]byte, min(size+1, 32<<10))
	for {
		st.SetReadDeadline(time.Now().Add(p.config.Timeout))
		n, err := st.Read(buf)
		got = append(got, buf[:n]...)
		switch {
		case err == io.EOF:
			return got, nil
		case err != nil:
			return got, err
		case len(got) > size:
			return got, errors.New("more came back than was sent")
		}
	}
}

func (p *prober) timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), p.config.Timeout)
}

// explain says in words that the time is over.
func (p *prober) explain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("nothing came back within %v", p.config.Timeout)
	}
	return err
}
