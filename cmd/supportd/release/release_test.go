package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var commitTime = time.Unix(1_795_000_000, 0).UTC()

func example() *release {
	return &release{version: "v1.2.0", when: commitTime, maintainer: "Nordwind <desk@nordwind.example>", log: func(string, ...any) {}, extras: []file{
		{"README.md", 0o644, []byte("read me\n")}, {"completions/_supportd", 0o644, []byte("#compdef\n")}, {"docs/admin.md", 0o644, []byte("admin\n")},
		{"man/man1/supportd.1", 0o644, []byte(".TH SUPPORTD 1\n")}, {"systemd/unit", 0o644, []byte("[Service]\n")},
	}}
}

func TestArchivesAreTheSameEveryTime(t *testing.T) {
	r := example()
	for name, make := range map[string]func() ([]byte, error){
		"tar": func() ([]byte, error) { return tarArchive(r.extras, r.when) },
		"zip": func() ([]byte, error) { return zipArchive(r.extras, r.when) },
		"deb": func() ([]byte, error) { return r.debian("amd64", []byte("program")) },
	} {
		one, err := make()
		two, err2 := make()
		if err := errors.Join(err, err2); err != nil || !bytes.Equal(one, two) || len(one) == 0 {
			t.Errorf("%s: %d and %d octets, %v", name, len(one), len(two), err)
		}
	}
}

func TestArchivesHoldTheFiles(t *testing.T) {
	files := []file{{"supportd_1/supportd", 0o755, []byte("program")}, {"supportd_1/docs/a.md", 0o644, []byte("text")}}
	packed, err := tarArchive(files, commitTime)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("the gzip header tells %v, %q", z.ModTime, z.Name)
	}
	var names []string
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if !h.ModTime.Equal(commitTime) || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s: %v, %d:%d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
	}
	if want := []string{"supportd_1/", "supportd_1/supportd", "supportd_1/docs/", "supportd_1/docs/a.md"}; !slices.Equal(names, want) {
		t.Errorf("tar holds %q, want %q", names, want)
	}
	packed, err = zipArchive(files, commitTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil || len(x.File) != 2 || x.File[0].Mode() != fs.FileMode(0o755) {
		t.Errorf("zip: %v, %+v", err, x)
	}
}

// dpkg reads the package, where it is installed.
func TestDebianPackage(t *testing.T) {
	deb, err := example().debian("arm64", []byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(deb, []byte("!<arch>\ndebian-binary   ")) {
		t.Errorf("it begins with %q", deb[:40])
	}
	dpkg, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Log("dpkg-deb is not installed: the package is checked by its first octets only")
		return
	}
	path := filepath.Join(t.TempDir(), "supportd.deb")
	if err := os.WriteFile(path, deb, 0o600); err != nil {
		t.Fatal(err)
	}
	field := func(name string) string {
		out, err := exec.Command(dpkg, "-f", path, name).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if field("Package") != "supportd" || field("Version") != "1.2.0" || field("Architecture") != "arm64" || field("Maintainer") != "Nordwind <desk@nordwind.example>" {
		t.Errorf("%s %s %s %s", field("Package"), field("Version"), field("Architecture"), field("Maintainer"))
	}
	list, err := exec.Command(dpkg, "-c", path).CombinedOutput()
	for _, want := range []string{"-rwxr-xr-x root/root         7 2026-11-18 11:06 ./usr/bin/supportd", "./usr/lib/systemd/system/supportd.service", "./usr/share/man/man1/supportd.1.gz",
		"./usr/share/zsh/vendor-completions/_supportd", "./usr/share/doc/supportd/admin.md", "./usr/share/doc/supportd/README.md"} {
		if err != nil || !strings.Contains(string(list), strings.SplitN(want, " 2026", 2)[0]) {
			t.Errorf("it holds no %s: %v\n%s", want, err, list)
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command(dpkg, "-e", path, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if out, err := exec.Command("sh", "-n", filepath.Join(dir, script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", script, err, out)
		}
	}
	if compare, err := exec.LookPath("dpkg"); err == nil {
		for _, pair := range [][2]string{{"v1.2.0-rc1", "v1.2.0"}, {"v1.2.0", "v1.10.0"}, {"v0.0.0-20261121000000-abcdefabcdef", "v0.0.0-20261122000000-000000000000"}} {
			if err := exec.Command(compare, "--compare-versions", debianVersion(pair[0]), "lt", debianVersion(pair[1])).Run(); err != nil {
				t.Errorf("%s is not before %s: %v", pair[0], pair[1], err)
			}
		}
	}
}

// The bill of materials names the modules of a program, here of this test.
func TestBillOfMaterials(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := example().bill(program)
	if err != nil {
		t.Fatal(err)
	}
	var b billOfMaterials
	if err := json.Unmarshal(text, &b); err != nil || b.Format != "CycloneDX" || b.Spec != "1.5" || b.Metadata.Time != "2026-11-18T11:06:40Z" {
		t.Errorf("%v: %s", err, text)
	}
	if len(b.Parts) == 0 || b.Parts[0].Name != "std" || len(b.Needs) != 1 || len(b.Needs[0].On) != len(b.Parts) {
		t.Errorf("parts %+v", b.Parts)
	}
}

// S-182: nothing is released that an old Go has built.
func TestOldGoIsRefused_S182(t *testing.T) {
	for v, want := range map[string]bool{"go1.26.2": true, "go1.25.9": true, "go1.26rc1": true, "devel +abc": true, "go1.26.4": false, "go1.26.8 X:nodwarf5": false, "go1.27.0": false} {
		if got := tooOld(v); got != want {
			t.Errorf("%s: too old %v, want %v", v, got, want)
		}
	}
}

func TestSumsAndFolders(t *testing.T) {
	r := example()
	r.out = t.TempDir()
	if err := r.write("a", []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if err := r.sums(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(r.out, "SHA256SUMS"))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"; err != nil || string(b) != want {
		t.Errorf("%v: %s", err, b)
	}
	if err := r.run(t.Context()); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with files in it: %v", err)
	}
}
