package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decision is what is to become of a message. Making it changes nothing.
type Decision struct {
	Result  Result
	Why     string
	Verdict Verdict
	Reasons []Reason // of the verdict, and of what the desk added to it

	Hold    string       // why the message is held; "" when it is not
	Final   bool         // held, and no person's word can let it in
	New     bool         // Ticket did not exist before
	Ticket  *Ticket      // as it is afterwards; nil when the message concerns none
	Entries []Entry      // to append to Ticket
	Mails   []Mail       // to be owed
	Admit   []uint64     // held mails that commands let in
	Reject  []uint64     // held mails that commands drop
	Cancel  []OutgoingID // mails that a command takes back
	Wish    *wantDaily   // whether the sender wants overviews
	Leave   *Leave       // what was learned of an agent's absence
	Beside  []Beside     // what becomes of other tickets

	Postponed []Postponed // notices that wait for their readers' working time
}

// Mail is a mail that a decision calls for. It gets its Message-ID, reply address and bytes when it is enqueued.
type Mail struct {
	To        Address
	Cc        []Address
	Class     Class
	Template  string
	Public    *PublicView   // one of the three is set
	Internal  *InternalView //
	Vendor    *VendorView   // beside Internal: what the mail shows is to be sent to a third party
	Purpose   Purpose       // of its reply address
	NotBefore time.Time
	Important bool
	Bulk      bool
	Files     []File // go with it
	Invite    bool   // carries the ticket's date for calendars
	Attach    bool   // carries the attachments of the message on
	Earlier   *Entry // Attach means those of this entry's message too, which came before
	Thread    bool   // carries what the customer wrote, as mails
	CountAs   string // for whose cap it counts; "" for nobody's
	NoTicket  bool   // about no ticket: health notices
	Agent     Agent  // who answers, in ClassAnswer
}

// decider carries what every step of a decision needs.
type decider struct {
	k   *Known
	in  *Incoming
	m   *Message
	r   *Rules
	now time.Time
	out Decision

	after []func() // what the next entry brings about, once the ticket is as it says

	happened time.Time // when what is noted happened; zero: now
}

// Decide is the desk's judgement about one message: whether it joins a ticket, opens one, is held or filed, what
// changes by it and who is to be told. It is a function of its arguments; explain, replay and the daemon share it.
func Decide(k *Known, in *Incoming, r *Rules, now time.Time) Decision {
	d := &decider{k: k, in: in, m: in.Message, r: r, now: now}
	if k.Ticket != nil {
		d.out.Ticket = k.Ticket.clone()
	}
	d.decide()
	d.out.Reasons = append(append([]Reason{}, d.out.Verdict.Reasons...), d.out.Reasons...)
	if !d.out.New && len(d.out.Entries) == 0 && d.out.Result != Quarantined {
		d.out.Ticket = nil
	}
	return d.out
}

func (d *decider) reason(what, value, why string) {
	d.out.Reasons = append(d.out.Reasons, Reason{What: what, Value: value, Why: why})
}

// end says where the message ends.
func (d *decider) end(result Result, why string) { d.out.Result, d.out.Why = result, why }

// hold puts the message into quarantine. With a line it tells the ticket's people, or the default team, that a decision
// is wanted; spam and the like is not worth a mail.
func (d *decider) hold(reason, line string) {
	d.out.Hold = reason
	d.end(Quarantined, reason)
	if t := d.out.Ticket; t != nil {
		d.entry(Entry{Kind: EntryHeld, Actor: d.sender(), From: d.from().Mail, Detail: reason})
	}
	if line != "" && d.k.NoticesHour < d.r.Limits.NoticesPerHour {
		d.tellHeld(line)
	}
	if line == "held.agent" {
		d.tellUnvouched()
	}
}

func (d *decider) decide() {
	if d.absent() || d.poisonous() {
		return
	}
	if dup := d.repeated(); dup != nil {
		d.end(Duplicate, fmt.Sprintf("the same mail was settled before as %s", dup.Source))
		return
	}
	if d.k.Intake.Sent {
		d.sentByHand()
		return
	}
	d.classify()
	v := &d.out.Verdict
	if d.k.Intake.Monitoring && v.Kind == KindHuman {
		v.Kind, v.NoAnswer = KindMonitoring, "it came to a mailbox for monitoring"
		d.reason("kind", string(KindMonitoring), v.NoAnswer)
	}
	d.bind()
	switch {
	case d.k.Own:
		v.Kind = KindOwn
		d.reason("kind", string(KindOwn), "its Message-ID is one that this desk signed")
		if d.k.Probe {
			d.end(Filed, "a test mail of check --online")
			return
		}
		d.end(Filed, "a mail of this desk that came back")
	case v.Kind == KindBounce:
		d.bounce()
	case d.m.Author != "" && d.r.isOwn(d.m.Author):
		d.out.Final = true
		d.hold("it claims to come from one of the desk's own addresses", "")
	case v.Kind == KindFeedbackReport || v.Kind == KindReport:
		d.machineReport()
	case v.Quarantine != "" && !d.k.Admitted:
		d.hold(v.Quarantine, "")
	case v.Kind == KindAutoReply:
		d.autoReply()
	case d.k.Conflict && !d.k.Admitted:
		d.hold("it is addressed to two tickets at once", "held.token")
	case v.Alert != nil && d.out.Ticket == nil:
		d.alert()
	case d.out.Ticket != nil:
		d.reason("thread", d.out.Ticket.Number, "by its "+d.by())
		d.onTicket()
	case d.byAgent():
	default:
		if !d.joinedLoop() && !d.flooded() {
			d.newTicket()
		}
	}
}

// classify asks the classifier, unless that was done to gather what is known.
func (d *decider) classify() {
	h := d.k.hints(d.in)
	if d.k.Verdict != nil && d.k.asked == h {
		d.out.Verdict = *d.k.Verdict
		return
	}
	d.out.Verdict = d.r.Classifier.Classify(d.m, h)
}

// classifyAsNew asks the classifier once more about a message that seemed to continue a ticket and opens one.
func (d *decider) classifyAsNew() {
	h := d.k.hints(d.in)
	if !h.OnTicket {
		return
	}
	h.OnTicket, h.Ticket = false, nil
	before := d.out.Verdict
	d.out.Verdict = d.r.Classifier.Classify(d.m, h)
	d.out.Verdict.Kind, d.out.Verdict.NoAnswer = before.Kind, before.NoAnswer
}

// absent settles what came without its text.
func (d *decider) absent() bool {
	switch d.in.Absent {
	case Present:
		if d.m == nil {
			d.end(Failed, "it was handed over without its text")
			return true
		}
		return false
	case TooOld:
		d.end(Filed, "it arrived before this desk began to read the mailbox (since)")
	case Vanished:
		d.end(Failed, "it was removed from the server before it could be read")
	case Oversize:
		if d.k.Intake.Sent && d.m != nil {
			return false // its header says what it answers, and the prefix what the customer was told
		}
		d.out.Hold = fmt.Sprintf("it is larger than max_size (%.4g MB)", float64(d.k.Intake.MaxSize)/1e6)
		d.end(Quarantined, d.out.Hold)
		d.health("health.oversize", map[string]string{
			"mailbox": d.in.Source.Mailbox, "from": d.from().Mail, "subject": d.subject(), "size": strconv.FormatInt(d.in.Size, 10), "limit": strconv.FormatInt(d.k.Intake.MaxSize, 10)})
	default:
		d.end(Failed, "the server does not hand it out: "+d.in.Detail)
		d.health("health.unfetchable", map[string]string{
			"mailbox": d.in.Source.Mailbox, "uid": strconv.FormatUint(uint64(d.in.Source.UID), 10), "attempts": "", "reason": d.in.Detail})
	}
	d.reason("absent", string(d.in.Absent), d.out.Why)
	return true
}

// bind lets go of the ticket that the store found when what points to it is too weak for this message: a number in the
// subject counts only when the sender is authenticated (S-089), an envelope sender of ours only for machines' mail.
func (d *decider) bind() {
	v := d.out.Verdict
	person := v.Kind != KindBounce && v.Kind != KindAutoReply && v.Kind != KindReport && v.Kind != KindFeedbackReport
	switch {
	case (d.k.By == bySubject || d.k.By == byHand) && v.Auth != AuthPass:
		d.reason("thread", "none", "a "+d.k.By+" counts only when the sender is authenticated")
		d.k.Suggestion = d.k.Ticket
		d.out.Ticket = nil
	case d.k.By == bySameText && (v.Kind != KindHuman || v.Alert != nil):
		d.out.Ticket = nil // machines repeat themselves on purpose
	case d.k.By == byEnvelope && person:
		d.reason("thread", "none", "it came to an address for delivery reports")
		d.out.Ticket = nil
	case d.k.ForeignID:
		d.reason("thread", "none", "it refers to an id under our domain that this desk never signed")
	}
}

// bounce files a delivery report with the ticket it is about. One that refers to no mail of ours changes nothing
// (RFC 3464 §4.1, S-047).
func (d *decider) bounce() {
	b, o := d.out.Verdict.Bounce, d.k.About
	if d.k.Probe {
		d.end(Filed, "a delivery report about a test mail of check --online")
		return
	}
	if o == nil || b == nil {
		d.out.Final = true
		d.hold("a delivery report that is about no mail of this desk", "")
		return
	}
	d.staffBounced(b, o)
	detail := fmt.Sprintf("to %s: %s", o.Recipient, oneLine(b.Status+" "+b.Diagnostic))
	if t := d.out.Ticket; t == nil || t.ID != o.Ticket {
		d.end(Filed, "a delivery report about a mail without a ticket: "+detail)
		return
	}
	d.end(Filed, "a delivery report about one of our mails: "+detail)
	e := Entry{Kind: EntryBounced, Actor: Actor{Kind: ActorSystem}, Outgoing: o.ID, Template: o.Template, To: []string{o.Recipient}, Detail: detail}
	if b.Delayed {
		e.Kind = EntryDelivery // a warning must not stand for the report that may follow
	}
	t := d.out.Ticket
	if !b.Delayed && d.concernsRequester(o) {
		d.move(t, &e, eventBounce)
		e.Detail = detail
	}
	told := d.bounceTold()
	d.entry(e)
	if !b.Delayed && !told && d.out.Ticket.outside(d.r, o.Recipient) {
		d.tellTeam(TemplateUndelivered, PurposeNote, func(v *InternalView) {
			v.Lines = []Line{{Key: "undelivered.bounced", Args: map[string]string{"to": o.Recipient, "status": b.Status, "reason": oneLine(b.Diagnostic)}},
				{Key: "undelivered.what_now", Args: map[string]string{"to": o.Recipient}}}
		})
	}
}

// concernsRequester reports whether a mail was for the customer's side: a bounce of a notice to staff must not make
// another one.
func (d *decider) concernsRequester(o *Outgoing) bool {
	return d.out.Ticket.participant(o.Recipient)
}

// bounceTold reports whether the team was told of a bounce to the customer's side since the last answer.
func (d *decider) bounceTold() bool {
	for _, e := range d.k.Recent {
		if e.Kind == EntryBounced && d.out.Ticket.participant(firstOf(e.To)) {
			return true
		}
		if e.Kind == EntryAnswered {
			return false
		}
	}
	return false
}

// machineReport files feedback reports and other reports of machines.
func (d *decider) machineReport() {
	if d.out.Ticket != nil {
		d.entry(Entry{Kind: EntryAutomatic, Actor: Actor{Kind: ActorSystem}, From: d.from().Mail, Detail: "a " + string(d.out.Verdict.Kind)})
	}
	d.end(Filed, "a machine's report: "+strings.ReplaceAll(string(d.out.Verdict.Kind), "_", " "))
}

// autoReply notes an automatic mail: it never reopens, stops a clock or counts as an answer (S-069).
func (d *decider) autoReply() {
	a, away := d.noteLeave()
	if away {
		d.out.Leave = &a
		d.reason("absence", a.Agent, "an out-of-office note until "+a.Until.In(d.zone()).Format(time.DateOnly))
	}
	if d.out.Ticket != nil {
		e := Entry{Kind: EntryAutomatic, Actor: d.sender(), From: d.from().Mail, Text: d.m.Reply, Detail: "automatic reply"}
		d.vendorAutomatic(&e)
		d.customerAway(&e)
		d.entry(e)
		d.end(Filed, "an automatic reply, noted on "+d.out.Ticket.Number)
		return
	}
	d.end(Filed, "an automatic reply that belongs to no ticket")
}

// onTicket deals with a person's mail that continues a ticket.
func (d *decider) onTicket() {
	auth, author := d.out.Verdict.Auth, d.m.Author
	agent, isAgent := d.r.agent(author)
	switch {
	case d.fromVendor():
		d.vendorWrote()
	case d.k.Admitted && isAgent && !d.k.Ticket.participant(author):
		d.admittedNote()
	case d.k.Admitted:
		d.customerWrote()
	case auth == AuthFail:
		d.hold("the sender is forged, says the mail server (dmarc=fail)", "held.forged")
	case isAgent && !d.k.Ticket.participant(author):
		d.agentWrote(agent)
	case isAgent && d.k.Token.Purpose&^purposeID != PurposeCustomer:
		d.agentWrote(agent)
	case author != "" && d.k.Ticket.participant(author):
		d.customerWrote()
	case author == "":
		d.hold("its sender cannot be told for certain", "held.unverified")
	default:
		d.hold("its sender takes no part in the ticket", "held.stranger")
	}
}

// customerWrote adds a customer's message to their ticket.
func (d *decider) customerWrote() {
	t := d.out.Ticket
	if t.State == StateQuarantined {
		d.entry(d.received()) // nobody is told of more from there
		d.end(Appended, "on "+t.Number+", which is in quarantine")
		return
	}
	if d.oneWord() {
		return
	}
	ended := !t.State.Live()
	switch {
	case ended && !d.r.ThanksReopen && isThanks(d.m):
		e := d.received()
		d.move(t, &e, eventThanks)
		t.set(&e.Changes, fieldConfirmed, formatBool(true))
		e.Detail = "thanks for the solution; it stays solved"
		d.entry(e)
		d.reason("state", string(t.State), "a thank-you does not reopen")
		d.end(Appended, "thanks, on "+t.Number)
		return
	case ended && d.now.Sub(t.SolvedAt) > d.r.ReopenWithin:
		d.reason("thread", "new ticket", fmt.Sprintf("%s was solved more than %s ago", t.Number, days(d.r.ReopenWithin)))
		d.followUp()
		return
	}
	e := d.received()
	d.additions(&e)
	if ended && d.k.Reopens >= d.r.Limits.ReopensPerDay {
		e.Detail = "not reopened: it was reopened too often today"
	} else {
		d.move(t, &e, eventCustomer)
	}
	d.tellAbsent(&e)
	d.entry(e)
	d.end(Appended, "on "+t.Number+", by its "+d.by())
	d.tellCustomerReplied()
}

// admittedNote keeps the text of an agent's held mail as an internal note: someone vouched for the text, nobody for the
// sender or their right to answer the customer.
func (d *decider) admittedNote() {
	d.entry(Entry{Kind: EntryNoted, Actor: d.sender(), From: d.m.Author, Text: d.m.Reply, MessageID: d.m.ID, Attached: d.m.Attachments,
		Detail: "let in by " + d.k.AdmittedBy + "; it stays inside"})
	d.end(Appended, "as a note on "+d.out.Ticket.Number)
}

func (d *decider) by() string {
	if d.k.Admitted {
		return "admission by " + d.k.AdmittedBy
	}
	return d.k.By
}

// received is the entry of a customer's message.
func (d *decider) received() Entry {
	e := Entry{
		Kind: EntryReceived, Actor: d.sender(), From: d.from().Mail, Text: d.m.NewText(), MessageID: d.m.ID,
		Verified: d.out.Verdict.Auth == AuthPass, Attached: d.m.Attachments,
	}
	t := d.out.Ticket
	t.set(&e.Changes, fieldLastCustomer, d.m.NewText())
	if from := d.from(); d.k.Admitted && checkAddress(from.Mail) == nil && t.Entries > 0 && !t.participant(from.Mail) && t.Number != "" {
		t.set(&e.Changes, fieldParticipants, formatJSON(append(slices.Clone(t.Participants), Address{Name: from.Name, Mail: strings.ToLower(from.Mail)})))
	}
	d.bringAlong(t, &e)
	if d.m.ID != "" {
		e.Changes = append(e.Changes, Change{Field: fieldThread, After: strings.ToLower(t.Requester.Mail) + " " + d.m.ID})
	}
	return e
}

func (d *decider) sender() Actor {
	if a, ok := d.r.agent(d.m.Author); ok {
		return Actor{Kind: ActorAgent, Name: a.Address}
	}
	return Actor{Kind: ActorCustomer, Name: d.from().Mail}
}

// from is the author for display: the identity when it is certain.
func (d *decider) from() Address {
	if d.m == nil || len(d.m.From) == 0 {
		return Address{}
	}
	return d.m.From[0]
}

func (d *decider) subject() string {
	if d.m == nil {
		return ""
	}
	return d.m.Subject
}

// entry appends to the ticket, here and for the store.
func (d *decider) entry(e Entry) {
	t := d.out.Ticket
	now := d.now
	if !d.happened.IsZero() {
		now = d.happened // promises are kept when it happens, and not when the desk hears of it
	}
	d.r.followClocks(t, &e, d.in.Arrived, now)
	e.Ticket, e.Seq, e.At, e.Rev = t.ID, t.Entries+1, d.now, d.r.Rev
	if err := t.apply(e); err != nil {
		panic(fmt.Sprintf("ticket %s: %v", t.Number, err)) // only our own changes are applied
	}
	d.out.Entries = append(d.out.Entries, e)
	after := d.after
	d.after = nil
	for _, do := range after {
		do()
	}
}

// oneLine folds white space and cuts what is long, for lines in mails and logs.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}

func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}
