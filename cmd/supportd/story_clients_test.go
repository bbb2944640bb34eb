package main

import (
	"fmt"
	"html"
	"net/mail"
	"strings"
	"testing"

	"supportd/tickets"
)

// shapes are what mail clients make of a reply: the text, then the mail that is answered, each in its own way. None of
// them is told where the new text ends.
var shapes = map[string]func(text string, about letter, from string) string{
	"Outlook": func(text string, about letter, from string) string {
		return alternative(
			text+"\n\nMit freundlichen Grüßen\n\n________________________________\nVon: Nordwind Service <"+from+">\nGesendet: Montag, 23. November 2026 10:00\nAn: Ben Cohn <"+ben+">\nBetreff: "+about.subject()+"\n\n"+about.text,
			`<html><head><style>p.MsoNormal{margin:0cm}</style></head><body lang=DE><div class=WordSection1>`+paragraphs(text, "p class=MsoNormal")+
				`</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif"><b>Von:</b> Nordwind Service &lt;`+from+
				`&gt;<br><b>Gesendet:</b> Montag, 23. November 2026 10:00<br><b>An:</b> Ben Cohn<br><b>Betreff:</b> `+html.EscapeString(about.subject())+`</font></div><div>`+paragraphs(about.text, "p")+`</div></body></html>`)
	},
	"Gmail": func(text string, about letter, from string) string {
		return alternative(text+"\n\nAm Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Nordwind Service <"+from+">:\n\n"+withMarks(about.text),
			`<div dir="ltr">`+paragraphs(text, "div")+`</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Am Mo., 23. Nov. 2026 um 10:00&nbsp;Uhr schrieb Nordwind Service &lt;<a href="mailto:`+from+`">`+from+
				`</a>&gt;:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">`+paragraphs(about.text, "p")+`</blockquote></div>`)
	},
	"Apple Mail": func(text string, about letter, from string) string {
		return alternative(text+"\n\n> Am 23.11.2026 um 10:00 schrieb Nordwind Service <"+from+">:\n> \n"+withMarks(about.text),
			`<html><head></head><body style="word-wrap: break-word;">`+paragraphs(text, "div")+`<br><div><br><blockquote type="cite"><div>Am 23.11.2026 um 10:00 schrieb Nordwind Service &lt;`+from+`&gt;:</div><br class="Apple-interchange-newline"><div>`+
				paragraphs(about.text, "div")+`</div></blockquote></div></body></html>`)
	},
	"Thunderbird": func(text string, about letter, from string) string {
		return "Content-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n" + text + "\n\nAm 23.11.26 um 10:00 schrieb Nordwind Service:\n" + withMarks(about.text) + "\n-- \nBen Cohn\nNordwind GmbH\n"
	},
	"mutt": func(text string, about letter, from string) string {
		return "Content-Type: text/plain; charset=utf-8\nContent-Disposition: inline\nContent-Transfer-Encoding: 8bit\n\n" + text + "\n\nOn Mon, Nov 23, 2026 at 10:00:00AM +0100, Nordwind Service wrote:\n" + withMarks(about.text)
	},
}

func withMarks(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		b.WriteString("> " + strings.TrimRight(line, "\r") + "\n")
	}
	return b.String()
}

func paragraphs(text, tag string) string {
	name, _, _ := strings.Cut(tag, " ")
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line = html.EscapeString(strings.TrimRight(line, "\r"))
		if line == "" {
			line = "<br>"
		}
		b.WriteString("<" + tag + ">" + line + "</" + name + ">\n")
	}
	return b.String()
}

func alternative(text, page string) string {
	return "Content-Type: multipart/alternative; boundary=\"=_story\"\n\n--=_story\nContent-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n" + text +
		"\n--=_story\nContent-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n" + page + "\n--=_story--\n"
}

// replyAll answers a mail in the shape of a client: to its Reply-To, with everybody in Cc.
func (w *world) replyAll(shape, from string, about letter, text string, cc ...string) {
	w.t.Helper()
	a, err := mail.ParseAddress(about.Header.Get("Reply-To"))
	if err != nil {
		w.t.Fatal(err)
	}
	id := about.Header.Get("Message-ID")
	head := fmt.Sprintf("Subject: AW: %s\nIn-Reply-To: %s\nReferences: %s\n", about.subject(), id, strings.TrimSpace(about.Header.Get("References")+" "+id))
	if len(cc) > 0 {
		head += "Cc: " + strings.Join(cc, ", ") + "\n"
	}
	w.mailFrom(from, a.Address, head+shapes[shape](text, about, a.Address))
}

// S-083, S-100, S-101, S-102, S-103: whatever client answers, and whoever it adds in Cc: what answers an internal mail stays
// inside, and of what answers a customer's mail only the new text goes out. The first line of every mail says which of the
// two it is.
func TestStoryMailClients(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Drucker\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nDer Drucker im Empfang druckt nur leere Seiten.\n")
		w.next("sabine") // the acknowledgement
		public, other := w.next("ben"), w.next("anna")
		number := numberPattern.FindString(public.subject())
		if !strings.Contains(public.text, "Ihre Antwort geht an den Kunden ("+sabine+")") || strings.Contains(public.Header.Get("To")+public.Header.Get("Cc")+public.Header.Get("Reply-To"), sabine) {
			t.Fatalf("the notice:\n%s", public.raw)
		}
		w.answer(ben, public, "#take")
		if receipt := w.next("ben"); !strings.Contains(receipt.text, "Ihre Antwort bleibt intern") {
			t.Errorf("the receipt:\n%s", receipt.text)
		}
		w.answer(anna, other, "#note CANARYNOTE der Kunde zahlt seit Monaten nicht")
		w.next("anna") // her receipt
		internal := w.next("ben")
		if !strings.Contains(internal.text, "Ihre Antwort bleibt intern") {
			t.Errorf("the note:\n%s", internal.text)
		}
		seen := uint64(3)
		for shape := range shapes {
			before := len(w.ticket(number).Entries)
			w.replyAll(shape, ben, internal, "CANARY"+strings.ToUpper(shape[:1])+" verstanden, das klären wir unter uns.", "Sabine Krause <"+sabine+">", "Anna Berg <"+anna+">")
			seen++
			w.settled(seen)
			noted := ""
			for _, e := range w.ticket(number).Entries[before:] {
				if e.Kind == tickets.EntryNoted {
					noted = e.Text
				}
			}
			if !strings.HasPrefix(noted, "CANARY"+strings.ToUpper(shape[:1])) || strings.Contains(noted, "CANARYNOTE") {
				t.Errorf("%s: the note is %q", shape, noted)
			}
			if n := w.unread("sabine"); n > 0 {
				t.Fatalf("%s: the customer got:\n%s", shape, w.next("sabine").raw)
			}
			w.replyAll(shape, ben, public, "Bitte die Kassette tauschen ("+shape+").")
			got := w.next("sabine")
			seen++
			if !strings.Contains(got.text, "Bitte die Kassette tauschen ("+shape+").") || strings.Contains(got.raw, "CANARY") || strings.Contains(got.text, "Das Ticket") || strings.Contains(got.raw, ben) {
				t.Errorf("%s: the customer got:\n%s", shape, got.raw)
			}
			w.settled(seen)
		}
		w.healthy()
	})
}
