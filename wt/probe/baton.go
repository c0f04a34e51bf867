package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/baton"
)

// batonConfig reads what a URL asks of a server of Devious Baton.
func batonConfig(query url.Values) (baton.Config, error) {
	var c baton.Config
	for _, p := range []struct {
		name     string
		v        *int
		min, max uint64
	}{{"version", &c.Version, 0, math.MaxInt32}, {"baton", &c.Baton, 1, 255}, {"count", &c.Count, 1, MaxCount}} {
		if !query.Has(p.name) {
			continue
		}
		n, err := strconv.ParseUint(query.Get(p.name), 10, 32)
		if err != nil || n < p.min || n > p.max {
			return c, fmt.Errorf("%s=%s in the URL: expected a number from %d to %d", p.name, query.Get(p.name), p.min, p.max)
		}
		*p.v = int(n)
	}
	return c, nil
}

// baton runs a session of Devious Baton, from opening it to its end.
func (p *prober) baton(ctx context.Context, conn *wt.ClientConn) error {
	u, err := url.Parse(p.config.URL)
	if err != nil {
		return err
	}
	c, err := batonConfig(u.Query())
	if err != nil {
		return err
	}
	if p.config.Count > 0 {
		c.Count = p.config.Count
	}
	c.Padding, c.Patience = p.config.Size, p.config.Timeout
	c.Rand = rand.NewPCG(rand.Uint64(), rand.Uint64())
	var openErr error
	began := time.Now()
	result, err := baton.Run(ctx, func(ctx context.Context, rawURL string, options *wt.SessionOptions) (*wt.Session, *http.Response, error) {
		p.report.URL = rawURL
		var response *http.Response
		response, openErr = p.open(ctx, conn, rawURL, options)
		began = time.Now()
		return p.session, response, openErr
	}, p.config.URL, c)
	switch {
	case openErr != nil:
		return openErr
	case p.session == nil:
		return err
	}
	p.report.Batons = &Batons{
		Count: result.Batons, Arrived: result.Arrived, Lost: result.Lost, Sent: result.Sent, Received: result.Received,
		DatagramsSent: result.DatagramsSent, DatagramsReceived: result.DatagramsReceived, Elapsed: time.Since(began),
	}
	return err
}
