package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// has fails unless a JSON object has all the names; a name such as "clocks.kind" looks into an object, or into the first
// of a list.
func has(t *testing.T, what string, v any, names ...string) {
	t.Helper()
	for _, name := range names {
		at, rest := v, name
		for rest != "" {
			var key string
			key, rest, _ = strings.Cut(rest, ".")
			if list, ok := at.([]any); ok {
				if len(list) == 0 {
					t.Errorf("%s: %s cannot be seen, the list is empty", what, name)
					break
				}
				at = list[0]
			}
			object, ok := at.(map[string]any)
			if !ok {
				t.Errorf("%s: there is no object for %s", what, name)
				break
			}
			if at, ok = object[key]; !ok {
				t.Errorf("%s: %s is missing; there are %v", what, name, slices.Sorted(maps.Keys(object)))
				break
			}
			if at == nil && key != "forwarded" {
				t.Errorf("%s: %s is null", what, name)
			}
		}
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("no JSON: %v\n%s", err, text)
	}
	return v
}

var ticketNames = []string{"number", "state", "subject", "requester", "team", "tier", "owner", "assignee", "category", "priority",
	"impact", "urgency", "language", "created", "clocks", "clocks.kind", "clocks.due", "clocks.state", "tags"}

// The names that other programs may rely on, of every command that asks the desk: running, and at rest.
func TestJSONNamesDesk(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.configure("first_response: 4h\nresolve: 24h\n")
	w.start()
	w.mailFrom(sabine, deskAddress, "Subject: Der Drucker\n\nEr druckt nicht.\n")
	w.next("sabine")
	w.next("anna")
	if err := w.put("hilfe", []byte("Return-Path: <x@muster.example>\r\nFrom: <"+deskAddress+">\r\nSubject: Postfach\r\n\r\nText\r\n"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.settled(2)

	ask := func(args ...string) any {
		t.Helper()
		out, errs, code := program(t, nil, append(args, "--json", "-c", w.config)...)
		if code != exitFine {
			t.Fatalf("supportd %s: exit code %d, %s", strings.Join(args, " "), code, errs)
		}
		return decoded(t, out)
	}
	has(t, "status", ask("status"), "ready", "mailboxes.name", "mailboxes.connected", "mailboxes.last_poll", "mailboxes.last_uid",
		"mailboxes.error", "outbox.due", "outbox.deferred", "outbox.failed", "config_rev")
	has(t, "reload", ask("reload"), "config_rev")
	for _, state := range []string{"running", "at rest"} {
		number := ask("ticket", "list").([]any)[0].(map[string]any)["number"].(string)
		has(t, "ticket list "+state, ask("ticket", "list"), ticketNames...)
		has(t, "ticket search "+state, ask("ticket", "search", "drucker"), ticketNames...)
		has(t, "ticket show "+state, ask("ticket", "show", number), append(ticketNames, "entries.kind", "entries.at", "messages.id")...)
		mail := []string{"id", "subject", "reason", "since", "attempts"}
		has(t, "outbox list "+state, ask("outbox", "list", "--all"), append(mail, "to")...)
		has(t, "quarantine list "+state, ask("quarantine", "list"), append(mail, "from")...)
		has(t, "doctor "+state, ask("doctor"), "ok", "books.seen", "books.created", "books.appended", "books.duplicates",
			"books.quarantined", "books.filed", "books.failed", "problems")
		has(t, "backup "+state, ask("backup", filepath.Join(t.TempDir(), "desk.tar")), "file", "bytes", "tickets", "months")
		w.stopDesk()
	}
}

// The names of what is said about mail files and configurations.
func TestJSONNamesFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("hilfe.pw", "secret\n")
	config := file("supportd.yaml", "version: 1\nmailbox: {imap: imap.nordwind.example, smtp: smtp.nordwind.example, user: hilfe, password_file: hilfe.pw}\n"+
		"from: Nordwind <"+deskAddress+">\nteam: ["+anna+"]\nfirst_response: 4h\n")
	mail := file("mail.eml", string(customerMail(sabine, "Drucker", "Er druckt nicht.")))
	run := func(stdin string, args ...string) any {
		t.Helper()
		out, errs, code := program(t, strings.NewReader(stdin), append(args, "--json")...)
		if code != exitFine {
			t.Fatalf("supportd %s: exit code %d, %s", strings.Join(args, " "), code, errs)
		}
		return decoded(t, out)
	}
	message := []string{"file", "message_id", "in_reply_to", "references", "from", "to", "cc", "from_name", "subject", "date", "kind",
		"is_bounce", "is_auto", "is_feedback_report", "why", "text", "html", "reply", "quoted", "signature", "language",
		"recipients", "status", "hard", "attachments", "forwarded", "defects"}
	has(t, "parse", run("", "parse", mail), message...)
	has(t, "parse --body", run("", "parse", "--body", "text", file("body.txt", "Ja.\n\n> Geht das?\n")), message...)
	commands := []string{"commands", "public", "note", "error", "suggest"}
	has(t, "parse --commands FILE", run("", "parse", "--commands", file("c.txt", "#solve\nFertig.")), append(commands, "file")...)
	has(t, "parse --commands -", run(`{"id":"7","body":"#slove"}`, "parse", "--commands", "-"), append(commands, "id")...)
	has(t, "explain", run("", "explain", "-c", config, mail), "message", "kind", "auth", "customer", "language", "category.name",
		"category.probability", "category.evidence", "ci", "impact", "urgency", "priority", "route", "team", "tier", "rules",
		"clocks.kind", "clocks.target", "clocks.due", "mails.template", "mails.to", "mails.class", "thread.ticket", "thread.by",
		"config_rev", "why.what", "why.value", "why.why")
	out, _, code := program(t, nil, "check", "--json", "-c", config)
	if code != exitFine {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
	has(t, "check", decoded(t, out), "ok", "config", "rev", "findings", "remarks")
}

// Every attachment has its names, also when it is a mail that came with one.
func TestJSONNamesAttachment(t *testing.T) {
	mail := filepath.Join(t.TempDir(), "mail.eml")
	text := "From: <" + sabine + ">\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nText\n--b\nContent-Type: application/pdf; name=a.pdf\n" +
		"Content-Disposition: attachment\n\nPDF\n--b--\n"
	if err := os.WriteFile(mail, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := program(t, nil, "parse", "--json", mail)
	if code != exitFine {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	has(t, "parse", decoded(t, out), "attachments.name", "attachments.type", "attachments.size", "attachments.inline", "attachments.sha256")
}

// S-146: what stands in mails cannot steer a terminal or fake a line of output.
func TestOutputForTerminals(t *testing.T) {
	mail := filepath.Join(t.TempDir(), "mail.eml")
	text := "From: \"\x1b]0;owned\x07\" <" + sabine + ">\r\nSubject: =?utf-8?q?a=1B[2J=0Asupportd:_all_fine?=\r\n\r\nText \x1b[31m\r\n"
	if err := os.WriteFile(mail, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, code := program(t, nil, "parse", mail)
	if code != exitFine {
		t.Fatalf("exit code %d", code)
	}
	if strings.ContainsAny(out, "\x1b\x07\r") || strings.Contains(out, "\nsupportd: all fine") {
		t.Errorf("control characters came through: %q", out)
	}
}

// Output is data, and errors go elsewhere: a pipe gets nothing but JSON.
func TestErrorsStayOffStandardOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"check"}, {"ticket", "list"}, {"parse", "none.eml"}, {"explain", "none.eml"}, {"doctor"}, {"nonsense"}, {"ticket"}, {"run"}} {
		out, errs, code := program(t, nil, append(args, "--json")...)
		if code != exitNoRun || out != "" || !strings.HasPrefix(errs, "supportd: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("supportd %s: exit code %d, standard output %q, standard error %q", strings.Join(args, " "), code, out, errs)
		}
	}
}
