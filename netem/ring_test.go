package netem

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestARingIsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring[int]
		var model []int
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "pop") == 0 {
				if got := r.pop(); got != model[0] {
					t.Fatalf("popped %d, want %d", got, model[0])
				}
				model = model[1:]
			} else {
				r.push(i)
				model = append(model, i)
			}
			var got []int
			for j := range r.len() {
				got = append(got, *r.at(j))
			}
			if !slices.Equal(got, model) {
				t.Fatalf("the ring holds %d, want %d", got, model)
			}
		}
	})
}

func TestARingForgetsWhatLeft(t *testing.T) {
	var r ring[*Packet]
	for range 20 {
		r.push(new(Packet))
	}
	for range 20 {
		r.pop()
	}
	for i, p := range r.items {
		if p != nil {
			t.Errorf("slot %d keeps a packet alive", i)
		}
	}
}
