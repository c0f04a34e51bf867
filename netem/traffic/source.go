package traffic

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/wtsim/wtsim/internal/variate"
	"github.com/wtsim/wtsim/netem"
)

// Source sends packets from a host.
//
// Work is measured in bits times 10^9, of which the source does rate units a
// nanosecond while it is on. A packet leaves at the first whole nanosecond at
// which the work before it is done, and the rest of that nanosecond counts for
// the next one, so that no rounding adds up.
type Source struct {
	clock  netem.Clock
	from   *netem.Endpoint
	to     netip.AddrPort
	config Config
	sizes  *sizer

	packets *rand.Rand         // two numbers a packet, whether they are needed or not
	bursts  *rand.Rand         // one number for each on and off time
	lengths [2]variate.Variate // of off and on times

	on    bool // within an on time
	rate  int64
	work  int64           // that was left before the next packet at the time since
	since time.Duration   // when the work was last counted
	due   time.Duration   // when the next packet leaves
	asked time.Duration   // the time of the call that is to come first, never if there is none
	gap   variate.Variate // work between packets, of a Poisson process
	stop  time.Duration
	tick  func()
	turn  func()

	payload []byte
	next    uint64 // sequence number
	sent    netem.Count
	refused netem.Count
}

// bit is a bit of work.
const bit = int64(time.Second)

// never is the stop of a source that has none.
const never time.Duration = 1<<63 - 1

// NewSource makes a source on a host that sends to an address, such as that of a
// [Sink], from an ephemeral port. It draws from random streams that belong to
// its name and the seed. The error says which field of the configuration is
// wrong.
func NewSource(clock netem.Clock, host *netem.Host, to netip.AddrPort, config Config, seed uint64, name string) (*Source, error) {
	fail := func(err error) (*Source, error) { return nil, fmt.Errorf("traffic %s: %w", name, err) }
	if err := config.check(); err != nil {
		return fail(err)
	}
	from, err := host.Bind(0, func(*netem.Packet) {})
	if err != nil {
		return fail(err)
	}
	s := &Source{
		clock:   clock,
		from:    from,
		to:      to,
		config:  config,
		sizes:   newSizer(config.Sizes),
		packets: netem.NewRand(seed, name+"/packets"),
		bursts:  netem.NewRand(seed, name+"/bursts"),
		lengths: [2]variate.Variate{config.Off.variate(), config.On.variate()},
		rate:    int64(config.Rate),
		stop:    config.Stop,
		asked:   never,
	}
	s.payload = make([]byte, slices.Max(s.sizes.sizes)-config.Overhead)
	if s.stop == 0 {
		s.stop = never
	}
	s.gap = variate.Exponential(int64(s.sizes.mean(8 * uint64(bit))))
	s.tick, s.turn = s.timer, s.turnOver
	if config.Poisson {
		_, s.work = s.draw()
	}
	clock.At(config.Start, s.turn)
	return s, nil
}

// SetRate changes the rate from this instant on; see [Config.Rate]. It applies
// to what is left of the time to the next packet.
func (s *Source) SetRate(r netem.BitRate) error {
	if r < 0 || r > netem.TbitPerSecond {
		return errRate
	}
	s.run()
	s.rate = int64(r)
	s.schedule()
	return nil
}

// Totals returns the packets that the source has sent, and those that the host
// refused to send; see [netem.Host.Send].
func (s *Source) Totals() (sent, refused netem.Count) { return s.sent, s.refused }

// draw returns the size of the next packet and the work between it and the one
// that follows; before a Poisson process's first packet, only the latter counts.
func (s *Source) draw() (netem.Bytes, int64) {
	size, random := s.sizes.of(s.packets.Uint64()), s.packets.Uint64()
	if !s.config.Poisson {
		return size, int64(size) * 8 * bit
	}
	return size, s.gap.Of(random)
}

// working reports whether time brings the next packet closer.
func (s *Source) working(now time.Duration) bool { return s.on && s.rate > 0 && now < s.stop }

// run counts the work until now, and sends what is due: several packets if a
// clock of real time calls late.
func (s *Source) run() {
	now := s.clock.Now()
	if s.working(now) {
		for wait := s.wait(); wait <= now-s.since; wait = s.wait() {
			s.since += wait
			s.work -= s.rate * int64(wait)
			size, work := s.draw()
			s.send(size, now)
			s.work += work
		}
		s.work -= s.rate * int64(now-s.since)
	}
	s.since = now
}

// wait returns how long the work takes that is left before the next packet.
func (s *Source) wait() time.Duration {
	return time.Duration((max(0, s.work) + s.rate - 1) / s.rate)
}

// schedule works out when the next packet is due, and asks for a call then. A
// call that comes before asks again, so that a source which goes off and on many
// times before it sends has one call ahead and not many.
func (s *Source) schedule() {
	if !s.working(s.since) {
		return
	}
	s.due = s.since + s.wait()
	if s.due < min(s.asked, s.stop) {
		s.asked = s.due
		s.clock.At(s.due, s.tick)
	}
}

// timer sends the next packet, if it is due. A packet that became due earlier
// leaves the call for the later time behind.
func (s *Source) timer() {
	if s.clock.Now() >= s.asked {
		s.asked = never
		s.run()
		s.schedule()
	}
}

// turnOver begins an on or an off time. The first on time begins at the start.
func (s *Source) turnOver() {
	s.run()
	now := s.clock.Now()
	if now >= s.stop {
		return
	}
	s.on = !s.on
	if s.config.On.Mean > 0 {
		length := &s.lengths[0]
		if s.on {
			length = &s.lengths[1]
		}
		s.clock.At(now+time.Duration(length.Of(s.bursts.Uint64())), s.turn)
	}
	s.schedule()
}

func (s *Source) send(size netem.Bytes, now time.Duration) {
	payload := s.payload[:size-s.config.Overhead]
	put(payload, s.next, now)
	count := &s.sent
	if err := s.from.Send(s.to, payload, s.config.ECN); err != nil {
		count = &s.refused
	} else {
		s.next++
	}
	count.Packets++
	count.Bytes += netem.Bytes(len(payload))
}
