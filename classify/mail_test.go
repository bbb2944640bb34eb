package classify

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// letter makes a Message of header lines and a text, as mailin would for simple mails: one plain From address is the
// Author, everything else about who wrote it is doubtful.
func letter(t testing.TB, header, text string) *tickets.Message {
	t.Helper()
	m := &tickets.Message{Text: text, Reply: text}
	for line := range strings.Lines(strings.ReplaceAll(header, "\n\t", "\r\t")) { // folded fields stay one
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\r\t", "\r\n\t")
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("header line %q has no colon", line)
		}
		value = strings.TrimSpace(value)
		m.Fields = append(m.Fields, tickets.Field{Name: name, Value: value})
		switch strings.ToLower(name) {
		case "from":
			m.From = append(m.From, tickets.Address{Mail: plain(value)})
		case "to":
			m.To = append(m.To, tickets.Address{Mail: plain(value)})
		case "subject":
			m.Subject = value
		case "return-path":
			m.ReturnPath = plain(value)
		case "in-reply-to":
			m.InReplyTo = []string{strings.Trim(value, "<>")}
		}
	}
	if len(m.From) == 1 && strings.Count(m.From[0].Mail, "@") == 1 {
		m.Author = strings.ToLower(m.From[0].Mail)
	}
	return m
}

func plain(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		if rest, _, _ = strings.Cut(rest, ">"); rest == "" {
			return "<>"
		}
		return rest
	}
	return value
}

func newClassifier(t testing.TB, c Config) *Classifier {
	t.Helper()
	if c.Languages == nil {
		c.Languages = []string{"de", "en"}
	}
	k, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// customer is the header of an ordinary customer's mail that may be answered.
const customer = `Return-Path: <anna@kunde.example>
From: Anna <anna@kunde.example>
To: support@desk.example
Subject: Printer does not print
`
