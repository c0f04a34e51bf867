package scenario

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const study = `
[sweep]
seeds = 3
metrics = ["flows.bulk.goodput"]
wall = "60s"
[sweep.grid]
links.access.rate = ["5Mbit/s", "20Mbit/s"]
links.access.queue = [{ kind = "codel", target = "5ms" }, "5", 'say "5"', [3, 7]]
quic.ecn = [true, false]
links.access.loss.p = "0.001..0.1:log5"
[[sweep.zip]]
sessions.main.flows.bulk.size = ["1MB"]
sessions.main.flows.bulk.streams = [1]
[sweep.sample]
seed = "1..5"
`

func TestAStudyIsReadWithValuesAsOverridesWriteThem(t *testing.T) {
	s := parse(t, base+study)
	want := Sweep{
		Seeds: 3, Metrics: Words{"flows.bulk.goodput"}, Wall: time.Minute, Method: "latin_hypercube", Seed: 1,
		Grid: Axes{
			{"links.access.rate", []string{"5Mbit/s", "20Mbit/s"}},
			{"links.access.queue", []string{`{ kind = "codel", target = "5ms" }`, `"5"`, `say "5"`, "[3, 7]"}},
			{"links.access.loss.p", []string{"0.001..0.1:log5"}},
			{"quic.ecn", []string{"true", "false"}},
		},
		Zip:    []Axes{{{"sessions.main.flows.bulk.size", []string{"1MB"}}, {"sessions.main.flows.bulk.streams", []string{"1"}}}},
		Sample: Axes{{"seed", []string{"1..5"}}},
	}
	if !reflect.DeepEqual(s.Sweep, want) {
		t.Errorf("the study is\n%+v, want\n%+v", s.Sweep, want)
	}
	checkExplained(t, s, ".")
	if text := string(s.Resolved()); strings.Contains(text, "sweep") || !strings.Contains(string(Explain(s)), "[[sweep.zip]]") {
		t.Errorf("as resolved for a run, the scenario is\n%s", text)
	}
}

func TestAScenarioWithoutAStudyHasNone(t *testing.T) {
	for _, table := range []string{"", "[sweep]\n", "[sweep]\nseeds = 1\n"} {
		if s := parse(t, base+table); !s.Sweep.IsZero() || !reflect.DeepEqual(s.Sweep, Sweep{}) {
			t.Errorf("after %q the study is %+v", table, s.Sweep)
		}
	}
}

func TestMistakesInAStudyAreNamedWithTheirPlace(t *testing.T) {
	for table, want := range map[string]string{
		"seed = 5\nseedz = 3":              `x.toml:20: sweep.seedz: unknown key; did you mean "seeds"?`,
		"seeds = 0":                        `x.toml:19: sweep.seeds: 0 is out of range; expected 1 to 10000`,
		"method = \"sobol\"":               `x.toml:19: sweep.method: unknown value "sobol"; expected one of latin_hypercube, random`,
		"metrics = \"flows.bulk.goodput\"": `x.toml:19: sweep.metrics: "flows.bulk.goodput" is a string; expected a list of strings such as ["flows.bulk.goodput"]`,
		"metrics = [5]":                    `x.toml:19: sweep.metrics.0: 5 is an integer; expected a string`,
		"grid = 5":                         `x.toml:19: sweep.grid: 5 is an integer; expected keys of the scenario with lists of values`,
		"zip = 5":                          `x.toml:19: sweep.zip: 5 is an integer; expected tables [[sweep.zip]]`,
		"zip = [5]":                        `x.toml:19: sweep.zip.0: 5 is an integer; expected keys of the scenario with lists of values`,
		"grid.\"links.access.rate\" = [\"1bit\"]": `x.toml:19: sweep.grid."links.access.rate": "links.access.rate" is not a name; expected keys with dots between them, and no quotes`,
		"wall = \"1parsec\"":                      `x.toml:19: sweep.wall: "1parsec" is not a time such as "20ms"; known units: ns, us, ms, s, m, h`,
	} {
		if _, err := Parse("x.toml", []byte(base+"[sweep]\n"+table)); err == nil || err.Error() != want {
			t.Errorf("%s:\n     %v\nwant %s", table, err, want)
		}
	}
}

func TestTheKindOfAKeyIsThatOfItsValue(t *testing.T) {
	for _, c := range []struct {
		overrides []string
		want      string
	}{
		{[]string{"links.access.rate=5Mbit/s"}, "rate"},
		{[]string{"links.access.delay=5ms"}, "time"},
		{[]string{"links.access.loss=0.5"}, "number"},
		{[]string{"links.access.loss.p=0.5"}, "number"},
		{[]string{"links.access.queue.kind=codel", "links.access.queue.limit=10packets"}, "queue limit"},
		{[]string{"links.access.queue={kind=\"codel\"}"}, ""},
		{[]string{"sessions.main.flows.bulk.streams=5"}, "whole number"},
		{[]string{"sessions.main.flows.voice.rate=5Hz"}, "frequency"},
		{[]string{"sessions.main.flows.voice.from=client"}, "string"},
		{[]string{"quic.ecn=true"}, "boolean"},
	} {
		if got, err := Kind("x.toml", []byte(base), c.overrides...); err != nil || got != c.want {
			t.Errorf("%q is of kind %q (%v), want %q", c.overrides, got, err, c.want)
		}
	}
	if _, err := Kind("x.toml", []byte(base), "links.access.rate=5ms"); err == nil {
		t.Error("a rate of 5 ms has a kind")
	}
}

func TestALineIsFoundByItsPath(t *testing.T) {
	for path, want := range map[string]int{"links.access.rate": 7, "links.access.rtae": 5, "sessions.main.flows.voice.kind": 17, "nothing": 0} {
		if got := Line([]byte(base), path); got != want {
			t.Errorf("%s is on line %d, want %d", path, got, want)
		}
	}
}

func TestAnyValueOfAStudyIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9a-z"'{}\[\],. =\\#\n-]{0,12}`).Draw(t, "text")
		n := &node{kind: stringNode, text: text}
		again, err := overrideValue(n.value(), "", origin{})
		if err != nil || again.kind != stringNode || again.text != text {
			t.Fatalf("%q is written %s, which is %+v (%v)", text, n.value(), again, err)
		}
		s := &Scenario{Sweep: Sweep{Seeds: 2, Method: "random", Grid: Axes{{"a.b", []string{n.value()}}}}}
		e := &explainer{explained: map[string]bool{}}
		e.sweep(&s.Sweep)
		root, err := parseTree("x.toml", e.out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var axes Axes
		if err := decodeAxes(&axes, root.child["sweep"].child["grid"]); err != nil || !slices.Equal(axes[0].Values, s.Sweep.Grid[0].Values) {
			t.Fatalf("%q is read back as %q (%v) from\n%s", s.Sweep.Grid[0].Values, axes, err, e.out.String())
		}
	})
}
