package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

func TestWritesWaitForCreditAndTellThePeerOnce(t *testing.T) {
	withFlowPeer(t, FlowControl{}, limits(3000, 10, 10), func(w *world, p *flowPeer) {
		str, err := p.server.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		written := make(chan int)
		go func() {
			n, _ := str.Write(make([]byte, 5000))
			written <- n
			n, _ = str.Write(make([]byte, 1))
			written <- n
			str.Close()
		}()
		in, _ := p.quic.AcceptStream(w.ctx)
		header := varints(frameWebTransport, p.id)
		io.ReadFull(in, make([]byte, len(header)))
		p.wantCapsules("blocked at the initial limit", capsuleDataBlocked, 3000)
		in.SetReadDeadline(time.Now().Add(time.Second))
		if b, _ := io.ReadAll(in); len(b) != 3000 {
			t.Errorf("%d bytes came for a credit of 3000", len(b))
		}
		p.send(capsuleMaxData, varints(4999)...)
		p.wantCapsules("blocked at the new limit", capsuleDataBlocked, 4999)
		p.send(capsuleMaxData, varints(5000)...)
		if n := <-written; n != 5000 {
			t.Errorf("Write took %d bytes, want 5000", n)
		}
		p.wantCapsules("blocked again", capsuleDataBlocked, 5000)
		p.send(capsuleMaxData, varints(1<<20)...)
		if n := <-written; n != 1 {
			t.Errorf("second Write took %d bytes, want 1", n)
		}
		in.SetReadDeadline(time.Time{})
		if b, err := io.ReadAll(in); err != nil || len(b) != 2001 {
			t.Errorf("%d bytes came later, %v; want 2001", len(b), err)
		}
	})
}

func TestOpeningStreamsWaitsForCreditInOrder(t *testing.T) {
	for _, d := range []direction{bidirectional, unidirectional} {
		withFlowPeer(t, FlowControl{}, limits(1000, 1, 1), func(w *world, p *flowPeer) {
			open := func() error {
				if d == bidirectional {
					_, err := p.server.OpenStream(w.ctx)
					return err
				}
				_, err := p.server.OpenUniStream(w.ctx)
				return err
			}
			if err := open(); err != nil {
				t.Fatal(err)
			}
			opened := make(chan int, 3)
			for i := range 3 {
				go func() {
					if open() == nil {
						opened <- i
					}
				}()
				synctest.Wait()
			}
			raise := []uint64{capsuleMaxStreams, capsuleMaxUniStreams}[d]
			blocked := []uint64{capsuleStreamsBlocked, capsuleUniStreamsBlocked}[d]
			p.wantCapsules("three are waiting", blocked, 1)
			p.send(raise, varints(2)...)
			p.wantCapsules("two are waiting", blocked, 2)
			p.send(raise, varints(4)...)
			p.wantCapsules("none is waiting")
			if got := []int{<-opened, <-opened, <-opened}; !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("streams were opened in the order %v", got)
			}
		})
	}
}

func TestCallsThatWaitForCreditCanBeInterrupted(t *testing.T) {
	stop := errors.New("the caller has had enough")
	for name, test := range map[string]struct {
		interrupt func(*flowPeer, *Stream, *quic.Stream)
		want      func(error) bool
	}{
		"by a deadline": {
			func(_ *flowPeer, s *Stream, _ *quic.Stream) { s.SetWriteDeadline(time.Now().Add(time.Second)) },
			func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) },
		},
		"by the peer's STOP_SENDING": {
			func(_ *flowPeer, _ *Stream, in *quic.Stream) { in.CancelRead(wireCode(7)) },
			func(err error) bool {
				e, ok := errors.AsType[*StreamError](err)
				return ok && e.Code == 7 && e.Remote
			},
		},
		"by CancelWrite": {
			func(_ *flowPeer, s *Stream, _ *quic.Stream) { s.CancelWrite(8) },
			func(err error) bool {
				e, ok := errors.AsType[*StreamError](err)
				return ok && e.Code == 8 && !e.Remote
			},
		},
		"by the end of the session": {
			func(p *flowPeer, _ *Stream, _ *quic.Stream) { p.server.Close(9, "") },
			func(err error) bool {
				e, ok := errors.AsType[*SessionError](err)
				return ok && e.Code == 9
			},
		},
		"by the loss of the connection": {
			func(p *flowPeer, _ *Stream, _ *quic.Stream) { p.close() },
			func(err error) bool {
				_, ok := errors.AsType[*SessionError](err)
				return ok
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			withFlowPeer(t, FlowControl{}, limits(2000, 10, 0), func(w *world, p *flowPeer) {
				str, _ := p.server.OpenStream(w.ctx)
				written, opened := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := str.Write(make([]byte, 5000))
					written <- err
				}()
				ctx, cancel := context.WithCancelCause(w.ctx)
				go func() {
					_, err := p.server.OpenUniStream(ctx)
					opened <- err
				}()
				in, err := p.quic.AcceptStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(rtt)
				cancel(stop)
				if err := <-opened; err != stop {
					t.Errorf("OpenUniStream: %v, want the context's cause", err)
				}
				test.interrupt(p, str, in)
				if err := <-written; !test.want(err) {
					t.Errorf("Write: %v", err)
				}
			})
		})
	}
}

func TestAStreamIsKnownToThePeerWithoutCreditForItsData(t *testing.T) {
	withFlowPeer(t, FlowControl{}, limits(0, 10, 10), func(w *world, p *flowPeer) {
		str, _ := p.server.OpenStream(w.ctx)
		str.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := str.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write without credit: %d, %v", n, err)
		}
		if err := str.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		in, _ := p.quic.AcceptStream(w.ctx)
		if b, err := io.ReadAll(in); err != nil || !bytes.Equal(b, varints(frameWebTransport, p.id)) {
			t.Errorf("stream of %x, %v; want the header alone", b, err)
		}
	})
}

func TestTheEndOfTheDataTravelsWithFIN(t *testing.T) {
	withFlowPeer(t, FlowControl{}, limits(1<<20, 100, 10), func(w *world, p *flowPeer) {
		least := uint64(1000)
		for range 50 { // QUIC may be quicker than Close, but not every time
			str, err := p.server.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			before := p.server.Conn().ConnectionStats().PacketsSent
			str.Write([]byte("a short message"))
			str.Close()
			in, _ := p.quic.AcceptStream(w.ctx)
			io.ReadAll(in)
			least = min(least, p.server.Conn().ConnectionStats().PacketsSent-before)
			time.Sleep(rtt)
		}
		if least != 1 {
			t.Errorf("header, message and FIN took %d packets", least)
		}
	})
}
