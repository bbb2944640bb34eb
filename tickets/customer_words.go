package tickets

import (
	"strings"

	"supportd/tickets/clock"
)

// What customers may write as the whole of a mail, and the desk understands: that it is solved, and the question how
// things stand. Anything else, and anything beside it, is for a person to read.
var (
	solvedWords = wordSet("geloest solved erledigt fixed resolved")
	statusWords = wordSet("status statusabfrage stand")
)

// word is the single word that a mail consists of, folded, without marks around it; "" when it says more.
func (m *Message) word() string {
	text := strings.TrimSpace(m.Reply)
	if len(text) > 40 || len(strings.Fields(text)) != 1 {
		return ""
	}
	for _, a := range m.Attachments {
		if !a.Inline {
			return ""
		}
	}
	return strings.Trim(foldText(text), "#.!*_\"„“'")
}

// confirmed solves a live ticket whose customer says that it is solved, and closes a solved one.
func (d *decider) confirmed() {
	t := d.out.Ticket
	e := d.received()
	before := t.State
	d.move(t, &e, eventConfirm)
	if before.Live() {
		t.set(&e.Changes, fieldResolution, firstNonEmpty(t.LastPublic, d.m.NewText()))
		t.set(&e.Changes, fieldResolutionCode, "customer")
	}
	t.set(&e.Changes, fieldConfirmed, formatBool(true))
	e.Detail = "the customer says that it is solved"
	d.entry(e)
	d.reason("state", string(t.State), e.Detail)
	d.end(Appended, "solved, says the customer, on "+t.Number)
	if before.Live() {
		d.tellCustomerReplied()
	}
}

// status answers the question how things stand, within the bounds of automatic answers; nobody else is bothered.
func (d *decider) status() {
	t := d.out.Ticket
	e := d.received()
	e.Changes = dropChange(e.Changes, fieldLastCustomer) // it says nothing about the matter
	e.Detail = detailStatus
	d.entry(e)
	d.end(Appended, "asks for the status of "+t.Number)
	if why := d.neverAnswer(); why != "" {
		d.reason("answer", "none", why)
		return
	}
	view := d.publicView(t)
	view.State, view.Text = t.State, t.LastPublic
	for _, c := range t.Clocks {
		due := d.r.Deadline(c, d.now)
		if c.Kind.SLA() && c.Running() && due.After(d.now) && (view.PromisedBy.IsZero() || c.Kind == clock.FirstResponse) {
			view.PromisedBy = due
		}
	}
	d.reason("answer", TemplateStatus, "the customer asks for the status")
	d.out.Mails = append(d.out.Mails, Mail{To: Address{Name: t.Requester.Name, Mail: d.m.ReturnPath}, Class: ClassAuto, Template: TemplateStatus, Public: &view,
		Purpose: PurposeCustomer, CountAs: d.m.ReturnPath})
}

// detailStatus marks a mail that the desk answers by itself: nobody owes an answer to it.
const detailStatus = "asks for the status"

func dropChange(changes []Change, field string) (left []Change) {
	for _, c := range changes {
		if c.Field != field {
			left = append(left, c)
		}
	}
	return left
}

// oneWord settles a customer's mail that consists of a word the desk understands, and reports whether it did.
func (d *decider) oneWord() bool {
	word := d.m.word()
	switch {
	case agreeWords[word] && d.out.Ticket.State == StateScheduled:
		d.agreed()
		return true
	case solvedWords[word] && d.out.Ticket.State != StateClosed:
		d.confirmed()
		return true
	case statusWords[word] && d.out.Verdict.Auth == AuthPass:
		d.status()
		return true
	}
	return false
}
