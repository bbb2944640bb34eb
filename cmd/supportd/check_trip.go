package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/setup"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// The round trip of check --online: one mail to the mailbox's address and one to name+token@domain go out through the
// brand's server, and are awaited in the mailbox. Both have Message-IDs that this desk signed, so that a desk which
// meets them files them as its own; afterwards they are removed.

// testMail is one mail of a round trip.
type testMail struct {
	to   string
	id   string
	sent time.Time
}

func (o *online) trip(ctx context.Context, m config.Mailbox, b config.Brand, junk string) {
	where := "mailbox " + m.Name
	if len(m.Addresses) == 0 {
		return
	}
	keys, err := o.keys()
	if err != nil {
		o.tell(where, "round trip", hopFault, "no test mail was sent: "+err.Error(), "run check as the user that runs the desk")
		return
	}
	probe, err := keys.NewProbe(domainOf(b.From.Mail), o.random)
	second, err2 := keys.NewProbe(domainOf(b.From.Mail), o.random)
	if err := errors.Join(err, err2); err != nil {
		o.tell(where, "round trip", hopFault, err.Error(), "")
		return
	}
	local, domain, _ := strings.Cut(m.Addresses[0], "@")
	plain := &testMail{to: m.Addresses[0], id: probe.MessageID}
	plus := &testMail{to: local + "+" + second.Token + "@" + domain, id: second.MessageID}

	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	if err := o.send(ctx, b, plain); err != nil {
		o.refused(where, "round trip", err)
		return
	}
	refused := o.send(ctx, b, plus)
	ids := []string{plain.id, plus.id}
	if refused != nil {
		ids = ids[:1]
	}
	trip := mailin.Trip{Mailbox: mailboxConfig(m, o.tokens), IDs: ids}
	if junk != "" {
		trip.Folders = []string{junk}
	}
	if o.follower != nil {
		trip.Settled = o.follower(m.Name)
	}
	o.waiting(fmt.Sprintf("… waiting up to %s for the test mails", o.wait))
	seen, err := trip.Await(ctx, func(s mailin.Sighting) {
		if s.ID == plain.id {
			o.arrived(ctx, where, m, b, plain, s)
		}
	})
	if err != nil {
		o.tell(where, "round trip", hopFault, err.Error(), "")
	}
	at := func(id string) int { return slices.IndexFunc(seen, func(s mailin.Sighting) bool { return s.ID == id }) }
	if at(plain.id) < 0 {
		o.tell(where, "round trip", hopFault, fmt.Sprintf("the test mail to %s did not come back within %s", plain.to, o.wait),
			"does mail to this address arrive in this mailbox, folder "+m.Folder+"? Look into the junk folder and for forwardings, or wait longer with --wait")
		return
	}
	if m.SenderKind == "" {
		o.plusAddress(where, m, plus, refused, at(plus.id) >= 0)
	}
	for _, s := range seen {
		if s.Left != "" {
			o.tell(where, "round trip", hopNote, fmt.Sprintf("a test mail is still in folder %s: %s", s.Folder, s.Left), "")
		}
	}
}

// keys are the desk's, or some for this run when there is no desk yet: its first start passes over what is in the
// mailbox already.
func (o *online) keys() (*tickets.Keyring, error) {
	keys, err := tickets.ReadKeys(o.config.State)
	if err != nil || keys != nil {
		return keys, err
	}
	return tickets.NewKeyring(o.now(), o.random)
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

// send hands a test mail to the server as the desk's automatic answers are: without an envelope sender. A server that
// refuses that gets it with one, and the fault is told.
func (o *online) send(ctx context.Context, b config.Brand, t *testMail) error {
	language := "en"
	if len(o.config.Languages) > 0 {
		language = o.config.Languages[0]
	}
	subject, text := "Test mail of supportd check", "This mail was sent by \"supportd check --online\", to see whether mail goes out and comes back.\nIt is removed by itself. It can be deleted.\n"
	if language == "de" {
		subject, text = "Testmail von supportd check", "Diese Mail hat \"supportd check --online\" geschickt, um zu sehen, ob Mail hinausgeht und wieder ankommt.\nSie wird von selbst entfernt. Sie kann gelöscht werden.\n"
	}
	raw, err := composer(o.config).Compose(tickets.Letter{Class: tickets.ClassNotice, From: b.From, To: []tickets.Address{{Mail: t.to}},
		Subject: subject, MessageID: t.id, Date: o.now(), Language: language, Text: text})
	if err != nil {
		return err
	}
	t.sent = time.Now()
	err = mailout.Try(ctx, brandServer(b, o.tokens), "", t.to, raw)
	var refusal *mailout.Refusal
	if !errors.As(err, &refusal) || !refusal.Sender {
		return err
	}
	o.tell("smtp server "+b.Name, "sender", hopFault, "the server does not take mails without an envelope sender, so no automatic answer can leave: "+refusal.Detail,
		"have it allow the empty sender <> (RFC 5321 §4.5.5), or use another server")
	t.sent = time.Now()
	return mailout.Try(ctx, brandServer(b, o.tokens), b.From.Mail, t.to, raw)
}

func (o *online) refused(where, name string, err error) {
	do := "" // the line says it
	var refusal *mailout.Refusal
	switch {
	case !errors.As(err, &refusal):
	case refusal.Later:
		do = "try again later"
	case refusal.Sender:
		do = "check from, user and password_file: the account must be allowed to send as the desk's address"
	default:
		do = "check the address"
	}
	o.tell(where, name, hopFault, err.Error(), do)
}

// arrived tells what the mail that came back says: how long it took, whose clock is wrong, who vouches for it.
func (o *online) arrived(ctx context.Context, where string, m config.Mailbox, b config.Brand, t *testMail, s mailin.Sighting) {
	o.tell(where, "round trip", hopFine, fmt.Sprintf("a mail to %s came back after %s", t.to, max(s.Seen.Sub(t.sent), time.Millisecond).Round(time.Millisecond)), "")
	if s.Folder != m.Folder && s.Folder != m.MoveTo {
		o.tell(where, "round trip", hopWarning, "it was put into "+s.Folder, "teach the server's filter that mail from "+b.From.Mail+" is wanted: agents' mail may end there, too")
	}
	o.clock(where, t, s)
	header := mailin.Parse(slices.Concat(s.Header, []byte("\r\n\r\n")), time.Time{})
	o.signature(ctx, b, header)
	o.vouching(where, m, header)
}

// clock compares our clock with the server's. INTERNALDATE has whole seconds, and the mail came at some time between its
// sending and our seeing it.
func (o *online) clock(where string, t *testMail, s mailin.Sighting) {
	if s.Arrived.IsZero() {
		return
	}
	var off time.Duration
	switch {
	case s.Arrived.Before(t.sent.Add(-time.Second)):
		off = s.Arrived.Sub(t.sent)
	case s.Arrived.After(s.Seen.Add(time.Second)):
		off = s.Arrived.Sub(s.Seen)
	}
	off = off.Round(time.Second)
	late := "behind"
	if off > 0 {
		late = "ahead of"
	}
	text := fmt.Sprintf("the server's clock is %s %s ours", off.Abs(), late)
	switch {
	case off.Abs() >= 5*time.Minute:
		o.tell(where, "clock", hopFault, text, "set this machine's clock (NTP), or the server's: promised times are counted from them")
	case off.Abs() >= 10*time.Second:
		o.tell(where, "clock", hopWarning, text, "set this machine's clock (NTP), or the server's")
	default:
		o.tell(where, "clock", hopFine, "the server's clock and ours agree", "")
	}
}

// signature tells whether the mail was signed on its way (DKIM), and whether the key is published.
func (o *online) signature(ctx context.Context, b config.Brand, header *tickets.Message) {
	own := domainOf(strings.ToLower(b.From.Mail))
	for _, field := range header.Field("DKIM-Signature") {
		domain, selector := setup.Signature(field)
		if domain != own && !strings.HasSuffix(own, "."+domain) {
			continue
		}
		if signsItself(b, domain, selector) {
			return // and whether its key is published was told before
		}
		switch ok, err := setup.DKIMKey(ctx, o.resolver, selector, domain); {
		case err != nil:
			o.tell(own, "dkim", hopWarning, "the key of the DKIM signature cannot be looked up: "+err.Error(), "")
		case !ok:
			o.tell(own, "dkim", hopFault, fmt.Sprintf("mails are signed (DKIM), and the key %s._domainkey.%s is not published", selector, domain), "publish it as your server's documentation says")
		default:
			o.tell(own, "dkim", hopFine, fmt.Sprintf("DKIM: signed by %s, key %s", domain, selector), "")
		}
		return
	}
	o.tell(own, "dkim", hopNote, "the test mail came back without a DKIM signature of "+own, "many servers sign only what leaves the house; if yours signs nothing, have it sign")
}

// vouching tells whose Authentication-Results stand above the mail, and what to configure.
func (o *online) vouching(where string, m config.Mailbox, header *tickets.Message) {
	if m.Trusted {
		o.tell(where, "authentication", hopNote, "trusted: true: every sender is believed; only people who logged in may be able to write to this mailbox", "")
		return
	}
	trusted := o.config.AuthservIDs
	const look = "send a mail from an account elsewhere to the mailbox, and write the first word of its topmost Authentication-Results field as trust_auth_results_from"
	field := header.FirstField("Authentication-Results")
	id := authservID(field)
	switch {
	case field == "" && len(trusted) > 0:
		o.tell(where, "authentication", hopNote, "the test mail came back without Authentication-Results, as own mail often does; "+strings.Join(trusted, ", ")+" could not be proved", "look at a mail from outside: its topmost Authentication-Results field has to begin with that name")
	case field == "":
		o.tell(where, "authentication", hopWarning, "the test mail came back without Authentication-Results: it is not known who vouches for senders", look)
	case id == "":
		o.tell(where, "authentication", hopWarning, "the server writes Authentication-Results without its name: "+short(field), "such fields cannot be told from forged ones")
	case slices.Contains(trusted, id):
		o.tell(where, "authentication", hopFine, "Authentication-Results of "+id+" are believed, and the server writes them", "")
	case len(trusted) == 0:
		o.tell(where, "authentication", hopWarning, "nobody's Authentication-Results are believed yet; the server writes those of "+id, "write trust_auth_results_from: "+id)
	default:
		o.tell(where, "authentication", hopWarning, fmt.Sprintf("the configuration believes %s, and the server writes Authentication-Results of %s", strings.Join(trusted, ", "), id), "write trust_auth_results_from: "+id)
	}
}

// authservID is the name at the start of an Authentication-Results field (RFC 8601 §2.2), in lower case; "" when there
// is none.
func authservID(field string) string {
	head, _, _ := strings.Cut(field, ";")
	words := strings.Fields(head)
	if len(words) == 0 || strings.Contains(words[0], "=") {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(words[0], "."))
}

// plusAddress tells whether reply addresses name+token@domain reach the mailbox.
func (o *online) plusAddress(where string, m config.Mailbox, t *testMail, refused error, came bool) {
	switch {
	case came && m.Plus:
		o.tell(where, "sub-addressing", hopFine, "mail to "+localOf(t.to)+"+… arrives here", "")
	case came:
		o.tell(where, "sub-addressing", hopNote, "mail to "+localOf(t.to)+"+… arrives here, though plus_addresses is false", "with plus_addresses: true answers find their ticket more surely")
	case !m.Plus:
		o.tell(where, "sub-addressing", hopNote, "mail to "+localOf(t.to)+"+… does not arrive here, as plus_addresses: false says", "")
	default:
		why := cmp.Or(detail(refused), "it did not arrive")
		o.tell(where, "sub-addressing", hopFault, "mail to "+localOf(t.to)+"+… does not arrive here, so answers would get lost: "+why,
			"write plus_addresses: false in the mailbox, or switch sub-addressing on at the server")
	}
}

func localOf(address string) string {
	local, _, _ := strings.Cut(address, "+")
	return local
}

func detail(err error) string {
	var refusal *mailout.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return "the server says " + refusal.Detail
	}
	return err.Error()
}
