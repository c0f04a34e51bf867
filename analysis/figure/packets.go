package figure

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/sim/record"
)

// readPackets adds what figures show of single datagrams. It goes over the
// packets of the recording once.
func (d *Data) readPackets(rec *record.Recording, o options) error {
	var consumers []func(*journey) // by end
	all := newJourneys(rec.Run.Links, func(_ uint64, j *journey) { consumers[j.end](j) })

	shown, err := chosen(d.Sessions, o.session)
	if err != nil {
		return err
	}
	var windows []*window
	var client int // its end of the connection of the windows
	if shown != nil {
		connection := connectionOf("sessions."+shown.Name, rec.Run)
		from, to := endsOf(connection, rec.Run)
		var ok bool
		if client, ok = all.follow(from, to); ok {
			windows = windowsOf(*shown, asksFirst(*shown, d.Sessions, rec.Run), d.End)
			add := func(j *journey) {
				for _, w := range windows {
					w.add(j)
				}
			}
			consumers = append(consumers, add, add)
		}
		for _, w := range windows {
			w.Hosts = [2]string{from.Host, to.Host}
		}
	}
	if len(consumers) == 0 {
		return nil
	}
	for p, err := range rec.Packets() {
		if err != nil {
			return err
		}
		all.packet(&p)
	}
	all.finish()
	for _, w := range windows {
		w.Links = all.ways[client]
		d.Exchanges = append(d.Exchanges, w.Exchange)
	}
	return nil
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
