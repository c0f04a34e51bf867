package main

import (
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

// lists are what can be listed. Each returns the columns of its table, and
// its rows; the columns are the keys of the JSON objects too.
var lists = []struct {
	name string
	rows func() (columns []string, rows [][]string)
}{
	{"scenarios", listScenarios},
	{"metrics", listMetrics},
	{"flows", func() ([]string, [][]string) {
		return listTables("kind", slices.Concat(scenario.FlowKinds(), scenario.SizeKinds()))
	}},
	{"links", func() ([]string, [][]string) { return listTables("table", scenario.LinkTables()) }},
	{"traffic", func() ([]string, [][]string) { return listTables("table", scenario.TrafficTables()) }},
	{"keys", func() ([]string, [][]string) { return listTables("table", scenario.Reference()) }},
}

func newList() *cobra.Command {
	var asJSON bool
	var names []string
	for _, l := range lists {
		names = append(names, l.name)
	}
	words := strings.Join(names, "|")
	cmd := &cobra.Command{
		Use:   "list " + words,
		Short: "List scenarios, metrics, or the keys of a scenario file",
		Long: `List prints the scenarios below ./scenarios, the metrics with their definitions,
or keys of a scenario file: those of the kinds of flows, of links, of cross traffic, or all.`,
		Example:   "  wtsim list scenarios\n  wtsim list metrics --json",
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
					columns, rows := l.rows()
					return printList(cmd.OutOrStdout(), columns, rows, asJSON)
				}
			}
			return &usageError{cmd, fmt.Errorf("cannot list %q; expected one of %s", args[0], strings.Join(names, ", "))}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array of objects")
	return cmd
}

func printList(out io.Writer, columns []string, rows [][]string, asJSON bool) error {
	if asJSON {
		objects := make([]map[string]string, len(rows))
		for i, row := range rows {
			objects[i] = map[string]string{}
			for j, value := range row {
				objects[i][columns[j]] = value
			}
		}
		return json.NewEncoder(out).Encode(objects)
	}
	t := newTable(columns...)
	t.SuppressEmptyColumns()
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, value := range row {
			cells[i] = value
		}
		t.AppendRow(cells)
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}

func listScenarios() ([]string, [][]string) {
	var rows [][]string
	for _, path := range scenarioFiles() {
		s, err := scenario.Load(path)
		if err != nil {
			rows = append(rows, []string{path, "", "broken: " + err.Error()})
			continue
		}
		rows = append(rows, []string{path, s.Name, s.Description})
	}
	return []string{"file", "name", "description"}, rows
}

func listMetrics() ([]string, [][]string) {
	var rows [][]string
	for _, d := range analysis.Definitions() {
		rows = append(rows, []string{d.Pattern, d.Unit, d.Meaning, d.Source})
	}
	return []string{"metric", "unit", "meaning", "source"}, rows
}

func listTables(title string, tables []scenario.Table) ([]string, [][]string) {
	var rows [][]string
	for _, t := range tables {
		rows = append(rows, []string{t.Name, "", "", "", t.Doc})
		for _, k := range t.Keys {
			fallback := k.Default
			if k.Required {
				fallback = "(required)"
			}
			rows = append(rows, []string{t.Name, k.Name, k.Type, fallback, k.Doc})
		}
	}
	return []string{title, "key", "type", "default", "meaning"}, rows
}
