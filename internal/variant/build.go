package variant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wtsim/wtsim/internal/scratch"
)

// Builder builds wtsim. What was built once is kept, until there are 20 others that were
// asked for since, and at least for a day.
type Builder struct {
	Source string // the folder of wtsim's source; see [Source]
	Cache  string // where programs are kept, named by all that they are made of
}

// CompileError is that wtsim does not compile against a quic-go.
type CompileError struct {
	Spec    Spec
	Message string // the compiler's
}

// Error has the first lines of the compiler's message.
func (e *CompileError) Error() string {
	const most = 10
	lines := strings.Split(strings.TrimSpace(e.Message), "\n")
	if len(lines) > most {
		lines = append(lines[:most:most], "…")
	}
	return fmt.Sprintf("wtsim does not compile against quic-go %s:\n    %s", e.Spec, strings.Join(lines, "\n    "))
}

// Build returns the path of wtsim built against a quic-go. The error is a
// [*CompileError] if it does not compile.
func (b *Builder) Build(ctx context.Context, s Spec) (program string, err error) {
	original, version, err := b.original(ctx, s)
	if err != nil {
		return "", err
	}
	digest, err := b.digest(ctx, s, original, version)
	if err != nil {
		return "", err
	}
	place := filepath.Join(b.Cache, digest)
	program = filepath.Join(place, "wtsim")
	if _, err := os.Stat(program); err == nil {
		use(place, time.Now())
		return program, nil
	}
	if err := os.MkdirAll(b.Cache, 0o777); err != nil {
		return "", fmt.Errorf("keep programs: %w", err)
	}
	// Beside the place, so that it can be renamed.
	work, err := scratch.Make(b.Cache, ".build-*")
	if err != nil {
		return "", fmt.Errorf("keep programs: %w", err)
	}
	defer work.Remove()
	replacement := ""
	switch {
	case s.Patch != "":
		replacement = filepath.Join(work.Path, "quic-go")
		err = patched(ctx, replacement, original, s.Patch)
	case s.Folder != "":
		replacement = original
	case s.Version != "":
		replacement = Module + "@" + s.Version
	}
	if err != nil {
		return "", err
	}
	done := filepath.Join(work.Path, "done")
	if err := Compile(ctx, b.Source, replacement, filepath.Join(done, "wtsim")); err != nil {
		if failed, ok := errors.AsType[*CompileError](err); ok {
			failed.Spec = s
		}
		return "", err
	}
	if err := os.Rename(done, place); err != nil {
		if _, there := os.Stat(program); there != nil { // another process was faster otherwise
			return "", fmt.Errorf("keep programs: %w", err)
		}
	}
	b.prune(time.Now())
	return program, nil
}

// original returns the folder of a quic-go, before a patch, and its version, which is
// empty if the folder may change.
func (b *Builder) original(ctx context.Context, s Spec) (folder, version string, err error) {
	if s.Folder != "" {
		folder, err := filepath.Abs(s.Folder)
		return folder, "", err
	}
	var q quicGo
	if s.Version == "" {
		text, err := run(ctx, b.Source, nil, "go", "list", "-m", "-json", Module)
		if err == nil {
			err = json.Unmarshal([]byte(text), &q)
		}
		if err != nil {
			return "", "", fmt.Errorf("find quic-go of %s: %w", b.Source, err)
		}
		if q.Replace != nil {
			q = *q.Replace
		}
		if q.Version == "" || q.Dir != "" {
			return q.Dir, q.Version, nil
		}
		s.Version = q.Version
	}
	text, err := run(ctx, b.Source, nil, "go", "mod", "download", "-json", Module+"@"+s.Version)
	if text == "" && err != nil {
		return "", "", err
	}
	if err := json.Unmarshal([]byte(text), &q); err != nil {
		return "", "", fmt.Errorf("find quic-go %s: %w", s.Version, err)
	}
	if q.Error != "" {
		return "", "", fmt.Errorf("there is no quic-go %s: %s", s.Version, q.Error)
	}
	return q.Dir, q.Version, nil
}

// Original returns the folder of a quic-go, before a patch.
func (b *Builder) Original(ctx context.Context, s Spec) (string, error) {
	folder, _, err := b.original(ctx, s)
	return folder, err
}

// Versions returns the released versions of quic-go, in order.
func (b *Builder) Versions(ctx context.Context) ([]string, error) {
	text, err := run(ctx, b.Source, nil, "go", "list", "-m", "-versions", "-f", `{{join .Versions "\n"}}`, Module)
	if err != nil {
		return nil, fmt.Errorf("list the versions of quic-go: %w", err)
	}
	return strings.Fields(text), nil
}

// Of returns the released version of quic-go that a spec names, empty if it is none.
func (b *Builder) Of(ctx context.Context, s Spec) (string, error) {
	if s.Folder != "" || s.Patch != "" {
		return "", nil
	}
	_, version, err := b.original(ctx, s)
	return version, err
}

// Compile builds wtsim from its source into a file. Replacement is the folder of a
// quic-go or "module@version" instead of that of go.mod, and empty for that.
func Compile(ctx context.Context, source, replacement, program string) error {
	work, err := scratch.Make("", "wtsim-build-")
	if err != nil {
		return fmt.Errorf("make a folder for go.mod: %w", err)
	}
	defer work.Remove()
	// The tool go writes beside it what sums it needs further.
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(work.Path, name), text, 0o666)
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
	}
	file := filepath.Join(work.Path, "go.mod")
	if replacement != "" {
		if _, err := run(ctx, source, nil, "go", "mod", "edit", "-replace", Module+"="+replacement, file); err != nil {
			return err
		}
	}
	_, err = run(ctx, source, []string{"GOTMPDIR=" + work.Path}, "go", "build", "-mod=mod", "-modfile", file, "-buildvcs=false", "-o", program, "./cmd/wtsim")
	if failed, ok := errors.AsType[*toolError](err); ok {
		return &CompileError{Message: failed.message}
	}
	return err
}
