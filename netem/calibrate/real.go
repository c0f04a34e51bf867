package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// port is that of the sender, and of what answers pings.
const port = "4433"

// The roles of this program in a namespace, as its first argument. They say
// "ready" when others may begin, and print what they saw as JSON.
const (
	rolePrefix  = "in-namespace-"
	roleSend    = rolePrefix + "send"
	roleReceive = rolePrefix + "receive"
	roleAnswer  = rolePrefix + "answer"
	rolePing    = rolePrefix + "ping"
)

// real measures a case in the kernel, in real time.
func (l *lab) real(ctx context.Context, c testCase, p period) (measurement, error) {
	if err := l.shape(ctx, c); err != nil {
		return measurement{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*(p.Settle+p.Window+tail)+20*time.Second)
	defer cancel()
	var s sent
	var r received
	if err := l.pair(ctx, roleSend, &s, roleReceive, &r, p.Settle.String(), p.Window.String()); err != nil {
		return measurement{}, err
	}
	stats, err := l.stats(ctx)
	return measured(s, r, stats.dropped()), err
}

// base measures the round-trip time of the hosts alone, without disciplines:
// the median of pings from socket to socket.
func (l *lab) base(ctx context.Context) (time.Duration, error) {
	if err := l.unshape(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var rtt time.Duration
	return rtt, l.pair(ctx, roleAnswer, nil, rolePing, &rtt)
}

// pair runs this program at both ends, first at the sender's, and reads what
// they print.
func (l *lab) pair(ctx context.Context, first string, one any, second string, two any, args ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := l.start(ctx, senderEnd, first, args)
	if err != nil {
		return err
	}
	defer server.stop()
	client, err := l.start(ctx, receiverEnd, second, args)
	if err != nil {
		return err
	}
	defer client.stop()
	if err := client.result(two); err != nil {
		return err
	}
	if one == nil {
		return nil
	}
	return server.result(one)
}

// process is this program in a namespace.
type process struct {
	role   string
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr strings.Builder
}

// start starts a role, which is ready when start returns. It runs before other
// programs of the machine, whose turns would be pauses of the hosts.
func (l *lab) start(ctx context.Context, e end, role string, args []string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{role: role}
	p.cmd = exec.CommandContext(ctx, "ip", slices.Concat([]string{"netns", "exec", l.namespace(e), "chrt", "--fifo", "1", self, role}, args)...)
	p.cmd.Env = append(os.Environ(), "QUIC_GO_DISABLE_GSO=true", "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true")
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	if _, err := p.stdout.ReadString('\n'); err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

func (p *process) result(v any) error {
	if err := json.NewDecoder(p.stdout).Decode(v); err != nil {
		return p.failed(err)
	}
	return nil
}

func (p *process) failed(err error) error {
	p.stop()
	if text := strings.TrimSpace(p.stderr.String()); text != "" {
		return fmt.Errorf("%s: %s", p.role, text)
	}
	return fmt.Errorf("%s ended without a result: %w", p.role, err)
}

func (p *process) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// play is what this program does in a namespace.
func play(ctx context.Context, role string, args []string) error {
	var p period
	if len(args) == 2 {
		var err1, err2 error
		p.Settle, err1 = time.ParseDuration(args[0])
		p.Window, err2 = time.ParseDuration(args[1])
		if err1 != nil || err2 != nil {
			return fmt.Errorf("%s: %q are not two times", role, args)
		}
	}
	local := senderEnd.addr + ":" + port
	if role == roleReceive || role == rolePing {
		local = receiverEnd.addr + ":0"
	}
	addr, err := net.ResolveUDPAddr("udp4", local)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp4", addr)
	if err != nil {
		return err
	}
	defer socket.Close()
	peer := &net.UDPAddr{IP: net.ParseIP(senderEnd.addr), Port: 4433}
	fmt.Println("ready")
	var result any
	switch role {
	case roleSend:
		result, err = send(ctx, socket, p)
	case roleReceive:
		result, err = receive(ctx, socket, peer, p)
	case roleAnswer:
		err = answer(socket)
	case rolePing:
		result, err = ping(socket, peer)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// answer returns every datagram to where it came from, until it is killed, or
// for half a minute.
func answer(socket net.PacketConn) error {
	if err := socket.SetReadDeadline(time.Now().Add(time.Minute / 2)); err != nil {
		return err
	}
	buf := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(buf)
		if err != nil {
			return err
		}
		if _, err := socket.WriteTo(buf[:n], from); err != nil {
			return err
		}
	}
}

// ping returns the median time that a datagram and its answer take.
func ping(socket net.PacketConn, peer net.Addr) (time.Duration, error) {
	const pings = 301
	buf := make([]byte, 1280)
	var times []time.Duration
	for range pings {
		time.Sleep(time.Millisecond)
		begin := time.Now()
		if _, err := socket.WriteTo(buf, peer); err != nil {
			return 0, err
		}
		if err := socket.SetReadDeadline(begin.Add(time.Second)); err != nil {
			return 0, err
		}
		if _, _, err := socket.ReadFrom(buf); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begin))
	}
	return median(times), nil
}
