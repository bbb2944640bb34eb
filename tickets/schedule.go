package tickets

import (
	"fmt"
	"strings"
	"time"

	"supportd/tickets/command"
)

// Appointments: a ticket that waits for an agreed date. The customer gets it as a text and as a calendar entry, may
// agree with one word, and until then the promised time runs on (S22).

// appointmentLength is how long the entry in the customer's calendar is; the agent's text says more.
const appointmentLength = time.Hour

// scheduling has the commands about appointments.
func scheduling() map[string]handler {
	return map[string]handler{"schedule": (*operation).schedule}
}

// schedule sets the date, or moves it; the text of the mail goes to the customer with it.
func (op *operation) schedule(c command.Command) bool {
	if op.entry.Kind == EntryNoted {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#schedule", "other": "#note"}})
	}
	if op.standard != nil {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#schedule", "other": "#send"}})
	}
	at, ok := op.when(c)
	if !ok {
		return false
	}
	op.t.set(&op.entry.Changes, fieldScheduledAt, formatTime(at.UTC()))
	op.t.set(&op.entry.Changes, fieldAgreed, "")
	if op.t.Assignee == "" {
		op.t.set(&op.entry.Changes, fieldAssignee, op.agent.Address)
	}
	op.appointment = true
	return op.transit(c, eventSchedule, Line{OK: true, Key: "did.schedule", Args: map[string]string{"at": formatTime(at)}})
}

// appointmentTimer is when the date of a ticket comes.
func appointmentTimer(t *Ticket) []timer {
	if t.State != StateScheduled || t.ScheduledAt.IsZero() {
		return nil
	}
	return []timer{{t.ScheduledAt, "date"}}
}

// dateReached opens the ticket again, and tells whoever has the appointment.
func (d *decider) dateReached() {
	t := d.out.Ticket
	if t.State != StateScheduled || t.ScheduledAt.After(d.now) {
		return
	}
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: "date"}, Detail: "the date has come"}
	if !d.move(t, &e, eventDate) {
		return
	}
	t.set(&e.Changes, fieldScheduledAt, "")
	t.set(&e.Changes, fieldAgreed, "")
	d.entry(e)
	d.tell(d.audience(), TemplateAppointmentNow, PurposeAnswer, false, func(v *InternalView) {
		v.Text, v.TextFrom, v.TextAt = t.LastCustomer, t.Requester.Mail, t.Created
	})
}

// agreeWords are a customer's agreement with an appointment, as the whole of a mail.
var agreeWords = wordSet("ja ok okay passt einverstanden bestaetigt yes agreed confirmed accepted")

// agreed notes that the customer has said yes to the date: from now on the promised time stands.
func (d *decider) agreed() {
	t := d.out.Ticket
	e := d.received()
	e.Changes = dropChange(e.Changes, fieldLastCustomer)
	t.set(&e.Changes, fieldAgreed, formatBool(true))
	e.Detail = "agrees with the date"
	d.entry(e)
	d.end(Appended, "agrees with the date, on "+t.Number)
	d.tell(d.audience(), TemplateCustomerReplied, PurposeAnswer, false, nil)
}

// calendarEntry is an appointment as a file that calendars read (RFC 5545). It is published, not a request: the answers
// that calendars send to requests by themselves would come in as mails to the ticket. The same ticket keeps its UID, so
// that a moved date moves the entry.
func calendarEntry(t *Ticket, b Brand, now time.Time) File {
	stamp := func(at time.Time) string { return at.UTC().Format("20060102T150405Z") }
	lines := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//supportd//desk//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
		"UID:" + strings.ToLower(t.Number) + "@" + b.domain(),
		fmt.Sprintf("SEQUENCE:%d", t.Entries), "DTSTAMP:" + stamp(now),
		"DTSTART:" + stamp(t.ScheduledAt), "DTEND:" + stamp(t.ScheduledAt.Add(appointmentLength)),
		"SUMMARY:" + calendarText(t.Subject+" ["+t.Number+"]"), "END:VEVENT", "END:VCALENDAR", "",
	}
	for i, l := range lines {
		lines[i] = folded(l)
	}
	return File{Name: t.Number + ".ics", Type: "text/calendar; charset=utf-8; method=PUBLISH", Data: []byte(strings.Join(lines, "\r\n"))}
}

// calendarText escapes a text (RFC 5545 §3.3.11).
func calendarText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r", "", "\n", `\n`).Replace(s)
}

// folded breaks a line of over 75 octets (RFC 5545 §3.1), never inside a character.
func folded(line string) string {
	var b strings.Builder
	width := 0
	for _, r := range line {
		n := len(string(r))
		if width+n > 73 {
			b.WriteString("\r\n ")
			width = 1
		}
		b.WriteRune(r)
		width += n
	}
	return b.String()
}
