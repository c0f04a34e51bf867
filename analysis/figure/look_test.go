package figure

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLook(t *testing.T) {
	dir := os.Getenv("LOOK")
	if dir == "" {
		t.Skip()
	}
	put := func(name string, d Data, w Width) {
		for _, f := range All(d) {
			for _, fm := range []Format{PNG, SVG, CSV} {
				o, _ := os.Create(filepath.Join(dir, name+"-"+f.Name+"."+string(fm)))
				if err := f.Render(o, fm, w); err != nil {
					t.Fatal(err)
				}
				o.Close()
			}
		}
	}
	put("two", sample(), TwoColumns)
	put("one", sample(), OneColumn)
	put("crowd", crowd(1000), TwoColumns)
}
