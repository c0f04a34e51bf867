package scenario

import "reflect"

// flowKinds are the kinds of flows, in the order in which they are listed.
var flowKinds = []struct {
	name, doc string
	config    func() FlowConfig
}{
	{"download", "data from server to client, as fast as the path allows", func() FlowConfig { return &Bulk{} }},
	{"upload", "data from client to server, as fast as the path allows", func() FlowConfig { return &Bulk{Upload: true} }},
	{"echo", "periodic messages that the server sends back: round-trip latency", func() FlowConfig { return &Echo{} }},
	{"media", "frames at a constant rate in one direction: one-way delay, loss, jitter", func() FlowConfig { return &Media{} }},
	{"baton", "batons that both ends pass on, on streams of each kind, until they have arrived", func() FlowConfig { return &Baton{} }},
	{"request", "plain HTTP/3 GET requests beside the session", func() FlowConfig { return &Request{} }},
}

// chooseConfig gives a flow the configuration, with its defaults, of the kind
// that a node names. A node without a valid kind is left for the check of kind.
func chooseConfig(f *Flow, n *node) error {
	kind := n.child["kind"]
	if kind == nil {
		return requireKeys(fieldsOf(reflect.ValueOf(f).Elem()), n)
	}
	for _, k := range flowKinds {
		if kind.text == k.name {
			f.Config = k.config()
			setDefaults(reflect.ValueOf(f.Config).Elem())
			return nil
		}
	}
	fields := fieldsOf(reflect.ValueOf(f).Elem())
	return decodeField(fields[0], kind)
}
