package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// request sends plain HTTP/3 GET requests on the connection of the session, one
// after the other.
type request struct {
	passive
	flow   *flow
	config *scenario.Request
}

func (*request) bounded() bool     { return true }
func (*request) initiator() string { return "client" }

func (r *request) run(e *end) {
	if e.side != "client" {
		return
	}
	begin := r.flow.now()
	for n := range r.config.Count {
		// Intervals count from the starts of the requests, as far as they allow.
		if n > 0 && r.flow.world.SleepUntil(e.session.Context(), begin+r.config.Interval) != nil {
			return
		}
		begin = r.flow.now()
		r.flow.record(record.EventMessageSent, int64(n), "")
		if err := r.get(e.session.Context(), e); err != nil {
			if e.session.Context().Err() == nil {
				r.flow.fail(err)
			}
			return
		}
		r.flow.record(record.EventMessageGot, int64(n), "")
		r.flow.sample(record.SeriesMessageRTT, r.flow.now()-begin)
	}
	r.flow.finish()
}

func (r *request) get(ctx context.Context, e *end) error {
	url := fmt.Sprintf("https://%s/bytes/%d", serverName, r.config.Size)
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := e.conn.RoundTrip(get)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("the server answered " + response.Status)
	}
	buf := make([]byte, 32<<10)
	for total := int64(0); ; {
		n, err := response.Body.Read(buf)
		total += int64(n)
		r.flow.meter.add(n, r.flow.now())
		switch {
		case err == io.EOF && total == int64(r.config.Size):
			return nil
		case err == io.EOF:
			return fmt.Errorf("the response ended after %d bytes of %d", total, r.config.Size)
		case err != nil:
			return err
		}
	}
}
