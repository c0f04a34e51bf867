// Package endpoints is a WebTransport server to try clients against: browsers,
// other implementations, and package wt's own. "wtsim serve" runs it.
//
//	server, err := endpoints.Start(endpoints.Config{Listen: "localhost:0"})
//	...
//	defer server.Close()
//	server.URL()         // "https://localhost:PORT", to append a path such as /echo to
//	server.Certificate() // generated; Hash of it is a value for serverCertificateHashes
//	server.PageURL()     // "http://localhost:PORT/", a page that exercises the endpoints, with #run at once
//
// The page's query says where else the endpoints are, as behind a relay, and how many
// bytes of bulk data cross each way: ?server=https://127.0.0.1:PORT&bytes=1000000.
//
// [Describe] lists the endpoints. A GET request for the path of one, over
// HTTP/3 or from the page's server, is answered with what it is. A session
// whose query is not understood is refused with status 400, and the reason in
// the field [ReasonHeader].
//
// # Bounds
//
// Every parameter has bounds, which are stated with it. What a client sends is
// not kept. A connection may have 1000 streams of each kind under way, each of which costs a
// goroutine and 8 KiB beside what QUIC's flow control lets it send. The number of
// connections has no bound: the server is not made to be left open to everyone.
//
// # Origins
//
// By default pages of any origin may open sessions. The server is made for
// that: pages under development come from other origins, the server holds
// nothing, and what a session can do is bounded. Config.Origins restricts it.
package endpoints
