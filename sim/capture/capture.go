package capture

import (
	"bufio"
	"encoding/binary"
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
		s := c.queue.push(sighting{point: i, at: at, flags: &inbound})
		if sent {
			s.flags = &outbound
		}
		c.queue.settle(s, p, "")
		c.write(false)
	})
}

var (
	inbound  = pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionInbound}
	outbound = pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionOutbound}
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
	c.queue.settle(s, o.Packet, comment)
	c.write(false)
}

// write writes what waits for nothing any more, and at the end everything.
func (c *Capture) write(end bool) {
	for s := c.queue.pop(end); s != nil; s = c.queue.pop(end) {
		if c.err == nil {
			c.keep(c.file.WritePacketWithOptions(s.record()))
		}
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
	const blockType, recordIPv4 = 4, 1
	ip := address.As4()
	value := append(append(ip[:], name...), 0)
	block := binary.LittleEndian.AppendUint32(nil, blockType)
	block = append(block, 0, 0, 0, 0) // the length, once it is known
	block = binary.LittleEndian.AppendUint16(block, recordIPv4)
	block = binary.LittleEndian.AppendUint16(block, uint16(len(value)))
	block = append(block, value...)
	block = append(block, make([]byte, -len(value)&3)...)
	block = append(block, 0, 0, 0, 0) // end of records
	length := uint32(len(block) + 4)
	binary.LittleEndian.PutUint32(block[4:], length)
	return binary.LittleEndian.AppendUint32(block, length)
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
