package analysis

import (
	"cmp"
	"slices"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Point is one value of a series.
type Point struct {
	T time.Duration // virtual time
	V float64       // in the series' unit
}

// Series is a quantity of an entity over virtual time, in order of time. It
// has a bounded number of points: where a recording holds more, each stretch
// of time keeps its first, smallest, largest and last value, so that a line
// drawn through them looks the same.
type Series struct {
	Entity string // whose quantity, named as in package record
	Name   string // which quantity: one of the Series constants of this package or of package record
	Unit   string // of V, such as "bit/s"
	Points []Point
}

// The series that are computed; those of package record are samples.
const (
	SeriesFlowThroughput    = "flow.throughput"    // bytes handed to the receiving application, per time, of a flow in bit/s
	SeriesTrafficThroughput = "traffic.throughput" // bytes on the link of cross traffic that arrived, per time, in bit/s
	SeriesLinkThroughput    = "link.throughput"    // bytes on the wire that left a link direction, per time, in bit/s
	SeriesQueueDelay        = "link.queue.delay"   // time that a datagram waited in the queue of a link direction in seconds, at its entry into the link
	SeriesDrops             = "link.drops"         // datagrams that a link direction has dropped, cumulative
)

// seriesUnits holds the unit of each series; others have none.
var seriesUnits = map[string]string{
	SeriesFlowThroughput:       "bit/s",
	SeriesTrafficThroughput:    "bit/s",
	SeriesLinkThroughput:       "bit/s",
	SeriesQueueDelay:           "s",
	SeriesFairness:             "1",
	SeriesShare:                "1",
	SeriesDrops:                "packets",
	record.SeriesLinkRate:      "bit/s",
	record.SeriesLinkDelay:     "s",
	record.SeriesCwnd:          "B",
	record.SeriesBytesInFlight: "B",
	record.SeriesSmoothedRTT:   "s",
	record.SeriesLatestRTT:     "s",
	record.SeriesMinRTT:        "s",
	record.SeriesDelivered:     "B",
	record.SeriesMessageRTT:    "s",
	record.SeriesOneWayDelay:   "s",

	record.SeriesTrafficRate:      "bit/s",
	record.SeriesTrafficDelivered: "B",
	record.SeriesTrafficDelay:     "s",
}

// undrawn are the series that no figure draws, which in a run with losses are
// most of all samples.
var undrawn = map[string]bool{
	record.SeriesSentBytes:      true,
	record.SeriesSentPackets:    true,
	record.SeriesStreamSent:     true,
	record.SeriesStreamResent:   true,
	record.SeriesStreamReceived: true,
	record.SeriesStreamWaited:   true,
	record.SeriesStreamWait:     true,
}

// Data is what figures draw of a run.
type Data struct {
	Run       record.Run
	Bin       time.Duration // the width of the bins of throughput series
	Series    []Series      // in order of name, then entity, with numbers in names by their size
	Timelines []Timeline    // of the sessions, in the run's order

	// Distributions are those of delays: of messages, of RTTs at the
	// connection ends that send the data of downloads and uploads, of queueing, and of
	// teardowns; in order of name, then entity.
	Distributions []Distribution
}

// Named returns the series of one name, such as record.SeriesCwnd, of every
// entity that has it.
func (d *Data) Named(name string) []Series {
	var found []Series
	for _, s := range d.Series {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Of returns the series of one name and entity, without points where the run
// has none.
func (d *Data) Of(name, entity string) Series {
	for _, s := range d.Series {
		if s.Name == name && s.Entity == entity {
			return s
		}
	}
	return Series{Entity: entity, Name: name, Unit: seriesUnits[name]}
}

const (
	// binCount bounds the bins of a throughput series.
	binCount = 200
	// totalStretches bounds the stretches of time of all series together, and
	// mostStretches and fewestStretches those of one; a stretch has at most
	// four points.
	totalStretches, mostStretches, fewestStretches = 100_000, 1000, 16
)

// Load reads what figures draw. It holds a bounded number of points, however
// long the recording.
func Load(rec *record.Recording) (*Data, error) {
	d := &Data{Run: rec.Run, Bin: binWidth(rec.Run.Virtual)}
	set := seriesSet{bin: d.Bin, end: rec.Run.Virtual}
	distributions, rivals := newDistributionSet(rec.Run), newRivalSet(rec.Run)
	for s, err := range rec.Samples() {
		if err != nil {
			return nil, err
		}
		if undrawn[s.Name] {
			continue
		}
		set.line(s.Name, s.Entity).add(Point{s.Time, s.Value})
		distributions.sample(s)
		switch s.Name {
		case record.SeriesDelivered:
			set.delivered(SeriesFlowThroughput, s)
			rivals.delivered(s)
		case record.SeriesTrafficDelivered:
			set.delivered(SeriesTrafficThroughput, s)
		}
	}
	names := newLinkNames(rec.Run.Links)
	for p, err := range rec.Packets() {
		if err != nil {
			return nil, err
		}
		link := names.of(p.Link, p.Direction)
		switch p.Fate {
		case record.Delivered:
			set.wait(link, &p)
			distributions.get(SeriesQueueDelay, link.entity).addDuration(p.QueueDelay)
			set.bins(SeriesLinkThroughput, link.entity).add(p.Done, float64(8*(int64(p.Size)+link.overhead)))
		case record.Dropped:
			set.drop(link.entity, p.Done)
		}
	}
	lines := newTimelines(rec.Run.Sessions)
	for e, err := range rec.Events() {
		if err != nil {
			return nil, err
		}
		lines.event(e)
		rivals.event(e)
	}
	d.Timelines = lines.finish()
	for _, t := range d.Timelines {
		distributions.teardown(t)
	}
	d.Distributions = distributions.finish()
	rivals.add(&set)
	d.Series = set.finish()
	return d, nil
}

// binWidth returns the smallest of 1, 2 or 5 times a power of ten of
// milliseconds that divides the run into at most binCount bins.
func binWidth(virtual time.Duration) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, factor := range []time.Duration{1, 2, 5} {
			if w := factor * unit; virtual <= binCount*w || w > time.Hour {
				return w
			}
		}
	}
}

// seriesKey identifies a series.
type seriesKey struct{ name, entity string }

// seriesSet collects series.
type seriesSet struct {
	bin, end time.Duration
	lines    map[seriesKey]*line
	binned   map[seriesKey]*bins
	last     map[string]float64 // delivered bytes by flow or cross traffic
	drops    map[string]float64
	cap      int // stretches that a line may have
}

func (s *seriesSet) line(name, entity string) *line {
	key := seriesKey{name, entity}
	l := s.lines[key]
	if l == nil {
		if s.lines == nil {
			s.lines, s.cap = map[seriesKey]*line{}, mostStretches
		}
		l = &line{set: s}
		s.lines[key] = l
		s.cap = min(mostStretches, max(fewestStretches, totalStretches/len(s.lines)))
	}
	return l
}

func (s *seriesSet) bins(name, entity string) *bins {
	key := seriesKey{name, entity}
	b := s.binned[key]
	if b == nil {
		if s.binned == nil {
			s.binned = map[seriesKey]*bins{}
		}
		b = &bins{width: s.bin, end: s.end}
		s.binned[key] = b
	}
	return b
}

// delivered adds to the throughput of a flow, or of cross traffic, what was
// delivered since its last sample.
func (s *seriesSet) delivered(throughput string, sample record.Sample) {
	if s.last == nil {
		s.last = map[string]float64{}
	}
	s.bins(throughput, sample.Entity).add(sample.Time, 8*(sample.Value-s.last[sample.Entity]))
	s.last[sample.Entity] = sample.Value
}

// wait adds the wait of a datagram in a queue. When nobody has waited for longer
// than a bin, the line falls to zero as the last wait passes, and rises with
// the next datagram: straight from one to the other it would show a queue that was
// not there.
func (s *seriesSet) wait(link *linkName, p *record.Packet) {
	l := s.line(SeriesQueueDelay, link.entity)
	if len(l.stretches) > 0 && p.Sent-link.idle > s.bin {
		l.add(Point{link.idle, 0})
		l.add(Point{p.Sent, 0})
	}
	l.add(Point{p.Sent, p.QueueDelay.Seconds()})
	link.idle = max(link.idle, p.Sent+p.QueueDelay)
}

func (s *seriesSet) drop(entity string, at time.Duration) {
	if s.drops == nil {
		s.drops = map[string]float64{}
	}
	s.drops[entity]++
	s.line(SeriesDrops, entity).add(Point{at, s.drops[entity]})
}

// finish returns all series, in order of name and entity.
func (s *seriesSet) finish() []Series {
	var all []Series
	for key, l := range s.lines {
		all = append(all, Series{key.entity, key.name, seriesUnits[key.name], l.points()})
	}
	for key, b := range s.binned {
		all = append(all, Series{key.entity, key.name, seriesUnits[key.name], b.points()})
	}
	slices.SortFunc(all, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareEntities(a.Entity, b.Entity))
	})
	return all
}
