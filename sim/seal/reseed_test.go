package seal

import (
	"runtime"
	"testing"
)

// choices is what selects with two ready cases and iterations over a map chose.
func choices() (s string) {
	ready := make(chan struct{})
	close(ready)
	m := map[int]string{1: "a", 2: "b", 3: "c", 4: "d", 5: "e"}
	for range 20 {
		select {
		case <-ready:
			s += "0"
		case <-ready:
			s += "1"
		}
		for _, v := range m {
			s += v
			break
		}
	}
	return s
}

func TestReseededRuntimesDecideAlike(t *testing.T) {
	if err := CanReseed(); err != nil {
		t.Skip("this runtime cannot be reseeded:", err)
	}
	// The runtime may draw for itself between two of our draws, so that now and
	// then two differ; unseeded ones nearly always do.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	alike, other := 0, 0
	for range 100 {
		Reseed(1)
		first := choices()
		Reseed(1)
		second := choices()
		Reseed(2)
		third := choices()
		if first == second {
			alike++
		}
		if first != third {
			other++
		}
	}
	if alike < 50 || other < 90 {
		t.Errorf("%d of 100 pairs with one seed are alike, %d of 100 with two differ", alike, other)
	}
}

func TestTheCacheOfStackWalksIsFoundOnLinux(t *testing.T) {
	if runtime.GOOS != "linux" || CanReseed() != nil {
		t.Skip("the place of the cache is only known on Linux, where the generators are")
	}
	if generators.stackCache == 0 {
		t.Error("the cache of stack walks is not where it is expected")
	}
}
