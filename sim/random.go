package sim

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	mathrand "math/rand/v2"
	"sync"
)

// seededReader is a source of random bytes for crypto/rand.
type seededReader struct {
	mu     sync.Mutex
	source *mathrand.ChaCha8
}

func (r *seededReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(b)
}

// seedCrypto makes crypto/rand draw from the seed. quic-go takes connection
// IDs, skipped packet numbers and the like from there. TLS takes its keys from
// the system all the same, which changes ciphertext but neither sizes nor
// times. It returns a function that puts the system's source back.
func seedCrypto(seed uint64) (restore func()) {
	var key [32]byte
	copy(key[:], "wtsim crypto/rand")
	binary.BigEndian.PutUint64(key[24:], seed)
	system := rand.Reader
	rand.Reader = &seededReader{source: mathrand.NewChaCha8(key)}
	return func() { rand.Reader = system }
}

var _ io.Reader = (*seededReader)(nil)
