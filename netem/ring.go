package netem

// ring is a first-in first-out queue that reuses its memory.
type ring[T any] struct {
	items []T
	head  int
	n     int
}

func (r *ring[T]) len() int { return r.n }

func (r *ring[T]) push(item T) {
	if r.n == len(r.items) {
		grown := make([]T, max(16, 2*len(r.items)))
		for i := range r.n {
			grown[i] = *r.at(i)
		}
		r.items, r.head = grown, 0
	}
	r.n++
	*r.at(r.n - 1) = item
}

// at returns the i-th oldest item.
func (r *ring[T]) at(i int) *T {
	i += r.head
	if i >= len(r.items) {
		i -= len(r.items)
	}
	return &r.items[i]
}

// pop removes the oldest item.
func (r *ring[T]) pop() T {
	var zero T
	slot := r.at(0)
	item := *slot
	*slot = zero
	r.head++
	if r.head == len(r.items) {
		r.head = 0
	}
	r.n--
	return item
}
