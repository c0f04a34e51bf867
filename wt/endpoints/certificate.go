package endpoints

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Browsers accept a certificate by its hash (serverCertificateHashes of the
// W3C's WebTransport) if its key is ECDSA on P-256 and it is valid for at most
// two weeks. The generated one stays below and begins in the past, for clocks that differ.
const (
	mostValidity      = 14 * 24 * time.Hour
	generatedValidity = 13 * 24 * time.Hour
	generatedLead     = time.Hour
)

// Generate returns a self-signed certificate for the hosts, names or IP
// addresses, and those of loopback, which browsers accept by its [Hash].
func Generate(hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("endpoints: generating a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("endpoints: generating a serial number: %w", err)
	}
	begin := time.Now().Add(-generatedLead)
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "wtsim"},
		NotBefore:    begin,
		NotAfter:     begin.Add(generatedValidity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, host := range hosts {
		ip := net.ParseIP(host)
		switch {
		case host == "" || host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()):
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		default:
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("endpoints: generating a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// Hash returns the SHA-256 of a certificate (its leaf, in DER), which
// browsers take as a value of serverCertificateHashes.
func Hash(c tls.Certificate) [sha256.Size]byte { return sha256.Sum256(c.Certificate[0]) }

// Hashable reports whether browsers accept the certificate by its hash.
func Hashable(c tls.Certificate) bool {
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return false
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	return ok && key.Curve == elliptic.P256() && leaf.NotAfter.Sub(leaf.NotBefore) <= mostValidity
}
