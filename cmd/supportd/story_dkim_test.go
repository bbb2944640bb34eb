package main

import (
	"context"
	"fmt"
	"io"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/dkim"
	"supportd/cmd/supportd/setup"
	"supportd/cmd/supportd/setup/dnstest"
	"supportd/tickets"
)

// signers are the people's mail servers in a story: each domain has a key, published at the story's name service.
type signers struct {
	dns  *dnstest.Server
	keys map[string]dkim.Signer
}

// newSigners makes keys for domains and publishes them.
func newSigners(t *testing.T, domains ...string) *signers {
	t.Helper()
	dns, err := dnstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() }) // a story may have closed it
	s := &signers{dns: dns, keys: map[string]dkim.Signer{}}
	for _, d := range domains {
		text, err := dkim.NewKey("ed25519")
		if err != nil {
			t.Fatal(err)
		}
		key, err := dkim.ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		one := dkim.Signature{Domain: d, Selector: "story", Key: key}
		dns.TXT(one.Name(), one.Record())
		s.keys[d] = dkim.Signer{one}
	}
	return s
}

// send hands a mail to the SMTP server, signed by a domain; "" for by nobody.
func (w *world) sendSigned(s *signers, domain, from, to, raw string) {
	w.t.Helper()
	w.serial++
	raw = fmt.Sprintf("Message-ID: <dkim-%d@%s>\nFrom: %s\nTo: %s\nDate: %s\nMIME-Version: 1.0\n%s", w.serial, strings.Split(bare(from), "@")[1], from, to,
		time.Now().Format(time.RFC1123Z), raw)
	out, err := s.keys[domain].Sign([]byte(strings.ReplaceAll(raw, "\n", "\r\n")), time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := smtp.SendMail(w.smtpAddr(), nil, bare(from), []string{bare(to)}, out); err != nil {
		w.t.Fatal(err)
	}
}

// A desk behind a mail server that neither signs nor says who sent what: it signs its own mails with two keys, and checks
// the signatures of what comes in. Proven customers and agents are believed, others are not, and agents see which is which
// (S-185, S-186, S-071, S-086).
func TestStorySignatures(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		s := newSigners(t, "muster.example", "nordwind.example", "contoso.example")
		for name, kind := range map[string]string{"rsa.pem": "rsa", "ed.pem": "ed25519"} {
			if err := newKeyFile(filepath.Join(w.dir, name), kind); err != nil {
				t.Fatal(err)
			}
		}
		w.configure("dkim: [{selector: r1, key_file: rsa.pem}, {selector: e1, key_file: ed.pem}]\nspam: {verify_dkim: true}\n")
		w.reconfigure("trusted: true", "trusted: false")
		w.names = setup.NameServer(s.dns.Addr())
		w.start()
		for _, k := range w.daemon.config.Load().Brands[0].DKIM {
			s.dns.TXT(k.Name(), k.Record())
		}

		w.sendSigned(s, "muster.example", "Sabine Krause <"+sabine+">", deskAddress, "Subject: Drucker\n\nGuten Tag, der Drucker im Empfang druckt nicht.\n")
		ack := w.next("sabine")
		w.mustBeSigned(s, ack)
		notice := w.next("anna")
		w.next("ben")
		if strings.Contains(notice.text, "nicht bestätigt") {
			t.Errorf("S-186: the notice says that a proven sender is not verified:\n%s", notice.text)
		}
		number := numberPattern.FindString(ack.subject())
		if why := w.why(number, "auth"); !strings.Contains(why, "signed by muster.example") {
			t.Errorf("why: %q", why)
		}

		// An agent's answer that nobody signed goes nowhere; the signed one does.
		reply := func(domain, text string) {
			w.sendSigned(s, domain, anna, bare(notice.Header.Get("Reply-To")), fmt.Sprintf("Subject: Re: Drucker\nIn-Reply-To: %s\n\n%s\n", notice.Header.Get("Message-ID"), text))
		}
		reply("", "Das hat jemand anders geschrieben.")
		w.settled(2)
		if n := w.unread("sabine"); n != 0 {
			t.Fatalf("S-086: the customer got %d mails that no agent wrote", n)
		}
		reply("muster.example", "Das hat Sabine in Annas Namen geschrieben.")
		w.settled(3)
		if n := w.unread("sabine"); n != 0 {
			t.Fatalf("S-074: the customer got %d mails that another domain signed", n)
		}
		reply("nordwind.example", "Bitte tauschen Sie die Patrone.")
		answer := w.next("sabine")
		if !strings.Contains(answer.text, "Patrone") {
			t.Errorf("the signed answer did not arrive:\n%s", answer.text)
		}
		w.mustBeSigned(s, answer)

		// Somebody who poses as a customer, and one whose domain signs nothing.
		w.sendSigned(s, "", "Sabine Krause <"+sabine+">", deskAddress, "Subject: Rechnung\n\nBitte senden Sie die Rechnung an mich.\n")
		for range 20 { // answers to the held replies come to the team, too
			if notice = w.next("ben"); strings.Contains(notice.text, "Rechnung") {
				break
			}
		}
		if !strings.Contains(notice.text, "nicht bestätigt") {
			t.Errorf("S-186: the notice does not say that the sender is unproven:\n%s", notice.text)
		}
		if why := w.why(numberPattern.FindString(notice.subject()), "auth"); !strings.Contains(why, "nobody signed it") {
			t.Errorf("why: %q", why)
		}

		// A name service that is gone loses no mail, and proves nobody.
		if err := s.dns.Close(); err != nil {
			t.Fatal(err)
		}
		w.sendSigned(s, "contoso.example", "John <"+john+">", deskAddress, "Subject: Invoice\n\nHello, please send me the latest invoice. Thank you very much.\n")
		ack = w.next("john")
		if why := w.why(numberPattern.FindString(ack.subject()+ack.text), "auth"); !strings.Contains(why, "could not be looked up") {
			t.Errorf("why: %q", why)
		}
		w.healthy()
	})
}

// mustBeSigned checks both signatures of a mail of the desk.
func (w *world) mustBeSigned(s *signers, m letter) {
	w.t.Helper()
	v := newVerifier(setup.NameServer(s.dns.Addr()), time.Now)
	got := v.Check(context.Background(), []byte(strings.ReplaceAll(strings.ReplaceAll(m.raw, "\r\n", "\n"), "\n", "\r\n")))
	passed := 0
	for _, one := range got {
		if one.Result == tickets.SignaturePass && one.Domain == "nordwind.example" {
			passed++
		}
	}
	if passed != 2 {
		w.t.Errorf("signatures %+v of\n%s", got, m.raw)
	}
}

// why is a reason that the desk stored with the message that opened a ticket.
func (w *world) why(number, what string) string {
	w.t.Helper()
	past, err := w.daemon.desk.Store.Recall(number)
	if err != nil || len(past) == 0 {
		w.t.Fatalf("recall %s: %d messages, %v", number, len(past), err)
	}
	for _, r := range past[0].Stored.Reasons {
		if r.What == what {
			return r.Why
		}
	}
	return ""
}

func newKeyFile(path, kind string) error {
	a := &app{streams: streams{out: io.Discard, err: io.Discard}, now: time.Now}
	return a.dkimKey(path, kind)
}

// A mail from a domain that is one letter off the desk's own is marked for the people who read it, and treated like any other
// (S-187).
func TestStoryLookalike(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	w.mailFrom("Anna Berg <anna@nordwlnd.example>", deskAddress, "Subject: Passwort\n\nBitte setzt mein Passwort zurück.\n")
	notice := w.next("ben")
	if !strings.Contains(strings.Join(strings.Fields(notice.text), " "), "Die Domain nordwlnd.example des Absenders sieht aus wie nordwind.example") {
		t.Errorf("S-187: the notice does not say so:\n%s", notice.text)
	}
	if why := w.why(numberPattern.FindString(notice.subject()), "looks_like"); !strings.Contains(why, "nordwlnd.example") {
		t.Errorf("why: %q", why)
	}
	w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Drucker\n\nDer Drucker druckt nicht mehr.\n")
	if notice = w.next("ben"); strings.Contains(notice.text, "sieht aus wie") {
		t.Errorf("a customer is said to be like the desk:\n%s", notice.text)
	}
	w.healthy()
}

// A service's code that a stranger had sent into their ticket reaches neither them nor anybody's notice (S-189). The handbook
// says what else helps: a domain that no single sign-on trusts (S-188).
func TestStoryLoginCode(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Drucker\n\nDer Drucker druckt nicht mehr.\n")
	ack := w.next("sabine")
	w.next("anna")
	w.next("ben")
	reply := bare(ack.Header.Get("Reply-To"))
	w.mailFrom("Service <noreply@service.example>", reply, "Subject: Welcome\n\nYour verification code is 493817.\n")
	w.mailFrom("Service <noreply@service.example>", deskAddress, "Subject: Welcome\n\nYour verification code is 493817, and this is another mail.\n")
	w.settled(3)
	for _, user := range []string{"sabine", "anna", "ben"} {
		if n := w.unread(user); n != 0 {
			t.Errorf("S-189: %s got %d mails: %s", user, n, w.next(user).raw)
		}
	}
	if v, err := w.daemon.status(); err != nil || v.Books.Quarantined != 2 {
		t.Errorf("books %+v, %v", v.Books, err)
	}
	handbook, err := os.ReadFile("../../docs/admin.md")
	if err != nil || !strings.Contains(string(handbook), "single sign-on") || !strings.Contains(string(handbook), "domain of its own") {
		t.Errorf("S-188: the handbook does not warn (%v)", err)
	}
	w.healthy()
}
