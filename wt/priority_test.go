package wt

import (
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// priorityUpdate is a PRIORITY_UPDATE frame (RFC 9218, section 7.1).
func priorityUpdate(id quic.StreamID, value string) []byte {
	return frame(framePriorityUpdate, append(varints(uint64(id)), value...))
}

func TestPriorityOfASession(t *testing.T) {
	for _, test := range []struct {
		name   string
		ahead  []byte // on the control stream, before the request
		fields []string
		later  []byte // and after the response
		want   priority
	}{
		{"none", nil, nil, nil, priority{3, true}},
		{"in the header", nil, []string{"priority", "u=1"}, nil, priority{1, false}},
		{"in the header, malformed", nil, []string{"priority", "u=1;;"}, nil, priority{3, false}},
		{"ahead of the request", priorityUpdate(0, "u=5, i"), nil, nil, priority{5, true}},
		{"ahead of the request, which differs", priorityUpdate(0, "u=5, i"), []string{"priority", "u=1"}, nil, priority{5, true}},
		{"twice ahead of the request", append(priorityUpdate(0, "u=5, i"), priorityUpdate(0, "u=6")...), nil, nil, priority{6, false}},
		{"after the response", nil, []string{"priority", "u=1"}, priorityUpdate(0, "u=2"), priority{2, false}},
		{"of another request", priorityUpdate(400, "u=5"), nil, nil, priority{3, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, echoServer(), nil, func(w *world) {
				qc := w.dialQUIC()
				c := &wireClient{w: w, quic: qc}
				defer c.close()
				control, err := qc.OpenUniStream()
				if err != nil {
					t.Fatal(err)
				}
				control.Write(append(varints(streamTypeControl), settingsFrame(settingH3Datagram, 1, settingWebTransport, 1)...))
				control.Write(test.ahead)
				time.Sleep(rtt)
				c.accepted(c.request(connectHeaders(protocolH3, "/echo", test.fields...)))
				control.Write(test.later)
				w.settle()
				s := w.server.conns[0].table.all()[0]
				if s.priority != test.want {
					t.Errorf("priority %+v, want %+v", s.priority, test.want)
				}
			})
		})
	}
}

func TestEarlyPrioritiesAreBounded(t *testing.T) {
	table := newTable(Limits{}, true)
	dropped := 0
	table.offend = func(string) { dropped++ }
	for id := range quic.StreamID(1000) {
		table.updatePriority(4*id, priority{urgency: 1})
	}
	if n := len(table.earlyPriorities); n != maxEarlyPriorities {
		t.Errorf("%d priorities are held, want %d", n, maxEarlyPriorities)
	}
	if dropped != 1000-maxEarlyPriorities {
		t.Errorf("%d priorities were dropped, want %d", dropped, 1000-maxEarlyPriorities)
	}
	if p := table.takeEarlyPriority(4 * 999); p == nil || p.urgency != 1 {
		t.Errorf("the latest priority is %v", p)
	}
	if p := table.takeEarlyPriority(0); p != nil {
		t.Errorf("the first priority is %v, want none", p)
	}
}
