package scenario

// flowKinds are the kinds of flows, in the order in which they are listed.
var flowKinds = []kind{
	{"download", "data from server to client, as fast as the path allows", func() any { return &Bulk{} }},
	{"upload", "data from client to server, as fast as the path allows", func() any { return &Bulk{Upload: true} }},
	{"echo", "periodic messages that the server sends back: round-trip latency", func() any { return &Echo{} }},
	{"media", "frames at a constant rate in one direction: one-way delay, loss, jitter", func() any { return &Media{} }},
	{"baton", "batons that both ends pass on, on streams of each kind, until they have arrived", func() any { return &Baton{} }},
	{"request", "plain HTTP/3 GET requests beside the session", func() any { return &Request{} }},
}
