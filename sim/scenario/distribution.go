package scenario

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/netem"
)

// Distribution is the shape of a jitter: one of Linux's that have names, or a
// table of a file. The zero value is uniform.
type Distribution struct {
	name  string // empty: uniform
	table *netem.Distribution
}

// distributions are those that have names.
var distributions = []string{"uniform", "normal", "pareto", "paretonormal"}

// distributionSuffix is how the name of a file with a table ends.
const distributionSuffix = ".dist"

// UnmarshalText implements encoding.TextUnmarshaler. The table of a file is
// read by [Load].
func (d *Distribution) UnmarshalText(text []byte) error {
	switch name := string(text); {
	case name == "uniform":
		*d = Distribution{}
	case name == "normal":
		*d = Distribution{name, netem.Normal()}
	case name == "pareto":
		*d = Distribution{name, netem.Pareto()}
	case name == "paretonormal":
		*d = Distribution{name, netem.ParetoNormal()}
	case strings.HasSuffix(name, distributionSuffix):
		*d = Distribution{name: name}
	default:
		return fmt.Errorf("unknown value %q%s", name, suggest(name, append(distributions, "a file such as measured"+distributionSuffix)))
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Distribution) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the text form.
func (d Distribution) String() string {
	if d.name == "" {
		return "uniform"
	}
	return d.name
}

// file returns the file that the table is read from, "" if from none.
func (d Distribution) file() string {
	if strings.HasSuffix(d.name, distributionSuffix) {
		return d.name
	}
	return ""
}
