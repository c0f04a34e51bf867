package peer

import (
	"context"
	"errors"
	"fmt"
)

var datagramCases = []Case{
	byClient("the client's largest datagrams arrive and larger ones are errors", sendLargest, returnFirst),
	byServer("the server's largest datagrams arrive and larger ones are errors", sendLargest, returnFirst),
}

// sendLargest sends the largest datagram that is not an error, which is at
// least what fits into the first packets of QUIC.
func sendLargest(ctx context.Context, s Session) error {
	const fits = 1200 - 60
	for size := 1500; size >= fits; size-- {
		err := s.SendDatagram(content(1, size))
		if err != nil {
			continue
		}
		if size == 1500 {
			return errors.New("a datagram as large as a packet is no error")
		}
		return awaitSeen(ctx, s)
	}
	return fmt.Errorf("a datagram of %d bytes is too large", fits)
}

// returnFirst checks the first datagram.
func returnFirst(ctx context.Context, _ Implementation, s Session) error {
	b, err := s.ReceiveDatagram(ctx)
	if err != nil {
		return err
	}
	if string(b) != string(content(1, len(b))) {
		return fmt.Errorf("a datagram of %d bytes has other content", len(b))
	}
	return seen(ctx, s)
}
