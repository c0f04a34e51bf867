package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/wtsim/wtsim/netem"
)

// Capture writes packets to a pcapng file. Its methods are called by the
// goroutine that owns the network, and its key log by any. Errors are kept and
// returned by Close.
type Capture struct {
	out     *bufio.Writer
	section pcapgo.NgSectionInfo
	file    *pcapgo.NgWriter // nil before the first interface
	next    int              // interface
	queue   queue
	keys    keyLog
	err     error // the first one
}

// New begins a capture on w. The file says what wrote it and carries a comment;
// either may be empty.
func New(w io.Writer, application, comment string) *Capture {
	return &Capture{
		out:     bufio.NewWriterSize(w, 64<<10),
		section: pcapgo.NgSectionInfo{Application: application, Comment: comment},
		queue:   queue{waiting: make(map[*netem.Packet]*sighting)},
	}
}

// Path captures what enters a direction of a link, provided that Observe gets to
// know of its fate. The interface has a name and a description.
func (c *Capture) Path(name, description string, path *netem.Path) {
	i := c.add(name, description)
	path.Tap(func(p *netem.Packet) {
		c.writeSecrets()
		c.queue.push(sighting{point: i, at: p.Sent, path: path, packet: p})
		c.write(false)
	})
}

// Host captures what a host sends and what arrives there. The interface has a
// name, and the host's address for a description.
func (c *Capture) Host(name string, host *netem.Host) {
	i := c.add(name, host.Addr().String())
	host.Tap(func(p *netem.Packet, at time.Duration, sent bool) {
		c.writeSecrets()
		s := c.queue.push(sighting{point: i, at: at, flags: inbound})
		if sent {
			s.flags = outbound
		}
		c.settle(s, p, "")
	})
}

// Flags of a packet (draft-ietf-opsawg-pcapng, section 4.3.1).
const (
	inbound  = 1
	outbound = 2
)

// add adds an interface and returns its number.
func (c *Capture) add(name, description string) int {
	i := pcapgo.NgInterface{Name: name, Description: description, LinkType: layers.LinkTypeRaw}
	var err error
	if c.file == nil {
		// The writer begins with an interface. It writes by the buffer that it is
		// given, to which this package adds blocks that the writer does not know.
		c.file, err = pcapgo.NewNgWriterInterface(c.out, i, pcapgo.NgWriterOptions{SectionInfo: c.section})
	} else {
		_, err = c.file.AddInterface(i)
	}
	c.keep(err)
	c.next++
	return c.next - 1
}

// Observe takes the fate of a packet, if its path is captured. It is for
// [netem.NewNetwork], or for what calls it.
func (c *Capture) Observe(o netem.Outcome) {
	s := c.queue.waiting[o.Packet]
	if s == nil || s.path != o.Path {
		return // on another path, or a copy
	}
	comment := ""
	switch o.Fate {
	case netem.Dropped:
		comment = "dropped by " + o.Reason
	case netem.InTransit:
		comment = "on the link when the run ended"
	}
	c.settle(s, o.Packet, comment)
}

// settle takes down the packet of a sighting, whose fate is known.
func (c *Capture) settle(s *sighting, p *netem.Packet, comment string) {
	c.queue.settle(s)
	if s != c.queue.first {
		c.queue.keep(s, appendBlock(s.block, s, p, comment))
	} else {
		// Nothing comes before it: what it says goes straight to the file's buffer.
		if c.out.Available() < blockRoom+len(p.Payload)+len(comment) {
			c.out.Flush()
		}
		c.out.Write(appendBlock(c.out.AvailableBuffer(), s, p, comment)) // a bufio.Writer keeps its error
		c.queue.pop()
	}
	c.write(false)
}

// write writes what waits for nothing any more, and at the end everything.
func (c *Capture) write(end bool) {
	for s := c.queue.first; s != nil; s = c.queue.first {
		if p := s.packet; p != nil {
			if c.queue.size <= maxWaiting && !end {
				return
			}
			c.queue.settle(s)
			c.queue.keep(s, appendBlock(s.block, s, p, "on the link when this was written"))
		}
		c.out.Write(s.block)
		c.queue.pop()
	}
}

// Name adds the name of an address. There must be an interface already.
func (c *Capture) Name(address netip.Addr, name string) {
	if c.ready() {
		_, err := c.out.Write(nameResolution(address, name))
		c.keep(err)
	}
}

// nameResolution returns a name resolution block with one record for IPv4
// (draft-ietf-opsawg-pcapng, section 4.5).
func nameResolution(address netip.Addr, name string) []byte {
	const recordIPv4, endOfRecords = 1, 0
	ip := address.As4()
	value := append(append(ip[:], name...), 0)
	block := appendOption(appendWords(nil, nameBlock, 0), recordIPv4, len(value))
	block = pad(append(block, value...), len(block))
	return closeBlock(appendOption(block, endOfRecords, 0), 0)
}

// ready reports whether blocks can be written.
func (c *Capture) ready() bool {
	if c.file == nil {
		c.keep(errors.New("there is no interface yet"))
	}
	return c.err == nil
}

// keep keeps the first error.
func (c *Capture) keep(err error) {
	if c.err == nil && err != nil {
		c.err = fmt.Errorf("capture: %w", err)
	}
}

// Close writes what is left and returns the first error. It does not close the
// writer that New got.
func (c *Capture) Close() error {
	c.writeSecrets()
	c.write(true)
	if c.ready() {
		c.keep(c.out.Flush())
	}
	return c.err
}
