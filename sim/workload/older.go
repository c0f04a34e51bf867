package workload

import (
	"reflect"

	"github.com/quic-go/quic-go/qlog"
)

// What releases of quic-go before that of go.mod do otherwise. With this the package
// compiles with them too, so that 'wtsim ab' can compare them.

// SupportsSchemas is what qlogwriter.Trace has before v0.65.0: whether http3 is to
// record events of a schema of its own. It does from v0.65.0 on in any case.
func (t *trace) SupportsSchemas(string) bool { return true }

// Which packets are probes of the MTU is not told before v0.65.0: there they count as
// packets, and as lost ones.
var (
	sentProbe = newFlag[qlog.PacketSent]("IsMTUProbePacket")
	lostProbe = newFlag[qlog.PacketLost]("IsMTUProbePacket")
)

// flag is a field of an event that some releases do not have. It is found once, as
// events are many.
type flag[T any] struct{ index []int }

func newFlag[T any](name string) flag[T] {
	field, _ := reflect.TypeFor[T]().FieldByName(name)
	return flag[T]{field.Index}
}

// of returns the value of the field, and false if there is none.
func (f flag[T]) of(event *T) bool {
	return len(f.index) == 1 && reflect.ValueOf(event).Elem().Field(f.index[0]).Bool()
}
