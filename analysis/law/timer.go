package law

import "time"

// granularity is kGranularity of RFC 9002 section 6.1.2.
const granularity = time.Millisecond

// PTO returns the probe timeout after so many that expired one after the other
// (RFC 9002 section 6.2.1).
func PTO(smoothed, variation, maxAckDelay time.Duration, expired int) time.Duration {
	return (smoothed + max(4*variation, granularity) + maxAckDelay) << expired
}

// IdleTimeout returns the idle timeout of a connection whose ends advertise the
// given ones, 0 for none (RFC 9000 section 10.1).
func IdleTimeout(client, server time.Duration) time.Duration {
	if client == 0 || server == 0 {
		return max(client, server)
	}
	return min(client, server)
}
