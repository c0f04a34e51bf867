package wt

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// serveLoopback serves on a UDP socket of its own, and returns its URL.
func serveLoopback(t testing.TB, server *Server) string {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	ln, err := transport.Listen(serverTLS(), QUICConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		ln.Close()
		transport.Close()
		socket.Close()
	})
	return "https://" + socket.LocalAddr().String()
}

func TestDialerOverUDP(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var end ends = make(chan *SessionError, 1)
	server := echoServer()
	server.Handle("/end", end.application())
	url := serveLoopback(t, server)
	dialer := &Dialer{TLSConfig: clientTLS()}

	s, _, err := dialer.Dial(ctx, url+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	str, err := s.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		str.Write(message)
		str.Close()
	}()
	if got, err := io.ReadAll(str); err != nil || !bytes.Equal(got, message) {
		t.Errorf("echoed %d bytes of %d, %v", len(got), len(message), err)
	}
	s.SendDatagram([]byte("datagram"))
	if got, err := s.ReceiveDatagram(ctx); err != nil || string(got) != "datagram" {
		t.Errorf("echoed the datagram %q, %v", got, err)
	}
	s.Close(0, "")
	<-s.Done()

	s, _, err = dialer.Dial(ctx, url+"/end", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close(42, "done")
	if e := <-end; e.Code != 42 || e.Reason != "done" || !e.Clean || !e.Remote {
		t.Errorf("the server's session ended with %+v", e)
	}
	<-s.Conn().Context().Done() // the dialer's connection ends with its session
}

func BenchmarkOneStream(b *testing.B) {
	received := make(chan int64, 1)
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		str, err := s.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, str)
		received <- n
	}})
	url := serveLoopback(b, server)
	s, _, err := (&Dialer{TLSConfig: clientTLS()}).Dial(context.Background(), url+"/", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close(0, "")
	str, err := s.OpenUniStream(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 1<<20)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := str.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	str.Close()
	<-received
}

func BenchmarkStreamsInSequence(b *testing.B) {
	url := serveLoopback(b, echoServer())
	s, _, err := (&Dialer{TLSConfig: clientTLS()}).Dial(context.Background(), url+"/echo", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close(0, "")
	b.ReportAllocs()
	message, buf := make([]byte, 100), make([]byte, 200)
	for range b.N {
		str, err := s.OpenStream(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		str.Write(message)
		str.Close()
		if n, err := io.ReadFull(str, buf); n != len(message) {
			b.Fatal(n, err)
		}
	}
}
