package wt

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"
)

// prioritised notes the priority it is given.
type prioritised struct {
	quicSendStream
	priority priority
}

func (p *prioritised) SetPriority(urgency int8, incremental bool) {
	p.priority = priority{urgency, incremental}
}

// orderedSession is a session with streams that note their priority.
func orderedSession(urgency int8, n int) (*Session, []*SendStream) {
	s := newSession(context.Background(), &conn{}, 0, &http.Request{})
	s.priority.urgency = urgency
	var streams []*SendStream
	for range n {
		stream := &prioritised{priority: priority{defaultUrgency, true}}
		state := &streamState{session: s, open: sendHalf, send: stream}
		s.link(state)
		streams = append(streams, &SendStream{state: state, stream: stream})
	}
	return s, streams
}

func urgencies(streams []*SendStream) []int8 {
	var u []int8
	for _, s := range streams {
		u = append(u, s.stream.(*prioritised).priority.urgency)
	}
	return u
}

func TestSendOrdersBecomeUrgencies(t *testing.T) {
	s, streams := orderedSession(3, 8)
	group, other := s.NewSendGroup(), s.NewSendGroup()
	for _, step := range []struct {
		name string
		do   func()
		want []int8
	}{
		{"from the start", func() {}, []int8{3, 3, 3, 3, 3, 3, 3, 3}},
		{"one order", func() { streams[0].SetSendOrder(10) }, []int8{3, 3, 3, 3, 3, 3, 3, 3}},
		{"a lower one", func() { streams[1].SetSendOrder(-5) }, []int8{3, 4, 3, 3, 3, 3, 3, 3}},
		{"one between", func() { streams[2].SetSendOrder(0) }, []int8{3, 5, 4, 3, 3, 3, 3, 3}},
		{"the same", func() { streams[3].SetSendOrder(0) }, []int8{3, 5, 4, 4, 3, 3, 3, 3}},
		{"the lowest and the highest", func() {
			streams[4].SetSendOrder(math.MinInt64)
			streams[5].SetSendOrder(math.MaxInt64)
		}, []int8{4, 6, 5, 5, 7, 3, 3, 3}},
		{"more than there are urgencies", func() { streams[6].SetSendOrder(11) }, []int8{5, 7, 6, 6, 7, 3, 4, 3}},
		{"another group", func() { streams[7].SetSendGroup(group) }, []int8{5, 7, 6, 6, 7, 3, 4, 3}},
		{"a move there", func() { streams[0].SetSendGroup(group) }, []int8{3, 6, 5, 5, 7, 3, 4, 4}},
		{"and on", func() { streams[0].SetSendGroup(other) }, []int8{3, 6, 5, 5, 7, 3, 4, 3}},
		{"and back", func() { streams[0].SetSendGroup(nil) }, []int8{5, 7, 6, 6, 7, 3, 4, 3}},
		{"another order", func() { streams[5].SetSendOrder(-6) }, []int8{4, 6, 5, 5, 7, 7, 3, 3}},
		{"one of two ends", func() { streams[2].state.finished(sendHalf) }, []int8{4, 6, 5, 5, 7, 7, 3, 3}},
		{"the other ends", func() { streams[3].state.finished(sendHalf) }, []int8{4, 5, 5, 5, 7, 6, 3, 3}},
		{"a priority of its own", func() { streams[6].SetPriority(1, false) }, []int8{3, 4, 5, 5, 6, 5, 1, 3}},
		{"an order instead of it", func() { streams[6].SetSendOrder(11) }, []int8{4, 5, 5, 5, 7, 6, 3, 3}},
		{"a priority again", func() { streams[6].SetPriority(2, false) }, []int8{3, 4, 5, 5, 6, 5, 2, 3}},
		{"that of the session", func() { s.setPriority(priority{5, false}) }, []int8{5, 6, 5, 5, 7, 7, 2, 5}},
		{"the order of one that has ended", func() { streams[2].SetSendOrder(100) }, []int8{5, 6, 5, 5, 7, 7, 2, 5}},
	} {
		step.do()
		if got := urgencies(streams); !slices.Equal(got, step.want) {
			t.Errorf("%s: urgencies %v, want %v", step.name, got, step.want)
		}
		for i, stream := range streams {
			if p := stream.stream.(*prioritised).priority; p.incremental == stream.state.ownPriority {
				t.Errorf("%s: stream %d has priority %v", step.name, i, p)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a group of another session is accepted")
		}
	}()
	elsewhere, _ := orderedSession(3, 0)
	streams[0].SetSendGroup(elsewhere.NewSendGroup())
}

func TestEventStreamsTakeTheirSendOrderWhenTheyAreOpen(t *testing.T) {
	configure := func(w *world) { w.serveQUIC.MaxIncomingUniStreams = 5 } // of which HTTP/3 has one
	app := &Server{}
	app.Handle("/", Application{Callbacks: func(*Session) Callbacks { return NoCallbacks{} }})
	inWorld(t, app, configure, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/", NoCallbacks{})
		group := s.NewSendGroup()
		var streams []*EventStream
		for i := range 6 {
			st, err := s.OpenEventStream(false, nil)
			if err != nil {
				t.Fatal(err)
			}
			st.SetPriority(6, true)
			st.SetSendGroup(group)
			st.SetSendOrder(int64(i))
			streams = append(streams, st)
		}
		for _, want := range [][]int64{{3, 2, 1, 0}, {5, 4, 3, 2}} {
			w.settle()
			var orders []int64
			for _, r := range group.ranks {
				orders = append(orders, r.order)
			}
			if !slices.Equal(orders, want) {
				t.Errorf("the orders of the open streams are %v, want %v", orders, want)
			}
			streams[0].Reset(0)
			streams[1].Reset(0)
		}
	})
}

// Whatever happened before, the urgency of a stream is that of its session and
// one more for every higher order of an open stream in its group, at most 7.
func TestUrgenciesFollowFromTheOpenStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Int8Range(0, 7).Draw(t, "urgency")
		s, streams := orderedSession(base, 12)
		groups := []*SendGroup{nil, s.NewSendGroup(), s.NewSendGroup()}
		type place struct {
			group   int
			order   int64
			ordered bool
		}
		places := make([]place, len(streams))
		open := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := open.Draw(t, "stream")
			stream, p := streams[i], &places[i]
			if stream.state.open == 0 {
				continue
			}
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				stream.state.finished(sendHalf)
				p.ordered = false
			case 1, 2, 3:
				p.group = rapid.IntRange(0, 2).Draw(t, "group")
				if !p.ordered {
					p.order = 0
				}
				p.ordered = true
				stream.SetSendGroup(groups[p.group])
			case 4:
				base = rapid.Int8Range(0, 7).Draw(t, "urgency")
				s.setPriority(priority{urgency: base})
			default:
				p.order = rapid.Int64Range(-4, 4).Draw(t, "order")
				if !p.ordered {
					p.group = 0
				}
				p.ordered = true
				stream.SetSendOrder(p.order)
			}
		}
		for i, p := range places {
			if streams[i].state.open == 0 {
				continue
			}
			higher := map[int64]struct{}{}
			for _, q := range places {
				if p.ordered && q.ordered && q.group == p.group && q.order > p.order {
					higher[q.order] = struct{}{}
				}
			}
			want := min(7, base+int8(len(higher)))
			if got := streams[i].stream.(*prioritised).priority.urgency; got != want {
				t.Fatalf("stream %d at %+v has urgency %d, want %d", i, p, got, want)
			}
		}
	})
}

func TestAClientsSessionHasThePriorityThatItAsksFor(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		for value, want := range map[string]priority{"u=1": {1, false}, "u=5, i": {5, true}, "": {3, true}} {
			options := &SessionOptions{Header: http.Header{}}
			if value != "" {
				options.Header.Set("Priority", value)
			}
			s, _, err := c.OpenSession(w.ctx, "https://server/echo", options)
			if err != nil {
				t.Fatal(err)
			}
			peer := w.server.conns[0].table.all()
			if s.priority != want || peer[len(peer)-1].priority.urgency != want.urgency {
				t.Errorf("with %q the priority is %v here and %v there, want %v", value, s.priority, peer[len(peer)-1].priority, want)
			}
		}
		c.Close()
	})
}

func TestPrioritiesThatKeepChangingCloseTheConnection(t *testing.T) {
	server := echoServer()
	server.Limits.Offences = 8
	inWorld(t, server, nil, func(w *world) {
		qc := w.dialQUIC()
		c := &wireClient{w: w, quic: qc}
		control, err := qc.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		control.Write(append(varints(streamTypeControl), draft16Settings()...))
		c.accepted(c.request(connectHeaders(protocolH3, "/echo")))
		for i := range 100 { // with the same urgency
			control.Write(priorityUpdate(0, []string{"u=3", "u=3, i"}[i%2]))
		}
		for i := range 8 {
			control.Write(priorityUpdate(0, []string{"u=1", "u=2"}[i%2]))
		}
		w.settle()
		if err := qc.Context().Err(); err != nil {
			t.Fatalf("8 changes closed the connection: %v", context.Cause(qc.Context()))
		}
		control.Write(priorityUpdate(0, "u=7"))
		if code := connCode(t, qc); code != h3ExcessiveLoad {
			t.Errorf("connection closed with %#x", code)
		}
	})
}

// arrival is a stream whose data has arrived, and the most that any other had
// delivered before that time which had not arrived either, in bytes.
type arrival struct {
	stream byte
	others int
}

// arrivals reads streams that carry their name in every byte.
type arrivals struct {
	mu      sync.Mutex
	now     time.Time
	before  map[byte]int // bytes of the streams that have not arrived, earlier than now
	pending map[byte]int // and until now
	list    []arrival
}

func (a *arrivals) read(str *quic.ReceiveStream) {
	header := make([]byte, len(varints(streamTypeWebTransport, 0)))
	if _, err := io.ReadFull(str, header); err != nil {
		return
	}
	b := make([]byte, 4096)
	for {
		n, err := str.Read(b)
		a.note(b[0], n)
		if err != nil {
			return
		}
	}
}

func (a *arrivals) note(name byte, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now != a.now {
		a.now, a.before = now, maps.Clone(a.pending)
	}
	a.pending[name] += n
	if n == 0 || a.pending[name] < streamSize {
		return
	}
	delete(a.pending, name)
	delete(a.before, name)
	most := 0
	for _, n := range a.before {
		most = max(most, n)
	}
	a.list = append(a.list, arrival{name, most})
}

const (
	streamSize = 200_000
	window     = 32 << 10
)

// ordering is sessions that write to unidirectional streams at the same time.
type ordering struct {
	sessions []string            // the names of each session's streams
	fields   map[string][]string // header fields of their requests
	later    []byte              // on the control stream, after their responses
	arrange  func(map[byte]*SendStream)
	settings []uint64
	loss     int // in percent of the server's packets
}

// run returns how the streams arrive. Flow control of the connection lets
// through a window a round trip.
func (o ordering) run(t *testing.T) []arrival {
	t.Helper()
	var streams map[byte]*SendStream
	var begin chan struct{}
	server := &Server{}
	for _, names := range o.sessions {
		server.Handle("/"+names, Application{Serve: func(s *Session) {
			<-begin
			var wg sync.WaitGroup
			for _, name := range []byte(names) {
				wg.Go(func() {
					streams[name].Write(bytes.Repeat([]byte{name}, streamSize))
					streams[name].Close()
				})
			}
			wg.Wait()
			<-s.Context().Done()
		}, Connecting: func(s *Session) error {
			for _, name := range []byte(names) {
				var err error
				if streams[name], err = s.OpenUniStream(context.Background()); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	configure := func(w *world) {
		w.clientQUIC.InitialConnectionReceiveWindow, w.clientQUIC.MaxConnectionReceiveWindow = window, window
	}
	var a arrivals
	inWorld(t, server, configure, func(w *world) {
		streams, begin = make(map[byte]*SendStream), make(chan struct{})
		a.pending = make(map[byte]int)
		qc := w.dialQUIC()
		c := &wireClient{w: w, quic: qc}
		defer c.close()
		control, err := qc.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		control.Write(append(varints(streamTypeControl), settingsFrame(append(o.settings, settingH3Datagram, 1, settingWebTransport, 1)...)...))
		for _, names := range o.sessions {
			c.accepted(c.request(connectHeaders(protocolH3, "/"+names, o.fields[names]...)))
		}
		control.Write(o.later)
		w.settle()
		if o.arrange != nil {
			o.arrange(streams)
		}
		// Ahead of all others a stream uses up the credit of the connection, so
		// that they have all begun when there is more.
		first, err := streams[o.sessions[0][0]].Session().OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		first.SetPriority(0, false)
		go func() {
			first.Write(make([]byte, streamSize))
			first.Close()
		}()
		synctest.Wait()
		w.serverNet.setDrop(losing(o.loss, 1))
		close(begin)
		var wg sync.WaitGroup
		for range len(streams) + 2 {
			str, err := qc.AcceptUniStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if str.StreamID() != 3 { // the control stream, which does not end
				wg.Go(func() { a.read(str) })
			}
		}
		wg.Wait()
	})
	return a.list[1:]
}

// withFlow are the settings of a client with flow control of sessions.
var withFlow = []uint64{settingInitialMaxData, 1 << 30, settingInitialMaxUniStreams, 100}

func TestStreamsArriveInTheirOrder(t *testing.T) {
	bySendOrder := func(s map[byte]*SendStream) {
		s['a'].SetSendOrder(1)
		s['b'].SetSendOrder(4)
		s['c'].SetSendOrder(2)
		s['d'].SetSendOrder(3)
	}
	// Between two of its writes, into which flow control of sessions and
	// retransmission divide the data, a stream has nothing to send.
	for name, test := range map[string]struct {
		ordering
		want string
		most int // bytes of a later one ahead of the last of an earlier one
	}{
		"by send order": {ordering{sessions: []string{"abcd"}, arrange: bySendOrder}, "bdca", 4096},
		"by send order, with flow control": {
			ordering{sessions: []string{"abcd"}, arrange: bySendOrder, settings: withFlow}, "bdca", window},
		"by send order, under loss": {ordering{sessions: []string{"abcd"}, arrange: bySendOrder, loss: 5}, "bdca", window},
		"by priority": {ordering{sessions: []string{"abc"}, arrange: func(s map[byte]*SendStream) {
			s['a'].SetPriority(5, true)
			s['c'].SetPriority(2, false)
		}}, "cba", 4096},
		"by the priority of the session, in the header": {ordering{
			sessions: []string{"a", "b"}, settings: withFlow, fields: map[string][]string{"b": {"priority", "u=1"}},
		}, "ba", window},
		"by the priority of the session, updated": {ordering{
			sessions: []string{"a", "b"}, settings: withFlow, later: priorityUpdate(0, "u=4"),
		}, "ba", window},
		"by send order within the priority of the session": {ordering{
			sessions: []string{"ab", "cd"}, settings: withFlow, later: priorityUpdate(0, "u=6"), arrange: func(s map[byte]*SendStream) {
				s['b'].SetSendOrder(10)
				s['a'].SetSendOrder(9)
				s['c'].SetSendOrder(1)
				s['d'].SetSendOrder(2)
			},
		}, "dcba", window},
	} {
		t.Run(name, func(t *testing.T) {
			list := test.run(t)
			var got []byte
			for _, a := range list {
				got = append(got, a.stream)
				if a.others > test.most {
					t.Errorf("%d bytes of another stream arrived ahead of the end of %c", a.others, a.stream)
				}
			}
			if string(got) != test.want {
				t.Errorf("streams arrived in the order %s, want %s", got, test.want)
			}
		})
	}
}

func TestStreamsOfTheSameRankShare(t *testing.T) {
	for name, arrange := range map[string]func(map[byte]*SendStream){
		"no order": nil,
		"the same order": func(s map[byte]*SendStream) {
			s['a'].SetSendOrder(5)
			s['b'].SetSendOrder(5)
		},
		"the highest orders of two groups": func(s map[byte]*SendStream) {
			s['a'].SetSendOrder(5)
			s['b'].SetSendGroup(s['b'].Session().NewSendGroup())
		},
		"an order and none": func(s map[byte]*SendStream) { s['b'].SetSendOrder(5) },
	} {
		t.Run(name, func(t *testing.T) {
			list := ordering{sessions: []string{"ab"}, arrange: arrange}.run(t)
			if len(list) != 2 || list[0].others < streamSize*9/10 {
				t.Errorf("the streams arrived as %v", list)
			}
		})
	}
}
