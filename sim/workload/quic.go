package workload

import (
	"crypto/tls"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// quicConfig returns quic-go's configuration of a scenario's parameters.
func quicConfig(q scenario.QUIC) *quic.Config {
	return wt.QUICConfig(&quic.Config{
		HandshakeIdleTimeout:           q.HandshakeTimeout,
		MaxIdleTimeout:                 q.IdleTimeout,
		KeepAlivePeriod:                q.KeepAlive,
		InitialPacketSize:              uint16(q.InitialPacketSize),
		DisablePathMTUDiscovery:        !q.PathMTUDiscovery,
		InitialStreamReceiveWindow:     uint64(q.InitialStreamWindow),
		MaxStreamReceiveWindow:         uint64(q.MaxStreamWindow),
		InitialConnectionReceiveWindow: uint64(q.InitialConnectionWindow),
		MaxConnectionReceiveWindow:     uint64(q.MaxConnectionWindow),
		MaxIncomingStreams:             q.MaxStreams,
		MaxIncomingUniStreams:          q.MaxUniStreams,
		Allow0RTT:                      q.Resumption == "early_data",
	})
}

// flowControl returns the flow control of sessions of a scenario's parameters.
// A session may have as many streams as the connection.
func flowControl(q scenario.QUIC) wt.FlowControl {
	return wt.FlowControl{
		Disabled:    !q.SessionFlowControl,
		InitialData: int64(q.InitialSessionWindow),
		MaxData:     int64(q.MaxSessionWindow),
		Streams:     q.MaxStreams,
		UniStreams:  q.MaxUniStreams,
	}
}

// tlsConfig returns a copy of a TLS configuration with the scenario's key
// exchange.
func tlsConfig(config *tls.Config, q scenario.QUIC) *tls.Config {
	config = config.Clone()
	config.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.X25519}
	if q.KeyExchange == "x25519" {
		config.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	return config
}

func socketOptions(host *scenario.Host, q scenario.QUIC) netem.SocketOptions {
	return netem.SocketOptions{NoECN: !q.ECN, NoGSO: !host.GSO}
}
