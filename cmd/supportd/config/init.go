package config

import (
	"bytes"
	_ "embed" // the schema
	"errors"
	"fmt"
	"strings"
	"text/template"

	"supportd/tickets"
)

//go:embed supportd.schema.json
var schema []byte

// Schema is the JSON Schema of the file, for editors.
func Schema() []byte { return bytes.Clone(schema) }

// InitOptions say what goes into a new configuration file. Address and Team are required.
type InitOptions struct {
	Address      string   // what customers write to, with or without a display name
	Team         []string // addresses of the people who answer
	IMAP         string   // host or host:port; default imap. and the address's domain
	SMTP         string   // host or host:port; default smtp. and the address's domain
	User         string   // default: the address
	PasswordFile string   // default: what stands before the @ and .pw
	TLS          string   // implicit, starttls or none; default implicit
	SMTPTLS      string   // of the SMTP server; default TLS
	CAFile       string   // certificates that are trusted beside the system's; "" for none
	Language     string   // of the desk and of the comments; default en
	Timezone     string   // default UTC, for German Europe/Berlin
	TrustAuth    string   // the mail server's name in Authentication-Results; default: the IMAP host's
	Trusted      bool     // only people who logged in can write to the mailbox
	OAuth2       InitOAuth2
	State        string // the state directory; "" for the default
	Schema       string // where editors find the schema; default supportd.schema.json
}

// InitOAuth2 is the login by access tokens, in place of a password; without a Provider there is none.
type InitOAuth2 struct {
	Provider   string // microsoft or google
	Tenant     string // microsoft: the directory
	ClientID   string
	SecretFile string // "": somebody logs in once, by supportd login
}

// InitFile writes a commented configuration in the short form. It loads without findings as soon as the password file
// exists.
func InitFile(o InitOptions) ([]byte, error) {
	v, err := parseAddress(o.Address)
	if err != nil {
		return nil, fmt.Errorf("make a configuration: address: %w", err)
	}
	a := v.(tickets.Address)
	if len(o.Team) == 0 {
		return nil, errors.New("make a configuration: team: name the address of at least one person who answers")
	}
	local, domain, _ := strings.Cut(a.Mail, "@")
	o.Address = writtenAddress(a)
	for value, fallback := range map[*string]string{&o.IMAP: "imap." + domain, &o.SMTP: "smtp." + domain, &o.User: a.Mail,
		&o.PasswordFile: safeName(local) + ".pw", &o.Language: "en", &o.TLS: TLSImplicit, &o.Schema: "supportd.schema.json"} {
		if *value == "" {
			*value = fallback
		}
	}
	if o.Timezone == "" {
		if o.Timezone = "UTC"; o.Language == "de" {
			o.Timezone = "Europe/Berlin"
		}
	}
	if o.SMTPTLS == "" {
		o.SMTPTLS = o.TLS
	}
	if o.TrustAuth == "" {
		o.TrustAuth = o.IMAP
		if s, err := parseServer(o.IMAP); err == nil {
			o.TrustAuth = s.(server).host
		}
	}
	for i, member := range o.Team {
		v, err := parseAddress(member)
		if err != nil {
			return nil, fmt.Errorf("make a configuration: team: %w", err)
		}
		o.Team[i] = writtenAddress(v.(tickets.Address))
	}
	var b bytes.Buffer
	if err := initTemplate(o.Language).Execute(&b, o); err != nil {
		return nil, fmt.Errorf("make a configuration: %w", err)
	}
	_, findings := parse("supportd.yaml", b.Bytes(), "", func(string) (string, bool) { return "", false })
	for _, f := range findings {
		if f.Path != "mailbox.password_file" && f.Path != "mailbox.oauth2.client_secret_file" {
			return nil, fmt.Errorf("make a configuration: %s", strings.TrimPrefix(f.String(), "supportd.yaml:"))
		}
	}
	return b.Bytes(), nil
}

// safeName keeps of a mail address's local part what can stand in a file name.
func safeName(s string) string {
	s = strings.Map(func(r rune) rune {
		if isName("a" + string(r)) {
			return r
		}
		return '-'
	}, s)
	if strings.Trim(s, ".-") == "" {
		return "supportd"
	}
	return s
}

// initTemplate is the file with comments in German or English.
func initTemplate(language string) *template.Template {
	text := initText
	if language == "de" {
		text = initTextGerman
	}
	return template.Must(template.New("init").Funcs(template.FuncMap{"q": yamlText, "list": yamlList}).Parse(text))
}

// yamlList writes texts as a list on one line.
func yamlList(items []string) string {
	var quoted []string
	for _, s := range items {
		quoted = append(quoted, yamlText(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// yamlText writes a text so that YAML reads it back as that very text.
func yamlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

const initKeys = `mailbox:
  imap: {{q .IMAP}}
{{- if eq .TLS .SMTPTLS}}
  smtp: {{q .SMTP}}
{{- else}}
  smtp: {server: {{q .SMTP}}, tls: {{.SMTPTLS}}}
{{- end}}
  user: {{q .User}}
{{- if .OAuth2.Provider}}
  oauth2: {provider: {{.OAuth2.Provider}}{{with .OAuth2.Tenant}}, tenant: {{q .}}{{end}}, client_id: {{q .OAuth2.ClientID}}{{with .OAuth2.SecretFile}}, client_secret_file: {{q .}}{{end}}}
{{- else}}
  password_file: {{q .PasswordFile}}
{{- end}}
{{- if ne .TLS "implicit"}}
  tls: {{.TLS}}
{{- end}}
{{- if .CAFile}}
  ca_file: {{q .CAFile}}
{{- end}}
`

const initText = `# yaml-language-server: $schema={{.Schema}}
#
# The support desk behind {{.Address}}.
# Check this file with "supportd check", try the servers with "supportd check --online", start with "supportd run".
version: 1

# The mailbox, and the server that takes the desk's mails.
{{- if .OAuth2.Provider}} The login is by access tokens: docs/admin.md says how they are set up.
{{- else}} The password stands in a file of its own, which only the
# user that runs supportd may read: chmod 600 {{.PasswordFile}}
{{- end}}
` + initKeys + `{{- if .Trusted}}
  trusted: true              # only people who logged in can write to this mailbox
{{- end}}
  # after: move              # what happens to a mail that is stored: leave, flag or move
  # move_to: Done

# Who mails come from: the address that customers write to.
from: {{q .Address}}

# The people who answer. Each gets every new mail and answers it from the own mail client.
team: {{list .Team}}
{{if not .Trusted}}
# The name that your own mail server writes at the start of the Authentication-Results field above every mail. Without
# the right name here nobody can be told from somebody who only claims to be them, and agents' answers are held.
# "supportd check --online" says which name your server writes.
trust_auth_results_from: {{q .TrustAuth}}
{{end}}
language: {{.Language}}
timezone: {{q .Timezone}}
{{- if .State}}
state: {{q .State}}
{{- end}}

# When the desk works. 24/7 if absent.
# hours: {mo-th: "08:00-17:00", fr: "08:00-14:00"}
# holidays: [DE-BY]

# What customers are promised, in working time, and who is reminded at which part of it.
# first_response: 4h
# resolve: 24h
# remind: {75%: assignee, 100%: team}
`

const initTextGerman = `# yaml-language-server: $schema={{.Schema}}
#
# Der Support-Desk hinter {{.Address}}.
# "supportd check" prüft diese Datei, "supportd check --online" probiert die Server aus, "supportd run" startet.
version: 1

# Das Postfach und der Server, der die Mails des Desks annimmt.
{{- if .OAuth2.Provider}} Angemeldet wird mit Zugriffstoken: docs/admin.md sagt, wie man sie einrichtet.
{{- else}} Das Passwort steht in einer eigenen Datei, die nur der
# Benutzer lesen darf, unter dem supportd läuft: chmod 600 {{.PasswordFile}}
{{- end}}
` + initKeys + `{{- if .Trusted}}
  trusted: true              # nur wer sich angemeldet hat, kann in dieses Postfach schreiben
{{- end}}
  # after: move              # was mit einer gespeicherten Mail geschieht: leave (bleibt), flag (markieren), move (verschieben)
  # move_to: Erledigt

# Von wem die Mails kommen: die Adresse, an die Kunden schreiben.
from: {{q .Address}}

# Die Menschen, die antworten. Jeder bekommt jede neue Mail und beantwortet sie in seinem eigenen Mailprogramm.
team: {{list .Team}}
{{if not .Trusted}}
# Der Name, den der eigene Mailserver an den Anfang des Felds Authentication-Results über jeder Mail schreibt. Ohne den
# richtigen Namen lässt sich niemand von jemandem unterscheiden, der sich nur für ihn ausgibt, und Antworten der
# Bearbeiter werden zurückgehalten. "supportd check --online" sagt, welchen Namen der Server schreibt.
trust_auth_results_from: {{q .TrustAuth}}
{{end}}
language: {{.Language}}
timezone: {{q .Timezone}}
{{- if .State}}
state: {{q .State}}
{{- end}}

# Wann gearbeitet wird. Ohne Angabe rund um die Uhr.
# hours: {mo-do: "08:00-17:00", fr: "08:00-14:00"}
# holidays: [DE-BY]

# Was Kunden zugesagt ist, in Arbeitszeit, und wer bei welchem Anteil davon erinnert wird.
# first_response: 4h
# resolve: 24h
# remind: {75%: assignee, 100%: team}
`
