package templates

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"supportd/tickets"
)

func TestToneOfTheBuiltInTexts(t *testing.T) {
	for _, fault := range mustLoad(t).Lint() {
		t.Error(fault)
	}
}

// The lint has to find what it looks for.
func TestLintFinds(t *testing.T) {
	bad := "---\nsubject: Danke! [{{.number}}]\naudience: public\nhtml: no\n---\n" +
		"Leider können wir uns erst zeitnah melden, denn das Ticket liegt im 2nd level, und dort sind gerade so viele andere Anfragen " +
		"vor Ihnen an der Reihe, dass niemand sagen kann, wann es so weit sein wird. Bitte antworten Sie nicht auf diese E-Mail.\n"
	s, err := Load(fstest.MapFS{"de/ack-new.md": {Data: []byte(bad)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(s.Lint(), "\n")
	for _, want := range []string{"exclamation mark", `"leider"`, `"zeitnah"`, `"ticket"`, `"2nd level"`, "a sentence of", "next step", "greets nobody",
		`"nicht auf diese e-mail"`} {
		if !strings.Contains(all, want) {
			t.Errorf("the lint misses %s in:\n%s", want, all)
		}
	}
}

func TestFirstLineOfNoticesSaysWhatAReplyDoes(t *testing.T) {
	s := mustLoad(t)
	cases := []struct {
		public bool
		mode   string
		de, en string
	}{
		{true, "", "Ihre Antwort geht an den Kunden (kim.krause@customer.example).", "Your reply goes to the customer (kim.krause@customer.example)."},
		{false, "", "Ihre Antwort bleibt intern.", "Your reply stays internal."},
		{false, "note", "Ihre Antwort bleibt intern und wird eine Notiz.", "Your reply stays internal and becomes a note."},
		{false, "command", "Ihre Antwort bleibt intern. Hier zählen nur Befehle.", "Your reply stays internal. Only commands count here."},
		{false, "no right", "Eine Antwort auf diese Kopie bewirkt nichts: Mit ihr ist kein Recht", "A reply to this copy does nothing: it carries no rights."},
	}
	for _, name := range s.Names() {
		sp, _ := specOf(name)
		if sp.audience != audienceInternal || name == tickets.TemplateHealth {
			continue
		}
		for _, c := range cases {
			for lang, want := range map[string]string{"de": c.de, "en": c.en} {
				v := SampleInternal(name, lang, true)
				v.ReplyIsPublic, v.Mode = c.public, c.mode
				r, err := s.Internal(name, v)
				if err != nil {
					t.Fatal(err)
				}
				if first, _, _ := strings.Cut(r.Text, "\n"); first != want {
					t.Errorf("%s in %s begins %q, want %q", name, lang, first, want)
				}
			}
		}
	}
}

var ourMarker = regexp.MustCompile(`(?m)^--- (Bitte oberhalb dieser Zeile antworten|Please reply above this line) ---$`)

func TestAgentReplyHasNothingAboveTheAnswer(t *testing.T) {
	s := mustLoad(t)
	for _, lang := range []string{"de", "en"} {
		v := SamplePublic(lang, true)
		r, err := s.Public(tickets.TemplateAgentReply, v)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Text, v.Text+"\n\nJan Petersen – Nordwind Service\n\n--- ") {
			t.Errorf("the answer does not come first, then name and desk, then the marker:\n%s", r.Text)
		}
		at := ourMarker.FindStringIndex(r.Text)
		if at == nil || !strings.Contains(r.Text[at[1]:], "\n> Kim Krause\n") {
			t.Errorf("the quoted mail does not stand below the marker:\n%s", r.Text)
		}
	}
}

func TestWidthOfOurOwnText(t *testing.T) {
	s := mustLoad(t)
	for _, lang := range []string{"de", "en"} {
		for _, name := range s.Names() {
			v, p := SampleInternal(name, lang, true), SamplePublic(lang, true)
			v.Text, v.Sent, v.Quoted, p.Text, p.Quote = "short", "", "", "short", ""
			var r tickets.Rendered
			var err error
			switch sp, _ := specOf(name); sp.audience {
			case audiencePublic:
				r, err = s.Public(name, p)
			case audienceVendor:
				r, err = s.Vendor(name, SampleVendor(lang, true))
			default:
				r, err = s.Internal(name, v)
			}
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(r.Text, "\n") {
				if displayWidth(line) > columns && !strings.Contains(line, "#") {
					t.Errorf("%s in %s has a line of %d columns: %s", name, lang, displayWidth(line), line)
				}
			}
		}
	}
}
