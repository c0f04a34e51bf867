package scenario

// flowKinds are the kinds of flows, in the order in which they are listed.
var flowKinds = []kind{
	{
		name: "download", doc: "data from server to client, as fast as the path allows", config: func() any { return &Bulk{} },
		example: `
[sessions.main.flows.bulk]
kind = "download"
size = "10MB"
streams = 4`,
	},
	{
		name: "upload", doc: "data from client to server, as fast as the path allows", config: func() any { return &Bulk{Upload: true} },
		example: `
[sessions.main.flows.backup]
kind = "upload"
start = "2s"
duration = "5s"`,
	},
	{
		name: "echo", doc: "periodic messages that the server sends back: round-trip latency", config: func() any { return &Echo{} },
		example: `
[sessions.main.flows.ping]
kind = "echo"
transport = "datagram"
rate = "20Hz"
duration = "5s"`,
	},
	{
		name: "media", doc: "frames at a constant rate in one direction: one-way delay, loss, jitter", config: func() any { return &Media{} },
		example: `
[sessions.main.flows.voice]
kind = "media"
rate = "50Hz"
size = "160B"
count = 250
deadline = "150ms"`,
	},
	{
		name: "baton", doc: "batons that both ends pass on, on streams of each kind, until they have arrived", config: func() any { return &Baton{} },
		example: `
[sessions.main.flows.batons]
kind = "baton"
baton = 241
count = 20`,
	},
	{
		name: "request", doc: "plain HTTP/3 GET requests beside the session", config: func() any { return &Request{} },
		example: `
[sessions.main.flows.pages]
kind = "request"
size = "20KB"
count = 50
interval = "100ms"`,
	},
}
