package parse

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"supportd/tickets"
)

const mailDir = "../../testdata/mail"

var update = flag.Bool("update", false, "write the .golden files anew")

// goldenPart is a part for programs, its data cut for reading.
type goldenPart struct {
	Type   string            `json:"type"`
	Params map[string]string `json:"params,omitempty"`
	Data   string            `json:"data"`
}

// golden is what a .golden file holds of a Message: all that this package fills in, but Size and Fields, of which the
// names are kept.
type golden struct {
	ID          string               `json:"id,omitempty"`
	InReplyTo   []string             `json:"in_reply_to,omitempty"`
	References  []string             `json:"references,omitempty"`
	From        []tickets.Address    `json:"from,omitempty"`
	Author      string               `json:"author,omitempty"`
	Sender      []tickets.Address    `json:"sender,omitempty"`
	ReplyTo     []tickets.Address    `json:"reply_to,omitempty"`
	To          []tickets.Address    `json:"to,omitempty"`
	Cc          []tickets.Address    `json:"cc,omitempty"`
	ReturnPath  string               `json:"return_path,omitempty"`
	Subject     string               `json:"subject,omitempty"`
	Date        time.Time            `json:"date,omitzero"`
	Fields      string               `json:"fields,omitempty"`
	Text        string               `json:"text,omitempty"`
	TextFrom    string               `json:"text_from"`
	HTML        string               `json:"html,omitempty"`
	Attachments []tickets.Attachment `json:"attachments,omitempty"`
	Machine     []goldenPart         `json:"machine,omitempty"`
	Forwarded   *tickets.Forwarded   `json:"forwarded,omitempty"`
	Defects     []string             `json:"defects,omitempty"`
	Identity    tickets.Digest       `json:"identity"`
}

func goldenOf(m *tickets.Message) golden {
	g := golden{
		ID: m.ID, InReplyTo: m.InReplyTo, References: m.References, From: m.From, Author: m.Author, Sender: m.Sender,
		ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, ReturnPath: m.ReturnPath, Subject: m.Subject, Date: m.Date, Text: m.Text,
		TextFrom: m.TextFrom, HTML: m.HTML, Attachments: m.Attachments, Forwarded: m.Forwarded, Identity: m.Identity,
	}
	var names []string
	for _, f := range m.Fields {
		names = append(names, f.Name)
	}
	g.Fields = strings.Join(names, " ")
	for _, p := range m.Machine {
		g.Machine = append(g.Machine, goldenPart{p.Type, p.Params, string(p.Data[:min(len(p.Data), 80)])})
	}
	for _, d := range m.Defects {
		g.Defects = append(g.Defects, d.String())
	}
	return g
}

// taught reads what each mail teaches: the lines of parse.index.
func taught(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(mailDir, "parse.index"))
	if err != nil {
		t.Fatal(err)
	}
	lessons := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, lesson, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || lesson == "" {
			t.Fatalf("parse.index: %q does not say what it teaches", line)
		}
		lessons[name] = lesson
	}
	return lessons
}

// TestGolden reads each mail of ours and compares with its .golden file; -update writes those anew. What a mail
// teaches, and which S-case it is, stands in parse.index and in the test's name.
func TestGolden(t *testing.T) {
	lessons := taught(t)
	if len(lessons) < 150 {
		t.Fatalf("%d mails: want at least 150", len(lessons))
	}
	for name, lesson := range lessons {
		t.Run(name+": "+lesson, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(mailDir, name+".eml"))
			if err != nil {
				t.Fatal(err)
			}
			m := Message(raw)
			if p := promised(m); p != "" {
				t.Error(p)
			}
			var buf bytes.Buffer
			enc := json.NewEncoder(&buf)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(goldenOf(m)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(mailDir, name+".golden")
			if *update {
				if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), buf.String()); diff != "" {
				t.Errorf("%s (-want +have):\n%s", lesson, diff)
			}
		})
	}
}

// TestGoldenComplete holds that each mail with one of this package's prefixes says what it teaches.
func TestGoldenComplete(t *testing.T) {
	lessons := taught(t)
	for _, prefix := range []string{"mime-", "hdr-", "chs-", "att-"} {
		files, err := filepath.Glob(filepath.Join(mailDir, prefix+"*.eml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no mails %s*: %v", prefix, err)
		}
		for _, f := range files {
			if name := strings.TrimSuffix(filepath.Base(f), ".eml"); lessons[name] == "" {
				t.Errorf("%s is not in parse.index", name)
			}
		}
	}
}
