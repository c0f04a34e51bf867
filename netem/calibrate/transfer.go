package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"github.com/quic-go/quic-go"
)

// period is when a transfer is measured: for Window, from Settle after each
// end's handshake on.
type period struct {
	Settle time.Duration
	Window time.Duration
}

// sent is what the sender of a transfer saw.
type sent struct {
	MinRTT  time.Duration // of the connection
	MeanRTT time.Duration // smoothed, mean over the window
	Packets uint64        // sent in the window
	Lost    uint64        // of them, more or less: declared lost in the window
}

// received is what the receiver of a transfer saw.
type received struct {
	Bytes int64 // read from the stream in Time
	Time  time.Duration
}

// samplePeriod is how often the sender looks at its round-trip time.
const samplePeriod = 10 * time.Millisecond

// tail is how much longer than the window the sender sends, so that the
// receiver's window, which starts earlier, is full.
const tail = time.Second / 2

// quicConfig is the same for both ends and on both sides of the comparison:
// packets of one size, receive windows that limit nothing.
var quicConfig = &quic.Config{
	InitialPacketSize:              1280,
	DisablePathMTUDiscovery:        true,
	InitialStreamReceiveWindow:     1 << 24,
	InitialConnectionReceiveWindow: 1 << 24,
	MaxStreamReceiveWindow:         1 << 24,
	MaxConnectionReceiveWindow:     1 << 24,
}

const protocol = "wtsim-calibrate"

// send accepts a connection and sends on a stream until the period is over.
func send(ctx context.Context, socket net.PacketConn, p period) (sent, error) {
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	certificate, err := selfSigned()
	if err != nil {
		return sent{}, err
	}
	listener, err := transport.Listen(&tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{protocol}}, quicConfig.Clone())
	if err != nil {
		return sent{}, fmt.Errorf("listening: %w", err)
	}
	conn, err := listener.Accept(ctx)
	if err != nil {
		return sent{}, fmt.Errorf("accepting a connection: %w", err)
	}
	stream, err := conn.OpenUniStream()
	if err != nil {
		return sent{}, fmt.Errorf("opening a stream: %w", err)
	}
	seen := make(chan sent, 1)
	go func() { seen <- watch(conn, p) }()
	if err := stream.SetWriteDeadline(time.Now().Add(p.Settle + p.Window + tail)); err != nil {
		return sent{}, err
	}
	buf := make([]byte, 1<<20) // the last packet of each write may be a small one
	for err == nil {
		_, err = stream.Write(buf)
	}
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		return sent{}, fmt.Errorf("sending: %w", err)
	}
	if err := stream.Close(); err != nil {
		return sent{}, fmt.Errorf("ending the stream: %w", err)
	}
	select {
	case <-conn.Context().Done(): // the receiver has everything
	case <-ctx.Done():
		return sent{}, ctx.Err()
	}
	return <-seen, nil
}

// watch samples the round-trip time of a connection and counts its packets.
func watch(conn *quic.Conn, p period) sent {
	begin := time.Now().Add(p.Settle)
	time.Sleep(p.Settle)
	before := conn.ConnectionStats()
	var sum time.Duration
	n := time.Duration(0)
	for time.Since(begin) < p.Window {
		sum += conn.ConnectionStats().SmoothedRTT
		n++
		time.Sleep(time.Until(begin.Add(n * samplePeriod)))
	}
	after := conn.ConnectionStats()
	return sent{
		MinRTT:  after.MinRTT,
		MeanRTT: sum / max(1, n),
		Packets: after.PacketsSent - before.PacketsSent,
		Lost:    after.PacketsLost - min(before.PacketsLost, after.PacketsLost), // a packet may arrive after all
	}
}

// receive dials a sender, reads its stream to the end and closes.
func receive(ctx context.Context, socket net.PacketConn, sender net.Addr, p period) (received, error) {
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	conn, err := transport.Dial(ctx, sender, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}, quicConfig.Clone())
	if err != nil {
		return received{}, fmt.Errorf("dialling %s: %w", sender, err)
	}
	begin := time.Now().Add(p.Settle)
	stream, err := conn.AcceptUniStream(ctx)
	if err != nil {
		return received{}, fmt.Errorf("waiting for the stream: %w", err)
	}
	var r received
	buf := make([]byte, 32<<10)
	for err == nil {
		var n int
		n, err = stream.Read(buf)
		if since := time.Since(begin); since >= 0 && since < p.Window {
			r.Bytes += int64(n)
		}
	}
	if err != io.EOF {
		return received{}, fmt.Errorf("reading: %w", err)
	}
	r.Time = p.Window
	return r, conn.CloseWithError(0, "")
}

// selfSigned returns a certificate whose size is the same every time.
func selfSigned() (tls.Certificate, error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
