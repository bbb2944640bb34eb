package tickets

import (
	"fmt"
	"strconv"
	"time"

	"supportd/tickets/absence"
)

// Waiting is how the desk waits for a customer's answer. Times are working time since the question was asked.
type Waiting struct {
	Remind   []time.Duration // when the customer is asked again, ascending
	After    time.Duration   // when the ticket is solved for lack of an answer; 0: never
	Calendar Calendar        // whose hours count; nil: the rules' own
}

// Resolution codes: in one word, how a ticket ended (domain.md §4.3).
const resolutionNoResponse = "no_response"

// asked notes that a question is open from now on: reminders count from here, also when there was one before.
func (d *decider) asked(t *Ticket, e *Entry) {
	t.set(&e.Changes, fieldAskedAt, formatTime(d.now))
	t.set(&e.Changes, fieldReminded, "")
	t.set(&e.Changes, fieldRemindAfter, "")
}

// waitingTimers are when the next reminder is due, and the end of the desk's patience. An answer from an automatic
// responder that says until when somebody is away moves both (S23): nobody can answer before.
func waitingTimers(t *Ticket, r *Rules) (list []timer) {
	if t.State != StateWaitingCustomer || t.AskedAt.IsZero() {
		return nil
	}
	since := t.AskedAt
	if t.RemindAfter.After(since) {
		since = t.RemindAfter
	}
	cal := r.Waiting.Calendar
	if cal == nil {
		cal = r.Calendar
	}
	if t.Reminded < len(r.Waiting.Remind) {
		list = append(list, timer{cal.Add(since, r.Waiting.Remind[t.Reminded]), "remind " + strconv.Itoa(t.Reminded)})
	}
	if r.Waiting.After > 0 {
		list = append(list, timer{cal.Add(since, r.Waiting.After), "silence"})
	}
	return list
}

// due reports whether a timer of the waiting that the ticket has now has come.
func (d *decider) waited(kind string) (time.Time, bool) {
	for _, w := range waitingTimers(d.out.Ticket, d.r) {
		if w.kind == kind {
			return w.at, !w.at.After(d.now)
		}
	}
	return time.Time{}, false
}

// remind asks the customer once more, courteously and at most as often as the rules say. When the desk was down while
// several reminders fell due, one is sent.
func (d *decider) remind(kind string) {
	if _, due := d.waited(kind); !due {
		return
	}
	if _, over := d.waited("silence"); over {
		return // the last word is due as well; it says all
	}
	t := d.out.Ticket
	n := t.Reminded + 1
	for ; n < len(d.r.Waiting.Remind); n++ {
		t := *t
		t.Reminded = n
		if list := waitingTimers(&t, d.r); len(list) == 0 || list[0].at.After(d.now) {
			break
		}
	}
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: "remind"}, Detail: fmt.Sprintf("reminder %d of %d to the customer", n, len(d.r.Waiting.Remind))}
	t.set(&e.Changes, fieldReminded, formatInt(n))
	d.entry(e)
	view := d.publicView(t)
	view.Text = t.LastPublic
	view.AnswerBy, _ = d.waited("silence")
	d.toCustomer(TemplateReminder, view)
}

// silence solves a ticket whose customer did not answer, and says how to open it again.
func (d *decider) silence() {
	if _, due := d.waited("silence"); !due {
		return
	}
	t := d.out.Ticket
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: "silence"}, Detail: "solved: the customer did not answer"}
	if !d.move(t, &e, eventSilence) {
		return
	}
	t.set(&e.Changes, fieldResolutionCode, resolutionNoResponse)
	d.entry(e)
	view := d.publicView(t)
	view.Text = t.LastPublic
	view.ReopenUntil = d.now.Add(d.r.ReopenWithin)
	d.toCustomer(TemplateNoResponse, view)
}

// toCustomer owes the requester a mail that the desk writes by itself on an occasion of its own (H3).
func (d *decider) toCustomer(template string, view PublicView) {
	t := d.out.Ticket
	if checkAddress(t.Requester.Mail) != nil || d.r.isOwn(t.Requester.Mail) {
		return
	}
	d.out.Mails = append(d.out.Mails, Mail{To: t.Requester, Class: ClassNotice, Template: template, Public: &view, Purpose: PurposeCustomer})
}

// customerAway moves the reminders of a waiting ticket behind the day on which the customer is back, when their automatic
// responder says it; the clocks stand anyway (S23).
func (d *decider) customerAway(e *Entry) {
	t := d.out.Ticket
	if t.State != StateWaitingCustomer || !t.participant(d.m.Author) || d.out.Verdict.Auth == AuthFail {
		return
	}
	back, ok := absence.Until(d.m.Subject+"\n"+d.m.NewText(), d.now, d.zone())
	if !ok || back.After(d.now.AddDate(0, maxAwayMonths, 0)) {
		return
	}
	t.set(&e.Changes, fieldRemindAfter, formatTime(back.UTC()))
	e.Detail += "; away until " + back.In(d.zone()).Format(time.DateOnly) + ": reminders wait"
}

// maxAwayMonths is how far a responder's date may lie ahead to be believed.
const maxAwayMonths = 6
