package report

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// verdict is how the runs of a set ended.
type verdict struct {
	Level    string // good, warn or bad; also the word that stands for it
	Headline string
	Lines    []string
	Lists    []list
}

// list is lines below a title.
type list struct {
	Title string
	Lines []string
}

// outcome is what the verdict needs to know of a run.
type outcome struct {
	run      record.Run
	failures []analysis.Failure // the first of them
	failed   int
	judged   expect.Run // for the scenario's expectations
}

// mostLines bounds a list.
const mostLines = 10

// judge says how one run ended.
func judge(o outcome) verdict {
	run := o.run
	at, clock := quantity.Duration(run.Virtual.Seconds()), clockOf(run)
	v := verdict{Level: "good"}
	switch run.Ended {
	case record.Complete:
		v.Headline = "Complete: every task finished within " + at + " of " + clock + "."
		if o.failed > 0 {
			v.Headline = "Finished after " + at + " of " + clock + ", with failures."
		}
	case record.TimeLimit:
		v.Level = "warn"
		v.Headline = fmt.Sprintf("Ended at its time limit of %s with %s unfinished.", at, quantity.Count(len(run.Unfinished), "task"))
	case record.Stalled:
		v.Level = "bad"
		v.Headline = "Stalled after " + at + ": nothing could make progress any more."
	case record.Failed:
		v.Level = "bad"
		v.Headline = "Failed after " + at + " of " + clock + "."
	default:
		v.Level = "warn"
		v.Headline = fmt.Sprintf("Ended as %q after %s of %s.", run.Ended, at, clock)
	}
	emulated := run.Manner() == record.MannerEmulated
	if emulated && run.Ended == record.Complete {
		v.Headline = "Emulated between other programs for " + at + "."
	}
	if o.failed > 0 {
		v.Level = "bad"
		v.Lists = append(v.Lists, failureList(o))
	}
	if len(run.Unfinished) > 0 {
		v.Lists = append(v.Lists, bounded("Unfinished", run.Unfinished, len(run.Unfinished)))
	}
	if !emulated { // which has no sessions and flows
		v.Lines = append(v.Lines, failuresInWords(o))
	}
	v.Lines = append(v.Lines, sealInWords(run))
	if run.RealTime != nil {
		v.Lines = append(v.Lines, "Precision: "+analysis.Lateness(run.RealTime)+".", "Programs: "+analysis.Wakeups(run.RealTime.Wakeups)+".")
		if len(run.RealTime.Refused) > 0 {
			v.Lines = append(v.Lines, "Refused: "+analysis.Refusals(run.RealTime.Refused)+".")
		}
	}
	if line := speedInWords(run); line != "" {
		v.Lines = append(v.Lines, line)
	}
	v.Lines = append(v.Lines, missingInWords(run)...)
	return v
}

// missingInWords says which tables the recording does not have.
func missingInWords(run record.Run) []string {
	var names []string
	for _, t := range run.Unrecorded() {
		names = append(names, string(t))
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"Not recorded: " + strings.Join(names, ", ") + ". Metrics and figures that need them are left out."}
}

// judgeAll says how the runs of a set ended.
func judgeAll(all []outcome) verdict {
	if len(all) == 1 {
		return judge(all[0])
	}
	endings := []record.Ending{record.Complete, record.TimeLimit, record.Stalled, record.Failed}
	words := map[record.Ending]string{record.Complete: "complete", record.TimeLimit: "at the time limit", record.Stalled: "stalled", record.Failed: "failed"}
	ended := map[record.Ending]int{}
	failed, withFailures, unsealed := 0, 0, 0
	least := all[0] // the run with the fewest tables
	var why string
	v := verdict{Level: "good"}
	for _, o := range all {
		ended[o.run.Ended]++
		if failed += o.failed; o.failed > 0 {
			withFailures++
		}
		if len(o.run.Unrecorded()) > len(least.run.Unrecorded()) {
			least = o
		}
		if o.run.Determinism != record.Sealed {
			if unsealed++; why == "" {
				why = o.run.Unsealed
			}
		}
	}
	var parts []string
	known := 0
	for _, e := range endings {
		if ended[e] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", ended[e], words[e]))
			known += ended[e]
		}
	}
	if rest := len(all) - known; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d otherwise", rest))
	}
	v.Headline = fmt.Sprintf("%d runs: %s.", len(all), strings.Join(parts, ", "))
	if ended[record.Complete] == len(all) {
		v.Headline = fmt.Sprintf("All %d runs complete.", len(all))
		if failed > 0 {
			v.Headline = fmt.Sprintf("All %d runs finished, %d with failures.", len(all), withFailures)
		}
	} else {
		v.Level = "warn"
	}
	switch {
	case failed > 0:
		v.Lines = append(v.Lines, fmt.Sprintf("%s in %s.", quantity.Count(failed, "failure of sessions and flows", "failures of sessions and flows"), quantity.Count(withFailures, "run")))
	case !least.run.Has(record.TableEvents):
		v.Lines = append(v.Lines, failuresInWords(least))
	default:
		v.Lines = append(v.Lines, "No session and no flow failed in any run.")
	}
	if failed > 0 || ended[record.Stalled]+ended[record.Failed] > 0 {
		v.Level = "bad"
	}
	switch {
	case all[0].run.RealTime != nil:
		v.Lines = append(v.Lines, sealInWords(all[0].run))
	case unsealed > 0:
		v.Lines = append(v.Lines, fmt.Sprintf("%d of %d runs were not sealed, so that another run may differ: %s.", unsealed, len(all), why))
	default:
		v.Lines = append(v.Lines, "Sealed: the same scenario and seed give the same fingerprint.")
	}
	v.Lines = append(v.Lines, missingInWords(least.run)...)
	for _, o := range all {
		if o.failed > 0 {
			l := failureList(o)
			l.Title = fmt.Sprintf("Failed with seed %d, the first such", o.run.Seed)
			v.Lists = append(v.Lists, l)
			break
		}
	}
	return v
}

func failuresInWords(o outcome) string {
	switch {
	case !o.run.Has(record.TableEvents):
		return "No events were recorded, which would tell failures."
	case o.failed == 0:
		return "No session and no flow failed."
	case o.failed == 1:
		return "One session or flow failed."
	}
	return fmt.Sprintf("%d sessions or flows failed.", o.failed)
}

func sealInWords(run record.Run) string {
	switch run.Determinism {
	case record.Sealed:
		return "Sealed: the same scenario and seed give the same fingerprint."
	case record.InReal:
		return "It happened in real time, and no other run is the same."
	}
	return "Unsealed, so another run may differ: " + run.Unsealed + "."
}

// clockOf names the time of a run.
func clockOf(run record.Run) string {
	if run.RealTime != nil {
		return "real time"
	}
	return "virtual time"
}

// speedInWords says how long the run took.
func speedInWords(run record.Run) string {
	if run.Wall <= 0 {
		return ""
	}
	datagrams := "1 datagram"
	if run.Datagrams != 1 {
		datagrams = thousands(run.Datagrams) + " datagrams"
	}
	if run.RealTime != nil {
		return datagrams + "."
	}
	return fmt.Sprintf("%s, simulated in %s.", datagrams, quantity.Duration(run.Wall.Seconds()))
}

// thousands writes a number with its digits in groups of three.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func failureList(o outcome) list {
	lines := make([]string, len(o.failures))
	for i, f := range o.failures {
		lines[i] = fmt.Sprintf("%s, at %s: %s", f.Entity, quantity.Duration(f.At.Seconds()), f.Why)
	}
	return bounded("Failed", lines, o.failed)
}

// bounded returns a list of the first lines of so many.
func bounded(title string, lines []string, of int) list {
	l := list{title, append([]string(nil), lines[:min(len(lines), mostLines)]...)}
	if more := of - len(l.Lines); more > 0 {
		l.Lines = append(l.Lines, fmt.Sprintf("… and %d more", more))
	}
	return l
}
