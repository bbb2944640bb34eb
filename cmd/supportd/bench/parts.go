package bench

import (
	"fmt"
	"html"
	"strings"
)

// body makes everything below the header's own fields, beginning with Content-Type.
func (d *draft) body() string {
	if d.kind == "bounce" {
		return d.report()
	}
	content := d.content()
	files := d.files()
	if d.kind == "forward" {
		files = append(files, fmt.Sprintf("Content-Type: message/rfc822\nContent-Disposition: attachment\n\nFrom: x@shop.example\nTo: y@shop.example\nSubject: Original\n"+
			"Message-ID: <forwarded.%d@shop.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s", d.g.made, d.sentences(1500)))
	}
	if len(files) == 0 {
		return content
	}
	return d.multipart("mixed", "", append([]string{content}, files...))
}

// content is the text: plain, HTML, or both.
func (d *draft) content() string {
	if d.g.Small || d.kind == "auto-reply" || d.kind != "newsletter" && d.g.chance(0.45) {
		return d.part("plain", d.text, d.charset)
	}
	page := d.part("html", d.page(), "utf-8")
	if d.kind == "newsletter" && d.g.chance(0.5) {
		return page
	}
	return d.multipart("alternative", "", []string{d.part("plain", d.text, d.charset), page})
}

// page is the text as mail clients write HTML, with all they put around it.
func (d *draft) page() string {
	var b strings.Builder
	b.WriteString("<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n<style type=\"text/css\">\n" +
		"p.text, li.text, div.text {margin:0cm; font-size:11.0pt; font-family:Calibri,sans-serif;}\na:link {color:#0563C1; text-decoration:underline;}\n" +
		".foot td {padding:4px 8px; font:12px/1.4 Arial,sans-serif; color:#666}\n</style>\n</head>\n<body lang=\"DE\">\n<div class=\"section\">\n")
	for _, paragraph := range strings.Split(d.text, "\n\n") {
		fmt.Fprintf(&b, "<p class=\"text\" style=\"margin:0 0 10px 0\"><span style=\"font-size:11.0pt\">%s</span></p>\n",
			strings.ReplaceAll(html.EscapeString(paragraph), "\n", "<br>\n"))
	}
	for range d.g.random.IntN(25) {
		fmt.Fprintf(&b, "<table class=\"foot\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\"><tr><td><b>%s</b></td><td><a href=\"https://www.shop.example/contact?id=%d\">Kontakt</a></td></tr></table>\n",
			pick(d.g, lastNames), d.g.random.IntN(1e8))
	}
	b.WriteString("</div>\n</body>\n</html>\n")
	return b.String()
}

// files are the attachments, each a whole part.
func (d *draft) files() []string {
	if d.g.Small || d.kind != "mail" && d.kind != "forward" {
		return nil
	}
	var list []string
	switch n := d.g.random.Float64(); {
	case d.kind == "mail" && n < 0.001:
		list = append(list, d.file(3_700_000))
	case n < 0.21:
		for range []int{1, 1, 1, 1, 1, 1, 1, 2, 2, 3}[d.g.random.IntN(10)] {
			list = append(list, d.file(d.g.size(10.9, 1.15, 5000, 1e6)))
		}
	}
	return list
}

func (d *draft) file(size int) string {
	kind := pick(d.g, []struct{ typ, ext string }{{"image/png", "png"}, {"image/jpeg", "jpg"}, {"application/pdf", "pdf"}, {"application/zip", "zip"}, {"text/csv", "csv"}})
	name := fmt.Sprintf("%s %d.%s", pick(d.g, []string{"Bildschirmfoto", "Rechnung", "screenshot", "IMG", "Protokoll"}), d.g.random.IntN(9999), kind.ext)
	data := make([]byte, 0, size)
	if kind.ext == "csv" {
		for len(data) < size {
			data = fmt.Appendf(data, "%d;2026-01-%02d;ERROR worker[%d]: connection reset;%d\r\n", len(data), 1+len(data)%28, d.g.random.IntN(9999), d.g.random.IntN(1e6))
		}
	}
	for len(data) < size {
		at := d.g.random.IntN(len(d.g.junk) / 2)
		data = append(data, d.g.junk[at:min(len(d.g.junk), at+size-len(data))]...)
	}
	return fmt.Sprintf("Content-Type: %s; name=%q\nContent-Disposition: attachment; filename=%q\nContent-Transfer-Encoding: base64\n\n%s", kind.typ, name, name, lined(data))
}

func (d *draft) multipart(subtype, params string, parts []string) string {
	boundary := fmt.Sprintf("----=_Part_%d_%d", d.g.random.IntN(1e6), d.g.random.IntN(1e9))
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: multipart/%s;%s\n boundary=%q\n\nThis is a multi-part message in MIME format.\n", subtype, params, boundary)
	for _, p := range parts {
		b.WriteString("--" + boundary + "\n" + strings.TrimSuffix(p, "\n") + "\n")
	}
	b.WriteString("--" + boundary + "--\n")
	return b.String()
}

// report is a bounce (RFC 3464).
func (d *draft) report() string {
	return d.multipart("report", "\n report-type=delivery-status;", []string{
		fmt.Sprintf("Content-Description: Notification\nContent-Type: text/plain; charset=us-ascii\n\nThis is the mail system at host mx.example.\n\n<%s>: host mx.example[192.0.2.1] said: 550 5.1.1 User unknown\n", d.from.address),
		fmt.Sprintf("Content-Description: Delivery report\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n", d.from.address),
		fmt.Sprintf("Content-Description: Undelivered Message\nContent-Type: message/rfc822\n\nFrom: %s\nTo: %s\nSubject: Ticket\nMessage-ID: <ack.%d@test.example>\n\n%s", d.g.to, d.from.address, d.g.made, d.sentences(800)),
	})
}

// damage breaks a mail as mails in mailboxes are broken.
func (d *draft) damage(body string) string {
	switch d.g.random.IntN(4) {
	case 0:
		return strings.ReplaceAll(body, "charset=", "charset=x-unknown-")
	case 1:
		return body[:len(body)*2/3]
	case 2:
		return strings.ReplaceAll(body, "boundary=\"", "boundary=\"WRONG")
	}
	return strings.Replace(body, "=", "=Z", 5)
}
