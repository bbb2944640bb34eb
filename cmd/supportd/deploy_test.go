package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// What docs/deploy brings fits together: the files that are named are there, the configuration is one, and the commands
// exist.
func TestDeployFiles(t *testing.T) {
	dir := filepath.Join(top, "docs", "deploy")
	var compose struct {
		Services map[string]struct {
			Build struct {
				Context    string `yaml:"context"`
				Dockerfile string `yaml:"dockerfile"`
			} `yaml:"build"`
			Environment map[string]string `yaml:"environment"`
			Volumes     []string          `yaml:"volumes"`
		} `yaml:"services"`
		Volumes map[string]any `yaml:"volumes"`
	}
	if err := yaml.Load([]byte(readDocument(t, "docs/deploy/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(compose.Services)); !slices.Equal(got, []string{"desk", "mail"}) {
		t.Fatalf("services %v", got)
	}
	there := func(path string) {
		t.Helper()
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for name, s := range compose.Services {
		file := s.Build.Dockerfile
		if file == "" {
			file = "Dockerfile"
		}
		context := filepath.Join(dir, s.Build.Context)
		there(filepath.Join(context, file))
		for line := range strings.Lines(readDocument(t, filepath.Join("docs", "deploy", s.Build.Context, file))) {
			words := strings.Fields(line)
			if len(words) < 3 || words[0] != "COPY" || slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "--from=") }) {
				continue
			}
			for _, from := range words[1 : len(words)-1] {
				if !strings.HasPrefix(from, "--") {
					there(filepath.Join(context, from))
				}
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, named := compose.Volumes[from]; !named {
				there(filepath.Join(dir, from))
			} else if strings.HasPrefix(from, ".") {
				t.Errorf("%s: volume %s", name, v)
			}
		}
	}
	for name, value := range compose.Services["desk"].Environment {
		t.Setenv(name, value)
	}
	if out, errs, code := program(t, nil, "check", "-c", filepath.Join(dir, "try", "supportd.yaml")); code != exitFine {
		t.Errorf("%d %s%s", code, out, errs)
	}
	container := readDocument(t, "docs/deploy/Containerfile")
	for _, want := range []string{`"status", "--ready", "-c", "/etc/supportd/supportd.yaml"`, `"run", "-c", "/etc/supportd/supportd.yaml"`, "FROM scratch", "USER 65532"} {
		if !strings.Contains(container, want) {
			t.Errorf("the Containerfile does not say %s", want)
		}
	}
	for _, args := range [][]string{{"status", "--ready", "--help"}, {"run", "--help"}} {
		if _, errs, code := program(t, nil, args...); code != exitFine {
			t.Errorf("%v: %s", args, errs)
		}
	}
}
