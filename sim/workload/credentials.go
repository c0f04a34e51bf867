package workload

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"sync"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// serverName is the name that clients dial and the certificate carries.
const serverName = "server.wtsim.test"

// credentials are the certificate of all servers of a run. It is an Ed25519
// certificate with fixed contents, because an ECDSA signature or a random
// serial number would vary in size.
type credentials struct {
	server *tls.Config
	client *tls.Config
}

// newCredentials makes the certificate. Both ends log their secrets, unless there
// is no log.
func newCredentials(keyLog io.Writer) (*credentials, error) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	now := time.Now() // virtual
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(365 * 24 * time.Hour),
		DNSNames:     []string{serverName},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &credentials{
		server: http3.ConfigureTLSConfig(&tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: certificate}},
			KeyLogWriter: keyLog,
		}),
		client: &tls.Config{RootCAs: roots, ServerName: serverName, NextProtos: []string{http3.NextProtoH3}, KeyLogWriter: keyLog},
	}, nil
}

// tickets are what hosts keep to resume their connections.
type tickets struct {
	mu   sync.Mutex
	kept map[[2]string]tls.ClientSessionCache // by client and server
}

// of returns what a client keeps of a server: its latest ticket.
func (t *tickets) of(client, server string) tls.ClientSessionCache {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		t.kept = make(map[[2]string]tls.ClientSessionCache)
	}
	key := [2]string{client, server}
	if t.kept[key] == nil {
		t.kept[key] = tls.NewLRUClientSessionCache(1)
	}
	return t.kept[key]
}
