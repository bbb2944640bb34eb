package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"
)

// Every alert rule and every panel asks for figures that the program has, by labels and values that they can have.
func TestMonitoringAsksForWhatThereIs(t *testing.T) {
	labels := metricLabels()
	values := metricValues(t)
	for source, expressions := range map[string][]string{"prometheus.rules.yml": ruleExpressions(t), "grafana.json": panelExpressions(t)} {
		if len(expressions) < 10 {
			t.Errorf("%s has only %d expressions", source, len(expressions))
		}
		for _, e := range expressions {
			asked := 0
			for _, m := range asksFor.FindAllStringSubmatch(e, -1) {
				asked++
				name := m[1]
				if name == "up" || name == "process_resident_memory_bytes" { // Prometheus's own, and of the process
					continue
				}
				known, ok := labels[name]
				if !ok {
					t.Errorf("%s: %s: there is no metric %s", source, e, name)
					continue
				}
				for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
					if !slices.Contains(known, l[1]) {
						t.Errorf("%s: %s: %s has the labels %v, not %s", source, e, name, known, l[1])
					} else if !slices.Contains(values[name], l[2]) {
						t.Errorf("%s: %s: %s of %s is never %q but one of %v", source, e, l[1], name, l[2], values[name])
					}
				}
			}
			if asked == 0 {
				t.Errorf("%s: %s asks for nothing", source, e)
			}
		}
	}
}

var (
	asksFor = regexp.MustCompile(`\b(supportd_[a-z_]+|process_[a-z_]+|up)\b(\{[^}]*\})?`)
	matcher = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

// metricLabels are the label names of each metric.
func metricLabels() map[string][]string {
	ch := make(chan *prometheus.Desc, 100)
	(&metrics{}).Describe(ch)
	close(ch)
	m := map[string][]string{}
	for d := range ch {
		s := described.FindStringSubmatch(d.String())
		m[s[1]] = strings.FieldsFunc(s[3], func(r rune) bool { return r == ',' || r == ' ' })
	}
	return m
}

// metricValues are the label values that a desk shows before anything has happened.
func metricValues(t *testing.T) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "supportd.yaml")
	if err := os.WriteFile(filepath.Join(dir, "hilfe.pw"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("version: 1\nmailbox: {imap: 127.0.0.1:1, smtp: 127.0.0.1:1, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true}\n"+
		"from: hilfe@nordwind.example\nteam: [anna@nordwind.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := NewDaemon(config, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	families, err := d.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]string{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				m[f.GetName()] = append(m[f.GetName()], l.GetValue())
			}
		}
	}
	return m
}

func ruleExpressions(t *testing.T) []string {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Load([]byte(readDocument(t, "docs/deploy/prometheus.rules.yml")), &file, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			list = append(list, r.Expr)
			if !strings.HasPrefix(r.Alert, "Supportd") || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
				t.Errorf("the alert %s does not say how bad it is, what it is and what to do", r.Alert)
			}
		}
	}
	return list
}

func panelExpressions(t *testing.T) []string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(readDocument(t, "docs/deploy/grafana.json")), &board); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}
