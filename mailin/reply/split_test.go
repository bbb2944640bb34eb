package reply

import (
	"testing"

	"supportd/mailin/htmltext"
)

// A message has a text, and often HTML beside it. Split uses both.
func TestSplit(t *testing.T) {
	const html = `<div>Yes please.</div><div class="gmail_quote"><div class="gmail_attr">qqq www eee:</div>` +
		`<blockquote class="gmail_quote" style="border-left:1px solid #ccc">Shall we swap it?</blockquote></div>`
	for _, c := range []struct{ name, text, html, reply string }{
		{"text alone", "Yes please.\n\n> Shall we swap it?", "", "Yes please."},
		{"HTML alone", "", html, "Yes please."},
		{"text made from the HTML", htmltext.Text(html), html, "Yes please."},
		{"text says enough", "Yes please.\n\n> Shall we swap it?", "<p>Something else</p>", "Yes please."},
		{"only the HTML knows the quote", "Yes\nplease.\n\nqqq www eee:\n\nShall we swap it?", html, "Yes\nplease."},
		{"the HTML is another text", "Quite different.", html, "Quite different."},
		{"neither has a quote", "Hello there.", "<p>Hello there.</p>", "Hello there."},
	} {
		if got := Split(c.text, c.html); got.Reply != c.reply {
			t.Errorf("%s: got %q, want %q (%+v)", c.name, got.Reply, c.reply, got)
		}
	}
}

func TestIsForward(t *testing.T) {
	for subject, want := range map[string]bool{
		"Fwd: Rechnung": true, "FW: x": true, "WG: x": true, "TR : x": true, "RV: x": true, "Doorst: x": true, "I: x": true, "VB: x": true,
		"Re: Fwd: x": false, "AW: x": false, "forward this": false, "": false, "Frage: x": false, "转发：你好": true,
	} {
		if got := IsForward(subject); got != want {
			t.Errorf("%q: got %v, want %v", subject, got, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	const layout = "2006-01-02 15:04:05 -0700"
	for text, want := range map[string]string{
		"Mon, 5 Feb 2024 10:12:33 +0100":              "2024-02-05 10:12:33 +0100",
		"Monday, February 5, 2024 10:12 PM":           "2024-02-05 22:12:00 +0000",
		"Monday, February 5, 2024 12:12 AM":           "2024-02-05 00:12:00 +0000",
		"Montag, 5. Februar 2024 10:12":               "2024-02-05 10:12:00 +0000",
		"Dienstag, 5. März 2024 um 10:12 Uhr":         "2024-03-05 10:12:00 +0000",
		"05.02.2024 10:12":                            "2024-02-05 10:12:00 +0000",
		"05.02.24, 10:12":                             "2024-02-05 10:12:00 +0000",
		"2024-02-05 10:12:33":                         "2024-02-05 10:12:33 +0000",
		"2024-02-05T10:12:33+0100":                    "2024-02-05 10:12:33 +0100",
		"2/25/2024 3:05 PM":                           "2024-02-25 15:05:00 +0000",
		"25/2/2024 3:05pm":                            "2024-02-25 15:05:00 +0000",
		"mardi 5 mars 2024 à 10h15":                   "2024-03-05 10:15:00 +0000",
		"martes, 5 de marzo de 2024 10:12":            "2024-03-05 10:12:00 +0000",
		"martedì 5 marzo 2024 10:12":                  "2024-03-05 10:12:00 +0000",
		"maandag 5 februari 2024 10:12":               "2024-02-05 10:12:00 +0000",
		"maanantai 5. helmikuuta 2024 10.12":          "2024-02-05 10:12:00 +0000",
		"söndag den 5 maj 2024 10:12":                 "2024-05-05 10:12:00 +0000",
		"5 de setembro de 2024 10:12":                 "2024-09-05 10:12:00 +0000",
		"niedziela, 5 maja 2024 10:12":                "2024-05-05 10:12:00 +0000",
		"воскресенье, 5 мая 2024 г. 10:12":            "2024-05-05 10:12:00 +0000",
		"5 Şubat 2024 Pazartesi 10:12":                "2024-02-05 10:12:00 +0000",
		"2024年2月5日(月) 10:12":                          "2024-02-05 10:12:00 +0000",
		"2024年2月5日 下午3:05":                            "2024-02-05 15:05:00 +0000",
		"2024년 2월 5일 월요일 오후 3:05":                     "2024-02-05 15:05:00 +0000",
		"1. August 2011 23:28:15 GMT-07:00":           "2011-08-01 23:28:15 -0700",
		"17-Feb-2015 13:18":                           "2015-02-17 13:18:00 +0000",
		"tomorrow":                                    "",
		"February 5":                                  "",
		"99.99.2024":                                  "",
		"":                                            "",
		"9999999999999999999999 99999999999999999999": "",
	} {
		got := ""
		if d := parseDate(text); !d.IsZero() {
			got = d.Format(layout)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string][2]string{
		"Ada Berg <ada@x.example>":                  {"Ada Berg", "ada@x.example"},
		`"Berg, Ada" <ada@x.example>`:               {"Berg, Ada", "ada@x.example"},
		"Ada Berg [mailto:ada@x.example]":           {"Ada Berg", "ada@x.example"},
		"ada@x.example":                             {"", "ada@x.example"},
		"<ada@x.example>":                           {"", "ada@x.example"},
		"ada@x.example (Ada Berg)":                  {"Ada Berg", "ada@x.example"},
		"'Ada Berg' <ada@x.example>;":               {"Ada Berg", "ada@x.example"},
		"Ada <ada@x.example<mailto:ada@x.example>>": {"Ada", "ada@x.example"},
		"Ada Berg/Kiel/NW":                          {"Ada Berg/Kiel/NW", ""},
		"":                                          {"", ""},
	} {
		if got := parseAddress(text); got.Name != want[0] || got.Mail != want[1] {
			t.Errorf("%q: got %+v, want %q", text, got, want)
		}
	}
}
