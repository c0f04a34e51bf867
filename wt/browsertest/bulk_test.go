package browsertest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/wt"
)

// tenMegabytes is what crosses each way where nothing is in between.
var tenMegabytes = share(10_000_000)

// pattern is the bytes that the page's function of that name makes.
func pattern(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i*31 + i>>8)
	}
	return b
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestTenMegabytesEachWayOnOneStream(t *testing.T) {
	p := sharedPage(t)
	received := make(chan string, 1)
	srv := serveApp(t, func(s *wt.Session) {
		str, err := s.AcceptStream(s.Context())
		if err != nil {
			return
		}
		var sending sync.WaitGroup
		sending.Go(func() {
			str.Write(pattern(tenMegabytes))
			str.Close()
		})
		hash := sha256.New()
		_, err = io.Copy(hash, str)
		sending.Wait()
		if err != nil {
			received <- err.Error()
			return
		}
		received <- hex.EncodeToString(hash.Sum(nil))
		<-s.Context().Done()
	})
	got := run[string](t, p, srv, `
		const session = await connect("/");
		const str = await session.createBidirectionalStream();
		const [bytes] = await Promise.all([readAll(str.readable), send(str.writable, pattern(args))]);
		return sha256(bytes);
	`, tenMegabytes)
	want := sha256Hex(pattern(tenMegabytes))
	if got != want {
		t.Errorf("what the page received hashes to %s, want %s", got, want)
	}
	if got := receive(t, received); got != want {
		t.Errorf("what the server received hashes to %s, want %s", got, want)
	}
}

func TestTenMegabytesEachWayOnManyStreams(t *testing.T) {
	p := sharedPage(t)
	srv := serveApp(t, echo)
	const streams = 50
	got := run[[]string](t, p, srv, `
		const session = await connect("/");
		const exchange = async (i) => {
			const str = await session.createBidirectionalStream();
			const [bytes] = await Promise.all([readAll(str.readable), send(str.writable, pattern(args.bytes + i))]);
			return sha256(bytes);
		};
		return Promise.all(Array.from({ length: args.streams }, (_, i) => exchange(i)));
	`, map[string]int{"streams": streams, "bytes": tenMegabytes / streams})
	var want []string
	for i := range streams {
		want = append(want, sha256Hex(pattern(tenMegabytes/streams+i)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page received what hashes to (-want +got):\n", diff)
	}
}

// All streams are open before the first ends. They are of both kinds and
// opened by both ends.
func TestAHundredStreamsOfEachKindAtOnce(t *testing.T) {
	p := sharedPage(t)
	const streams = 100
	received := make(chan map[string]int, 1)
	srv := &wt.Server{}
	srv.Handle("/", wt.Application{CheckOrigin: fromPage, Serve: func(s *wt.Session) {
		ctx := s.Context()
		var mu sync.Mutex
		texts := make(map[string]int)
		note := func(r io.Reader) {
			text := readString(r)
			mu.Lock()
			defer mu.Unlock()
			texts[text]++
		}
		var all sync.WaitGroup
		for range streams {
			bidi, err := s.OpenStream(ctx)
			if err != nil {
				break
			}
			uni, err := s.OpenUniStream(ctx)
			if err != nil {
				break
			}
			bidi.Write([]byte("server's bidi"))
			uni.Write([]byte("server's uni"))
			all.Go(func() {
				note(bidi) // the page ends its direction when it has all streams
				bidi.Close()
				uni.Close()
			})
		}
		for range streams {
			bidi, err := s.AcceptStream(ctx)
			if err != nil {
				break
			}
			uni, err := s.AcceptUniStream(ctx)
			if err != nil {
				break
			}
			all.Go(func() {
				note(bidi)
				bidi.Write([]byte("answer"))
				bidi.Close()
				note(uni)
			})
		}
		all.Wait()
		received <- texts
		<-ctx.Done()
	}})
	got := run[map[string]int](t, p, serve(t, srv, &quic.Config{MaxIncomingStreams: 1000, MaxIncomingUniStreams: 1000}), `
		const session = await connect("/");
		const take = async (readable, n) => {
			const reader = readable.getReader();
			const all = [];
			while (all.length < n) all.push((await reader.read()).value);
			return all;
		};
		const mine = [];
		for (let i = 0; i < args; i++) {
			const bidi = await session.createBidirectionalStream();
			const uni = await session.createUnidirectionalStream();
			const writers = [bidi.writable.getWriter(), uni.getWriter()];
			await Promise.all([writers[0].write(encoder.encode("page's bidi")), writers[1].write(encoder.encode("page's uni"))]);
			mine.push({ bidi, writers });
		}
		const bidi = await take(session.incomingBidirectionalStreams, args);
		const uni = await take(session.incomingUnidirectionalStreams, args);
		const texts = {};
		const note = async (readable) => {
			const text = await readText(readable);
			texts[text] = (texts[text] ?? 0) + 1;
		};
		await Promise.all([
			...mine.map(({ bidi, writers }) => Promise.all([note(bidi.readable), ...writers.map((w) => w.close())])),
			...bidi.map((str) => Promise.all([note(str.readable), send(str.writable, "answer")])),
			...uni.map(note),
		]);
		return texts;
	`, streams)
	want := map[string]int{"answer": streams, "server's bidi": streams, "server's uni": streams}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the page read (-want +got):\n", diff)
	}
	want = map[string]int{"answer": streams, "page's bidi": streams, "page's uni": streams}
	if diff := cmp.Diff(want, receive(t, received)); diff != "" {
		t.Error("the server read (-want +got):\n", diff)
	}
}

func TestAThousandStreamsOneAfterTheOther(t *testing.T) {
	p := sharedPage(t)
	streams := share(1000)
	var events counter
	srv := &wt.Server{Trace: events.count}
	srv.Handle("/", wt.Application{CheckOrigin: fromPage, Serve: echo})
	// The credit for streams has to be renewed, but in time: without any, Chromium opens no stream, and does not wait either.
	limits := &quic.Config{MaxIncomingStreams: int64(streams / 4), MaxIncomingUniStreams: int64(streams / 4)}
	got := run[int](t, p, serve(t, srv, limits), `
		const session = await connect("/");
		const uni = session.incomingUnidirectionalStreams.getReader();
		let good = 0;
		for (let i = 0; i < args / 2; i++) {
			const text = "stream " + i;
			const str = await session.createBidirectionalStream();
			await send(str.writable, text);
			if (await readText(str.readable) === text) good++;
			await send(await session.createUnidirectionalStream(), text);
			if (await readText((await uni.read()).value) === text) good++;
		}
		return good;
	`, streams)
	if got != streams {
		t.Errorf("the page read %d of %d echoes", got, streams)
	}
	opened := int64(streams + streams/2) // the answers on unidirectional streams are streams too
	eventually(t, func() bool { return events.of(wt.StreamEnded) == opened })
	if got := events.of(wt.StreamOpened); got != opened {
		t.Errorf("the server saw %d streams, want %d", got, opened)
	}
}
