package run

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

func TestARunThatFillsTheDiskIsReportedAndLeavesNothing(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"tables":  func(*Request) {},
		"CSV":     func(r *Request) { r.CSV = true },
		"qlog":    func(r *Request) { r.QLog = true },
		"capture": func(r *Request) { r.Capture = []string{"links.l"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := real(t, lossy)
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32k"); err != nil {
				t.Skip("a small disk cannot be mounted here:", err)
			}
			t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
			r.Out = disk
			change(&r)
			_, err := Do(t.Context(), r, nil)
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Input || !strings.Contains(err.Error(), "no space left on device") {
				t.Errorf("error %v", err)
			}
			if left := files(t, disk); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
