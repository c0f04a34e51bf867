package analysis

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
)

// WarmUp says where the warm-up of a run ends.
type WarmUp struct {
	End     time.Duration // virtual time from which on the goodput is steady
	Bin     time.Duration // the width of the bins that were looked at
	Cut     int           // bins of the warm-up
	Bins    int           // all bins
	Settled bool          // that at most half of the bins were cut; otherwise the time is too short to tell
}

// FindWarmUp finds the warm-up of what all flows deliver together, by
// [stat.MSER5] of the goodput in bins as those of throughput series, until a
// virtual time; 0 is the end of the run. The last bin is left out if it is
// not whole.
func FindWarmUp(rec *record.Recording, to time.Duration) (WarmUp, error) {
	w, err := Window{To: to}.of(rec.Run.Virtual)
	if err != nil {
		return WarmUp{}, err
	}
	width := binWidth(w.end)
	goodput := make([]float64, w.end/width)
	delivered := map[string]float64{}
	for s, err := range rec.Samples() {
		if err != nil {
			return WarmUp{}, err
		}
		if s.Name != record.SeriesDelivered {
			continue
		}
		if i := int(s.Time / width); i < len(goodput) {
			goodput[i] += s.Value - delivered[s.Entity]
		}
		delivered[s.Entity] = s.Value
	}
	if len(delivered) == 0 {
		return WarmUp{}, fmt.Errorf("the run has no flow that delivered something: it has no warm-up")
	}
	cut, err := stat.MSER5(goodput)
	if err != nil {
		return WarmUp{}, fmt.Errorf("bins of goodput: %w", err)
	}
	return WarmUp{time.Duration(cut.Drop) * width, width, cut.Drop, len(goodput), cut.Settled}, nil
}
