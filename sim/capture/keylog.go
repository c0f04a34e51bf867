package capture

import (
	"io"
	"sync"

	"github.com/gopacket/gopacket/pcapgo"
)

// KeyLog returns what TLS is to log its secrets to ([tls.Config.KeyLogWriter]),
// one end of a connection or both. They come before the next packet that passes. Any
// goroutine may write there; whoever does is not disturbed by the file.
func (c *Capture) KeyLog() io.Writer { return &c.keys }

// keyLog holds lines of an NSS key log until they are written.
type keyLog struct {
	mu    sync.Mutex
	lines []byte
}

// Write implements io.Writer.
func (k *keyLog) Write(lines []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines = append(k.lines, lines...)
	return len(lines), nil
}

// writeSecrets writes the secrets that were logged since the last call.
func (c *Capture) writeSecrets() {
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	if len(c.keys.lines) > 0 && c.ready() {
		c.keep(c.file.WriteDecryptionSecretsBlock(pcapgo.DSB_SECRETS_TYPE_TLS, c.keys.lines))
	}
	c.keys.lines = c.keys.lines[:0]
}
