package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The bill of materials, in the form of CycloneDX 1.5 (ECMA-424). It is read from the program itself: it names what is in
// it, and not what might be.

type billOfMaterials struct {
	Format   string       `json:"bomFormat"`
	Spec     string       `json:"specVersion"`
	Version  int          `json:"version"`
	Metadata billMetadata `json:"metadata"`
	Parts    []billPart   `json:"components"`
	Needs    []billNeeds  `json:"dependencies"`
}

type billMetadata struct {
	Time      string         `json:"timestamp"`
	Component billPart       `json:"component"`
	Build     []billProperty `json:"properties"`
}

type billPart struct {
	Type    string     `json:"type"`
	Ref     string     `json:"bom-ref"`
	Name    string     `json:"name"`
	Version string     `json:"version"`
	URL     string     `json:"purl"`
	Hashes  []billHash `json:"hashes,omitempty"`
}

type billHash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type billProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type billNeeds struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

func (r *release) bill(program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read what is in the program: %w", err)
	}
	part := func(kind, path, version string) billPart {
		url := "pkg:golang/" + path + "@" + version
		return billPart{Type: kind, Ref: url, Name: path, Version: version, URL: url}
	}
	b := billOfMaterials{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: billMetadata{
		Time: r.when.Format(time.RFC3339), Component: part("application", info.Main.Path, info.Main.Version),
		Build: []billProperty{{"go", info.GoVersion}},
	}}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs.") || s.Key == "GOOS" || s.Key == "GOARCH" {
			b.Metadata.Build = append(b.Metadata.Build, billProperty{s.Key, s.Value})
		}
	}
	b.Parts = append(b.Parts, part("library", "std", strings.TrimPrefix(info.GoVersion, "go")))
	for _, d := range info.Deps {
		p := part("library", d.Path, d.Version)
		// go.sum's h1 is a SHA-256 over the names and hashes of the module's files.
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(d.Sum, "h1:")); err == nil && len(sum) == 32 {
			p.Hashes = []billHash{{"SHA-256", hex.EncodeToString(sum)}}
		}
		b.Parts = append(b.Parts, p)
	}
	needs := billNeeds{Ref: b.Metadata.Component.Ref}
	for _, p := range b.Parts {
		needs.On = append(needs.On, p.Ref)
	}
	b.Needs = []billNeeds{needs}
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}
