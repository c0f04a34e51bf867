package workload

import (
	"sync"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// meter records what a flow delivers. Streams of one flow share it.
type meter struct {
	recorder *recorder
	entity   string
	series   string

	mu       sync.Mutex
	bytes    int64
	added    time.Duration // when bytes grew last
	recorded int64
	last     time.Duration // when recorded grew last
}

// add counts n bytes that were delivered.
func (m *meter) add(n int, now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now-m.added >= sampleInterval {
		m.sample()
	}
	m.bytes += int64(n)
	m.added = max(m.added, now) // in real time another stream may have overtaken this one
	if m.recorded == 0 || now-m.last >= sampleInterval {
		m.sample()
	}
}

// flush records what add has not, and returns the total.
func (m *meter) flush() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sample()
	return m.bytes
}

func (m *meter) sample() {
	if m.bytes != m.recorded {
		m.recorder.sample(record.Sample{Time: m.added, Name: m.series, Entity: m.entity, Value: float64(m.bytes)})
		m.last, m.recorded = m.added, m.bytes
	}
}
