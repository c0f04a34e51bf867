// Package wt is WebTransport over HTTP/3 (draft-ietf-webtrans-http3-16, and the
// settings and tokens of the drafts since 02) on quic-go.
//
// # Model
//
// A [Server] serves sessions and ordinary HTTP/3 requests on the connections
// of any QUIC listener; [Server.Handle] gives a path its [Application]. A
// [ClientConn] is the client's end of one connection, which carries sessions
// and requests too; a [Dialer] makes connections for those who need no more
// than a session. QUIC is configured with [QUICConfig], on both ends.
//
// A [Session] has streams in both directions, of both kinds, and datagrams.
// Its context ends with it, and the context's cause is a *[SessionError],
// which is also the error of every call on the session and its streams from
// then on. A stream that is reset alone fails with a *[StreamError].
// Streams hand data straight to quic-go and take it from there: no goroutine of this
// package is between, and no copy but of the ends of writes. Flow control of sessions counts what passes.
//
// # Callbacks
//
// A session may be driven by its events instead of calls that wait: an
// [Application] makes [Callbacks] for every session it accepts, a client gives them in
// [SessionOptions]. Events of a session come one at a time and in order, and
// [Callbacks.Freed] last. Streams are [EventStream]s, which are asked for
// data when QUIC can send it ([Callbacks.Writable]), not before, so that an application decides
// late what to send. Both ways share all that is below them; one session has one of them.
//
// The peer cannot make events queue up: data waits in QUIC's windows, datagrams in their bounded
// queue, and a stream makes room for another one only when its end has been reported.
//
// # The table
//
// Streams and datagrams name their session by the stream ID of its CONNECT
// stream. The connection keeps a table of sessions by that ID:
//
//   - A known session gets the stream or the datagram.
//   - At the server, an ID whose CONNECT request has not been examined yet may
//     become a session. Its streams and datagrams are held, within
//     [Limits], and handed over when it does. What does not fit, or has waited
//     too long, is reset with WT_BUFFERED_STREAM_REJECTED or dropped.
//   - Any other ID was a session that has ended, or never one: its
//     streams are reset with WT_SESSION_GONE, its datagrams dropped.
//   - An ID that is no client's bidirectional stream closes the connection
//     with H3_ID_ERROR, a datagram without a valid one with H3_DATAGRAM_ERROR.
//
// A session is in the table before its CONNECT request (client) or its 2xx
// response (server) is sent.
//
// # How a session begins
//
// Both ends announce the drafts that they speak, and the highest is used
// ([Session.Draft]); what drafts 15 and later require is required of peers that announce
// one of these. A client waits for the server's SETTINGS, [ClientConn.OpenSession] for the
// response too. [ClientConn.StartSession] does not: streams and datagrams may follow the request at
// once, and are lost if the session is refused.
//
// A server waits for the client's SETTINGS. Then [Server] decides (SessionRate, Admit),
// then the [Application] of the path (CheckOrigin, Protocols), then the limit of
// sessions, then Connecting, which may use the session already. Capsules of the client
// wait for the response. What is refused is answered with a status, and the client has
// a [RefusedError] that says so; a request that is malformed, or one session too many
// without flow control, is reset.
//
// # How a session ends
//
// Who closes a session sends CLOSE_SESSION and FIN on the CONNECT stream, in
// one flight with nothing else: what resets streams or stops them travels ahead of
// stream data, and peers that see it first lose the code. Streams are reset, with
// WT_SESSION_GONE, when the peer's FIN arrives, or after the longer of 50 ms and a round trip. The
// peer's end of the CONNECT stream is awaited for three probe timeouts (at least 250
// ms, at most 2 s), then given up. If flow control does not let the capsule through it
// is tried for 2 s, and the CONNECT stream reset then; Close never blocks.
//
// Who receives CLOSE_SESSION reports the code and reason, answers with FIN and
// resets its streams. A FIN alone is code 0 without a reason. A reset of the
// CONNECT stream, the loss of the connection, and a capsule that is malformed
// (which resets the CONNECT stream with H3_MESSAGE_ERROR) end the session uncleanly.
//
// The session leaves the table when its streams are reset and both directions of the
// CONNECT stream are finished ([Session.Done]).
//
// Before that either end may ask for it: [Session.Drain] sends DRAIN_SESSION, and
// [Session.Draining] tells of it at both ends, at the client also of the server's
// GOAWAY, after which no session is opened. A session that is draining is as usable as before.
//
// [Server.Shutdown] drains all sessions, refuses new ones and requests, and closes what
// has not ended in time, so that close codes arrive here too; [ClientConn.Shutdown] is
// its like.
//
// # Early data
//
// No session begins in 0-RTT: a client asks for one when it has the SETTINGS of this
// very connection, never with remembered ones, and a server holds a request that comes
// in early data until the handshake is complete. [NewEarlyClientConn] sends the SETTINGS of
// a client that resumes as early data, and nothing else. A server whose listener accepts early
// data must not lower the limits of its [FlowControl] as long as clients hold its
// session tickets (draft-ietf-webtrans-http3-16, section 3.2). The listeners of
// [http3.Server] accept none once there are settings of an extension.
//
// # Bounds
//
// [Limits] and [DatagramOptions] bound early streams and datagrams, queued datagrams,
// and the time to send headers and SETTINGS. Streams that the application has not
// accepted are bounded by QUIC's stream limits. A CLOSE_SESSION capsule has at most
// 1028 bytes, a datagram in a capsule 65535; all other capsules are skipped as they
// arrive. SETTINGS have at most 8 KiB, PRIORITY_UPDATE 4 KiB, and 64 of those are held
// for requests to come. Header fields have 64 KiB together, and sessions are limited in
// number and rate (Server.MaxSessions, SessionRate).
//
// What a peer may do now and then, such as to send streams long ahead of their session, is
// counted: one that does it all the time loses its connection, with H3_EXCESSIVE_LOAD
// (Limits.Offences).
//
// What a session may send and have open is bounded by its flow control. What a peer
// sends against the rules is noticed when it is read, or when a stream's final size is known,
// as QUIC does not tell what has arrived; QUIC's own windows are the limit until then.
//
// # Flow control and pooling
//
// If both ends announce flow control of sessions ([FlowControl]), a connection carries
// several; otherwise one at a time. Credit is given when the application reads, and
// when a stream has ended. The windows grow with the pace of the reader and the
// round-trip time, each up to an equal share of what the connection may hold, so that a
// session that is not read does not hold up the others. Sessions that write at the same
// time get equal turns, however many streams each of them has.
//
// # What is sent first
//
// Streams have the urgency of their session, which the client asks for with the
// Priority header field or PRIORITY_UPDATE (RFC 9218), unless the application gives
// them one of their own ([SendStream.SetPriority]) or an order among each other
// ([SendStream.SetSendOrder]). QUIC sends datagrams ahead of streams. They go straight
// to its queue, which all sessions of a connection share, or wait in one of their
// session, where they may expire; such sessions take turns ([DatagramOptions]).
//
// # Browsers
//
// What a server should know of Chromium, found with versions 148 and 156, on
// which package browsertest runs the tests of this one:
//
//   - It speaks draft 02, opens a connection for each session, and abandons it
//     when the session has ended ([Server.IdleTimeout]). A page that vanishes closes its sessions with code 0.
//   - It does not wait for the credit of a stream: a page that opens more streams
//     than MaxIncomingStreams of [quic.Config] allows, of which the session is one,
//     has them fail. Of MaxIncomingUniStreams three are those of HTTP/3. [QUICConfig]
//     allows 1000 of each, quic-go on its own 100.
//   - It delivers no datagram after an empty one.
//   - Pages send stream codes up to 255, and receive all. They often do not learn the code of a
//     stream that is stopped before any of its data was taken.
//   - It loses the close code when it handles the acknowledgement of its FIN together with the
//     CLOSE_SESSION capsule: once in some thousand sessions, on the loopback interface of a busy machine.
//
// # What http3 cannot do
//
// The package reads the peer's control stream and all datagrams itself, and
// leaves requests, responses and QPACK to http3. Hence:
//
//   - A handler must not wait for [http3.Settingser]: http3 never sees the SETTINGS.
//   - GOAWAY cannot be sent, as http3 keeps its control stream to itself.
//   - The :scheme of a request is not known, so one other than https goes unnoticed.
//   - A WebTransport header inside a request stream is skipped as an unknown
//     frame instead of closing the connection with H3_FRAME_ERROR.
//   - A STOP_SENDING is answered with a plain RESET_STREAM and the same code.
//   - If a stream is reset while QUIC still holds data of it, and the peer asks to stop it
//     before the reset arrives, up to 4 KiB of the session's credit for data are lost.
//   - A FIN inside a frame of the CONNECT stream, between capsules, passes for a proper end.
//   - SETTINGS and header fields are sent in the order of a Go map: their bytes
//     vary from run to run, their sizes do not.
package wt
