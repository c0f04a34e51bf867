package endpoints

import (
	"math/rand/v2"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/baton"
)

var devious = endpoint{
	Path: baton.Path,
	Summary: "The server's end of Devious Baton (draft-frindell-webtrans-devious-baton-00), in which both ends pass batons\n" +
		"on streams of each kind and in datagrams until they reach 0. Other parameters are ignored.",
	Parameters: []parameter{
		{Name: "version", Fallback: "0", Meaning: "version of the protocol, 0"},
		{Name: "baton", Fallback: "random", Meaning: "what the batons begin with, 1 to 255"},
		{Name: "count", Fallback: "1", Meaning: "number of batons, 1 to 255"},
	},
	application: func(ended func(*wt.Session, error)) wt.Application {
		c := baton.Config{Rand: rand.NewPCG(rand.Uint64(), rand.Uint64())}
		return baton.Application(c, func(s *wt.Session, r baton.Result) { ended(s, r.End) })
	},
}
