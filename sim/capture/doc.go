// Package capture writes the packets that pass links and hosts of a simulated
// network to pcapng files, which Wireshark opens.
//
//	c := capture.New(file, "", "")
//	_, err := sim.Run(sim.Config{Observe: c.Observe}, func(w *sim.World) error {
//		…
//		l := w.Link("access", client, server, forward, reverse)
//		c.Path("access.forward", "", l.Forward)
//		c.Path("access.reverse", "", l.Reverse)
//		… tls.Config{KeyLogWriter: c.KeyLog()}
//	})
//	err = errors.Join(err, c.Close())
//
// A file has one interface for each direction of a link, and one for each host.
// Packets are in the order of their times, which are virtual: the run begins at
// 1970-01-01T00:00:00Z, so that the seconds since the epoch are those of the run, to
// the nanosecond.
//
//   - A direction of a link shows each packet that enters it, at the time when it
//     enters (sent in a recording), with the addresses, the ECN field and the payload
//     with which it leaves. A packet that does not leave has a comment: "dropped by"
//     and the reason, or "on the link when the run ended". Copies that the link makes
//     are not there.
//   - A host shows a packet when it enters the network (outbound) and when it
//     arrives (inbound), which the flags of the packet tell apart. A packet that no
//     application reads is there too; one that was dropped on the way is not.
//
// As a packet is written when its fate is known, those that pass later wait for it,
// so that the times in a file ascend. At most 16 MiB wait: after that, the packet has
// the comment "on the link when this was written".
//
// The network has no headers, so those in the file are made up: an IPv4 header
// without options (link type RAW, 101) with the ECN field, don't fragment and a TTL
// of 64, and a UDP header. Both have right checksums; a damaged payload does not
// show by them. The packet ID (epb_packetid) is that of package netem and of a
// recording: wherever a packet is seen, and for its copies too, it is the same.
//
// Names of hosts are in name resolution blocks, and TLS secrets in decryption
// secrets blocks, each before the first packet that needs it: Wireshark and tshark
// decrypt QUIC without being told. For that a file needs both directions, and one
// place only: Wireshark takes each change of the key phase for a new key, and
// quic-go changes keys after 100 packets, so a connection that is seen at two places
// of different delay, or behind a link that reorders, can be read up to there. The
// secrets of a run are real randomness: two runs with equal packets differ in them,
// and in what is encrypted.
package capture
