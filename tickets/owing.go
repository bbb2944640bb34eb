package tickets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// owe renders a mail, composes its bytes and puts it into the outbox, once for each recipient. A mail that cannot be
// made is noted on the ticket and in the log: it must not stop the message that called for it (S-051).
func (d *Desk) owe(a *application, m Mail) error {
	m = a.shut(m)
	if enough, err := d.tooManyNotices(a, m); err != nil || enough {
		return err
	}
	if err := d.oweOrFail(a, m); err != nil {
		if isStoreError(err) {
			return err
		}
		detail := fmt.Sprintf("the mail %q to %s could not be made: %v", m.Template, m.To.Mail, err)
		cause := err
		if checkAddress(m.To.Mail) != nil {
			cause = errors.New("its recipient's address cannot be used") // which one stands on the ticket (S-177)
		}
		d.Log.Error("mail not made", "template", m.Template, "ticket", ticketNumber(a.ticket), "err", cause)
		if err := a.tx.log(a.now, "mail.not_made", detail); err != nil {
			return err
		}
		if a.ticket == nil || m.NoTicket {
			return nil
		}
		if err := a.append(a.ticket, Entry{At: a.now, Rev: a.r.Rev, Kind: EntryDelivery, Actor: Actor{Kind: ActorSystem}, Template: m.Template, Detail: oneLine(detail)}); err != nil {
			return err
		}
		if m.Class == ClassAnswer && m.Internal == nil {
			return d.tellNotMade(a, m, err)
		}
	}
	return nil
}

// tellNotMade tells the agent whose answer could not be made: nothing else would, and the receipt says that it is sent.
func (d *Desk) tellNotMade(a *application, m Mail, cause error) error {
	dr := &decider{k: &Known{Ticket: a.ticket, Brand: a.brand(a.ticket)}, in: &Incoming{Arrived: a.now}, r: a.r, now: a.now}
	dr.out.Ticket = a.ticket.clone()
	dr.tell([]string{strings.ToLower(m.Agent.Address)}, TemplateUndelivered, PurposeNote, false, func(v *InternalView) {
		v.Text, v.TextFrom = m.written(), m.Agent.Address
		v.Lines = []Line{{Key: "undelivered.refused", Args: map[string]string{"to": oneLine(m.To.Mail), "reason": oneLine(cause.Error())}},
			{Key: "undelivered.what_now", Args: map[string]string{"to": oneLine(m.To.Mail)}}}
	})
	for _, notice := range dr.out.Mails {
		if err := d.owe(a, notice); err != nil {
			return err
		}
	}
	return nil
}

func ticketNumber(t *Ticket) string {
	if t == nil {
		return ""
	}
	return t.Number
}

// storeError marks errors of the store itself, which abort the transaction.
type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

func isStoreError(err error) bool {
	_, ok := err.(storeError)
	return ok
}

func (d *Desk) oweOrFail(a *application, m Mail) error {
	if done, err := a.collected(m); err != nil {
		return storeError{err}
	} else if done {
		return nil
	}
	t := a.ticket
	if m.NoTicket {
		t = nil
	}
	if err := checkAddress(m.To.Mail); err != nil {
		return err
	}
	m.Cc = slices.DeleteFunc(slices.Clone(m.Cc), func(c Address) bool { return checkAddress(c.Mail) != nil })
	first, err := a.tx.nextOutgoing()
	if err != nil {
		return storeError{err}
	}
	person := strings.ToLower(m.To.Mail)
	principal, err := a.tx.principal(person, true)
	if err != nil {
		return storeError{err}
	}
	letter, err := d.letter(a, m, t, first, principal)
	if err != nil {
		return err
	}
	rows, err := d.rows(a, m, t, letter.MessageID, first)
	if err != nil {
		return err
	}
	compose := a.composing(m, letter)
	if a.tx.making != nil {
		a.tx.making.start(rows, compose)
	} else {
		done, mail, err := compose(nil)
		if err != nil {
			return err
		}
		for _, o := range rows {
			o.Subject = done.Subject
			if err := a.tx.enqueue(o, mail); err != nil {
				return storeError{err}
			}
		}
	}
	if m.Template == TemplateAckGeneric {
		if err := a.tx.countAnswer(unprovenMark+a.brand(t).Name, a.now, first); err != nil {
			return storeError{err}
		}
	}
	if m.Template == TemplateAutoAnswer {
		if err := a.tx.countAnswer(helpMark+m.CountAs, a.now, first); err != nil {
			return storeError{err}
		}
	}
	if m.CountAs != "" {
		if err := a.tx.countAnswer(m.CountAs, a.now, first); err != nil {
			return storeError{err}
		}
	}
	if t == nil {
		return nil
	}
	e := Entry{At: a.now, Rev: a.r.Rev, Kind: EntryQueued, Actor: Actor{Kind: ActorSystem}, Outgoing: first, Template: m.Template,
		MessageID: letter.MessageID, To: []string{m.To.Mail}}
	for _, c := range m.Cc {
		e.To = append(e.To, c.Mail)
	}
	for _, address := range e.To {
		e.Changes = append(e.Changes, Change{Field: fieldThread, After: strings.ToLower(address) + " " + letter.MessageID})
	}
	if err := a.append(t, e); err != nil {
		return storeError{err}
	}
	return nil
}

// composing returns what makes a letter's mail, as the outbox keeps it. It needs nothing of the store.
func (a *application) composing(m Mail, letter Letter) func(room []byte) (Letter, composedMail, error) {
	r, raw := a.r, a.in.Raw
	var ref RawRef
	if a.stored != nil {
		ref = a.stored.Raw
	}
	return func(room []byte) (Letter, composedMail, error) {
		lent := ref.Month != "" && slices.ContainsFunc(letter.Attached, func(f File) bool { return len(f.Base64) >= minSpan })
		if lent { // the mail is taken apart below; any other stays as it is until it is stored
			letter.Room = room
		}
		done, mail, err := composed(r, m, letter)
		if err != nil {
			return done, composedMail{}, err
		}
		kept := cutSpans(mail, letter.Attached, raw, ref)
		if !lent {
			kept.room = room
		}
		return done, kept, nil
	}
}

// composed renders a letter's texts and makes its bytes. It needs nothing of the store. A panic on the way, over a text
// that nobody thought of, is an error of this mail alone.
func composed(r *Rules, m Mail, l Letter) (done Letter, mail []byte, err error) {
	defer guard(func(v any) { err = fault(v) })()
	var text Rendered
	switch {
	case m.Public != nil:
		text, err = r.Renderer.Public(m.Template, *m.Public)
	case m.Internal == nil:
		text, err = r.Renderer.Vendor(m.Template, *m.Vendor)
	default:
		text, err = internalText(r, m)
	}
	if err != nil {
		return l, nil, fmt.Errorf("render: %w", err)
	}
	l.Subject, l.Text, l.HTML = text.Subject, text.Text, text.HTML
	if mail, err = r.Composer.Compose(l); err != nil {
		return l, nil, fmt.Errorf("compose: %w", err)
	}
	return l, mail, nil
}

// internalText renders a mail to staff; beside a draft for a third party it shows exactly what that would get.
func internalText(r *Rules, m Mail) (Rendered, error) {
	v := *m.Internal
	if m.Vendor != nil {
		preview, err := r.Renderer.Vendor(TemplateVendorRequest, *m.Vendor)
		if err != nil {
			return Rendered{}, err
		}
		v.Sent = preview.Subject + "\n\n" + preview.Text
	}
	return r.Renderer.Internal(m.Template, v)
}

// rows are those of the outbox: one for each recipient of the same bytes.
func (d *Desk) rows(a *application, m Mail, t *Ticket, messageID string, first OutgoingID) ([]Outgoing, error) {
	var addresses []string
	for _, r := range append([]Address{m.To}, m.Cc...) {
		if !slices.ContainsFunc(addresses, func(a string) bool { return strings.EqualFold(a, r.Mail) }) {
			addresses = append(addresses, r.Mail)
		}
	}
	var rows []Outgoing
	for i, address := range addresses {
		id := first
		if i > 0 {
			var err error
			if id, err = a.tx.nextOutgoing(); err != nil {
				return nil, storeError{err}
			}
		}
		o := Outgoing{ID: id, Class: m.Class, Template: m.Template, Server: a.brand(t).Server, Recipient: address,
			MessageID: messageID, Created: a.now, NotBefore: m.NotBefore}
		if t != nil {
			o.Ticket = t.ID
		}
		if m.Class != ClassAuto {
			principal, err := a.tx.principal(address, true)
			if err != nil {
				return nil, storeError{err}
			}
			o.EnvelopeFrom = a.brand(t).withToken(a.sign(Token{Purpose: PurposeBounce, Ticket: o.Ticket, Principal: principal, Outgoing: id}))
		}
		rows = append(rows, o)
	}
	return rows, nil
}

func (a *application) sign(t Token) string { return a.tx.store.keys.Sign(t) }

// brand is who speaks about a ticket.
func (a *application) brand(t *Ticket) Brand {
	if t != nil {
		return a.r.brandOf(t.Mailbox)
	}
	return a.known.Brand
}

// letter is a mail with everything in it but its texts. A panic on the way is an error of this mail alone.
func (d *Desk) letter(a *application, m Mail, t *Ticket, id OutgoingID, principal uint32) (l Letter, err error) {
	defer guard(func(v any) { err = fault(v) })()
	b := a.brand(t)
	l = Letter{Class: m.Class, From: b.From, To: []Address{m.To}, Cc: m.Cc, Date: a.now, Template: m.Template, ConfigRev: a.r.Rev, Important: m.Important, Bulk: m.Bulk}
	switch {
	case m.Public != nil:
		l.Language = m.Public.Language
	case m.Internal != nil:
		l.Language = m.Internal.Language
	default:
		l.Language = m.Vendor.Language
	}
	if m.Internal == nil && m.Class == ClassAnswer && b.AgentName != nil {
		l.From.Name = b.AgentName(m.Agent)
	}
	token := Token{Purpose: m.Purpose, Principal: principal}
	idPurpose := m.Purpose | purposeID
	if m.Class == ClassAuto {
		idPurpose = PurposeIDAuto
	}
	if t != nil {
		token.Ticket = t.ID
		l.Ticket = t.Number
		l.References = slices.Clone(t.Thread[strings.ToLower(m.To.Mail)])
		if n := len(l.References); n > 0 {
			l.InReplyTo = l.References[n-1]
		}
		if m.Internal != nil {
			l.ListID = listID(t.Team, b)
			l.From.Name = onBehalf(m, t, b)
		}
	}
	if t == nil && m.Bulk {
		l.ListID = listID("digest", b)
	}
	l.ReplyTo = Address{Name: b.From.Name, Mail: b.withToken(a.sign(token))}
	l.MessageID = a.sign(Token{Purpose: idPurpose, Ticket: token.Ticket, Principal: principal, Outgoing: id}) + "@" + b.domain()
	if m.Attach {
		l.Attached = append(d.carriedEarlier(a, m), d.carried(a, m.Class)...)
	}
	l.Attached = append(slices.Clip(l.Attached), m.Files...)
	if m.Invite && t != nil {
		l.Attached = append(slices.Clip(l.Attached), calendarEntry(t, b, a.now))
	}
	if m.Thread && t != nil {
		l.Attached = append(l.Attached, d.threadOf(a, t)...)
	}
	return l, nil
}

// onBehalf is the display name of a notice: in the agent's list of mails one wants to see who wrote.
func onBehalf(m Mail, t *Ticket, b Brand) string {
	name := strings.TrimSpace(t.Requester.Name)
	for _, p := range t.Participants {
		if m.Internal != nil && strings.EqualFold(p.Mail, m.Internal.TextFrom) {
			name = strings.TrimSpace(p.Name)
		}
	}
	if name == "" || m.Internal.Restricted || strings.ContainsAny(name, "@<>") || m.Template != TemplateTicketToTeam && m.Template != TemplateCustomerReplied {
		return b.From.Name
	}
	return fmt.Sprintf("%s (%s)", name, b.Desk)
}

// listID lets staff filter by team in their clients.
func listID(team string, b Brand) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(team))
	if clean == "" {
		clean = "desk"
	}
	return clean + ".desk." + b.domain()
}
