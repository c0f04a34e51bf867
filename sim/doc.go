// Package sim runs programs that use the network in virtual time, over
// simulated links, reproducibly.
//
// A [World] has hosts and routers, links between them (package netem) and tasks:
// functions that run on hosts. They use time, goroutines, channels and net.PacketConn as
// in any program; inside [Run], time.Now and all timers are virtual, and a
// second passes as soon as everybody waits for it.
//
//	result, err := sim.Run(sim.Config{Seed: 1}, func(w *sim.World) error {
//		client, server := w.Host("client"), w.Host("server")
//		path := []netem.Element{
//			netem.Rate{Rate: 10 * netem.MbitPerSecond, Overhead: netem.HeaderIPv4},
//			netem.Delay{Delay: 20 * time.Millisecond},
//		}
//		w.Link("access", client, server, path, path)
//		server.Serve("echo", func(ctx context.Context) error { … })
//		client.Go("ping", func(ctx context.Context) error { … })
//		return nil
//	})
//
// The kernel owns time. It lets everything come to rest, moves what the hosts
// have sent into the links, host by host, then runs the next due event, one at
// a time in the order of (time, sequence), and waits for rest again. So
// goroutines never race for the order of effects on the network, and garbage is
// collected only at rest.
//
// What the kernel cannot order is drawn by the Go runtime at random: which of
// two goroutines woken at one instant runs first, which ready case a select
// takes. A process started by package seal has no such freedom, and its runs
// agree to the last datagram. Elsewhere, in go test for example, runs with one
// seed nearly always agree.
package sim
