package law

import (
	"math"
	"time"
)

// MD1 returns the mean time that a packet waits before its service of the given
// time begins, with Poisson arrivals that load the server by the given share
// below 1 (Pollaczek and Khinchine; Kleinrock 1975, "Queueing Systems" volume 1,
// section 5.6).
func MD1(load float64, service time.Duration) time.Duration {
	return seconds(load / (2 * (1 - load)) * service.Seconds())
}

// MM1 is [MD1] for service times that are exponential with the given mean.
func MM1(load float64, service time.Duration) time.Duration {
	return seconds(load / (1 - load) * service.Seconds())
}

// Blocking returns the share of packets that find an M/M/1 system full that
// holds at most so many of them, the one in service included (Kleinrock 1975,
// section 3.6).
func Blocking(load float64, places int) float64 {
	if load == 1 {
		return 1 / float64(places+1)
	}
	return (1 - load) * math.Pow(load, float64(places)) / (1 - math.Pow(load, float64(places+1)))
}

// CoDelDrops returns how many packets CoDel drops from the first drop on, and with
// it, within so long, from a queue that stays above the target: each comes
// interval/√count after the one before (RFC 8289 section 5.5), with Linux's 1/√count: one step of
// Newton's method a drop (codel_impl.h). That is 0.5 instead of 0.71 for the second, and close to the root
// from the third on, so that all later drops come some 0.27 intervals early.
func CoDelDrops(interval, within time.Duration) int {
	if within < 0 {
		return 0
	}
	drops, inverseRoot := 1, 1.0
	for at := 1.0; at <= float64(within)/float64(interval); at += inverseRoot {
		drops++
		inverseRoot *= (3 - float64(drops)*inverseRoot*inverseRoot) / 2
	}
	return drops
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
