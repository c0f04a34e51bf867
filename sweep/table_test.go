package sweep

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares a text with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o777), os.WriteFile(path, got, 0o666)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, and run go test -update if it is right:\n%s", path, got)
	}
}

// written returns a file of a store once its tables are written.
func written(t testing.TB, s *Store, name string) []byte {
	t.Helper()
	if _, _, err := s.Write(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(s.Folder(), name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheTablesAreAsTheyWere(t *testing.T) {
	s := opened(t, gridOf(2, Axis{Path: "links.access.rate", Values: []string{"5Mbit/s", "500kbit/s"}}, Axis{Path: "links.access.queue.kind", Values: []string{"a,\"b\""}}))
	fill(t, s, 0, 1, 2)
	if err := s.PutFailure(s.Study.Run(3), errors.New("it stalled\nat 3s")); err != nil {
		t.Fatal(err)
	}
	golden(t, "results.csv", written(t, s, csvFile))
	golden(t, "runs.csv", written(t, s, runsFile))
}

func TestBothTablesHoldTheSame(t *testing.T) {
	s := holed(t)
	lines, err := csv.NewReader(bytes.NewReader(written(t, s, csvFile))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	names, rows := readParquet(t, written(t, s, parquetFile))
	if !slices.Equal(names, lines[0]) {
		t.Errorf("columns %q and %q", names, lines[0])
	}
	if !reflect.DeepEqual(rows, lines[1:]) {
		t.Errorf("%d and %d rows, which differ", len(rows), len(lines)-1)
	}
	// Of 36 runs with five metrics each, two have none.
	if len(rows) != 34*5 {
		t.Errorf("%d rows, want %d", len(rows), 34*5)
	}
}

func readParquet(t testing.TB, text []byte) (names []string, rows [][]string) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range f.Schema().Columns() {
		names = append(names, column[0])
	}
	r := parquet.NewReader(f)
	defer r.Close()
	buffer := make([]parquet.Row, 100)
	for {
		n, err := r.ReadRows(buffer)
		for _, row := range buffer[:n] {
			var fields []string
			for _, v := range row {
				switch v.Kind() {
				case parquet.Double:
					fields = append(fields, number(v.Double()))
				case parquet.ByteArray:
					fields = append(fields, string(v.ByteArray()))
				default:
					fields = append(fields, v.String())
				}
			}
			rows = append(rows, fields)
		}
		if errors.Is(err, io.EOF) {
			return names, rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSameResultsGiveTheSameFilesInAnyOrder(t *testing.T) {
	study := gridOf(2, rates, queues)
	var want [][]byte
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(all(study)).Draw(t, "order")
		folder, err := os.MkdirTemp("", "sweep")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		s, err := Open(folder, study)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range order {
			if err := s.Put(madeResult(study, study.Run(i))); err != nil {
				t.Fatal(err)
			}
		}
		_, files, err := s.Write(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, text)
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the files differ if runs end in the order %v", order)
		}
	})
}

func TestARunThatFailedOrCannotBeReadHasARowThatSaysSo(t *testing.T) {
	s := holed(t)
	damaged := s.place(s.Study.Run(20))
	if err := os.WriteFile(damaged, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(written(t, s, runsFile))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header, lines := lines[0], lines[1:]
	if len(lines) != s.Study.Runs() {
		t.Fatalf("%d rows of %d runs", len(lines), s.Study.Runs())
	}
	state, why := slices.Index(header, "state"), slices.Index(header, "failure")
	count := map[string]int{}
	for _, fields := range lines {
		count[fields[state]]++
		if (fields[state] == string(failed)) != strings.HasPrefix(fields[why], "panic") {
			t.Errorf("%s: %q", fields[state], fields[why])
		}
		if fields[state] == string(missing) && fields[why] != "" && !strings.Contains(fields[why], "is damaged") {
			t.Errorf("missing: %q", fields[why])
		}
	}
	if want := map[string]int{"done": 33, "failed": 1, "missing": 2}; !reflect.DeepEqual(count, want) {
		t.Errorf("%v; want %v", count, want)
	}
}

func TestAnAxisCannotHaveTheNameOfAColumn(t *testing.T) {
	s := opened(t, gridOf(1, Axis{Path: "value", Values: []string{"1"}}))
	_, _, err := s.Write(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), "has a column value of its own") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Folder(), csvFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a table is there: %v", err)
	}
}
