package browsertest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/wt"
)

func TestEchoOverStreamsAndDatagrams(t *testing.T) {
	p := sharedPage(t)
	ended := make(chan *wt.SessionError, 1)
	srv := serveApp(t, func(s *wt.Session) {
		echo(s)
		ended <- endOf(s)
	})
	type seen struct{ Bidi, Uni, Datagram string }
	got := run[seen](t, p, srv, `
		const session = await connect("/");

		const bidi = await session.createBidirectionalStream();
		await send(bidi.writable, "over a bidirectional stream");

		await send(await session.createUnidirectionalStream(), "over a unidirectional stream");
		const { value: uni } = await session.incomingUnidirectionalStreams.getReader().read();

		// A datagram may be lost even here, so it is sent until one comes back.
		const received = session.datagrams.readable.getReader().read();
		const writer = session.datagrams.writable.getWriter();
		const timer = setInterval(() => writer.write(encoder.encode("in a datagram")), 50);
		const { value: datagram } = await received;
		clearInterval(timer);

		const result = { bidi: await readText(bidi.readable), uni: await readText(uni), datagram: decoder.decode(datagram) };
		session.close();
		return result;
	`, nil)
	want := seen{"over a bidirectional stream", "over a unidirectional stream", "in a datagram"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page saw (-want +got):\n", diff)
	}
	if diff := cmp.Diff(&wt.SessionError{Remote: true, Clean: true}, receive(t, ended)); diff != "" {
		t.Error("the server's session ended so (-want +got):\n", diff)
	}
}

func TestServerOpensStreamsOfBothKinds(t *testing.T) {
	p := sharedPage(t)
	answers := make(chan string, 1)
	srv := serveApp(t, func(s *wt.Session) {
		ctx := s.Context()
		uni, err := s.OpenUniStream(ctx)
		if err != nil {
			return
		}
		uni.Write([]byte("unidirectional"))
		uni.Close()
		bidi, err := s.OpenStream(ctx)
		if err != nil {
			return
		}
		bidi.Write([]byte("bidirectional"))
		bidi.Close()
		answers <- readString(bidi)
		<-ctx.Done()
	})
	type seen struct{ Uni, Bidi string }
	got := run[seen](t, p, srv, `
		const session = await connect("/");
		const { value: uni } = await session.incomingUnidirectionalStreams.getReader().read();
		const { value: bidi } = await session.incomingBidirectionalStreams.getReader().read();
		await send(bidi.writable, "answer");
		return { uni: await readText(uni), bidi: await readText(bidi.readable) };
	`, nil)
	if want := (seen{"unidirectional", "bidirectional"}); got != want {
		t.Errorf("the page read %+v, want %+v", got, want)
	}
	if answer := receive(t, answers); answer != "answer" {
		t.Errorf("the server read %q", answer)
	}
}

// Streams of the server may overtake its answer to the request.
func TestServerOpensAStreamAtOnce(t *testing.T) {
	p := sharedPage(t)
	srv := serveApp(t, func(s *wt.Session) {
		for range 20 {
			uni, err := s.OpenUniStream(s.Context())
			if err != nil {
				return
			}
			uni.Write([]byte("x"))
			uni.Close()
		}
		<-s.Context().Done()
	})
	got := run[int](t, p, srv, `
		const session = await connect("/");
		let streams = 0;
		const reader = session.incomingUnidirectionalStreams.getReader();
		while (streams < 20) {
			const { value } = await reader.read();
			if (await readText(value) === "x") streams++;
		}
		return streams;
	`, nil)
	if got != 20 {
		t.Errorf("the page read %d of 20 streams", got)
	}
}

// The server answers with the length in decimal, since a page in which an
// empty datagram arrived receives no more of them (Chromium 148 and 156).
func TestDatagramsUpToTheLargestThatFits(t *testing.T) {
	p := sharedPage(t)
	const askForLargest = 2
	sent := make(chan []int, 1)
	srv := serveApp(t, func(s *wt.Session) {
		var largest []int
		for {
			b, err := s.ReceiveDatagram(s.Context())
			if err != nil {
				break
			}
			answer := []byte(strconv.Itoa(len(b)))
			if len(b) == askForLargest {
				answer = make([]byte, s.MaxDatagramSize())
				largest = append(largest, len(answer))
			}
			s.SendDatagram(answer)
		}
		sent <- largest
	})
	type seen struct {
		Max, Largest int
		Lengths      []string
	}
	got := run[seen](t, p, srv, `
		const session = await connect("/");
		const reader = session.datagrams.readable.getReader();
		const writer = session.datagrams.writable.getWriter();
		// Sends datagrams of a size, as any may be lost, until the answer is one for it.
		const answer = async (size, fits) => {
			const timer = setInterval(() => writer.write(new Uint8Array(size)), 50);
			for (;;) {
				const { value } = await reader.read();
				if (!fits(value)) continue;
				clearInterval(timer);
				return value;
			}
		};
		const lengths = [];
		const max = session.datagrams.maxDatagramSize;
		for (const size of [0, 1, max]) lengths.push(decoder.decode(await answer(size, (value) => decoder.decode(value) === String(size))));
		const largest = (await answer(args, (value) => value.length > 100)).length;
		session.close();
		return { max, largest, lengths };
	`, askForLargest)
	if got.Max < 1000 || got.Max > 1500 {
		t.Errorf("the page may send datagrams of %d bytes", got.Max)
	}
	if diff := cmp.Diff([]string{"0", "1", strconv.Itoa(got.Max)}, got.Lengths); diff != "" {
		t.Error("the server received datagrams of these lengths (-want +got):\n", diff)
	}
	if largest := receive(t, sent); !slices.Contains(largest, got.Largest) {
		t.Errorf("the page received %d bytes, the server sent one of %v", got.Largest, largest)
	}
}

// Chromium opens a connection for each session all the same.
func TestSessionsThatMayBePooled(t *testing.T) {
	p := sharedPage(t)
	srv := serveApp(t, echo)
	got := run[[]string](t, p, srv, `
		const sessions = await Promise.all(Array.from({ length: 5 }, () => connect("/", { allowPooling: true })));
		return Promise.all(sessions.map(async (session, i) => {
			const str = await session.createBidirectionalStream();
			await send(str.writable, "session " + i);
			return readText(str.readable);
		}));
	`, nil)
	want := []string{"session 0", "session 1", "session 2", "session 3", "session 4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page read (-want +got):\n", diff)
	}
}

func TestStatisticsOfASession(t *testing.T) {
	p := sharedPage(t)
	stats := make(chan wt.Stats, 1)
	srv := serveApp(t, func(s *wt.Session) {
		echo(s)
		stats <- s.Stats()
	})
	run[any](t, p, srv, `
		const session = await connect("/");
		for (let i = 0; i < 10; i++) {
			const str = await session.createBidirectionalStream();
			await send(str.writable, new Uint8Array(100));
			await readAll(str.readable);
		}
		const uni = session.incomingUnidirectionalStreams.getReader();
		for (let i = 0; i < 5; i++) {
			await send(await session.createUnidirectionalStream(), new Uint8Array(10));
			await readAll((await uni.read()).value);
		}
		session.close();
		await session.closed;
	`, nil)
	got := receive(t, stats)
	connection := got.Connection
	got.Connection, got.EstimatedSendRate = quic.ConnectionStats{}, 0
	const bytes = 10*100 + 5*10
	want := wt.Stats{BytesSent: bytes, BytesReceived: bytes, StreamsOpened: 5, StreamsReceived: 15}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the session's statistics (-want +got):\n", diff)
	}
	if connection.BytesReceived < bytes || connection.BytesSent < bytes || connection.PacketsSent == 0 || connection.SmoothedRTT <= 0 {
		t.Errorf("the connection's statistics: %+v", connection)
	}
}
