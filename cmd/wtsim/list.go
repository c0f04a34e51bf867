package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/scenario"
)

// lists are what can be listed.
var lists = []struct {
	name string
	list func() listing
}{
	{"scenarios", listScenarios},
	{"metrics", listMetrics},
	{"figures", listFigures},
	{"flows", func() listing { return tables(slices.Concat(scenario.FlowKinds(), scenario.SizeKinds())) }},
	{"links", func() listing { return tables(scenario.LinkTables()) }},
	{"traffic", func() listing { return tables(scenario.TrafficTables()) }},
	{"keys", func() listing { return tables(scenario.Reference()) }},
	{"types", listTypes},
}

// listing is what is printed as text, and as JSON as it is.
type listing interface{ print(io.Writer) error }

func newList() *cobra.Command {
	var asJSON bool
	var names []string
	for _, l := range lists {
		names = append(names, l.name)
	}
	words := strings.Join(names, "|")
	cmd := &cobra.Command{
		Use:   "list " + words,
		Short: "List scenarios, metrics, figures, or the keys of a scenario file",
		Long: `List prints the scenarios below ./scenarios, the metrics with their definitions, the figures,
or keys of a scenario file with their defaults, ranges and examples: those of the kinds of
flows, of links, of cross traffic, or all. Types are how times, rates, sizes and other values
are written. Keys and types are in scenarios/REFERENCE.md, too.`,
		Example:   "  wtsim list scenarios\n  wtsim list links\n  wtsim list metrics --json",
		ValidArgs: names,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("expected one of " + strings.Join(names, ", "))
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, l := range lists {
				if l.name == args[0] {
					if asJSON {
						return json.NewEncoder(cmd.OutOrStdout()).Encode(l.list())
					}
					return l.list().print(cmd.OutOrStdout())
				}
			}
			return &usageError{cmd, fmt.Errorf("cannot list %q; expected one of %s", args[0], strings.Join(names, ", "))}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array of objects")
	return cmd
}

// rows is a table, and in JSON a list of objects with the columns as keys.
type rows struct {
	columns []string
	cells   [][]string
}

func (r rows) MarshalJSON() ([]byte, error) {
	objects := make([]map[string]string, len(r.cells))
	for i, row := range r.cells {
		objects[i] = map[string]string{}
		for j, value := range row {
			objects[i][r.columns[j]] = value
		}
	}
	return json.Marshal(objects)
}

func (r rows) print(out io.Writer) error {
	_, err := fmt.Fprintln(out, r.render())
	return err
}

func (r rows) render() string {
	t := newTable(r.columns...)
	t.SuppressEmptyColumns()
	for _, row := range r.cells {
		cells := make(table.Row, len(row))
		for i, value := range row {
			cells[i] = value
		}
		t.AppendRow(cells)
	}
	return t.Render()
}

// tables are those of a scenario file, each with its keys and its example.
type tables []scenario.Table

func (list tables) print(out io.Writer) error {
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if _, err := fmt.Fprint(out, tableText(t)); err != nil {
			return err
		}
	}
	return nil
}

func tableText(t scenario.Table) string {
	var b strings.Builder
	fmt.Fprintln(&b, cmp.Or(t.Name, "(top of the file)"))
	parts := []string{t.Doc}
	if t.Linux != "" {
		parts[0] += "\nLinux: " + t.Linux
	}
	if len(t.Keys) > 0 {
		keys := rows{columns: []string{"key", "type", "default", "values", "meaning"}}
		for _, k := range t.Keys {
			keys.cells = append(keys.cells, []string{k.Name, k.Type, k.Fallback(), k.Values(), k.Doc})
		}
		parts = append(parts, keys.render())
	}
	if t.Example != "" {
		parts = append(parts, t.Example)
	}
	for line := range strings.Lines(strings.Join(parts, "\n\n") + "\n") {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func listScenarios() listing {
	list := rows{columns: []string{"file", "name", "description"}}
	for _, path := range scenarioFiles() {
		s, err := scenario.Load(path)
		if err != nil {
			list.cells = append(list.cells, []string{path, "", "broken: " + err.Error()})
			continue
		}
		list.cells = append(list.cells, []string{path, s.Name, s.Description})
	}
	return list
}

func listMetrics() listing {
	var list metricsList
	list.rows = rows{columns: []string{"metric", "unit", "meaning", "source"}}
	for _, d := range analysis.Definitions() {
		list.cells = append(list.cells, []string{d.Pattern, d.Unit, d.Meaning, d.Source})
	}
	return list
}

// metricsList is the list of metrics, after which comes what they are in a
// window.
type metricsList struct{ rows }

func (l metricsList) print(out io.Writer) error {
	if err := l.rows.print(out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", windowRules)
	return err
}

func listTypes() listing {
	list := rows{columns: []string{"type", "example", "meaning"}}
	for _, t := range scenario.Types() {
		list.cells = append(list.cells, []string{t.Name, t.Example, t.Doc})
	}
	return list
}
