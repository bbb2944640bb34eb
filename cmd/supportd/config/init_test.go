package config

import (
	"os"
	"strings"
	"testing"
)

func TestInitFileLoadsOnceThePasswordIsThere(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, o := range []InitOptions{
		{Address: "help@bureau.example", Team: []string{"ann@bureau.example"}},
		{Address: "Tischlerei Huber <hilfe@huber.example>", Team: []string{"max@huber.example", "Eva Huber <eva@huber.example>"}, Language: "de"},
		{Address: `"Huber & \"Söhne\": 100 % <Holz>" <hilfe@huber.example>`, Team: []string{"max@huber.example"}, Language: "en", Timezone: "Europe/London"},
		{Address: "a@b.example", Team: []string{"c@d.example"}, IMAP: "127.0.0.1:10143", SMTP: "[::1]:10025", TLS: "none", User: "0815", PasswordFile: "pass: word.pw", Trusted: true},
		{Address: "o'hara+x@b.example", Team: []string{"c@d.example"}, IMAP: "mail.b.example", SMTP: "mail.b.example", TLS: "implicit", SMTPTLS: "starttls", User: `DOM\user "x"`, TrustAuth: "mx.b.example"},
	} {
		data, err := InitFile(o)
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if err := os.WriteFile("supportd.yaml", data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, findings := Load("supportd.yaml")
		if len(findings) != 1 || findings[0].Path != "mailbox.password_file" {
			t.Errorf("%d: before the password is there: %s\n%s", i, said(findings), data)
			continue
		}
		file := o.PasswordFile
		if file == "" {
			file = strings.TrimSuffix(findings[0].What, ": the file does not exist")
		}
		if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, findings := Load("supportd.yaml")
		if c == nil || len(findings) > 0 {
			t.Errorf("%d: %s\n%s", i, said(findings), data)
			continue
		}
		a, err := parseAddress(o.Address)
		if err != nil || a != any(c.Brands[0].From) {
			t.Errorf("%d: from is %+v, want %+v", i, c.Brands[0].From, a)
		}
		if o.User != "" && c.Mailboxes[0].User != o.User {
			t.Errorf("%d: user is %q, want %q", i, c.Mailboxes[0].User, o.User)
		}
		if !strings.HasPrefix(string(data), "# yaml-language-server: $schema=supportd.schema.json\n") {
			t.Errorf("%d: editors do not find the schema:\n%s", i, data)
		}
		lines := 0
		for line := range strings.Lines(string(data)) {
			if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
				lines++
			}
		}
		if lines > 12 {
			t.Errorf("%d: %d lines of keys, want at most 12:\n%s", i, lines, data)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInitFileWithTokens(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("client.secret", []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]InitOAuth2{
		`oauth2: {provider: microsoft, tenant: "huber.example", client_id: "0815"}`:          {Provider: "microsoft", Tenant: "huber.example", ClientID: "0815"},
		`oauth2: {provider: google, client_id: "0815", client_secret_file: "client.secret"}`: {Provider: "google", ClientID: "0815", SecretFile: "client.secret"},
	} {
		data, err := InitFile(InitOptions{Address: "hilfe@huber.example", Team: []string{"max@huber.example"}, OAuth2: o})
		if err != nil || !strings.Contains(string(data), want) || strings.Contains(string(data), "password_file") {
			t.Errorf("%v\n%s", err, data)
			continue
		}
		if c, findings := Parse("supportd.yaml", data, "."); c == nil || len(findings) > 0 {
			t.Errorf("%s\n%s", said(findings), data)
		}
	}
}

func TestInitFileRefusesWhatWouldNotLoad(t *testing.T) {
	team := []string{"ann@bureau.example"}
	for want, o := range map[string]InitOptions{
		`address: "help" is not a mail address`:    {Address: "help", Team: team},
		"team: name the address":                   {Address: "help@bureau.example"},
		`team: "ann" is not a mail address`:        {Address: "help@bureau.example", Team: []string{"ann"}},
		"is the desk's own address":                {Address: "help@bureau.example", Team: []string{"help@bureau.example"}},
		"wants implicit, starttls or none":         {Address: "help@bureau.example", Team: team, TLS: "ssl"},
		"would cross the network in clear text":    {Address: "help@bureau.example", Team: team, TLS: "none"},
		`"Europe/Belrin" is not a time zone`:       {Address: "help@bureau.example", Team: team, Timezone: "Europe/Belrin"},
		"wants a language code of two":             {Address: "help@bureau.example", Team: team, Language: "deutsch"},
		`wants a server, got the URL "imaps://x/"`: {Address: "help@bureau.example", Team: team, IMAP: "imaps://x/", TrustAuth: "x"},
	} {
		data, err := InitFile(o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %q\n%s", err, want, data)
		}
	}
}
