package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is one run.
type release struct {
	out        string
	targets    []string
	maintainer string
	log        func(format string, args ...any)

	work    string
	when    time.Time // of the commit, or SOURCE_DATE_EPOCH: the time of every file in the archives
	version string    // as Go says it, such as v1.2.0
	extras  []file    // manual pages, completions, documents
}

// file is one file of an archive or package.
type file struct {
	path string // from the root of what it stands in, with slashes
	mode fs.FileMode
	data []byte
}

func (r *release) run(ctx context.Context) error {
	if tooOld(runtime.Version()) {
		return fmt.Errorf("%s has known holes; build with go%s or later", runtime.Version(), oldestGo)
	}
	if old, err := os.ReadDir(r.out); err == nil && len(old) > 0 {
		return fmt.Errorf("%s is not empty; name another folder with -o", r.out)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	var err error
	if r.work, err = os.MkdirTemp("", "release"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if r.when, err = sourceDate(ctx); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.log("supportd %s of %s", r.version, r.when.Format(time.RFC3339))
	for _, t := range r.targets {
		if err := r.target(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return r.sums()
}

// oldestGo is the first version without holes that matter to a program which reads everybody's mail (S-182).
const oldestGo = "1.26.4"

// tooOld reports whether a version such as go1.26.2 is older than oldestGo, or none that can be compared.
func tooOld(v string) bool {
	v, _, _ = strings.Cut(v, " ") // what follows names experiments
	return !version.IsValid(v) || version.Compare(v, "go"+oldestGo) < 0
}

// sourceDate is SOURCE_DATE_EPOCH, or else the time of the last commit.
func sourceDate(ctx context.Context) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("ask git for the time of the commit: %w; set SOURCE_DATE_EPOCH", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q: write seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// compile builds the program. What of the machine could get into it is left out: paths, C, and flags of the environment.
func (r *release) compile(ctx context.Context, goos, goarch string) (string, error) {
	path := filepath.Join(r.work, goos+"-"+goarch, "supportd")
	if goos == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", path, "./cmd/supportd")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOTOOLCHAIN=local", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}

// prepare builds the program for this machine, and lets it write what goes into every archive.
func (r *release) prepare(ctx context.Context) error {
	path, err := r.compile(ctx, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	r.version = cmp.Or(info.Main.Version, "(devel)")
	if r.version == "(devel)" {
		return errors.New("the program has no version: build in a clone of the repository, as .ci/release does")
	}
	if strings.HasSuffix(r.version, "+dirty") {
		r.log("there are changes that are not committed: the version says so, and nobody can build the same")
	}
	man := filepath.Join(r.work, "man")
	if out, err := exec.CommandContext(ctx, path, "man", man).CombinedOutput(); err != nil {
		return fmt.Errorf("write manual pages: %w\n%s", err, out)
	}
	pages, err := os.ReadDir(man)
	if err != nil {
		return err
	}
	for _, p := range pages {
		b, err := os.ReadFile(filepath.Join(man, p.Name()))
		if err != nil {
			return err
		}
		r.extras = append(r.extras, file{"man/man1/" + p.Name(), 0o644, b})
	}
	for shell, name := range map[string]string{"bash": "completions/supportd.bash", "zsh": "completions/_supportd", "fish": "completions/supportd.fish"} {
		out, err := exec.CommandContext(ctx, path, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("write the completion for %s: %w", shell, err)
		}
		r.extras = append(r.extras, file{name, 0o644, out})
	}
	for _, kind := range []string{"unit", "sysusers", "tmpfiles"} {
		out, err := exec.CommandContext(ctx, path, "service", "print", kind, "-c", "/etc/supportd/supportd.yaml", "--packaged").Output()
		if err != nil {
			return fmt.Errorf("write the service's %s: %w", kind, err)
		}
		r.extras = append(r.extras, file{"systemd/" + kind, 0o644, out})
	}
	return r.documents()
}

// documents adds the README and the handbook.
func (r *release) documents() error {
	err := filepath.WalkDir("docs", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		r.extras = append(r.extras, file{filepath.ToSlash(path), 0o644, b})
		return err
	})
	if err != nil {
		return err
	}
	b, err := os.ReadFile("README.md")
	r.extras = append(r.extras, file{"README.md", 0o644, b})
	slices.SortFunc(r.extras, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return err
}

func (r *release) target(ctx context.Context, target string) error {
	goos, goarch, ok := strings.Cut(target, "/")
	if !ok {
		return errors.New("write it as linux/amd64")
	}
	path, err := r.compile(ctx, goos, goarch)
	if err != nil {
		return err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bill, err := r.bill(path)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("supportd_%s_%s_%s", strings.TrimPrefix(r.version, "v"), goos, goarch)
	if err := r.write(name+".cdx.json", bill); err != nil {
		return err
	}
	inside := append([]file{{filepath.Base(path), 0o755, program}}, r.extras...)
	for i := range inside {
		inside[i].path = name + "/" + inside[i].path
	}
	var archive []byte
	end := ".tar.gz"
	if goos == "windows" {
		end = ".zip"
		archive, err = zipArchive(inside, r.when)
	} else {
		archive, err = tarArchive(inside, r.when)
	}
	if err == nil {
		err = r.write(name+end, archive)
	}
	if err != nil || goos != "linux" {
		return err
	}
	deb, err := r.debian(goarch, program)
	if err != nil {
		return err
	}
	return r.write(fmt.Sprintf("supportd_%s_%s.deb", debianVersion(r.version), goarch), deb)
}

func (r *release) write(name string, b []byte) error {
	r.log("%9d  %s", len(b), name)
	return os.WriteFile(filepath.Join(r.out, name), b, 0o644)
}

// sums writes SHA256SUMS, in the form that sha256sum -c reads.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return r.write("SHA256SUMS", b.Bytes())
}
