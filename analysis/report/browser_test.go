package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/pagetest"
)

func TestMain(m *testing.M) { pagetest.Main(m) }

// view is a report that a test looks at.
type view struct{ *pagetest.View }

func show(t *testing.T, file string, width int) view { return view{pagetest.Show(t, file, width)} }

// hover puts the pointer at a share of the width of a plot.
func (v view) hover(plot int, share float64) string {
	v.T.Helper()
	b := v.Find(".u-over", plot)
	v.Mouse("mouseMoved", b.X+b.Width/2, b.Y+b.Height/2-5, 0)
	v.Mouse("mouseMoved", b.X+share*b.Width, b.Y+b.Height/2, 0)
	v.Settle()
	return v.Text(fmt.Sprintf(`(() => { const tip = document.querySelectorAll(".graph")[%d].querySelector(".tip"); return tip.hidden ? "" : tip.innerText; })()`, plot))
}

// drag drags over a plot from one share of its width to another.
func (v view) drag(plot int, from, to float64) {
	v.T.Helper()
	b := v.Find(".u-over", plot)
	y := b.Y + b.Height/2
	v.Mouse("mouseMoved", b.X+from*b.Width, y, 0)
	v.Mouse("mousePressed", b.X+from*b.Width, y, 1)
	for i := 1; i <= 5; i++ {
		v.Mouse("mouseMoved", b.X+(from+(to-from)*float64(i)/5)*b.Width, y, 1)
	}
	v.Mouse("mouseReleased", b.X+to*b.Width, y, 1)
	v.Settle()
}

// secondsOf returns the time that stands in a tip.
func secondsOf(t *testing.T, tip string) time.Duration {
	t.Helper()
	var s float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(tip, "\n", " "), "time %f s", &s); err != nil {
		t.Fatalf("no time in %q: %v", tip, err)
	}
	return time.Duration(s * float64(time.Second))
}
