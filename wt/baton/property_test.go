package baton

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However the ends lie, lose interest and the network loses packets, a game comes to
// an end that both know of, and no baton is counted twice.
func TestAnyGameEnds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(label string) Config {
			return Config{
				Padding:   rapid.SampledFrom([]int{0, 1, 900, 20_000}).Draw(rt, label+" padding"),
				Patience:  3 * time.Second,
				LieOneIn:  rapid.SampledFrom([]int{0, 10, 100}).Draw(rt, label+" lies"),
				StopOneIn: rapid.SampledFrom([]int{0, 10, 100}).Draw(rt, label+" stops"),
				Rand:      rand.NewPCG(rapid.Uint64().Draw(rt, label+" seed"), 0),
			}
		}
		server, client := draw("server"), draw("client")
		client.Baton, client.Count = rapid.IntRange(200, 255).Draw(rt, "baton"), rapid.IntRange(1, 30).Draw(rt, "count")
		honest := server.LieOneIn+server.StopOneIn+client.LieOneIn+client.StopOneIn == 0
		w := world{
			limit:   time.Hour,
			streams: rapid.SampledFrom([]int64{5, 100}).Draw(rt, "streams"),
			loss:    rapid.SampledFrom([]float64{0, 0.05}).Draw(rt, "loss"),
		}
		var atServer, atClient Result
		t.Run("", func(t *testing.T) { atServer, atClient = play(t, server, client, w) })
		passes := client.Count * (257 - client.Baton)
		for _, r := range []Result{atServer, atClient} {
			if r.End == nil || !r.End.Clean || r.Batons != client.Count || r.Arrived+r.Lost > r.Batons || r.Sent+r.Received > passes {
				rt.Errorf("%+v, of %d batons and %d passes", r, client.Count, passes)
			}
		}
		// Both may close the session at the same time, each for its own reason.
		if one, other := atServer.End, atClient.End; one != nil && other != nil && one.Remote != other.Remote && one.Code != other.Code {
			rt.Errorf("the session ended with codes %d and %d", one.Code, other.Code)
		}
		if honest && w.streams == 100 && (atClient.Arrived != client.Count || atClient.Sent+atClient.Received != passes) {
			rt.Errorf("%+v, want %d batons in %d passes", atClient, client.Count, passes)
		}
	})
}
