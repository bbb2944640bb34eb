package tickets

import (
	"regexp"
	"strings"
	"time"
)

// Known is all that the store knows and that bears on one message. Decide reads nothing else of the store.
type Known struct {
	Intake    Intake
	Brand     Brand
	Duplicate *Stored // the same content came before
	Own       bool    // its Message-ID is one that we signed: a mail of ours came back
	Probe     bool    // it is a test mail of the desk's owner, with Own, or a delivery report about one

	Ticket      *Ticket   // the ticket it continues; a copy
	By          string    // what says so, in words; "" when it continues none
	Token       Token     // the reply address's, or the Message-ID's
	TokenOwner  string    // whom that was given to
	Given       bool      // it answers a mail about no ticket that its author was sent, by a reply address of theirs
	Conflict    bool      // reply addresses of two tickets
	Recent      []Entry   // of Ticket, newest first
	RefersAuto  bool      // the nearest mail of ours that it refers to is an automatic one (S-060)
	ForeignID   bool      // it refers to an id under our domain that we never signed (S-097)
	Reopens     int       // how often customers reopened Ticket in the last 24 hours, when it is solved or closed
	Suggestion  *Ticket   // a ticket it may belong to, though nothing proves it
	Similar     []Similar // tickets that read like the message, when it begins something new
	words       []uint32  // of its text, as the index of similar tickets knows them
	About       *Outgoing
	AboutBounce bool // About was found by the envelope sender's token or a signed Message-ID

	Admitted     bool // a person let it in
	AdmittedBy   string
	AnswersHour  int // automatic answers to the author in the last hour
	AnswersDay   int
	Helped       int // configured automatic answers among them, in the time that Rules.Help says
	UnprovenHour int // acknowledgements in the last hour to whom nobody vouches for
	NextID       TicketID
	NextCount    uint64               // of the next ticket number; runs ahead of NextID after a restore
	Held         map[uint64]*HeldMail // the held mails that commands of this mail name
	asks         asked                // what commands of this mail ask for
	Named        map[string]*Ticket   // the tickets that commands of this mail name, by number
	hidden       map[string]*Ticket   // those of them that their agent may not see
	Via          *Ticket              // the merged ticket that the message was about; Ticket has taken it in
	Undo         *Undoable            // what #undo would take back, when the message asks for it
	NoticesHour  int
	StaffTold    bool // the admin was told today that mail to the agent, whom a report is about, comes back

	Verdict   *Verdict // what the classifier says of the message, when it was asked already
	asked     Hints    // with what
	Alert     *AlertBefore
	Outage    *Ticket          // of the highest priority, open on an item that the message's item needs
	Origin    *Message         // the mail that opened Ticket, when commands of this one need it
	Burst     *Burst           // others wrote about the same lately; nil when nobody asks
	Unvouched bool             // nobody in this mailbox is ever authenticated, and the admin was not told lately
	Flood     *Flood           // the author has begun as much lately as they may
	Loop      *Loop            // what went to and fro with the author lately; nil when nothing did
	Explain   bool             // reasons against what was not chosen are wanted too
	History   []Entry          // of Ticket, newest first, far back; when commands of the message need it
	Absent    map[string]Leave // who is away now, by lower-case address
	// Elsewhere is the ticket whose secrets an agent's text holds, as far as it is an answer; "" for none.
	Elsewhere string
}

// hints is what the classifier may know.
func (k *Known) hints(in *Incoming) Hints {
	h := Hints{Mailbox: in.Source.Mailbox, Trusted: k.Intake.Trusted, OnTicket: k.Ticket != nil, Ticket: k.Ticket, Explain: k.Explain}
	if k.Ticket != nil {
		h.Language = k.Ticket.Language
	}
	return h
}

// bound reports whether the message continues a ticket for certain: whether a number in the subject counts is judged
// later, and what it says must not lift any limit.
func (k *Known) bound() bool { return k.Ticket != nil && k.By != bySubject }

// What says that a message continues a ticket.
const (
	byAddress  = "reply address"
	byID       = "Message-ID"
	byEnvelope = "envelope sender" // a report came back to the sender of one of our mails
	bySubject  = "subject tag"
	byHand     = "Message-ID of a mail that was sent by hand"
)

// know gathers what the store knows about a message.
func (tx *Tx) know(r *Rules, in *Incoming, now time.Time) (*Known, error) {
	k := &Known{Intake: r.Mailboxes[in.Source.Mailbox], Brand: r.brandOf(in.Source.Mailbox)}
	k.NextID = TicketID(tx.counter("tickets") + tx.counter("skipped") + 1)
	k.NextCount = tx.counter("numbers") + 1
	m := in.Message
	if m == nil {
		return k, nil
	}
	dup, err := tx.byIdentity(m.Identity)
	if err != nil {
		return nil, err
	}
	k.Duplicate = dup
	if t := tx.signedID(r, m.ID); t != nil {
		k.Own, k.Probe = true, t.Purpose == PurposeIDProbe
	}
	if k.Intake.Sent {
		return k, tx.knowSent(k, r, m)
	}
	if err := tx.knowThread(k, r, m, now); err != nil {
		return nil, err
	}
	if err := tx.knowCommands(k, r, m); err != nil {
		return nil, err
	}
	if err := tx.knowStaffBounce(k, r, now); err != nil {
		return nil, err
	}
	if err := tx.knowFlood(k, r, m, now); err != nil {
		return nil, err
	}
	if err := tx.knowAlike(k, m, now); err != nil {
		return nil, err
	}
	if k.Absent, err = tx.leaves(now); err != nil {
		return nil, err
	}
	to := m.ReturnPath
	if to != "" && to != "<>" {
		if k.AnswersHour, err = tx.answersSince(to, now.Add(-time.Hour)); err != nil {
			return nil, err
		}
		if k.AnswersDay, err = tx.answersSince(to, now.Add(-24*time.Hour)); err != nil {
			return nil, err
		}
		if err := tx.knowHelp(k, r, to, now); err != nil {
			return nil, err
		}
	}
	if err := tx.knowLoop(k, r, m, now); err != nil {
		return nil, err
	}
	if k.NoticesHour, err = tx.answersSince(k.Brand.heldCap(), now.Add(-time.Hour)); err != nil {
		return nil, err
	}
	if err := tx.knowAlert(k, r, in); err != nil {
		return nil, err
	}
	if err := tx.knowUnproven(k, r, m, now); err != nil {
		return nil, err
	}
	if err := tx.knowBurst(k, r, m, now); err != nil {
		return nil, err
	}
	return k, tx.knowUnvouched(k, r, in, now)
}

// knowThread finds the ticket that a message continues: reply address, then our own Message-ID, then a subject tag.
func (tx *Tx) knowThread(k *Known, r *Rules, m *Message, now time.Time) error {
	tokens := tx.addressTokens(r, m)
	for _, t := range tokens {
		if t.Purpose == PurposeBounce {
			o, err := tx.Outgoing(t.Outgoing)
			if err == nil {
				k.About, k.AboutBounce = o, true
			}
			continue
		}
		switch {
		case k.By == "":
			k.By, k.Token = byAddress, t
		case k.Token.Ticket != t.Ticket:
			k.Conflict = true
		case t.Purpose == PurposeNote, t.Purpose == PurposeForm && k.Token.Purpose == PurposeAnswer:
			k.Token = t // beside a public address: the safer one wins
		}
	}
	ours := false
	for _, id := range referred(m) {
		t := tx.signedID(r, id)
		if t == nil {
			k.ForeignID = k.ForeignID || looksOwn(r, id)
			continue
		}
		if !ours {
			k.RefersAuto, ours = t.Purpose == PurposeIDAuto, true
		}
		if k.About == nil {
			if o, err := tx.Outgoing(t.Outgoing); err == nil {
				k.About = o
			}
		}
		if k.By == "" && t.Ticket != 0 {
			k.By, k.Token = byID, *t
		}
	}
	for _, id := range returnedIDs(m) {
		t := tx.signedID(r, id)
		if t != nil && t.Purpose == PurposeIDProbe {
			k.Probe = true
			continue
		}
		if t != nil && !k.AboutBounce {
			if o, err := tx.Outgoing(t.Outgoing); err == nil {
				k.About, k.AboutBounce = o, true
			}
		}
	}
	if k.By == "" && k.AboutBounce && k.About.Ticket != 0 {
		k.By, k.Token = byEnvelope, Token{Purpose: PurposeBounce, Ticket: k.About.Ticket}
	}
	if k.By != "" {
		t, err := tx.Ticket(k.Token.Ticket)
		if err != nil {
			k.By, k.Token = "", Token{} // erased: nothing is restored (S-098)
			return nil
		}
		k.TokenOwner = tx.address(k.Token.Principal)
		return tx.knowTicket(k, t, now)
	}
	if tx.knowReference(k, r, m) {
		t, err := tx.Ticket(k.Token.Ticket)
		if err == nil {
			return tx.knowTicket(k, t, now)
		}
		k.By, k.Token, k.TokenOwner = "", Token{}, ""
	}
	return tx.knowSuggestion(k, r, m, now)
}

func (tx *Tx) knowTicket(k *Known, t *Ticket, now time.Time) (err error) {
	if t.State == StateMerged {
		k.Via = t
		if t, err = tx.taker(t); err != nil {
			return err
		}
	}
	k.Ticket = t
	if k.Recent, err = tx.lastEntries(t.ID, 12); err != nil || t.State.Live() {
		return err
	}
	k.Reopens, err = tx.reopens(t.ID, now.Add(-24*time.Hour))
	return err
}

// maxReopenBack bounds how many entries are looked through for reopenings.
const maxReopenBack = 500

// reopens counts how often mails of customers reopened a ticket since then.
func (tx *Tx) reopens(id TicketID, since time.Time) (int, error) {
	recent, err := tx.lastEntries(id, maxReopenBack)
	n := 0
	for _, e := range recent {
		if e.At.Before(since) {
			break
		}
		if e.Detail == detailReopened {
			n++
		}
	}
	return n, err
}

// knowSuggestion looks for a ticket that the message may belong to: the number in its subject, or a live ticket of the
// author with the same subject. Nothing but a person's decision, or an authenticated participant's number, joins them.
func (tx *Tx) knowSuggestion(k *Known, r *Rules, m *Message, now time.Time) error {
	t, err := tx.answersByHand(k, m)
	if err != nil {
		return err
	}
	if t != nil {
		k.By = byHand
		return tx.knowTicket(k, t, now)
	}
	if n := subjectTag(m.Subject); n != "" {
		if t, err := tx.TicketByNumber(n); err == nil {
			k.Suggestion = t
			if m.Author != "" && t.participant(m.Author) {
				k.By = bySubject
				return tx.knowTicket(k, t, now)
			}
			return nil
		}
	}
	if m.Author == "" {
		return nil
	}
	return tx.knowLikeness(k, r, m, now)
}

// recipientFields are where a mail server leaves the address that a message was delivered to.
var recipientFields = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Apparently-To"}

// addressTokens returns the valid tokens in the addresses a message was sent to, each once.
func (tx *Tx) addressTokens(r *Rules, m *Message) []Token {
	var found []Token
	seen := map[string]bool{}
	look := func(address string) {
		s := r.tokenIn(strings.Trim(strings.TrimSpace(address), "<>"))
		if s == "" || seen[s] {
			return
		}
		seen[s] = true
		if t, err := tx.store.keys.Verify(s); err == nil && t.Purpose&purposeID == 0 {
			found = append(found, t)
		}
	}
	for _, a := range m.To {
		look(a.Mail)
	}
	for _, a := range m.Cc {
		look(a.Mail)
	}
	for _, name := range recipientFields {
		for _, v := range m.Field(name) {
			look(v)
		}
	}
	return found
}

// returnedID finds Message-IDs in what a delivery report returns of a mail. They are signed: where they stand proves
// nothing, and need not.
var returnedID = regexp.MustCompile(`(?im)^message-id:\s*<([^<>\s]{10,200})>`)

// returnedIDs returns the ids of mails that a report returns, whole or their header only: without sub-addressing nothing
// else says what it is about (S-046).
func returnedIDs(m *Message) []string {
	var ids []string
	for _, p := range m.Machine {
		if p.Type == "message/rfc822" || p.Type == "text/rfc822-headers" || strings.HasPrefix(p.Type, "message/global") {
			for _, found := range returnedID.FindAllSubmatch(p.Data[:min(len(p.Data), 64<<10)], 5) {
				ids = append(ids, string(found[1]))
			}
		}
	}
	return ids
}

// referred returns the ids that a message refers to, the nearest first.
func referred(m *Message) []string {
	ids := append([]string{}, m.InReplyTo...)
	for i := len(m.References) - 1; i >= 0; i-- {
		ids = append(ids, m.References[i])
	}
	return ids[:min(len(ids), 100)]
}

// signedID returns what a Message-ID of ours says, or nil when we never signed it.
func (tx *Tx) signedID(r *Rules, id string) *Token {
	local, domain, ok := cutAddress(id)
	if !ok || !r.ownDomain(domain) {
		return nil
	}
	t, err := tx.store.keys.Verify(local)
	if err != nil || t.Purpose&purposeID == 0 {
		return nil
	}
	return &t
}

func looksOwn(r *Rules, id string) bool {
	local, domain, ok := cutAddress(id)
	return ok && len(local) == tokenEncoding.EncodedLen(tokenLong) && r.ownDomain(domain)
}

func (r *Rules) ownDomain(domain string) bool {
	for _, b := range r.Brands {
		if b.domain() == domain {
			return true
		}
	}
	return false
}

// participant reports whether an address takes part in the ticket's public side.
func (t *Ticket) participant(address string) bool {
	if strings.EqualFold(t.Requester.Mail, address) {
		return true
	}
	for _, p := range t.Participants {
		if strings.EqualFold(p.Mail, address) {
			return true
		}
	}
	return false
}

// Unknown is what an empty desk knows: for trying mails out.
func Unknown(r *Rules, mailbox string) *Known {
	return &Known{Intake: r.Mailboxes[watched(mailbox)], Brand: r.brandOf(mailbox), NextID: 1, NextCount: 1}
}
