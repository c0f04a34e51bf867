package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/wtsim/wtsim/sim/record"
	"pgregory.net/rapid"
)

// drain reads all of a recording and returns the first error.
func drain(dir string) error {
	rec, err := record.Open(dir)
	if err != nil {
		return err
	}
	for _, err := range rec.Packets() {
		if err != nil {
			return err
		}
	}
	for _, err := range rec.Samples() {
		if err != nil {
			return err
		}
	}
	for _, err := range rec.Events() {
		if err != nil {
			return err
		}
	}
	return nil
}

func replaceIn(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, new)), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestABrokenRecordingIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
	}{
		{"no folder", func(t *testing.T, dir string) { os.RemoveAll(dir) }, "no recording at"},
		{"no run.json", func(t *testing.T, dir string) { os.Remove(dir + "/run.json") }, "is not a recording: it has no run.json"},
		{"a folder of recordings", func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+"s"); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(dir+"s", dir+"/7"); err != nil {
				t.Fatal(err)
			}
		}, "run is not a recording, but holds some; expected one of them, such as"},
		{"broken run.json", func(t *testing.T, dir string) { os.Truncate(dir+"/run.json", 20) }, "run.json is broken"},
		{"foreign run.json", func(t *testing.T, dir string) { os.WriteFile(dir+"/run.json", []byte(`{"steps": 3}`), 0o666) }, `has no "schema"`},
		{"another version", func(t *testing.T, dir string) {
			replaceIn(t, dir+"/run.json", `"schema": 2`, `"schema": 1`)
		}, "was written in format version 1; this wtsim reads version 2"},
		{"a newer version", func(t *testing.T, dir string) {
			replaceIn(t, dir+"/run.json", `"schema": 2`, `"schema": 3`)
			replaceIn(t, dir+"/run.json", `"wtsim": ""`, `"wtsim": "v9.1.0"`)
		}, "run/run.json was written in format version 3; this wtsim reads version 2: use wtsim v9.1.0, which wrote it, or a later one"},
		{"an older version of a known program", func(t *testing.T, dir string) {
			replaceIn(t, dir+"/run.json", `"schema": 2`, `"schema": 1`)
			replaceIn(t, dir+"/run.json", `"wtsim": ""`, `"wtsim": "v0.1.0"`)
		}, "run/run.json was written in format version 1; this wtsim reads version 2: run the scenario again, or use wtsim v0.1.0, which wrote it"},
		{"a file in place of the folder", func(t *testing.T, dir string) {
			os.RemoveAll(dir)
			os.WriteFile(dir, nil, 0o666)
		}, "run is a file; expected the folder of a recording"},
		{"a folder in place of run.json", func(t *testing.T, dir string) {
			os.Remove(dir + "/run.json")
			os.Mkdir(dir+"/run.json", 0o777)
		}, "read recording: read "},
		{"a folder in place of a table", func(t *testing.T, dir string) {
			os.Remove(dir + "/packets.parquet")
			os.Mkdir(dir+"/packets.parquet", 0o777)
		}, "packets.parquet is broken, truncated or not a table of wtsim"},
		{"run.json of another type", func(t *testing.T, dir string) { os.WriteFile(dir+"/run.json", []byte(`[1, 2]`), 0o666) }, "run.json is broken: "},
		{"a field of another type", func(t *testing.T, dir string) {
			replaceIn(t, dir+"/run.json", `"seed": 0`, `"seed": "zero"`)
		}, "run.json is broken: json: cannot unmarshal string into Go struct field Run.seed"},
		{"an unknown table", func(t *testing.T, dir string) {
			replaceIn(t, dir+"/run.json", `"packets": 100`, `"frames": 100`)
		}, `it has rows of "frames"; expected those of [packets series events]`},
		{"a table is missing", func(t *testing.T, dir string) { os.Remove(dir + "/series.parquet") }, "is incomplete: it has no series.parquet"},
		{"an empty table", func(t *testing.T, dir string) { os.Truncate(dir+"/packets.parquet", 0) }, "packets.parquet is broken, truncated or not a table of wtsim: expected a Parquet file"},
		{"a table that is not Parquet", func(t *testing.T, dir string) {
			os.WriteFile(dir+"/events.parquet", []byte(strings.Repeat("not parquet\n", 99)), 0o666)
		}, "events.parquet is broken, truncated or not a table of wtsim: expected a Parquet file"},
		{"another table", func(t *testing.T, dir string) {
			text, _ := os.ReadFile(dir + "/series.parquet")
			os.WriteFile(dir+"/packets.parquet", text, 0o666)
		}, "has no column id of type INT64"},
		{"a Parquet file of another program", func(t *testing.T, dir string) {
			type row struct{ ID int64 }
			if err := parquet.WriteFile(dir+"/packets.parquet", make([]row, 100)); err != nil {
				t.Fatal(err)
			}
		}, "packets.parquet is broken, truncated or not a table of wtsim"},
		{"a table of another run", func(t *testing.T, dir string) {
			other := filepath.Join(t.TempDir(), "other")
			write(t, other, someRows(7), record.Run{})
			os.Rename(other+"/packets.parquet", dir+"/packets.parquet")
		}, "packets.parquet has 7 rows, and run.json says 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			write(t, dir, someRows(100), record.Run{})
			c.damage(t, dir)
			if err := drain(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestATruncatedTableIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir, someRows(3), record.Run{})
	path := dir + "/packets.parquet"
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 3 {
		if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if err := drain(dir); err == nil || !strings.Contains(err.Error(), "packets.parquet") {
			t.Fatalf("cut to %d of %d bytes: error %v", n, len(whole), err)
		}
	}
}

func TestDamageToATableIsNoticedOrHarmless(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	base := someRows(100)
	write(t, dir, base, record.Run{})
	path := dir + "/packets.parquet"
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		damaged := append([]byte(nil), whole...)
		at := rapid.IntRange(0, len(whole)-1).Draw(rt, "at")
		damaged[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			rt.Fatal(err)
		}
		if drain(dir) != nil {
			return
		}
		if diff := cmp.Diff(base.packets, readBack(t, dir).packets, compareAddresses); diff != "" {
			rt.Fatalf("read without an error (-written +read):\n%s", diff)
		}
	})
}

func TestFirstDifference(t *testing.T) {
	base := someRows(30_000)
	for _, c := range []struct {
		name   string
		change func(*rows)
		differ bool
		index  int
		want   string
	}{
		{"none", func(*rows) {}, false, 0, ""},
		{"only what the fingerprint leaves out", func(r *rows) { r.packets[3].QueueDelay++; r.packets[4].ID = 99 }, false, 0, ""},
		{"a time", func(r *rows) { r.packets[20_000].Done++; r.packets[20_500].Size++ }, true, 20_000, "packet record 20000 differs:\n  a: #20001 10.0.0.0:4433 → 10.1.0.1:443 on links.access.forward, 1252 B, ecn 2 → 2, sent 2.3s, dropped 2.32s by loss\n  b: #20001 10.0.0.0:4433 → 10.1.0.1:443 on links.access.forward, 1252 B, ecn 2 → 2, sent 2.3s, dropped 2.320000001s by loss"},
		{"a name", func(r *rows) { r.packets[0].Reason = "queue" }, true, 0, "by queue"},
		{"the end", func(r *rows) { r.packets = r.packets[:29_999] }, true, 29_999, "b: no more packets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			other := base
			other.packets = append([]record.Packet(nil), base.packets...)
			c.change(&other)
			write(t, dir+"/a", base, record.Run{})
			write(t, dir+"/b", other, record.Run{})
			a, errA := record.Open(dir + "/a")
			b, errB := record.Open(dir + "/b")
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			d, differ, err := record.FirstDifference(a, b)
			if err != nil || differ != c.differ || d.Index != c.index {
				t.Fatalf("got record %d, %v, %v; want %d, %v", d.Index, differ, err, c.index, c.differ)
			}
			if differ && !strings.Contains(fmt.Sprint(d), c.want) {
				t.Errorf("message:\n%v\nwant in it:\n%s", d, c.want)
			}
			if same := a.Run.Fingerprint == b.Run.Fingerprint; same == c.differ {
				t.Errorf("the fingerprints are equal: %v, the packets differ: %v", same, c.differ)
			}
		})
	}
}
