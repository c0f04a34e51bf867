package expect

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestARunIsRestoredAsItWasStored(t *testing.T) {
	rec := recorded(t, `
[[expect]]
metric = "flows.bulk.goodput"
from = "1s"
to = "2s"
min = "1Mbit/s"
[[expect]]
metric = "flows.bulk.goodput"
to = "1m"
min = 1`)
	run, err := Measure(rec)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Restore(rec.Run, text)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Judge(&rec.Run, []Run{run})
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := Judge(&rec.Run, []Run{got})
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if want[i].Words() != verdicts[i].Words() {
			t.Errorf("judged as %+v, before %+v", verdicts[i].Words(), want[i].Words())
		}
	}
	if !reflect.DeepEqual(got.Whole, run.Whole) {
		t.Errorf("the metrics are\n%+v\nwere\n%+v", got.Whole, run.Whole)
	}
	if again, err := json.Marshal(got); err != nil || string(again) != string(text) {
		t.Errorf("stored again it is %s, %v; was %s", again, err, text)
	}
	if _, err := Restore(rec.Run, []byte(`{"windows":[{"metrics":{"flows.other.goodput":{"value":1,"unit":"bit/s"}}}]}`)); err == nil {
		t.Error("metrics of another run were restored")
	}
}
