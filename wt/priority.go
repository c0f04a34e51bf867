package wt

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"
	"github.com/quic-go/quic-go"
)

// priority is what a client asks for a request, and so for a session
// (RFC 9218, section 4, and draft-ietf-webtrans-http3-16, section 3.4).
type priority struct {
	urgency     int8
	incremental bool
}

const (
	defaultUrgency       = 3
	maxUrgency     int64 = 7
)

// maxEarlyPriorities is how many PRIORITY_UPDATE frames are held for requests
// that have not arrived; of more the oldest are dropped.
const maxEarlyPriorities = 64

// parsePriority parses a Priority field value (RFC 9218, section 4). What is
// malformed or out of range counts as absent.
func parsePriority(value string) priority {
	p := priority{urgency: defaultUrgency}
	dict, err := httpsfv.UnmarshalDictionary([]string{value})
	if err != nil {
		return p
	}
	if m, ok := dict.Get("u"); ok {
		if item, ok := m.(httpsfv.Item); ok {
			if u, ok := item.Value.(int64); ok && u >= 0 && u <= maxUrgency {
				p.urgency = int8(u)
			}
		}
	}
	if m, ok := dict.Get("i"); ok {
		if item, ok := m.(httpsfv.Item); ok {
			p.incremental, _ = item.Value.(bool)
		}
	}
	return p
}

// defaultPriority is that of a request that says nothing. It is incremental, as
// what came before priorities was.
var defaultPriority = priority{urgency: defaultUrgency, incremental: true}

// requestPriority returns the priority that the header of a request asks for.
func requestPriority(h http.Header) priority {
	if values, ok := h["Priority"]; ok {
		return parsePriority(strings.Join(values, ","))
	}
	return defaultPriority
}

// earlyPriority is a PRIORITY_UPDATE ahead of its request.
type earlyPriority struct {
	id quic.StreamID
	priority
}

// updatePriority acts on a PRIORITY_UPDATE (RFC 9218, section 7.1). One for a request that
// is over is ignored.
func (t *table) updatePriority(id quic.StreamID, p priority) {
	t.mu.Lock()
	t.prioritised = true
	s, r := t.sessions[id], t.requests[id]
	full := false
	switch {
	case r != nil:
		r.update = &p
	case id >= t.next:
		t.earlyPriorities = slices.DeleteFunc(t.earlyPriorities, func(e earlyPriority) bool { return e.id == id })
		if full = len(t.earlyPriorities) >= maxEarlyPriorities; full {
			t.earlyPriorities = slices.Delete(t.earlyPriorities, 0, 1)
		}
		t.earlyPriorities = append(t.earlyPriorities, earlyPriority{id, p})
	}
	t.mu.Unlock()
	if r != nil {
		r.stream.SetPriority(p.urgency, p.incremental)
	}
	if s != nil && s.setPriority(p) {
		t.offend("changes of priority")
	}
	if full {
		t.offend("priorities ahead of their requests")
	}
}

// takeEarlyPriority returns the PRIORITY_UPDATE that came ahead of a request,
// nil if there was none. The caller holds t.mu.
func (t *table) takeEarlyPriority(id quic.StreamID) *priority {
	i := slices.IndexFunc(t.earlyPriorities, func(e earlyPriority) bool { return e.id == id })
	if i < 0 {
		return nil
	}
	p := t.earlyPriorities[i].priority
	t.earlyPriorities = slices.Delete(t.earlyPriorities, i, i+1)
	return &p
}

// prioritise gives the stream of a request its priority, when the header is
// there: that of a PRIORITY_UPDATE, else that of the header. Without either a request is
// incremental at a client that sends no priorities at all, as those of browsers that know none.
// http3 has set what the header says.
func (t *table) prioritise(id quic.StreamID, h http.Header) priority {
	_, inHeader := h["Priority"]
	t.mu.Lock()
	r := t.requests[id]
	r.served = true
	update := r.update
	t.prioritised = t.prioritised || inHeader
	p := requestPriority(h)
	if update != nil {
		p = *update
	} else if !inHeader {
		p.incremental = !t.prioritised
	}
	t.mu.Unlock()
	r.stream.SetPriority(p.urgency, p.incremental)
	return p
}
