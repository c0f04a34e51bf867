package analysis

import "strings"

// Better says which way a metric becomes better.
type Better string

// The ways.
const (
	MoreIsBetter Better = "more"
	LessIsBetter Better = "less"
)

// headline holds the metrics by which a change is judged, and which way they become
// better: few, because with every further one the chance grows that one differs
// by chance. The others follow from these, or are neither good nor bad. None is absent where all
// is well, as a share of the lost packets is without losses: a headline that is gone is a failure.
var headline = map[string]Better{
	"fairness.jain":             MoreIsBetter,
	"fairness.convergence_time": LessIsBetter,

	"flows.FLOW.goodput":             MoreIsBetter,
	"flows.FLOW.completion_time":     LessIsBetter,
	"flows.FLOW.first_byte.p95":      LessIsBetter,
	"flows.FLOW.deadline.miss_ratio": LessIsBetter,
	"flows.FLOW.messages.loss_ratio": LessIsBetter,
	"flows.FLOW.messages.delay.mean": LessIsBetter,
	"flows.FLOW.messages.delay.p95":  LessIsBetter,
	"flows.FLOW.messages.rtt.mean":   LessIsBetter,
	"flows.FLOW.messages.rtt.p95":    LessIsBetter,

	"sessions.SESSION.setup.duration":    LessIsBetter,
	"sessions.SESSION.teardown.duration": LessIsBetter,
	"sessions.SESSION.teardown.notified": LessIsBetter,

	"connections.CONNECTION.SIDE.rtt.p95":              LessIsBetter,
	"connections.CONNECTION.SIDE.loss_ratio":           LessIsBetter,
	"connections.CONNECTION.SIDE.spurious_losses":      LessIsBetter,
	"connections.CONNECTION.SIDE.ptos":                 LessIsBetter,
	"connections.CONNECTION.SIDE.retransmission_ratio": LessIsBetter,

	"traffic.TRAFFIC.loss_ratio": LessIsBetter,
	"traffic.TRAFFIC.delay.p95":  LessIsBetter,

	"links.LINK.DIRECTION.loss_ratio":       LessIsBetter,
	"links.LINK.DIRECTION.queue_delay.mean": LessIsBetter,
	"links.LINK.DIRECTION.queue_delay.p95":  LessIsBetter,
}

// Headline reports whether a change is judged by the metric, and which way it
// becomes better. Of a group of equal entities it is the mean and the 95th percentile over its
// members that count, and not the members.
func (m Metric) Headline() (Better, bool) {
	d := m.Definition()
	better, ok := headline[d.Pattern]
	if !ok || m.Member {
		return "", false
	}
	over := strings.TrimPrefix(m.Name, strings.TrimPrefix(m.Entity+d.suffix, "."))
	return better, over == "" || over == ".mean" || over == ".p95"
}
