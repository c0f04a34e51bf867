package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// device is the name of both ends of the pair, each in its namespace.
const device = "path"

// The ends of the pair, in a network for documentation (RFC 5737). Their
// link-layer addresses are fixed, so that no ARP disturbs what is measured.
var (
	senderEnd   = end{"sender", "192.0.2.1", "02:00:00:00:00:01"}
	receiverEnd = end{"receiver", "192.0.2.2", "02:00:00:00:00:02"}
)

type end struct{ name, addr, mac string }

// lab is two network namespaces joined by a veth pair.
type lab struct{ prefix string }

// unavailableError says why nothing can be measured on this machine.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return e.reason }

// newLab makes the namespaces, whose names have the number of this process.
func newLab(ctx context.Context) (*lab, error) {
	for _, tool := range []string{"ip", "tc", "chrt"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, &unavailableError{fmt.Sprintf("there is no %s here (Linux with iproute2 and util-linux is needed)", tool)}
		}
	}
	l := &lab{fmt.Sprintf("wtsim-%d-", os.Getpid())}
	if err := l.build(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lab) namespace(e end) string { return l.prefix + e.name }

func (l *lab) build(ctx context.Context) error {
	ends := []end{senderEnd, receiverEnd}
	for _, e := range ends {
		if _, err := command(ctx, "ip", "netns", "add", l.namespace(e)); err != nil {
			return &unavailableError{fmt.Sprintf("no right to make network namespaces: %v", err)}
		}
	}
	_, err := command(ctx, "ip", "link", "add", device, "netns", l.namespace(senderEnd), "address", senderEnd.mac,
		"type", "veth", "peer", "name", device, "netns", l.namespace(receiverEnd), "address", receiverEnd.mac)
	if err != nil {
		return &unavailableError{fmt.Sprintf("no veth pair: %v", err)}
	}
	for i, e := range ends {
		other := ends[1-i]
		// Nor does IPv6 disturb, if the kernel has it.
		if _, err := l.ip(ctx, e, "link", "set", device, "addrgenmode", "none"); err != nil && !strings.Contains(err.Error(), "not supported") {
			return err
		}
		for _, args := range [][]string{
			{"addr", "add", e.addr + "/24", "dev", device},
			{"link", "set", device, "up"},
			{"neigh", "replace", other.addr, "lladdr", other.mac, "dev", device, "nud", "permanent"},
		} {
			if _, err := l.ip(ctx, e, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// close removes the namespaces, and with them the pair. It does so also after
// an interrupt.
func (l *lab) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	names, err := command(ctx, "ip", "netns", "list")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(names)) {
		if name := strings.Fields(line); len(name) > 0 && strings.HasPrefix(name[0], l.prefix) {
			_, e := command(ctx, "ip", "netns", "del", name[0])
			err = errors.Join(err, e)
		}
	}
	return err
}

// missing returns the kinds of disciplines of a case that the kernel does not
// have. It finds out by using each alone.
func (l *lab) missing(ctx context.Context, c testCase) ([]string, error) {
	if err := l.unshape(ctx); err != nil {
		return nil, err
	}
	var missing []string
	for _, q := range slices.Concat(c.Down.qdiscs(), c.Up.qdiscs()) {
		if slices.Contains(missing, q.kind()) {
			continue
		}
		_, err := l.tc(ctx, senderEnd, append([]string{"qdisc", "add", "dev", device, "root"}, q...)...)
		switch {
		case err == nil:
			if _, err := l.tc(ctx, senderEnd, "qdisc", "del", "dev", device, "root"); err != nil {
				return nil, err
			}
		case unknownKind(err.Error()):
			missing = append(missing, q.kind())
		default:
			return nil, err
		}
	}
	return missing, nil
}

// shape sets up the disciplines of a case in place of those before.
func (l *lab) shape(ctx context.Context, c testCase) error {
	if err := l.unshape(ctx); err != nil {
		return err
	}
	for _, direction := range []struct {
		end  end
		link link
	}{{senderEnd, c.Down}, {receiverEnd, c.Up}} {
		for _, args := range direction.link.commands(device) {
			if _, err := l.tc(ctx, direction.end, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// unshape removes all disciplines.
func (l *lab) unshape(ctx context.Context) error {
	for _, e := range []end{senderEnd, receiverEnd} {
		// A device without any answers with an error.
		if _, err := l.tc(ctx, e, "qdisc", "replace", "dev", device, "root", "pfifo"); err != nil {
			return err
		}
		if _, err := l.tc(ctx, e, "qdisc", "del", "dev", device, "root"); err != nil {
			return err
		}
	}
	return nil
}

// stats returns what the discipline that carries the transfer did.
func (l *lab) stats(ctx context.Context) (qdiscStats, error) {
	output, err := l.tc(ctx, senderEnd, "-s", "-j", "qdisc", "show", "dev", device)
	if err != nil {
		return qdiscStats{}, err
	}
	return parseStats(output)
}

func (l *lab) ip(ctx context.Context, e end, args ...string) ([]byte, error) {
	return command(ctx, "ip", append([]string{"-n", l.namespace(e)}, args...)...)
}

func (l *lab) tc(ctx context.Context, e end, args ...string) ([]byte, error) {
	return command(ctx, "tc", append([]string{"-n", l.namespace(e)}, args...)...)
}

// command runs a program and returns what it prints. Its error has what the
// program prints to standard error.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}
