package scenario

import (
	"cmp"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Change gives parameters of a link new values at a virtual time, at once or
// in a ramp. In a file it has, beside its own keys, any keys of a direction.
type Change struct {
	At        time.Duration `toml:"at" required:"true" range:"0s..24h" doc:"virtual time of the change"`
	Over      time.Duration `toml:"over" default:"0s" range:"0s..24h" doc:"time that numbers take to come to their new values, in steps that are equal in time; 0 is at once"`
	Step      time.Duration `toml:"step" default:"100ms" range:"100us..1h" doc:"time between the steps of a ramp"`
	Direction string        `toml:"direction" default:"both" oneof:"forward reverse both" doc:"forward, reverse or both"`

	Keys    []string      `toml:"-"` // what it sets, such as "rate" and "loss.p", in the order of a direction's keys; a new kind sets its other keys to their defaults
	Forward LinkDirection `toml:"-"` // the forward direction when the change and those before it are done
	Reverse LinkDirection `toml:"-"` // likewise
}

// Applies reports whether a change concerns a direction.
func (ch *Change) Applies(direction string) bool {
	return ch.Direction == "both" || ch.Direction == direction
}

// direction returns the configuration of a direction after the change. Of both,
// forward has the values of all keys of the change.
func (ch *Change) direction(name string) *LinkDirection {
	if name == "reverse" {
		return &ch.Reverse
	}
	return &ch.Forward
}

// decodeChanges reads the changes of a link whose directions are complete: what
// a change does not name stays as the one before it has left it.
func decodeChanges(l *Link, n *node) error {
	if n.kind != listNode {
		return n.fail("%s; expected tables [[%s]]", n.describe(), n.path)
	}
	l.Changes = make([]Change, len(n.items))
	order := make([]int, len(n.items))
	for i, item := range n.items {
		if item.kind != tableNode {
			return item.fail("%s; expected a table", item.describe())
		}
		ch := reflect.ValueOf(&l.Changes[i]).Elem()
		setDefaults(ch)
		fields := fieldsOf(ch)
		known := append(fields, fieldsOf(reflect.ValueOf(&l.Forward).Elem())...)
		own := *item
		own.names = nil
		for _, name := range item.names {
			switch {
			case slices.Contains(keysOf(fields), name):
				own.names = append(own.names, name)
			case !slices.Contains(keysOf(known), name):
				return item.child[name].fail("unknown key%s", suggest(name, keysOf(known)))
			}
		}
		if err := decodeFields(ch, fields, &own); err != nil {
			return err
		}
		if err := requireKeys(fields, item); err != nil {
			return err
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(l.Changes[a].At, l.Changes[b].At) })
	forward, reverse := &l.Forward, &l.Reverse
	for _, i := range order {
		ch := &l.Changes[i]
		ch.Forward, ch.Reverse = forward.Clone(), reverse.Clone()
		set := map[string]bool{}
		for _, d := range directions {
			if ch.Applies(d) {
				if err := decodeChange(set, ch.direction(d), n.items[i]); err != nil {
					return err
				}
			}
		}
		// What a change implies of one direction, such as a kind, it may only say
		// of what the other one has already.
		for _, f := range leaves(reflect.ValueOf(ch.direction(ch.Direction)).Elem(), "") {
			if set[f.key] {
				ch.Keys = append(ch.Keys, f.key)
			}
		}
		forward, reverse = &ch.Forward, &ch.Reverse
	}
	return nil
}

// decodeChange gives a direction the values of a change, and adds their keys to
// a set.
func decodeChange(set map[string]bool, d *LinkDirection, n *node) error {
	queue, loss := d.Queue.Kind, d.Loss.Kind
	v := reflect.ValueOf(d).Elem()
	fields := fieldsOf(v)
	own := *n
	own.names = slices.DeleteFunc(slices.Clone(n.names), func(name string) bool { return !slices.Contains(keysOf(fields), name) })
	if err := decodeFields(v, fields, &own); err != nil {
		return err
	}
	for _, f := range leaves(v, "") {
		if named(&own, f) {
			set[f.key] = true
		}
	}
	if d.Queue.Kind != queue {
		set["queue.kind"] = true
	}
	if d.Loss.Kind != loss {
		set["loss.kind"] = true
	}
	return nil
}

// field returns a key of a direction, which has it unless the key belongs to
// another kind.
func (d *LinkDirection) field(key string) (f field, ok bool) {
	v := reflect.ValueOf(d).Elem()
	for part := range strings.SplitSeq(key, ".") {
		fields := fieldsOf(v)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == part })
		if i < 0 {
			return field{}, false
		}
		f, v = fields[i], fields[i].value
	}
	return f, true
}

// named reports whether a node has a value for a key of a direction, which may
// be the short form of the table that holds it.
func named(n *node, f field) bool {
	for _, part := range strings.Split(f.key, ".") {
		if n.kind != tableNode {
			return f.short
		}
		inner := n.child[part]
		if inner == nil {
			return f.short && n.short != nil
		}
		n = inner
	}
	return true
}

// leaves returns the keys of a direction that a change sets, which are written
// even where that is to nothing.
func (ch *Change) leaves() []field {
	var set []field
	for _, f := range leaves(reflect.ValueOf(ch.direction(ch.Direction)).Elem(), "") {
		if slices.Contains(ch.Keys, f.key) {
			f.required = true
			set = append(set, f)
		}
	}
	return set
}

// Describe returns what the change makes of a direction, such as "rate =
// 1Mbit/s, delay = 20ms over 2s".
func (ch *Change) Describe(direction string) string {
	var parts []string
	for _, key := range ch.Keys {
		if f, ok := ch.direction(direction).field(key); ok {
			parts = append(parts, key+" = "+strings.Trim(valueText(f.value), `"`))
		}
	}
	text := strings.Join(parts, ", ")
	if ch.Over > 0 {
		text += " over " + ch.Over.String()
	}
	return text
}

// Apply gives a direction the values of a change when elapsed of its Over has
// passed since it had those of from. Numbers on their way are rounded towards
// the start.
func (ch *Change) Apply(to, from *LinkDirection, direction string, elapsed time.Duration) {
	target := ch.direction(direction)
	if slices.Contains(ch.Keys, "queue.kind") {
		chooseKind(reflect.ValueOf(&to.Queue).Elem(), target.Queue.Kind)
	}
	if slices.Contains(ch.Keys, "loss.kind") {
		chooseKind(reflect.ValueOf(&to.Loss).Elem(), target.Loss.Kind)
	}
	for _, key := range ch.Keys {
		end, ok := target.field(key)
		if !ok {
			continue
		}
		value := end.value
		if start, ok := from.field(key); ok && elapsed < ch.Over {
			if between, ok := interpolate(start, end, elapsed, ch.Over); ok {
				value = between
			}
		}
		f, _ := to.field(key)
		f.value.Set(value)
	}
}

// interpolate returns the value that lies elapsed/over of the way from one
// number to another. It reports whether the values are such that there is one.
func interpolate(from, to field, elapsed, over time.Duration) (reflect.Value, bool) {
	a, b := from.value, to.value
	if a.Type() != b.Type() || from.special && a.IsZero() != b.IsZero() {
		return reflect.Value{}, false
	}
	v := reflect.New(a.Type()).Elem()
	switch {
	case a.Type() == reflect.TypeFor[netem.Limit]():
		for i := range a.NumField() {
			if a.Field(i).IsZero() != b.Field(i).IsZero() {
				return reflect.Value{}, false // different measures
			}
			v.Field(i).SetInt(between(a.Field(i).Int(), b.Field(i).Int(), elapsed, over))
		}
	case a.CanInt():
		v.SetInt(between(a.Int(), b.Int(), elapsed, over))
	case a.CanFloat():
		// The conversions keep processors from fusing operations, which would
		// round in another way.
		share := float64(elapsed) / float64(over)
		v.SetFloat(a.Float() + float64(float64(b.Float()-a.Float())*share))
	default:
		return reflect.Value{}, false
	}
	return v, true
}

func between(a, b int64, elapsed, over time.Duration) int64 {
	way := new(big.Int).Mul(big.NewInt(b-a), big.NewInt(int64(elapsed)))
	return a + way.Quo(way, big.NewInt(int64(over))).Int64()
}
