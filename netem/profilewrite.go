package netem

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the profile so that [ParseProfileCSV] reads it again: with the
// columns time_s, rate_mbps, delay_ms and loss, those that it has, and a last
// row with the end of the period.
func (p Profile) WriteCSV(w io.Writer) error {
	if err := p.check(); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	out.WriteString("time_s")
	empty := ""
	for _, c := range []struct {
		has  bool
		name string
	}{{p.HasRate, ",rate_mbps"}, {p.HasDelay, ",delay_ms"}, {p.HasLoss, ",loss"}} {
		if c.has {
			out.WriteString(c.name)
			empty += ","
		}
	}
	out.WriteString("\n")
	for _, row := range p.Rows {
		out.WriteString(decimal(int64(row.At), 9))
		if p.HasRate {
			out.WriteString("," + decimal(int64(row.Rate), 6))
		}
		if p.HasDelay {
			out.WriteString("," + decimal(int64(row.Delay), 6))
		}
		if p.HasLoss {
			out.WriteString("," + strconv.FormatFloat(row.Loss, 'g', -1, 64))
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(out, "%s%s\n", decimal(int64(p.Period), 9), empty)
	return out.Flush()
}

// check checks the rules that the fields of a profile state.
func (p Profile) check() error {
	switch {
	case !p.HasRate && !p.HasDelay && !p.HasLoss:
		return errors.New("the profile has neither rate nor delay nor loss")
	case len(p.Rows) == 0 || p.Rows[0].At != 0:
		return errors.New("the profile has no row at 0")
	case p.Period <= p.Rows[len(p.Rows)-1].At || p.Period > maxDelay:
		return fmt.Errorf("the period of the profile does not end after its last row, or is longer than %s", maxDelay)
	}
	for i, row := range p.Rows {
		switch {
		case i > 0 && row.At <= p.Rows[i-1].At:
			return fmt.Errorf("row %d of the profile is not later than the one before", i)
		case p.HasRate && (row.Rate < Stopped || row.Rate > TbitPerSecond):
			return fmt.Errorf("the rate of row %d of the profile is not between %s and %s", i, Stopped, TbitPerSecond)
		case p.HasDelay && (row.Delay < 0 || row.Delay > maxDelay):
			return fmt.Errorf("the delay of row %d of the profile is not between 0 and %s", i, maxDelay)
		case p.HasLoss && !(row.Loss >= 0 && row.Loss <= 1):
			return fmt.Errorf("the loss of row %d of the profile: %w", i, errProbability)
		}
	}
	return nil
}

// decimal writes v / 10^digits, which is not negative, without zeros at the end.
func decimal(v int64, digits int) string {
	s := fmt.Sprintf("%0*d", digits+1, v)
	whole, fraction := s[:len(s)-digits], s[len(s)-digits:]
	return strings.TrimRight(whole+"."+strings.TrimRight(fraction, "0"), ".")
}
