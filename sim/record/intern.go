package record

// index numbers strings from 0 in order of their first appearance. The last
// strings asked for are found by comparison, which is quick because a link's
// name or an entity is the same string in memory each time, and without
// hashing them.
type index struct {
	names  []string
	byName map[string]int32
	recent [4]recentName
	next   int // the entry of recent to replace
}

type recentName struct {
	name  string
	index int32 // plus 1, so that the zero value matches nothing
}

// of returns the number of a string and whether it is new.
func (x *index) of(name string) (i int32, isNew bool) {
	for k := range x.recent {
		if r := &x.recent[k]; r.name == name && r.index > 0 {
			return r.index - 1, false
		}
	}
	i, known := x.byName[name]
	if !known {
		if x.byName == nil {
			x.byName = make(map[string]int32)
		}
		i = int32(len(x.names))
		x.names = append(x.names, name)
		x.byName[name] = i
	}
	x.recent[x.next] = recentName{name, i + 1}
	x.next = (x.next + 1) % len(x.recent)
	return i, !known
}

// reset forgets all strings.
func (x *index) reset() {
	clear(x.byName)
	clear(x.names)
	*x = index{names: x.names[:0], byName: x.byName}
}

// cacheSize is the number of entries of a cache; a power of two.
const cacheSize = 256

// cache holds values by key in a direct-mapped table in front of a map, for
// keys that are dear to hash and cheap to compare.
type cache[K comparable, V any] struct {
	all    map[K]*V
	recent [cacheSize]struct {
		key   K
		value *V
	}
}

// get returns the value of a key, which new makes when it is the first time.
// The hint spreads keys over the table: equal keys have equal hints.
func (c *cache[K, V]) get(key K, hint uint32, new func(K) *V) *V {
	slot := &c.recent[hint%cacheSize]
	if slot.value != nil && slot.key == key {
		return slot.value
	}
	value := c.all[key]
	if value == nil {
		if c.all == nil {
			c.all = make(map[K]*V)
		}
		value = new(key)
		c.all[key] = value
	}
	slot.key, slot.value = key, value
	return value
}
