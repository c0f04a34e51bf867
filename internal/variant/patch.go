package variant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// patched makes a copy of quic-go in a folder, which must not be there, and applies a
// unified diff to it, whose paths have a leading "a/" and "b/". All of it applies where
// it says, or it is an error.
func patched(ctx context.Context, folder, original, patch string) error {
	patch, err := filepath.Abs(patch)
	if err != nil {
		return err
	}
	if err := Copy(folder, original); err != nil {
		return err
	}
	// Git must not take the copy for a part of a repository around it: it would leave out
	// what is not in that.
	ceiling := "GIT_CEILING_DIRECTORIES=" + filepath.Dir(folder)
	_, err = run(ctx, folder, []string{ceiling}, "git", "apply", "--whitespace=nowarn", patch)
	if failed, ok := errors.AsType[*toolError](err); ok {
		return fmt.Errorf("%s does not apply to %s: %s", patch, original, failed.message)
	}
	return err
}

// Copy copies a folder such as one of the module cache, where all is read-only, into
// one that must not be there, where it may be changed.
func Copy(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}
