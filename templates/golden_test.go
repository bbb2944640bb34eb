package templates

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"supportd/tickets"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sampleOf renders a template with its sample.
func sampleOf(t testing.TB, s *Set, name, lang string, full bool) tickets.Rendered {
	t.Helper()
	r, err := s.Sample(name, lang, full)
	if err != nil {
		t.Fatalf("%s in %s: %v", name, lang, err)
	}
	return r
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); -update rewrites it:\n%s", file, diff)
	}
}

func TestGoldens(t *testing.T) {
	s := mustLoad(t)
	for _, lang := range []string{"de", "en"} {
		for _, name := range s.Names() {
			r := sampleOf(t, s, name, lang, true)
			golden(t, filepath.Join(lang, name+".txt"), "Subject: "+r.Subject+"\n\n"+r.Text)
			if r.HTML != "" {
				golden(t, filepath.Join(lang, name+".html"), r.HTML)
			}
			r = sampleOf(t, s, name, lang, false)
			golden(t, filepath.Join(lang, name+".sparse.txt"), "Subject: "+r.Subject+"\n\n"+r.Text)
		}
	}
}

func TestGoldensAmongFriends(t *testing.T) {
	s, err := Load(nil, Options{AddressForm: map[string]string{"de": "du", "en": "first_name"}, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.Names() {
		if sp, _ := specOf(name); sp.audience == audiencePublic {
			r := sampleOf(t, s, name, "de", true)
			golden(t, filepath.Join("du", name+".txt"), "Subject: "+r.Subject+"\n\n"+r.Text)
		}
	}
	r := sampleOf(t, s, tickets.TemplateAckNew, "en", true)
	golden(t, filepath.Join("du", "en-ack-new.txt"), "Subject: "+r.Subject+"\n\n"+r.Text)
}

// The page that the handbook prints.
func TestReference(t *testing.T) {
	golden(t, "reference.md", mustLoad(t).Reference())
}
