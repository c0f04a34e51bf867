package analysis

// table holds a value by name and remembers the order of the names.
type table[T any] struct {
	names  []string
	byName map[string]*T
	new    func() *T // makes a value; nil makes zero values
}

// get returns the value of a name, a new value the first time.
func (t *table[T]) get(name string) *T {
	v := t.byName[name]
	if v == nil {
		if t.byName == nil {
			t.byName = map[string]*T{}
		}
		if t.new == nil {
			v = new(T)
		} else {
			v = t.new()
		}
		t.byName[name] = v
		t.names = append(t.names, name)
	}
	return v
}
