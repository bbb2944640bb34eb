package parse

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"supportd/tickets"
)

// promised checks what holds of every Message, whatever it was read from: valid UTF-8 everywhere, nothing from a
// header with CR, LF or NUL, safe names, and the caps of S-122 to S-131. It returns what is broken, or "".
func promised(m *tickets.Message) string {
	line := func(where, s string) string {
		if !utf8.ValidString(s) {
			return fmt.Sprintf("%s is not UTF-8: %q", where, s)
		}
		if strings.ContainsAny(s, "\r\n\x00") {
			return fmt.Sprintf("%s carries CR, LF or NUL: %q", where, s)
		}
		return ""
	}
	var all []string
	check := func(where string, list ...string) {
		for _, s := range list {
			if p := line(where, s); p != "" {
				all = append(all, p)
			}
		}
	}
	check("id", m.ID)
	check("msg-ids", append(append([]string{}, m.InReplyTo...), m.References...)...)
	check("subject, author, return path", m.Subject, m.Author, m.ReturnPath, m.TextFrom)
	for _, list := range [][]tickets.Address{m.From, m.Sender, m.ReplyTo, m.To, m.Cc} {
		if len(list) > maxAddresses {
			all = append(all, fmt.Sprintf("%d addresses", len(list)))
		}
		for _, a := range list {
			check("address", a.Name, a.Mail)
		}
	}
	for _, f := range m.Fields {
		check("field", f.Name, f.Value)
	}
	for _, d := range m.Defects {
		check("defect", d.Where, d.What)
	}
	for _, a := range m.Attachments {
		check("attachment", a.Name, a.Type, a.ContentID)
		if p := unsafeName(a.Name); p != "" {
			all = append(all, p)
		}
	}
	for _, s := range []string{m.Text, m.HTML} {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			all = append(all, "text or HTML is not UTF-8, or holds a NUL")
		}
	}
	if m.Forwarded != nil {
		check("forwarded", m.Forwarded.From.Name, m.Forwarded.From.Mail, m.Forwarded.Subject)
	}
	if len(m.Fields) > maxFields || len(m.Attachments) > maxAttachments || len(m.Defects) > maxDefects+3 || len(m.References) > maxIDs {
		all = append(all, "more fields, attachments, defects or references than are allowed")
	}
	return strings.Join(all, "\n")
}

// unsafeName tells what is wrong with a file name that is shown and saved under (S-142).
func unsafeName(name string) string {
	if name == "" || len(name) > maxFileName || name[0] == '.' || strings.ContainsAny(name, "/\\<>:\"|?*") ||
		withoutInvisible(name) != name || strings.TrimSpace(name) != name {
		return fmt.Sprintf("unsafe file name %q", name)
	}
	return ""
}
