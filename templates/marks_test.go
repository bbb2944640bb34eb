package templates

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// Every notice is known by its marks, and no text for customers or third parties holds any.
func TestMarksTellNoticesFromOtherMails_S105(t *testing.T) {
	s := mustLoad(t)
	m := s.Marks()
	if len(m.Sentences) < 8 || len(m.Labels) < 8 {
		t.Fatalf("few marks: %+v", m)
	}
	for _, src := range s.Sources() {
		r, err := s.Sample(src.Name, src.Language, true)
		if err != nil {
			t.Fatal(err)
		}
		found, flat := false, strings.Join(strings.Fields(r.Text), " ")
		for _, sentence := range m.Sentences {
			found = found || strings.Contains(flat, sentence)
		}
		if want := src.Audience == string(audienceInternal) && src.Name != tickets.TemplateHealth; found != want {
			t.Errorf("%s in %s has the marks of a notice: %v, want %v", src.Name, src.Language, found, want)
		}
	}
}
