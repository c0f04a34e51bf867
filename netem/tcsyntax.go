package netem

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/internal/nearest"
)

// ParseNetem reads the options of "tc qdisc … netem", in the syntax of
// tc-netem(8) and with the defaults of iproute2, in any order and with a
// leading "netem" or without:
//
//	limit PACKETS
//	delay TIME [JITTER [CORRELATION]]
//	distribution {uniform|normal|pareto|paretonormal|NAME}
//	loss [random] PERCENT [CORRELATION]
//	loss state P13 [P31 [P32 [P23 [P14]]]]
//	loss gemodel P [R [1-H [1-K]]]
//	ecn
//	corrupt PERCENT [CORRELATION]
//	duplicate PERCENT [CORRELATION]
//	reorder PERCENT [CORRELATION]
//	gap DISTANCE
//	rate RATE [PACKETOVERHEAD [CELLSIZE [CELLOVERHEAD]]]
//	slot MIN [MAX] [packets PACKETS] [bytes BYTES]
//	slot distribution {uniform|normal|pareto|paretonormal|NAME} DELAY JITTER [packets PACKETS] [bytes BYTES]
//
// Options may be shortened as for tc ("lim", "dup"), "latency" is "delay" and
// "drop" is "loss". Units are those of tc: times in s, ms, us or ns, rates in bit,
// kbit, mbit and so on by 1000, kibit and so on by 1024, and bytes per second as
// bps, kbps and so on, where a bare number is bit/s; sizes in b, kb and mb by
// 1024; probabilities in percent, with the sign or without.
//
// Other than tc it reads what the manual page means but tc refuses: "gap 5 delay
// 10ms" lets every fifth packet skip the delay, a correlation of duplicates
// counts even where no other option has one, and "uniform" is a distribution. It
// refuses a time without a unit, which tc takes for nanoseconds from iproute2 6.9
// on and for microseconds before, an option that is given twice, a limit of 0,
// at which all packets are dropped, a rate in percent of a device's speed, and
// "seed", because random numbers come from the seed of the run.
//
// The tables of other distributions than the named ones come from the function,
// which may be nil.
func ParseNetem(text string, distributions func(name string) (*Distribution, error)) (Netem, error) {
	p := tcParser{words: strings.Fields(text), distributions: distributions}
	p.n.Limit = defaultNetemLimit
	if p.next("netem") {
		p.words = p.words[1:]
	}
	for len(p.words) > 0 {
		if err := p.option(); err != nil {
			return Netem{}, err
		}
	}
	if p.n.Gap > 0 && !slices.Contains(p.given, "reorder") {
		p.n.Reorder.P = 1 // as the kernel has it "for compatibility with earlier versions"
	}
	if err := p.n.check(); err != nil {
		return Netem{}, err
	}
	return p.n, nil
}

// UnmarshalText implements encoding.TextUnmarshaler with [ParseNetem], without
// tables of other distributions.
func (n *Netem) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNetem(string(text), nil)
	return err
}

type tcParser struct {
	words         []string // not read yet
	distributions func(string) (*Distribution, error)
	given         []string // options
	n             Netem
}

// tcOption is an option and what reads the words that follow it.
type tcOption struct {
	name  string
	alias string // of another option
	read  func(*tcParser) error
}

// tcOptions is the options in the order in which tc looks for one that a word
// may shorten.
var tcOptions = []tcOption{
	{name: "limit", read: (*tcParser).limit},
	{name: "latency", alias: "delay", read: (*tcParser).delay},
	{name: "delay", read: (*tcParser).delay},
	{name: "loss", read: (*tcParser).loss},
	{name: "drop", alias: "loss", read: (*tcParser).loss},
	{name: "seed", read: (*tcParser).seed},
	{name: "ecn", read: func(p *tcParser) error { p.n.ECN = true; return nil }},
	{name: "reorder", read: func(p *tcParser) error { return p.chance(&p.n.Reorder) }},
	{name: "corrupt", read: func(p *tcParser) error { return p.chance(&p.n.Corrupt) }},
	{name: "gap", read: (*tcParser).gap},
	{name: "duplicate", read: func(p *tcParser) error { return p.chance(&p.n.Duplicate) }},
	{name: "distribution", read: func(p *tcParser) error { return p.distribution(&p.n.Distribution) }},
	{name: "rate", read: (*tcParser).rate},
	{name: "slot", read: (*tcParser).slot},
}

// option reads an option with its values.
func (p *tcParser) option() error {
	word := p.words[0]
	i := slices.IndexFunc(tcOptions, func(o tcOption) bool { return strings.HasPrefix(o.name, word) })
	if i < 0 {
		return p.unknown(word)
	}
	o := tcOptions[i]
	name := o.name
	if o.alias != "" {
		name = o.alias
	}
	if slices.Contains(p.given, name) {
		return fmt.Errorf("the option %q is given twice", name)
	}
	p.given = append(p.given, name)
	p.words = p.words[1:]
	if err := o.read(p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (p *tcParser) unknown(word string) error {
	if i := slices.Index(p.words, "netem"); i > 0 && len(p.given) == 0 {
		return fmt.Errorf("leave out %q: only the options that follow it are read", strings.Join(p.words[:i+1], " "))
	}
	var names []string
	for _, o := range tcOptions {
		if o.name != "seed" && o.alias == "" {
			names = append(names, o.name)
		}
	}
	return unknownTC("option", word, names)
}

// unknownTC is the error of a word that is none of those known.
func unknownTC(what, word string, known []string) error {
	if best := nearest.Word(word, known); best != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, word, best)
	}
	return fmt.Errorf("unknown %s %q; expected one of %s", what, word, strings.Join(known, ", "))
}

// next reports whether the next word is this one.
func (p *tcParser) next(word string) bool { return len(p.words) > 0 && p.words[0] == word }

// nextShort reports whether the next word is this one or short for it.
func (p *tcParser) nextShort(word string) bool {
	return len(p.words) > 0 && strings.HasPrefix(word, p.words[0])
}

// nextNumber reports whether the next word is a number: if not, it is an option.
func (p *tcParser) nextNumber() bool {
	return len(p.words) > 0 && (p.words[0][0] == '-' || p.words[0][0] >= '0' && p.words[0][0] <= '9')
}

// word takes the next word.
func (p *tcParser) word() (string, error) {
	if len(p.words) == 0 {
		return "", errors.New("a value is missing at the end")
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word, nil
}

// values reads a value, and then others for as long as there are numbers, and
// returns how many there were.
func (p *tcParser) values(readers ...func(string) error) (int, error) {
	for i, read := range readers {
		if i > 0 && !p.nextNumber() {
			return i, nil
		}
		word, err := p.word()
		if err == nil {
			err = read(word)
		}
		if err != nil {
			return i, err
		}
	}
	return len(readers), nil
}

// into returns a reader that parses a word into a value.
func into[T any](value *T, parse func(string) (T, error)) func(string) error {
	return func(word string) (err error) {
		*value, err = parse(word)
		return err
	}
}

func timeInto(d *time.Duration) func(string) error { return into(d, parseTCTime) }

func percentInto(p *float64) func(string) error { return into(p, parseTCPercent) }

func bytesInto(b *Bytes) func(string) error {
	return into(b, func(word string) (Bytes, error) {
		n, err := parseTCInteger(word)
		return Bytes(n), err
	})
}

func (p *tcParser) limit() error {
	_, err := p.values(into(&p.n.Limit, func(word string) (int, error) {
		n, err := parseTCSize(word)
		if err == nil && n == 0 {
			err = errors.New("at a limit of 0 all packets are dropped; use loss 100%")
		}
		return int(n), err
	}))
	return err
}

func (p *tcParser) delay() error {
	_, err := p.values(timeInto(&p.n.Delay), timeInto(&p.n.Jitter), percentInto(&p.n.Correlation))
	return err
}

func (p *tcParser) chance(c *NetemChance) error {
	_, err := p.values(percentInto(&c.P), percentInto(&c.Correlation))
	return err
}

func (p *tcParser) gap() error {
	_, err := p.values(into(&p.n.Gap, func(word string) (int, error) {
		n, err := parseTCInteger(word)
		return int(n), err
	}))
	return err
}

func (p *tcParser) seed() error {
	return errors.New("it is not supported: random numbers come from the seed of the run")
}

// distributionNames is the distributions that need no table.
var distributionNames = map[string]func() *Distribution{
	"uniform":      func() *Distribution { return nil },
	"normal":       Normal,
	"pareto":       Pareto,
	"paretonormal": ParetoNormal,
}

func (p *tcParser) distribution(d **Distribution) error {
	name, err := p.word()
	if err != nil {
		return err
	}
	if known, ok := distributionNames[name]; ok {
		*d = known()
		return nil
	}
	if p.distributions == nil {
		return unknownTC("distribution", name, []string{"uniform", "normal", "pareto", "paretonormal"})
	}
	table, err := p.distributions(name)
	if err == nil {
		*d = table.named(name)
	}
	return err
}

func (p *tcParser) loss() error {
	if p.nextNumber() {
		return p.randomLoss()
	}
	model, err := p.word()
	if err != nil {
		return err
	}
	switch model {
	case "random":
		return p.randomLoss()
	case "state":
		m := Markov{P23: 1}
		n, err := p.values(percentInto(&m.P13), percentInto(&m.P31), percentInto(&m.P32), percentInto(&m.P23), percentInto(&m.P14))
		if n == 1 {
			m.P31 = 1 - m.P13
		}
		p.n.Loss = m
		return err
	case "gemodel":
		g := GilbertElliott{Bad: 1}
		n, err := p.values(percentInto(&g.P), percentInto(&g.R), percentInto(&g.Bad), percentInto(&g.Good))
		if n == 1 {
			g.R = 1 - g.P
		}
		p.n.Loss = g
		return err
	}
	return unknownTC("model", model, []string{"random", "state", "gemodel"})
}

func (p *tcParser) randomLoss() error {
	var b Bernoulli
	_, err := p.values(percentInto(&b.P), percentInto(&b.Correlation))
	p.n.Loss = b
	return err
}

func (p *tcParser) rate() error {
	r := &p.n.Rate
	_, err := p.values(into(&r.Rate, parseTCRate), bytesInto(&r.PacketOverhead), bytesInto(&r.CellSize), bytesInto(&r.CellOverhead))
	return err
}

func (p *tcParser) slot() error {
	s := &p.n.Slot
	var err error
	switch {
	case p.next("distribution"):
		p.words = p.words[1:]
		if err = p.distribution(&s.Distribution); err == nil {
			_, err = p.values(timeInto(&s.Delay))
		}
		if err == nil {
			_, err = p.values(timeInto(&s.Jitter))
		}
		if err == nil && s.Jitter == 0 {
			err = errors.New("a distribution needs a jitter above 0")
		}
	case p.nextNumber() || len(p.words) == 0:
		var n int
		n, err = p.values(timeInto(&s.Min), timeInto(&s.Max))
		if n == 1 {
			s.Max = s.Min
		}
		if s.Max < s.Min && err == nil {
			err = errors.New("the greatest delay is less than the least")
		}
	default:
		err = unknownTC("value", p.words[0], []string{"distribution", "a time"})
	}
	if err == nil && p.nextShort("packets") {
		p.words = p.words[1:]
		_, err = p.values(into(&s.Packets, func(word string) (int, error) {
			n, err := parseTCInteger(word)
			return int(n), err
		}))
	}
	if err == nil && p.nextShort("bytes") {
		p.words = p.words[1:]
		_, err = p.values(into(&s.Bytes, func(word string) (Bytes, error) {
			n, err := parseTCSize(word)
			return Bytes(n), err
		}))
	}
	return err
}
