package templates

import (
	"strings"
	"testing"
	"testing/fstest"

	"supportd/tickets"
)

// An agent's own signature stands in place of their name and the desk's, in every answer to a customer; without one those
// stand. It is text: nothing of it is Markdown, HTML or a template.
func TestSignatures(t *testing.T) {
	s, err := Load(nil, Options{Strict: true, Answers: fstest.MapFS{
		"vpn.de.md": {Data: []byte("So geht das VPN.\n")}, "vpn.en.md": {Data: []byte("This is how the VPN works.\n")}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"de", "en"} {
		for _, name := range []string{tickets.TemplateAgentReply, tickets.TemplateSolved, tickets.TemplateAppointment, tickets.TemplateStandard + "vpn"} {
			v := SamplePublic(lang, true)
			plain, err := s.Public(name, v)
			if err != nil {
				t.Fatal(err)
			}
			v.Signature = "Jan *Petersen*\nNetzwerk <b>{{.desk}}</b>"
			own, err := s.Public(name, v)
			if err != nil {
				t.Fatal(err)
			}
			if usual := "Jan Petersen – Nordwind Service"; strings.Count(plain.Text, usual) != 1 || strings.Contains(own.Text, usual) {
				t.Errorf("%s in %s: without a signature:\n%s\nwith one:\n%s", name, lang, plain.Text, own.Text)
			}
			if strings.Count(own.Text, "Jan *Petersen*\nNetzwerk <b>{{.desk}}</b>") != 1 {
				t.Errorf("%s in %s lacks the signature:\n%s", name, lang, own.Text)
			}
			if !strings.Contains(own.HTML, "Jan *Petersen*<br") || strings.Contains(own.HTML, "<b>{{") {
				t.Errorf("%s in %s as HTML: %s", name, lang, own.HTML[strings.Index(own.HTML, "Jan"):])
			}
			greeting := map[string]string{"de": "Freundliche Grüße", "en": "Kind regards"}[lang]
			if strings.Count(own.Text, greeting) != strings.Count(plain.Text, greeting) {
				t.Errorf("%s in %s has another close with a signature:\n%s", name, lang, own.Text)
			}
		}
	}
}
