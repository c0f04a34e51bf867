package variant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes files into a folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestASpecIsAVersionACheckoutAPatchOrBoth(t *testing.T) {
	t.Chdir(write(t, map[string]string{
		"mine/go.mod": "// comment\nmodule github.com/quic-go/quic-go\n\ngo 1.25\n", "fix.patch": "", "v1+2.patch": "",
	}))
	for text, want := range map[string]Spec{
		"":                             {},
		"current":                      {},
		"v0.59.0":                      {Version: "v0.59.0"},
		"v0.65.1-0.20260101000000-abc": {Version: "v0.65.1-0.20260101000000-abc"},
		"mine":                         {Folder: "mine"},
		"fix.patch":                    {Patch: "fix.patch"},
		"v1+2.patch":                   {Patch: "v1+2.patch"},
		"v0.60.0+fix.patch":            {Version: "v0.60.0", Patch: "fix.patch"},
		"v0.60.0+v1+2.patch":           {Version: "v0.60.0", Patch: "v1+2.patch"},
		"current+fix.patch":            {Patch: "fix.patch"},
	} {
		s, err := Parse(text)
		if err != nil || s != want {
			t.Errorf("%q is %+v, %v; want %+v", text, s, err, want)
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Errorf("%+v is written %q, which is %+v, %v", s, s.String(), again, err)
		}
	}
}

func TestWhatIsNoSpecIsRefusedWithTheReason(t *testing.T) {
	t.Chdir(write(t, map[string]string{
		"other/go.mod": "module example.com/other\n", "empty/readme": "", "none/go.mod": "go 1.25\n",
	}))
	for text, want := range map[string]string{
		"0.59.0":             `"0.59.0" is no version; did you mean "v0.59.0"?`,
		"v0.59":              `"v0.59" is neither a file nor a folder nor a version; expected`,
		"missing.patch":      "neither a file nor a folder nor a version",
		"v0.60.0+none.patch": "none.patch: no such file",
		"v0.60.0+empty":      "empty is no file; expected a unified diff",
		"other":              "other is no checkout of github.com/quic-go/quic-go: its go.mod is that of example.com/other",
		"none":               "its go.mod is that of no module",
		"empty":              "empty is no checkout of github.com/quic-go/quic-go: it has no go.mod",
	} {
		if s, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v; want an error with %s", text, s, err, want)
		}
	}
}

func TestNamesAreShortUnlessThatMakesThemTheSame(t *testing.T) {
	for _, c := range []struct {
		a, b         Spec
		nameA, nameB string
	}{
		{Spec{}, Spec{Patch: "x/y/fix.patch"}, "current", "fix.patch"},
		{Spec{Version: "v0.64.0"}, Spec{Version: "v0.64.0", Patch: "x/fix.patch"}, "v0.64.0", "v0.64.0+fix.patch"},
		{Spec{Folder: "/a/quic-go"}, Spec{Folder: "/b/quic-go/"}, "/a/quic-go", "/b/quic-go/"},
	} {
		if a, b := Names(c.a, c.b); a != c.nameA || b != c.nameB {
			t.Errorf("%+v and %+v are %s and %s; want %s and %s", c.a, c.b, a, b, c.nameA, c.nameB)
		}
	}
}

func TestTheSourceIsTheModuleAroundThisFolderOrTheOneGiven(t *testing.T) {
	dir, err := filepath.EvalSymlinks(write(t, map[string]string{"w/go.mod": "module github.com/wtsim/wtsim\n", "w/a/b/x": "", "interop/go.mod": "module example.com/x\n"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "w", "a", "b"))
	if got, err := Source(""); err != nil || got != filepath.Join(dir, "w") {
		t.Errorf("found %s, %v", got, err)
	}
	if got, err := Source("../.."); err != nil || got != filepath.Join(dir, "w") {
		t.Errorf("found %s, %v", got, err)
	}
	if _, err := Source(filepath.Join(dir, "interop")); err == nil || !strings.Contains(err.Error(), "is no checkout of github.com/wtsim/wtsim") {
		t.Errorf("another module: %v", err)
	}
	t.Chdir(dir)
	if _, err := Source(""); err == nil || !strings.Contains(err.Error(), "is not in a checkout of github.com/wtsim/wtsim") {
		t.Errorf("no module: %v", err)
	}
}
