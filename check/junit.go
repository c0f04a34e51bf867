package check

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wtsim/wtsim/analysis/expect"
)

// JUnit writes the report as JUnit XML, the form that Jenkins, GitLab and others read
// (https://github.com/testmoapp/junitxml). A suite is a test suite. A scenario has one
// test case for its runs, one for each expectation, and one for its baseline; what
// is known not to be met is skipped, and so is what was left out.
func (r *Report) JUnit(w io.Writer) error {
	all := junitSuites{Name: "wtsim check", Time: seconds(r.Wall)}
	for _, s := range r.suites() {
		all.add(r.junit(s))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Time   string       `xml:"time,attr"`
	Suites []junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
	Output  *junitText    `xml:"system-out"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	junitText
}

type junitText struct {
	Text string `xml:",cdata"`
}

// textOf returns text that XML can hold (XML 1.0, section 2.2).
func textOf(s string) junitText {
	return junitText{strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' || c == 0xFFFE || c == 0xFFFF {
			return utf8.RuneError
		}
		return c
	}, s)}
}

func message(of, kind, text string) *junitMessage { return &junitMessage{of, kind, textOf(text)} }

func output(text string) *junitText {
	t := textOf(text)
	return &t
}

func (all *junitSuites) add(s junitSuite) {
	all.Suites = append(all.Suites, s)
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Errors += s.Errors
	all.Skipped += s.Skipped
}

func (s *junitSuite) add(c junitCase) {
	c.Time = cmp.Or(c.Time, seconds(0))
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (r *Report) junit(of *suite) junitSuite {
	v := r.Versions
	out := junitSuite{Name: of.Name, Properties: []junitProperty{
		{"wtsim", v.Wtsim}, {"quic-go", v.QUICGo}, {"go", v.Go}, {"os", v.OS}, {"arch", v.Arch},
	}}
	var took time.Duration
	for _, s := range of.Scenarios {
		took += s.took()
		for _, c := range s.junit() {
			c.Class, c.File = of.Name+"."+s.Name, filepath.ToSlash(s.Path)
			out.add(c)
		}
	}
	for _, name := range of.LeftOut {
		out.add(junitCase{Class: of.Name + "." + name, Name: "runs", Skipped: message("left out, as it takes long", "long", "")})
	}
	out.Time = seconds(took)
	return out
}

// junit returns the scenario's test cases.
func (s *Scenario) junit() []junitCase {
	runs := junitCase{Name: "runs", Time: seconds(s.took())}
	if seed, err := s.Err(); err != nil {
		runs.Error = message(firstLine(err), "run", lines("seed", fmt.Sprint(seed), "repeat", s.Command(seed))+err.Error()+"\n")
		return []junitCase{runs}
	}
	all := []junitCase{runs}
	for _, v := range s.Verdicts {
		w := v.Words()
		c := junitCase{Name: v.String()}
		text := lines("expected", w.Expected, "measured", w.Measured, "margin", w.Margin, "seed", fmt.Sprint(v.Seed),
			"note", w.Note, "repeat", s.CommandFor(v))
		switch v.Status {
		case expect.Passed:
			c.Output = output(text)
		case expect.Known:
			c.Skipped = message("known to fail: "+w.Note, "known", text)
		default:
			why := fmt.Sprintf("measured %s, expected %s", w.Measured, w.Expected)
			if v.Why != "" {
				why = v.Why
			}
			if v.Status == expect.Gone {
				why = "known to fail, but passed: " + why
			}
			c.Failure = message(why, string(v.Status), text)
		}
		all = append(all, c)
	}
	if s.Baseline == nil {
		return all
	}
	c := junitCase{Name: "baseline"}
	var text strings.Builder
	for _, x := range s.Baseline.Changes {
		w := x.Words()
		fmt.Fprintf(&text, "%s: %s, %s before and %s now", x.Verdict, x.Metric, w.Base, w.Now)
		if w.Relative != "" {
			fmt.Fprintf(&text, ", %s", w.Relative)
		}
		if w.Interval != "" {
			fmt.Fprintf(&text, " (difference %s)", w.Interval)
		}
		text.WriteString("\n")
	}
	for _, complaint := range s.complaints() {
		text.WriteString(complaint + "\n")
	}
	if s.Baseline.OK() {
		c.Output = output(s.compared() + "\n" + text.String())
	} else {
		text.WriteString(lines("repeat", s.Again()))
		c.Failure = message("against the baseline: "+s.compared(), "baseline", text.String())
	}
	return append(all, c)
}

// took returns how long the runs took that were done.
func (s *Scenario) took() time.Duration {
	var sum time.Duration
	for _, o := range s.Runs {
		if !o.Cached {
			sum += o.Info.Wall
		}
	}
	return sum
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// lines writes names with what they are, a line each, without those of which there is nothing to say.
func lines(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&b, "%-9s %s\n", pairs[i], pairs[i+1])
		}
	}
	return b.String()
}
