package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The texts can be looked at without a ticket, and sent to somebody of the desk, over the desk's own server.
func TestTemplateCommands(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	answers := filepath.Join(w.dir, "answers")
	if err := os.Mkdir(answers, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(answers, "vpn.md"), []byte("{{.greeting}}\n\nso geht das VPN.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.configure("standard_answers: answers\n")
	say := func(code int, args ...string) string {
		t.Helper()
		out, errs, got := program(t, nil, append(args, "-c", w.config)...)
		if got != code {
			t.Errorf("supportd %s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, errs)
		}
		return out + errs
	}
	for _, c := range []struct {
		code int
		args string
		want string
	}{
		{exitFine, "template list", "answer/vpn"},
		{exitFine, "template preview answer/vpn --language de", "so geht das VPN."},
		{exitFine, "template preview ticket-to-team --html", "<!DOCTYPE html>"},
		{exitFine, "template preview vendor-request --language en", "the tunnel breaks off after 30 seconds"},
		{exitFine, "template preview ack-new --sparse --language en", "Subject: "},
		{exitFound, "template lint", `the standard answer vpn is missing in language "en"`},
		{exitNoRun, "template preview ack-new --html", "plain text only"},
		{exitNoRun, "template preview ack-nwe", `did you mean`},
		{exitNoRun, "template preview ack-new --language fr", `does not write in "fr"`},
		{exitNoRun, "template preview ack-new --brand other", `no brand "other"`},
		{exitNoRun, "template send-test ack-new --to " + sabine, "people of the desk only"},
		{exitNoRun, "template send-test ack-new", "required"},
		{exitFine, "template send-test customer-replied --to " + anna, "is on its way to " + anna},
	} {
		if got := say(c.code, strings.Fields(c.args)...); !strings.Contains(got, c.want) {
			t.Errorf("supportd %s says %q, want %q", c.args, got, c.want)
		}
	}
	if m := w.next("anna"); !strings.Contains(m.raw, "multipart/alternative") {
		t.Errorf("the test mail: %s", m.raw)
	}
}
