package expect

import (
	"encoding/json"
	"math"
)

// MarshalJSON writes the verdict for programs: numbers in the metric's unit, times
// in seconds, bounds and numbers that there are not left out.
func (v Verdict) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsInf(x, 0) || v.Why != "" {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Metric   string   `json:"metric"`
		Over     string   `json:"over"`
		From     float64  `json:"from_seconds,omitempty"`
		To       float64  `json:"to_seconds,omitempty"`
		Bounds   string   `json:"bounds"`
		Status   Status   `json:"status"`
		Known    string   `json:"known,omitempty"`
		Why      string   `json:"why,omitempty"`
		Unit     string   `json:"unit,omitempty"`
		Measured *float64 `json:"measured,omitempty"`
		Low      *float64 `json:"low,omitempty"`
		High     *float64 `json:"high,omitempty"`
		Margin   *float64 `json:"margin,omitempty"`
		Seed     uint64   `json:"seed"`
		N        int      `json:"n"`
	}{
		v.Metric, v.Over.String(), v.Window.From.Seconds(), v.Window.To.Seconds(), v.Bounds(), v.Status, v.Expectation.Known, v.Why,
		v.Unit, finite(v.Measured), finite(v.Low), finite(v.High), finite(v.Margin), v.Seed, v.N,
	})
}
