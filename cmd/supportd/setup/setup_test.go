package setup

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"supportd/cmd/supportd/setup/dnstest"
)

func nameServer(t *testing.T) (*dnstest.Server, *net.Resolver) {
	t.Helper()
	s, err := dnstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, NameServer(s.Addr())
}

// lines are the candidates that are no guesses, as people read them.
func lines(p Plan) []string {
	var list []string
	for protocol, candidates := range map[string][]Candidate{"imap": p.IMAP, "smtp": p.SMTP} {
		for _, c := range candidates {
			if c.Sure {
				list = append(list, fmt.Sprintf("%s %s %s: %s", protocol, c.Server, c.TLS, c.By))
			}
		}
	}
	return list
}

func sorted(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
}

func TestDiscoverPublishedServers(t *testing.T) {
	dns, r := nameServer(t)
	for name, to := range map[string]struct {
		host string
		port uint16
	}{
		"_imaps._tcp.huber.example":       {"Mail.Huber.example.", 993},
		"_imap._tcp.huber.example":        {".", 0}, // not on offer
		"_submissions._tcp.huber.example": {"out.huber.example", 10465},
		"_submission._tcp.huber.example":  {"out.huber.example", 587},
	} {
		if err := dns.SRV(name, to.host, to.port); err != nil {
			t.Fatal(err)
		}
	}
	p := Discover(t.Context(), r, "Huber.example.")
	want := []string{
		"imap mail.huber.example implicit: SRV _imaps._tcp.huber.example",
		"smtp out.huber.example:10465 implicit: SRV _submissions._tcp.huber.example",
		"smtp out.huber.example starttls: SRV _submission._tcp.huber.example",
	}
	if diff := cmp.Diff(sorted(want), sorted(lines(p))); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if p.SMTP[0].TLS != Implicit {
		t.Errorf("the first server to try speaks %s, want implicit TLS (RFC 8314)", p.SMTP[0].TLS)
	}
	if last := p.IMAP[len(p.IMAP)-1]; last.Sure || last.Host != "mail.huber.example" {
		t.Errorf("the last resort is %+v, want the guess mail.huber.example", last)
	}
}

func TestDiscoverProviders(t *testing.T) {
	dns, r := nameServer(t)
	for domain, mx := range map[string]string{
		"a.example": "a-example.mail.protection.outlook.com", "b.example": "aspmx.l.google.com", "c.example": "mx00.ionos.de", "d.example": "smtpin.rzone.de",
		"e.example": "mxext1.mailbox.org", "f.example": "www123.your-server.de", "g.example": "w0123456.kasserver.com", "h.example": "mx.h.example",
	} {
		if err := dns.MX(domain, mx); err != nil {
			t.Fatal(err)
		}
	}
	for domain, want := range map[string]string{
		"a.example": "Microsoft 365 outlook.office365.com smtp.office365.com", "b.example": "Google Workspace imap.gmail.com smtp.gmail.com",
		"c.example": "IONOS imap.ionos.de smtp.ionos.de", "d.example": "STRATO imap.strato.de smtp.strato.de",
		"e.example": "mailbox.org imap.mailbox.org smtp.mailbox.org", "f.example": "Hetzner mail.your-server.de mail.your-server.de",
		"g.example": "ALL-INKL.COM w0123456.kasserver.com w0123456.kasserver.com", "gmx.de": "GMX imap.gmx.net mail.gmx.net",
		"web.de": "WEB.DE imap.web.de smtp.web.de", "posteo.de": "Posteo posteo.de posteo.de", "t-online.de": "Telekom secureimap.t-online.de securesmtp.t-online.de",
	} {
		p := Discover(t.Context(), r, domain)
		if p.Provider == nil {
			t.Errorf("%s: no provider", domain)
			continue
		}
		if got := p.Provider.Name + " " + p.IMAP[0].Host + " " + p.SMTP[0].Host; got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
	}
	if p := Discover(t.Context(), r, "h.example"); p.Provider != nil || len(lines(p)) > 0 {
		t.Errorf("h.example: %+v", p)
	}
}

// A name service that is silent leaves the guesses.
func TestDiscoverWithoutNameService(t *testing.T) {
	dns, r := nameServer(t)
	dns.SetSilent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	p := Discover(ctx, r, "huber.example")
	if len(p.IMAP) == 0 || p.IMAP[0].Host != "imap.huber.example" || p.IMAP[0].Sure {
		t.Errorf("IMAP: %+v", p.IMAP)
	}
}

func TestProvidersByName(t *testing.T) {
	for name, want := range map[string]string{"ionos": "IONOS", "Microsoft365": "Microsoft 365", "microsoft": "Microsoft 365", "web.de": "WEB.DE", "all-inkl": "ALL-INKL.COM",
		"t-online.de": "Telekom", "t-online": "Telekom", "outlook": "Outlook.com", "google": "Google Workspace", "mailbox.org": "mailbox.org", "hetzner": "Hetzner", "strato": "STRATO", "gmx": "GMX"} {
		if p := ByName(name); p == nil || p.Name != want {
			t.Errorf("%s: %+v, want %s", name, p, want)
		}
	}
	for _, name := range []string{"nobody", "", "-"} {
		if p := ByName(name); p != nil {
			t.Errorf("%q is %s", name, p.Name)
		}
	}
	for _, p := range Providers() {
		if p.Note != NoteNone && (p.Note.Text("de") == "" || p.Note.Text("en") == "" || p.Note.Text("de") == p.Note.Text("en")) {
			t.Errorf("%s: the note %q has no text in German or English", p.Name, p.Note)
		}
	}
}

func TestPublishes(t *testing.T) {
	dns, r := nameServer(t)
	dns.TXT("huber.example", "some-verification=1")
	dns.TXT("huber.example", "v=spf1 mx -all")
	dns.TXT("_dmarc.huber.example", "v=DMARC1; p=Quarantine; rua=mailto:d@huber.example")
	dns.TXT("two.example", "v=spf1 -all")
	dns.TXT("two.example", "v=spf1 mx")
	dns.TXT("k1._domainkey.huber.example", "v=DKIM1; k=rsa; p="+strings.Repeat("A", 300))
	dns.TXT("old._domainkey.huber.example", "v=DKIM1; p=")

	d := Publishes(t.Context(), r, "desk.huber.example")
	if d.SPF != "" || d.DMARCAt != "_dmarc.huber.example" || d.DMARCPolicy() != "Quarantine" || d.Err != nil {
		t.Errorf("a name below the domain: %+v", d)
	}
	if d = Publishes(t.Context(), r, "huber.example"); d.SPF != "v=spf1 mx -all" || d.SPFs != 1 {
		t.Errorf("SPF: %+v", d)
	}
	if d = Publishes(t.Context(), r, "two.example"); d.SPFs != 2 || d.DMARC != "" {
		t.Errorf("two records: %+v", d)
	}
	for selector, want := range map[string]bool{"k1": true, "old": false, "none": false} {
		if got, err := DKIMKey(t.Context(), r, selector, "huber.example"); got != want || err != nil {
			t.Errorf("key %s: %v, %v", selector, got, err)
		}
	}
	if d, s := Signature("v=1; a=rsa-sha256; d=Huber.example;\r\n s=k1; b=x"); d != "huber.example" || s != "k1" {
		t.Errorf("signature by %q, %q", d, s)
	}
	dns.SetSilent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if d := Publishes(ctx, r, "huber.example"); d.Err == nil {
		t.Error("a silent name server is taken for missing records")
	}
}
