package tickets

import (
	"slices"
	"strings"
)

// Who a customer's mail brings along in To and Cc. Only an authenticated mail of somebody who takes part brings anybody
// (S-092): those of the same organisation take part from then on, others get copies of the answers to come and no more —
// what they write is held like a stranger's (S-091). Nobody gets anything of what was before (S-093), and the requester
// stays who it is (S-094).

// bringAlong adds to an entry the people whom a message names beside its author.
func (d *decider) bringAlong(t *Ticket, e *Entry) {
	author := d.m.Author
	if d.out.Verdict.Auth != AuthPass || d.k.Admitted || author == "" || !strings.EqualFold(t.Requester.Mail, author) && !t.participant(author) {
		return
	}
	people, copies := participantsOf(t.value(fieldParticipants, e.Changes)), strings.Fields(t.value(fieldCopies, e.Changes))
	for _, a := range append(slices.Clone(d.m.To), d.m.Cc...) {
		local, domain, ok := cutAddress(a.Mail)
		mail := local + "@" + domain
		if _, agent := d.r.agent(mail); !ok || agent || checkAddress(mail) != nil || d.r.isOwn(mail) || unread(mail) || t.participant(mail) || slices.Contains(copies, mail) {
			continue
		}
		if slices.ContainsFunc(people, func(p Address) bool { return strings.EqualFold(p.Mail, mail) }) || len(people)+len(copies) >= maxPeople {
			continue
		}
		if colleagues(author, mail) {
			people = append(people, Address{Name: a.Name, Mail: mail})
		} else {
			copies = append(copies, mail)
		}
	}
	if len(people) > 0 {
		t.set(&e.Changes, fieldParticipants, formatJSON(people))
	}
	t.set(&e.Changes, fieldCopies, strings.Join(copies, " "))
}

// everybodys are domains of providers: who has an address there belongs to no organisation by it.
var everybodys = []string{"gmail.com", "googlemail.com", "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com", "yahoo.com", "yahoo.de", "ymail.com", "aol.com",
	"gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mailbox.org", "posteo.de", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "mail.com",
	"arcor.de", "1und1.de", "online.de", "bluewin.ch", "orange.fr", "free.fr", "laposte.net", "libero.it", "yandex.ru", "mail.ru", "qq.com", "163.com", "fastmail.com", "hey.com", "zoho.com", "tutanota.com", "tuta.io"}

// SharedDomain reports whether everybody can have an address at a domain (lower case).
func SharedDomain(domain string) bool { return slices.Contains(everybodys, domain) }

// colleagues reports whether two addresses belong to one organisation, by their domains.
func colleagues(a, b string) bool {
	_, domain, _ := cutAddress(a)
	_, other, _ := cutAddress(b)
	return domain == other && domain != "" && !SharedDomain(domain)
}
