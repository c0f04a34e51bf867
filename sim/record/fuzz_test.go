package record_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

// FuzzReadingADamagedRecording changes, inserts or removes bytes of one file of a
// recording. It must be read as it was written, or refused with an error that names
// the file, and take no more memory than a recording of that size needs.
func FuzzReadingADamagedRecording(f *testing.F) {
	files := []string{"packets.parquet", "series.parquet", "events.parquet", "run.json"}
	dir := filepath.Join(f.TempDir(), "run")
	write(f, dir, someRows(50), record.Run{Name: "fuzzed", Scenario: json.RawMessage(`"x = 1"`)})
	want := readBack(f, dir)
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	f.Add(byte(0), uint16(0), uint16(0), []byte(nil))
	f.Add(byte(0), uint16(len(texts[0])-8), uint16(4), []byte{0xff, 0xff, 0xff, 0x7f}) // the length of the metadata
	f.Add(byte(1), uint16(4), uint16(1), []byte("x"))
	f.Add(byte(2), uint16(len(texts[2])/2), uint16(0xffff), []byte(nil))
	f.Add(byte(3), uint16(bytes.Index(texts[3], []byte(`"packets": 50`))+len(`"packets": `)), uint16(2), []byte("9999999999999"))
	f.Fuzz(func(t *testing.T, which byte, at, cut uint16, put []byte) {
		file, text := files[which%4], texts[which%4]
		begin := min(int(at), len(text))
		end := min(begin+int(cut), len(text))
		damaged := append(append(append([]byte(nil), text[:begin]...), put...), text[end:]...)
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(path, text, 0o666)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := drain(dir)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("reading it allocated %d MB", used>>20)
		}
		if err != nil {
			if !strings.Contains(err.Error(), dir) {
				t.Errorf("the error does not name a file: %v", err)
			}
			return
		}
		got := readBack(t, dir)
		if file == "run.json" && len(got.packets)*len(got.samples)*len(got.events) == 0 {
			return // it says that fewer tables were recorded
		}
		if !slices.Equal(got.packets, want.packets) || !slices.Equal(got.samples, want.samples) || !slices.Equal(got.events, want.events) {
			t.Errorf("what is read is not what was written")
		}
	})
}
