package setup

import (
	"slices"
	"strings"
)

// Provider is a company whose servers are known.
type Provider struct {
	Name    string
	Domains []string // of addresses
	MX      []string // endings of the mail exchangers of customers' own domains
	IMAP    Server   // Host atMX: the exchanger itself
	SMTP    Server
	// TrustAuth is the name in the Authentication-Results fields that it writes; "" when it is not known for certain.
	TrustAuth string
	// OAuth2 is the provider's name in the configuration when passwords are not enough there, or not wanted.
	OAuth2 string
	Note   Note
}

// Note is what people have to do at the provider before a program may log in.
type Note string

// The notes there are.
const (
	NoteNone        Note = ""
	NoteSwitchOn    Note = "switch_on"    // IMAP is off until it is switched on in the account's settings
	NoteOwnPassword Note = "own_password" // programs need a password of their own, made in the account's settings
	NoteOAuth2      Note = "oauth2"       // passwords are refused: OAuth2 is needed
)

// Text is the note in a language: German for de, else English.
func (n Note) Text(language string) string {
	texts := map[Note][2]string{
		NoteSwitchOn:    {"IMAP is off at first: switch it on in the settings of the mailbox (web mail)", "IMAP ist dort anfangs aus: in den Einstellungen des Postfachs (Webmail) einschalten"},
		NoteOwnPassword: {"programs need a password of their own there: make one in the settings of the account", "Programme brauchen dort ein eigenes Passwort: in den Einstellungen des Kontos anlegen"},
		NoteOAuth2:      {"passwords are not enough there: set OAuth2 up as docs/admin.md says", "Passwörter reichen dort nicht: OAuth2 einrichten, wie docs/admin.md es beschreibt"},
	}
	if language == "de" {
		return texts[n][1]
	}
	return texts[n][0]
}

// atMX as a host means that the exchanger of the domain is the server.
const atMX = "MX"

func (s Server) at(mx string) Server {
	if s.Host == atMX {
		s.Host = mx
	}
	return s
}

// Providers is the table, in the order in which it is looked through.
func Providers() []Provider {
	on := func(host string) Server { return Server{Host: host, TLS: Implicit} }
	start := func(host string) Server { return Server{Host: host, TLS: StartTLS} }
	return []Provider{
		{Name: "Microsoft 365", MX: []string{".mail.protection.outlook.com", ".mx.microsoft"}, IMAP: on("outlook.office365.com"), SMTP: start("smtp.office365.com"), OAuth2: "microsoft", Note: NoteOAuth2},
		{Name: "Outlook.com", Domains: []string{"outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com"}, IMAP: on("outlook.office365.com"), SMTP: start("smtp-mail.outlook.com"), OAuth2: "microsoft", Note: NoteOAuth2},
		{Name: "Google Workspace", MX: []string{".google.com", ".googlemail.com"}, IMAP: on("imap.gmail.com"), SMTP: on("smtp.gmail.com"), TrustAuth: "mx.google.com", OAuth2: "google", Note: NoteOAuth2},
		{Name: "Gmail", Domains: []string{"gmail.com", "googlemail.com"}, IMAP: on("imap.gmail.com"), SMTP: on("smtp.gmail.com"), TrustAuth: "mx.google.com", OAuth2: "google", Note: NoteOwnPassword},
		{Name: "IONOS", MX: []string{".ionos.de", ".kundenserver.de"}, IMAP: on("imap.ionos.de"), SMTP: on("smtp.ionos.de")},
		{Name: "IONOS", MX: []string{".ionos.com", ".perfora.net"}, IMAP: on("imap.ionos.com"), SMTP: on("smtp.ionos.com")},
		{Name: "STRATO", MX: []string{".rzone.de"}, IMAP: on("imap.strato.de"), SMTP: on("smtp.strato.de")},
		{Name: "GMX", Domains: []string{"gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.eu", "gmx.info", "gmx.org"}, MX: []string{".gmx.net"}, IMAP: on("imap.gmx.net"), SMTP: on("mail.gmx.net"), Note: NoteSwitchOn},
		{Name: "GMX", Domains: []string{"gmx.com"}, MX: []string{".gmx.com"}, IMAP: on("imap.gmx.com"), SMTP: on("mail.gmx.com"), Note: NoteSwitchOn},
		{Name: "WEB.DE", Domains: []string{"web.de"}, MX: []string{".web.de"}, IMAP: on("imap.web.de"), SMTP: start("smtp.web.de"), Note: NoteSwitchOn},
		{Name: "mailbox.org", Domains: []string{"mailbox.org"}, MX: []string{".mailbox.org"}, IMAP: on("imap.mailbox.org"), SMTP: on("smtp.mailbox.org")},
		{Name: "Posteo", Domains: []string{"posteo.de", "posteo.net", "posteo.at", "posteo.ch", "posteo.eu", "posteo.org"}, MX: []string{".posteo.de"}, IMAP: on("posteo.de"), SMTP: on("posteo.de")},
		{Name: "Telekom", Domains: []string{"t-online.de", "magenta.de"}, MX: []string{".t-online.de"}, IMAP: on("secureimap.t-online.de"), SMTP: on("securesmtp.t-online.de"), Note: NoteOwnPassword},
		{Name: "Hetzner", MX: []string{".your-server.de"}, IMAP: on("mail.your-server.de"), SMTP: on("mail.your-server.de")},
		{Name: "ALL-INKL.COM", MX: []string{".kasserver.com"}, IMAP: on(atMX), SMTP: on(atMX)},
		{Name: "netcup", MX: []string{".netcup.net"}, IMAP: on(atMX), SMTP: on(atMX)},
		{Name: "OVHcloud", MX: []string{".mail.ovh.net"}, IMAP: on("ssl0.ovh.net"), SMTP: on("ssl0.ovh.net")},
		{Name: "Infomaniak", MX: []string{".infomaniak.ch"}, IMAP: on("mail.infomaniak.com"), SMTP: on("mail.infomaniak.com")},
		{Name: "Fastmail", Domains: []string{"fastmail.com", "fastmail.fm"}, MX: []string{".messagingengine.com"}, IMAP: on("imap.fastmail.com"), SMTP: on("smtp.fastmail.com"), Note: NoteOwnPassword},
		{Name: "iCloud", Domains: []string{"icloud.com", "me.com", "mac.com"}, MX: []string{".mail.icloud.com"}, IMAP: on("imap.mail.me.com"), SMTP: start("smtp.mail.me.com"), Note: NoteOwnPassword},
		{Name: "Yahoo", Domains: []string{"yahoo.com", "yahoo.de"}, IMAP: on("imap.mail.yahoo.com"), SMTP: on("smtp.mail.yahoo.com"), Note: NoteOwnPassword},
	}
}

func providerOf(domain string) *Provider {
	for _, p := range Providers() {
		if slices.Contains(p.Domains, domain) {
			return &p
		}
	}
	return nil
}

func providerOfMX(host string) *Provider {
	for _, p := range Providers() {
		if slices.ContainsFunc(p.MX, func(end string) bool { return strings.HasSuffix("."+host, end) }) {
			return &p
		}
	}
	return nil
}

// ByName is the provider that people call so, in any case and without blanks: "ionos", "microsoft365", "web.de". nil
// when there is none.
func ByName(name string) *Provider {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	wanted := plain(name)
	for _, p := range Providers() {
		full := plain(p.Name)
		domain := slices.ContainsFunc(p.Domains, func(d string) bool {
			first, _, _ := strings.Cut(d, ".")
			return plain(d) == wanted || plain(first) == wanted
		})
		if wanted != "" && (full == wanted || full == wanted+"com" || wanted == p.OAuth2 || domain) {
			return &p
		}
	}
	return nil
}
