package scenario

import "github.com/wtsim/wtsim/netem"

// Netem is the options of a queueing discipline in the syntax of tc-netem(8).
// The zero value is none.
type Netem struct {
	text   string
	config netem.Netem
}

// UnmarshalText implements encoding.TextUnmarshaler. The tables of distributions
// that are files are read by [Load].
func (n *Netem) UnmarshalText(text []byte) error {
	*n = Netem{text: string(text)}
	if n.text == "" {
		return nil
	}
	return n.parse(func(string) (*netem.Distribution, error) { return netem.Normal(), nil })
}

func (n *Netem) parse(distributions func(string) (*netem.Distribution, error)) (err error) {
	n.config, err = netem.ParseNetem(n.text, distributions)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (n Netem) MarshalText() ([]byte, error) { return []byte(n.text), nil }

// String returns the text form.
func (n Netem) String() string { return n.text }

// loadNetem reads the tables that a direction's discipline names: "distribution
// measured" is in the file measured.dist, as tc has it.
func (c *checker) loadNetem(d *LinkDirection, path []string) error {
	if d.Netem.text == "" {
		return nil
	}
	var mistake error
	err := d.Netem.parse(func(name string) (table *netem.Distribution, err error) {
		table, mistake = c.loadTable(name+distributionSuffix, path)
		return table, mistake
	})
	switch {
	case mistake != nil:
		return mistake
	case err != nil:
		return c.fail(path, "%v", err)
	}
	return nil
}
