package netem

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/internal/nearest"
)

// The largest file of a profile, and the most rows.
const (
	maxProfileBytes = 64 << 20
	maxProfileRows  = 1_000_000
)

// quantity is what a column of a profile holds.
type quantity int

const (
	quantityTime quantity = iota
	quantityRate
	quantityDelay
	quantityLoss
)

func (q quantity) String() string { return [...]string{"time", "rate", "delay", "loss"}[q] }

// profileColumn is a column of a CSV file by its name. A number in it counts in
// units of num/den nanoseconds, bits per second or, of losses, 1.
type profileColumn struct {
	name     string
	quantity quantity
	num, den int64
}

var profileColumns = []profileColumn{
	{"time_s", quantityTime, 1e9, 1}, {"time_ms", quantityTime, 1e6, 1}, {"time_us", quantityTime, 1e3, 1},
	{"rate_bps", quantityRate, 1, 1}, {"rate_kbps", quantityRate, 1e3, 1}, {"rate_mbps", quantityRate, 1e6, 1}, {"rate_gbps", quantityRate, 1e9, 1},
	{"delay_s", quantityDelay, 1e9, 1}, {"delay_ms", quantityDelay, 1e6, 1}, {"delay_us", quantityDelay, 1e3, 1},
	{"rtt_s", quantityDelay, 1e9, 2}, {"rtt_ms", quantityDelay, 1e6, 2}, {"rtt_us", quantityDelay, 1e3, 2},
	{"loss", quantityLoss, 1, 1}, {"loss_percent", quantityLoss, 1, 100},
}

// ParseProfileCSV reads a profile from comma-separated values (RFC 4180). The
// first line names the columns, in any order:
//
//	time_s, time_ms or time_us
//	rate_bps, rate_kbps, rate_mbps or rate_gbps   (powers of 1000)
//	delay_s, delay_ms or delay_us                 (one way)
//	rtt_s, rtt_ms or rtt_us                       (twice the delay, instead of it)
//	loss (0 to 1) or loss_percent (0 to 100)
//
// The time and at least one other are there. Lines that start with # are
// comments. Numbers are decimal, with or without an exponent (0.5, 1e-3), and
// are rounded to the nearest nanosecond or bit per second, halves up. A rate of
// 0 is read as [Stopped].
//
// Times ascend. The first row holds from the beginning too, whatever its time.
// An empty cell is what the row before has; where there is none yet, what the
// first row that has a value has. The period ends at the time of the last row
// if that has no value but the time, and otherwise as long after the last row
// as that is after the one before; a single row holds for one second.
//
// A file has at most 64 MiB and a million rows.
func ParseProfileCSV(r io.Reader) (Profile, error) {
	return readProfile(r, func(r io.Reader, b *profileBuilder) error {
		lines := csv.NewReader(r)
		lines.Comment = '#'
		lines.TrimLeadingSpace = true
		lines.ReuseRecord = true
		header, err := lines.Read()
		if err == io.EOF {
			return errors.New("no header that names the columns")
		}
		if err != nil {
			return err
		}
		columns, err := b.header(header)
		if err != nil {
			return err
		}
		for {
			cells, err := lines.Read()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			line, _ := lines.FieldPos(0)
			if err := b.row(line, columns, cells); err != nil {
				return err
			}
		}
	})
}

// ParseProfileColumns reads a profile of the rate from lines of two decimal
// numbers apart by white space: the seconds and the Mbit/s from then on. Empty
// lines and lines that start with # are left out. All else is as in
// [ParseProfileCSV], so a last line may have only the seconds at which the
// period ends.
func ParseProfileColumns(r io.Reader) (Profile, error) {
	return readProfile(r, func(r io.Reader, b *profileBuilder) error {
		columns, err := b.header([]string{"time_s", "rate_mbps"})
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(r)
		for line := 1; lines.Scan(); line++ {
			cells := strings.Fields(lines.Text())
			switch {
			case len(cells) == 0 || strings.HasPrefix(cells[0], "#"):
				continue
			case len(cells) > 2:
				return fmt.Errorf("line %d: %d columns; expected seconds and Mbit/s", line, len(cells))
			case len(cells) == 1:
				cells = append(cells, "")
			}
			if err := b.row(line, columns, cells); err != nil {
				return err
			}
		}
		return lines.Err()
	})
}

func readProfile(r io.Reader, read func(io.Reader, *profileBuilder) error) (Profile, error) {
	limited := &io.LimitedReader{R: r, N: maxProfileBytes + 1}
	var b profileBuilder
	err := read(limited, &b)
	if limited.N == 0 {
		return Profile{}, fmt.Errorf("longer than %d MiB", maxProfileBytes>>20)
	}
	if err != nil {
		return Profile{}, err
	}
	return b.finish()
}

// profileBuilder makes a profile row by row.
type profileBuilder struct {
	profile Profile
	known   [quantityLoss + 1]bool // whether a row had a value
	bare    bool                   // the last row has no value of its own
}

// header finds the columns by their names.
func (b *profileBuilder) header(names []string) ([]profileColumn, error) {
	var columns []profileColumn
	var by [quantityLoss + 1]string
	for _, name := range names {
		c, err := findProfileColumn(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if err != nil {
			return nil, err
		}
		if other := by[c.quantity]; other != "" {
			return nil, fmt.Errorf("the columns %s and %s both set the %s", other, c.name, c.quantity)
		}
		by[c.quantity] = c.name
		columns = append(columns, c)
	}
	switch {
	case by[quantityTime] == "":
		return nil, errors.New("no column of the time, such as time_s")
	case len(columns) == 1:
		return nil, errors.New("no column beside the time, such as rate_mbps, delay_ms or loss")
	}
	p := &b.profile
	p.HasRate, p.HasDelay, p.HasLoss = by[quantityRate] != "", by[quantityDelay] != "", by[quantityLoss] != ""
	return columns, nil
}

func findProfileColumn(name string) (profileColumn, error) {
	var names, same []string
	for _, c := range profileColumns {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
		if name != "" && strings.HasPrefix(c.name, name+"_") {
			same = append(same, c.name)
		}
	}
	switch near := nearest.Word(name, names); {
	case len(same) > 0:
		return profileColumn{}, fmt.Errorf("the column %q does not say its unit; expected %s", name, strings.Join(same, ", "))
	case near != "":
		return profileColumn{}, fmt.Errorf("unknown column %q; did you mean %q?", name, near)
	}
	return profileColumn{}, fmt.Errorf("unknown column %q; expected some of %s", name, strings.Join(names, ", "))
}

// row adds the row of a line.
func (b *profileBuilder) row(line int, columns []profileColumn, cells []string) error {
	rows := b.profile.Rows
	if len(rows) == maxProfileRows {
		return fmt.Errorf("line %d: more than %d rows", line, maxProfileRows)
	}
	var row ProfileRow
	if len(rows) > 0 {
		row = rows[len(rows)-1]
	}
	last := row.At
	b.bare = true
	for i, c := range columns {
		cell := strings.TrimSpace(cells[i])
		if cell == "" && c.quantity != quantityTime {
			continue
		}
		if err := c.read(cell, &row); err != nil {
			return fmt.Errorf("line %d, %s: %w", line, c.name, err)
		}
		if c.quantity == quantityTime {
			continue
		}
		b.bare = false
		if !b.known[c.quantity] {
			b.known[c.quantity] = true
			for j := range rows {
				c.copy(&rows[j], row)
			}
		}
	}
	if len(rows) > 0 && row.At <= last {
		return fmt.Errorf("line %d: %s s comes after %s s; expected ascending times", line, decimal(int64(row.At), 9), decimal(int64(last), 9))
	}
	b.profile.Rows = append(rows, row)
	return nil
}

// read sets the value of a cell.
func (c profileColumn) read(cell string, row *ProfileRow) error {
	value, err := parseScientific(cell)
	if err != nil {
		return err
	}
	value.Mul(value, big.NewRat(c.num, c.den))
	if c.quantity == quantityLoss {
		if row.Loss, _ = value.Float64(); value.Sign() < 0 || row.Loss > 1 {
			return fmt.Errorf("%q: %w", cell, errProbability)
		}
		return nil
	}
	most := int64(maxDelay)
	if c.quantity == quantityRate {
		most = int64(TbitPerSecond)
	}
	// The nearest integer to n/d is the floor of (2n + d)/2d.
	n, d := value.Num(), value.Denom()
	n.Add(n.Lsh(n, 1), d).Div(n, new(big.Int).Lsh(d, 1))
	if n.Sign() < 0 || !n.IsInt64() || n.Int64() > most {
		limit := maxDelay.String()
		if c.quantity == quantityRate {
			limit = TbitPerSecond.String()
		}
		return fmt.Errorf("%q is not between 0 and %s", cell, limit)
	}
	switch v := n.Int64(); c.quantity {
	case quantityTime:
		row.At = time.Duration(v)
	case quantityRate:
		row.Rate = max(Stopped, BitRate(v))
	case quantityDelay:
		row.Delay = time.Duration(v)
	}
	return nil
}

// copy copies the value of the column.
func (c profileColumn) copy(to *ProfileRow, from ProfileRow) {
	switch c.quantity {
	case quantityRate:
		to.Rate = from.Rate
	case quantityDelay:
		to.Delay = from.Delay
	case quantityLoss:
		to.Loss = from.Loss
	}
}

func (b *profileBuilder) finish() (Profile, error) {
	p := b.profile
	n := len(p.Rows)
	if n == 0 {
		return Profile{}, errors.New("no row of values")
	}
	for q, has := range [...]bool{quantityRate: p.HasRate, quantityDelay: p.HasDelay, quantityLoss: p.HasLoss} {
		if has && !b.known[q] {
			return Profile{}, fmt.Errorf("no row has a value of the %s", quantity(q))
		}
	}
	last := p.Rows[n-1].At
	switch {
	case b.bare && n > 1:
		p.Rows, p.Period = p.Rows[:n-1], last
	case n > 1:
		p.Period = last + last - p.Rows[n-2].At
	default:
		p.Period = last + time.Second
	}
	if p.Period > maxDelay {
		return Profile{}, fmt.Errorf("the period is %s; expected at most %s", p.Period, maxDelay)
	}
	p.Rows[0].At = 0
	return p, nil
}

// parseScientific reads a decimal number that may have an exponent. Exponents
// are of at most three digits, so that the value takes no time to compute.
func parseScientific(s string) (*big.Rat, error) {
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	value, err := parseDecimal(mantissa)
	if err != nil || mantissa == s {
		return value, err
	}
	power, err := strconv.Atoi(exponent)
	if err != nil || power < -999 || power > 999 {
		return nil, fmt.Errorf("%q is not a decimal number with an exponent between -999 and 999", s)
	}
	ten := big.NewInt(10)
	if power < 0 {
		return value.Quo(value, new(big.Rat).SetInt(ten.Exp(ten, big.NewInt(int64(-power)), nil))), nil
	}
	return value.Mul(value, new(big.Rat).SetInt(ten.Exp(ten, big.NewInt(int64(power)), nil))), nil
}
