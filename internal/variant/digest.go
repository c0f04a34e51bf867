package variant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sources lists the files of wtsim's own packages that its program is made of.
const sources = `{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.Dir}}/{{.}}
{{end}}{{range $.CgoFiles}}{{$.Dir}}/{{.}}
{{end}}{{range $.SFiles}}{{$.Dir}}/{{.}}
{{end}}{{range $.EmbedFiles}}{{$.Dir}}/{{.}}
{{end}}{{end}}{{end}}`

// digest covers all that a program is made of: the tool that builds it, the source of
// wtsim, and that of quic-go.
func (b *Builder) digest(ctx context.Context, s Spec, original, version string) (string, error) {
	h := sha256.New()
	tool, err := run(ctx, b.Source, nil, "go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED", "GOFLAGS", "GOEXPERIMENT")
	if err != nil {
		return "", err
	}
	files, err := run(ctx, b.Source, nil, "go", "list", "-deps", "-f", sources, "./cmd/wtsim")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%q %q\n", tool, s.Version)
	for _, file := range append(strings.Fields("go.mod go.sum"), strings.Split(strings.TrimSpace(files), "\n")...) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(b.Source, file)
		}
		if err := add(h, b.Source, file); err != nil {
			return "", err
		}
	}
	if version == "" {
		err = addFolder(h, original)
	}
	if err == nil && s.Patch != "" {
		err = add(h, filepath.Dir(s.Patch), s.Patch)
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:20]), nil
}

// add adds a file by its name in a folder, its size and its content.
func add(h hash.Hash, folder, path string) error {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%q %d\n", name, info.Size())
	_, err = io.Copy(h, file)
	return err
}

// addFolder adds the files of a module, without folders that begin with a dot, and
// tests, which are in no program.
func addFolder(h hash.Hash, folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case d.IsDir() && path != folder && strings.HasPrefix(name, "."):
			return filepath.SkipDir
		case !d.Type().IsRegular(), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return add(h, folder, path)
	})
}
