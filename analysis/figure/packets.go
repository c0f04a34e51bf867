package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// readPackets adds what figures show of single datagrams. It goes over the
// packets of the recording once.
func (d *Data) readPackets(rec *record.Recording, all *analysis.Data, m moments, o options) error {
	shown, err := chosen(d.Sessions, o.session)
	if err != nil {
		return err
	}
	p := pass{run: rec.Run, ends: map[string]int{}}
	p.journeys = newJourneys(rec.Run.Links, func(_ uint64, j *journey) {
		for _, consume := range p.consumers[j.end] {
			consume(j)
		}
	})
	var windows []*window
	client := -1 // the end of the connection of the windows
	if shown != nil {
		connection := connectionOf("sessions."+shown.Name, rec.Run)
		if client = p.follow(connection); client >= 0 {
			windows = windowsOf(*shown, asksFirst(*shown, d.Sessions, rec.Run), d.End)
			for _, w := range windows {
				w.Hosts = [2]string(p.journeys.hosts[client:])
				p.consume(client, w.add)
				p.consume(client+1, w.add)
			}
		}
	}
	senders, others := senderEnds(rec.Run, shown, o)
	var sequencers []*sequencer
	for _, entity := range senders {
		connection, side := cutLast(entity)
		if end := p.follow(connection); end >= 0 {
			s := &sequencer{Sequence: Sequence{Name: endName(entity)}, end: d.End, rtt: rttOf(all, entity)}
			sequencers = append(sequencers, s)
			if side == Server.String() {
				end++
			}
			p.consume(end, s.add)
		}
	}
	if len(p.consumers) == 0 {
		return nil
	}
	for row, err := range rec.Packets() {
		if err != nil {
			return err
		}
		p.journeys.packet(&row)
	}
	p.journeys.finish()
	for _, w := range windows {
		w.Links = p.journeys.ways[client]
		d.Exchanges = append(d.Exchanges, w.Exchange)
	}
	for i, s := range sequencers {
		d.Sequences = append(d.Sequences, s.finish(m.losses[senders[i]], m.firstLosses[senders[i]]))
	}
	d.OtherEnds = others
	return nil
}

// pass is what is done with the journeys of datagrams.
type pass struct {
	run       record.Run
	journeys  *journeys
	ends      map[string]int     // the client's end of each connection that is followed
	consumers [][]func(*journey) // by end
}

// follow follows a connection, and returns the index of its client's end; -1 if
// that cannot be done.
func (p *pass) follow(connection string) int {
	if end, ok := p.ends[connection]; ok {
		return end
	}
	end, ok := p.journeys.follow(endsOf(connection, p.run))
	if !ok {
		return -1
	}
	p.ends[connection] = end
	p.consumers = append(p.consumers, nil, nil)
	return end
}

func (p *pass) consume(end int, consume func(*journey)) {
	p.consumers[end] = append(p.consumers[end], consume)
}

// maxSequences is how many connection ends have a sequence, unless a session is
// chosen, and leastSent how many packets those have sent that may.
const (
	maxSequences = 2
	leastSent    = 10
)

// senderEnds returns the connection ends that have a sequence: those of the chosen
// session, or else those that sent most. It also returns how many others there
// are.
func senderEnds(run record.Run, shown *Session, o options) (ends []string, others int) {
	byName := map[string]record.Connection{}
	for _, c := range run.Connections {
		byName[c.Entity] = c
	}
	var all []record.Connection
	for _, c := range run.Connections {
		connection, _ := cutLast(c.Entity)
		if o.session != "" && connection != connectionOf("sessions."+shown.Name, run) {
			continue
		}
		// Who sends far less than the other end only asks and acknowledges.
		client, server := byName[connection+".client"], byName[connection+".server"]
		if c.Sent >= leastSent && 10*c.Sent >= max(client.Sent, server.Sent) && len(client.Addresses) > 0 {
			all = append(all, c)
		}
	}
	most := slices.Clone(all)
	slices.SortStableFunc(most, func(a, b record.Connection) int { return cmp.Compare(b.Sent, a.Sent) })
	most = most[:min(len(most), maxSequences)]
	for _, c := range all {
		if slices.ContainsFunc(most, func(m record.Connection) bool { return m.Entity == c.Entity }) {
			ends = append(ends, c.Entity)
		}
	}
	return ends, len(all) - len(ends)
}

// cutLast cuts the last part off the name of an entity.
func cutLast(entity string) (before, last string) {
	i := strings.LastIndexByte(entity, '.')
	if i < 0 {
		return entity, ""
	}
	return entity[:i], entity[i+1:]
}

// rttOf returns the smoothed RTT of a connection end as a function of time.
func rttOf(all *analysis.Data, entity string) func(time.Duration) time.Duration {
	const unknown = 100 * time.Millisecond
	samples := points(all.Of(record.SeriesSmoothedRTT, entity))
	return func(t time.Duration) time.Duration {
		if len(samples) == 0 {
			return unknown
		}
		return time.Duration(valueBefore(samples, t) * float64(time.Second))
	}
}

// chosen returns the session of a name, and the first one for no name; nil if
// there is none.
func chosen(sessions []Session, name string) (*Session, error) {
	if name == "" && len(sessions) > 0 {
		return &sessions[0], nil
	}
	var names []string
	for i, s := range sessions {
		if s.Name == strings.TrimPrefix(name, "sessions.") {
			return &sessions[i], nil
		}
		names = append(names, s.Name)
	}
	if name == "" {
		return nil, nil
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return nil, fmt.Errorf("no session %q; expected one of %s", name, strings.Join(names, ", "))
}
