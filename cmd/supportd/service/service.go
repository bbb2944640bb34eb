// Package service fits the desk into the system that runs it: the files of a systemd service, and the words that such a
// service says to systemd. It runs no programs and knows nothing of mail.
package service

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed files
var files embed.FS

// mark stands in every file that is installed; one without it is somebody else's.
const mark = "# Made by supportd service."

// Service is what the files are made of.
type Service struct {
	Program string   // absolute path of the program
	Config  string   // absolute path of the configuration
	Secrets []Secret // password files that root reads and hands over (LoadCredential)
}

// Secret is one password file.
type Secret struct {
	Name string // as the configuration's last path element
	Path string // absolute
}

// Names of the files, for File.
const (
	Unit     = "supportd.service"
	Sysusers = "supportd.sysusers"
	Tmpfiles = "supportd.tmpfiles"
)

// places is where each file belongs, from the root of the system.
func places() map[string]string {
	return map[string]string{
		Unit:     "etc/systemd/system/supportd.service",
		Sysusers: "etc/sysusers.d/supportd.conf",
		Tmpfiles: "etc/tmpfiles.d/supportd.conf",
	}
}

// order is the one in which files are written; the unit comes last, because it needs the others.
func order() []string { return []string{Sysusers, Tmpfiles, Unit} }

// File is one of the files.
func (s Service) File(name string) ([]byte, error) {
	for _, path := range append([]string{s.Program, s.Config}, s.paths()...) {
		if !filepath.IsAbs(path) || strings.ContainsAny(path, " \t\n\"'\\%$:") {
			return nil, fmt.Errorf("path %q: a unit file takes absolute paths without blanks, quotes, %%, $ and colons", path)
		}
	}
	raw, err := files.ReadFile("files/" + name)
	if err != nil {
		return nil, fmt.Errorf("there is no file %q", name)
	}
	t, err := template.New(name).Parse(string(raw))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, s)
	return b.Bytes(), err
}

func (s Service) paths() []string {
	var list []string
	for _, secret := range s.Secrets {
		list = append(list, secret.Path, "/"+secret.Name)
	}
	return list
}

// Install writes the files below root ("/" for this system) and returns their paths. A file of its own is replaced; one
// that somebody else made is left as it is, and then nothing is written at all.
func (s Service) Install(root string) ([]string, error) {
	made := map[string][]byte{}
	for _, name := range order() {
		b, err := s.File(name)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(root, places()[name])
		if ours, err := isOurs(path); err != nil {
			return nil, err
		} else if !ours {
			return nil, fmt.Errorf("%s was not made by supportd service and is left as it is; move it away", path)
		}
		made[path] = b
	}
	var written []string
	for _, name := range order() {
		path := filepath.Join(root, places()[name])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return written, fmt.Errorf("install %s: %w", path, err)
		}
		if err := replaceFile(path, made[path]); err != nil {
			return written, fmt.Errorf("install %s: %w", path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

// Remove removes the files below root that Install wrote, and returns their paths. The configuration, the store and the
// user stay.
func Remove(root string) ([]string, error) {
	var removed []string
	for _, name := range order() {
		path := filepath.Join(root, places()[name])
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if ours, err := isOurs(path); err != nil {
			return removed, err
		} else if !ours {
			return removed, fmt.Errorf("%s was not made by supportd service and is left as it is", path)
		}
		if err := os.Remove(path); err != nil {
			return removed, fmt.Errorf("remove %s: %w", path, err)
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// isOurs reports whether a file is not there, or was made by Install.
func isOurs(path string) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return bytes.HasPrefix(b, []byte(mark)), err
}

// replaceFile writes a file aside and renames it into place.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".supportd-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
