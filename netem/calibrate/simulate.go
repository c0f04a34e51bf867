package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
)

// simulate measures a case in the simulator. The hosts take as long as those of
// the kernel do without disciplines, base for a round trip.
func simulate(c testCase, p period, base time.Duration, seed uint64) (measurement, error) {
	var s sent
	var r received
	var dropped float64
	_, err := sim.Run(sim.Config{Seed: seed}, func(w *sim.World) error {
		sender, receiver := w.Host("sender"), w.Host("receiver")
		down, err := c.Down.elements()
		if err != nil {
			return err
		}
		up, err := c.Up.elements()
		if err != nil {
			return err
		}
		host := netem.Delay{Delay: base / 2}
		path := w.Link("path", sender, receiver, append(down, host), append(up, host))
		w.AtEnd(func() {
			in, _, lost := path.Forward.Totals()
			dropped = float64(lost.Packets) / float64(max(1, in.Packets))
		})
		options := netem.SocketOptions{NoGSO: true}
		sender.Go("send", func(ctx context.Context) error {
			socket, err := sender.ListenPacket(4433, options)
			if err == nil {
				s, err = send(ctx, socket, p)
			}
			return err
		})
		receiver.Go("receive", func(ctx context.Context) error {
			socket, err := receiver.ListenPacket(0, options)
			if err == nil {
				r, err = receive(ctx, socket, &net.UDPAddr{IP: sender.Addr().AsSlice(), Port: 4433}, p)
			}
			return err
		})
		return nil
	})
	if err != nil {
		return measurement{}, fmt.Errorf("%s in the simulator, seed %d: %w", c.Name, seed, err)
	}
	return measured(s, r, dropped), nil
}
